package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sizes and blocks of a memory sweep.
var sizes = []float64{100, 500, 2000, 8000}

// grow makes the points of a sweep: base + each·x, with a scatter that a function of x draws.
func grow(blocks int, base, each float64, scatter func(x float64) float64) (xs, ys []float64) {
	for range blocks {
		for _, x := range sizes {
			xs, ys = append(xs, x), append(ys, base+each*x+scatter(x))
		}
	}
	return xs, ys
}

func line(t *testing.T, xs, ys []float64) Line {
	t.Helper()
	l, err := Slope(xs, ys)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestALineIsFoundAgain(t *testing.T) {
	xs, ys := grow(3, 5e6, 2048, func(float64) float64 { return 0 })
	l := line(t, xs, ys)
	if math.Abs(l.Slope.Value-2048) > 1e-6 || math.Abs(l.Intercept.Value-5e6) > 1e-3 || l.Off > 1e-9 {
		t.Errorf("%+v", l)
	}
	if l.N != 3 || l.Sizes != 4 || l.Slope.Exists() || math.Abs(l.At(1000)-5e6-2048e3) > 1e-3 {
		t.Errorf("%+v", l)
	}
}

func TestOneWildTrialMovesASlopeLittle(t *testing.T) {
	xs, ys := grow(3, 5e6, 2048, func(float64) float64 { return 0 })
	ys[3] *= 3 // at the largest size, where least squares would follow it
	if l := line(t, xs, ys); math.Abs(l.Slope.Value/2048-1) > 0.01 {
		t.Errorf("%+v", l)
	}
}

func TestIntervalsOfALineHoldTheTruthAtLeastAsOftenAsTheySay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for name, scatter := range map[string]func(x float64) float64{
		"alike everywhere":   func(float64) float64 { return 2e5 * r.NormFloat64() },
		"growing with size":  func(x float64) float64 { return 100 * x * r.NormFloat64() },
		"with wild outliers": func(float64) float64 { return 1e5 * r.NormFloat64() / (0.05 + r.Float64()) },
	} {
		const runs = 1000
		slopes, intercepts := 0, 0
		for range runs {
			xs, ys := grow(6, 5e6, 512, scatter)
			l := line(t, xs, ys)
			if l.Slope.Low <= 512 && 512 <= l.Slope.High {
				slopes++
			}
			if l.Intercept.Low <= 5e6 && 5e6 <= l.Intercept.High {
				intercepts++
			}
		}
		t.Logf("%s: slope %d, intercept %d of %d", name, slopes, intercepts, runs)
		if slopes < runs*94/100 || intercepts < runs*94/100 {
			t.Errorf("%s: the slope was held %d times and the intercept %d times of %d", name, slopes, intercepts, runs)
		}
	}
}

func TestAnIntervalOfALineIsNotWideWithoutReason(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const runs, blocks, sd = 500, 6, 1e5
	width, squares := 0.0, 0.0
	for _, x := range sizes {
		squares += blocks * (x - 2650) * (x - 2650) // 2650 is their mean
	}
	for range runs {
		xs, ys := grow(blocks, 5e6, 512, func(float64) float64 { return sd * r.NormFloat64() })
		l := line(t, xs, ys)
		width += (l.Slope.High - l.Slope.Low) / runs
	}
	// What least squares would know, for scatter that it was made for. The range of six values is 1.6 times as wide.
	if best := 2 * 1.96 * sd / math.Sqrt(squares); width > 1.8*best {
		t.Errorf("an interval is %.1f wide; least squares would give %.1f", width, best)
	}
}

func TestAStepIsNotALine(t *testing.T) {
	xs, ys := grow(3, 5e6, 0, func(x float64) float64 {
		if x > 1000 {
			return 8e6
		}
		return 0
	})
	if l := line(t, xs, ys); l.Off < 0.25 {
		t.Errorf("%+v", l)
	}
}

func TestWhatGivesNoLineIsAnError(t *testing.T) {
	for _, c := range [][2][]float64{
		{nil, nil},
		{{1, 2, 3}, {1, 2, 3}},
		{{1, 1, 2, 3, 3}, {1, 2, 3, 4, 5}},
		{{1, 2, 3, 4}, {1, 2, 3}},
		{{1, 2, 3, math.NaN()}, {1, 2, 3, 4}},
		{{1, 2, 3, 4}, {1, 2, 3, math.Inf(1)}},
		{[]float64{1, 1, 2, 2, 3, 3}, []float64{1, 1, 2, 2, 3, 3}},
	} {
		if l, err := Slope(c[0], c[1]); err == nil {
			t.Errorf("%d points: %+v", len(c[0]), l)
		}
	}
}

func TestALineOfFewBlocksHasNoInterval(t *testing.T) {
	for blocks, want := range map[int]bool{1: false, 5: false, 6: true} {
		xs, ys := grow(blocks, 0, 1, func(float64) float64 { return 0 })
		if l := line(t, xs, ys); l.Slope.Exists() != want || l.Intercept.Exists() != want || l.N != blocks {
			t.Errorf("%d blocks: %+v", blocks, l)
		}
	}
}

func TestAMissingTrialCostsALineAtMostItsBlock(t *testing.T) {
	xs, ys := grow(6, 1e6, 512, func(float64) float64 { return 0 })
	l := line(t, xs[1:], ys[1:])
	if l.N != 5 || math.Abs(l.Slope.Value-512) > 1e-6 {
		t.Errorf("%+v", l)
	}
}

package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/montanaflynn/stats"
	"pgregory.net/rapid"
)

func summarise(t *testing.T, values ...float64) Summary {
	t.Helper()
	s, err := Summarise(values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What we rely on in montanaflynn/stats, of which Percentile has changed its meaning once already.
func TestTheLibrarysQuartilesInterpolateLinearly(t *testing.T) {
	for _, test := range []struct {
		values     []float64
		percent    float64
		want       float64
		wantMedian float64
	}{
		{[]float64{4, 1, 3, 2}, 25, 1.75, 2.5},
		{[]float64{4, 1, 3, 2}, 75, 3.25, 2.5},
		{[]float64{5, 1, 3, 2, 4}, 25, 2, 3},
		{[]float64{10, 20}, 75, 17.5, 15},
		{[]float64{7}, 25, 7, 7},
	} {
		in := slices.Clone(test.values)
		got, err := stats.Percentile(in, test.percent)
		if err != nil || got != test.want {
			t.Errorf("%v at %v: %v, %v; want %v", test.values, test.percent, got, err, test.want)
		}
		if m, err := stats.Median(in); err != nil || m != test.wantMedian {
			t.Errorf("median of %v: %v, %v", test.values, m, err)
		}
		if !slices.Equal(in, test.values) {
			t.Error("the input was sorted in place")
		}
	}
}

func TestASummaryIsOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e12), 1, 40).Draw(t, "values")
		s, err := Summarise(values)
		if err != nil {
			t.Fatal(err)
		}
		order := []float64{s.Min, s.Q1, s.Median, s.Q3, s.Max}
		// Interpolation may be off by a rounding error.
		for i := range order[1:] {
			if order[i] > order[i+1]*(1+1e-12) {
				t.Fatalf("%+v", s)
			}
		}
		if s.N != len(values) || s.Exists() != (len(values) >= MinTrials) {
			t.Fatalf("%+v", s)
		}
		if s.Exists() && (s.Low > s.Median || s.High < s.Median || s.Confidence < Level || s.Low < s.Min || s.High > s.Max) {
			t.Fatalf("interval %+v", s)
		}
	})
}

func TestIntervalsAreTheOrderStatisticsOfTheTextbooks(t *testing.T) {
	values := []float64{50, 10, 90, 30, 70, 20, 80, 60, 40, 100}
	for _, test := range []struct {
		n          int
		low, high  float64
		confidence float64
	}{{6, 10, 90, 0.96875}, {8, 10, 80, 0.9609375}, {10, 20, 90, 0.978515625}} {
		s := summarise(t, values[:test.n]...)
		if s.Low != test.low || s.High != test.high || math.Abs(s.Confidence-test.confidence) > 1e-9 {
			t.Errorf("n=%d: %+v; want %v to %v at %v", test.n, s.Interval, test.low, test.high, test.confidence)
		}
	}
}

func TestFiveTrialsHaveNoInterval(t *testing.T) {
	if s := summarise(t, 1, 2, 3, 4, 5); s.Exists() {
		t.Errorf("%+v", s)
	}
}

func TestIntervalsHoldTheTrueMedianAtLeastAsOftenAsTheySay(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const runs = 4000
	for _, n := range []int{6, 10, 20} {
		held := 0
		for range runs {
			values := make([]float64, n)
			for i := range values {
				values[i] = math.Exp(rnd.NormFloat64()) // skewed, as benchmarks are; its median is 1
			}
			if s := summarise(t, values...); s.Low <= 1 && 1 <= s.High {
				held++
			}
		}
		if rate := float64(held) / runs; rate < Level-0.01 {
			t.Errorf("n=%d: %v", n, rate)
		}
	}
}

func TestNothingAndNonsenseCannotBeSummarised(t *testing.T) {
	for _, values := range [][]float64{nil, {1, math.NaN()}, {math.Inf(1)}} {
		if s, err := Summarise(values); err == nil {
			t.Errorf("%v: %+v", values, s)
		}
	}
	for _, pairs := range [][]Pair{nil, {{1, 0}}, {{0, 1}}, {{-1, 1}}, {{math.NaN(), 1}}} {
		if c, err := Compare(pairs); err == nil {
			t.Errorf("%v: %+v", pairs, c)
		}
	}
}

// pairs makes n blocks in which A is B times ratio, with a noise that is common to the block and one that is not.
func pairs(n int, ratio float64, seed uint64) []Pair {
	rnd := rand.New(rand.NewPCG(seed, 7))
	out := make([]Pair, n)
	for i := range out {
		block := math.Exp(rnd.NormFloat64() * 0.01)
		out[i] = Pair{
			A: 100 * ratio * block * math.Exp(rnd.NormFloat64()*0.01), B: 100 * block * math.Exp(rnd.NormFloat64()*0.01),
		}
	}
	return out
}

func compare(t *testing.T, p []Pair) Comparison {
	t.Helper()
	c, err := Compare(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAClearDifferenceIsClaimedInItsDirection(t *testing.T) {
	up, down := compare(t, pairs(10, 1.2, 1)), compare(t, pairs(10, 0.8, 2))
	got := Judge([]Comparison{up, down}, 0)
	if got[0] != Higher || got[1] != Lower {
		t.Errorf("%v: %+v, %+v", got, up, down)
	}
	if math.Abs(up.Ratio-1.2) > 0.03 || up.N != 10 {
		t.Errorf("%+v", up)
	}
}

func TestQuickRunsNameNoWinner(t *testing.T) {
	if got := Judge([]Comparison{compare(t, pairs(5, 3, 1))}, 0)[0]; got != TooFew {
		t.Errorf("five trials and a factor of three: %q", got)
	}
}

func TestADifferenceWithinTheFloorIsNotClaimed(t *testing.T) {
	c := compare(t, pairs(10, 1.2, 1))
	if got := Judge([]Comparison{c}, 0.25)[0]; got != NotSeen {
		t.Errorf("%q", got)
	}
	tiny := Comparison{N: 10, Ratio: 1.009, Interval: Interval{1.008, 1.01, 0.97}, P: 1e-9}
	if got := Judge([]Comparison{tiny}, 0)[0]; got != NotSeen {
		t.Errorf("0.9 %%: %q", got)
	}
}

func TestAnIntervalThatHoldsOneOrALargePClaimsNothing(t *testing.T) {
	for _, c := range []Comparison{
		{N: 10, Ratio: 1.1, Interval: Interval{0.99, 1.2, 0.97}, P: 0.001},
		{N: 10, Ratio: 1.1, Interval: Interval{1.05, 1.2, 0.97}, P: 0.06},
	} {
		if got := Judge([]Comparison{c}, 0)[0]; got != NotSeen {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestEqualEnginesAreRarelyToldApart(t *testing.T) {
	claims := 0
	const runs = 400
	for i := range runs {
		// Three engines, three comparisons in the family.
		family := []Comparison{
			compare(t, pairs(10, 1, uint64(3*i))), compare(t, pairs(10, 1, uint64(3*i+1))), compare(t, pairs(10, 1, uint64(3*i+2))),
		}
		if v := Judge(family, 0); v[0] != NotSeen || v[1] != NotSeen || v[2] != NotSeen {
			claims++
		}
	}
	if claims > runs/20 {
		t.Errorf("%d of %d families with a false claim", claims, runs)
	}
}

func TestAFivePercentDifferenceIsFoundWithTenBlocks(t *testing.T) {
	found := 0
	for i := range 100 {
		if Judge([]Comparison{compare(t, pairs(10, 1.05, uint64(i)))}, 0)[0] == Higher {
			found++
		}
	}
	if found < 90 {
		t.Errorf("found in %d of 100 runs", found)
	}
}

func TestSamplesThatAreAllEqualShowNoDifference(t *testing.T) {
	c := compare(t, []Pair{{5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}})
	if c.P != 1 || c.Ratio != 1 || Judge([]Comparison{c}, 0)[0] != NotSeen {
		t.Errorf("%+v", c)
	}
}

func TestHolmMultipliesTheSmallestMost(t *testing.T) {
	got := Holm([]float64{0.04, 0.01, 0.03, 0.9})
	for i, want := range []float64{0.09, 0.04, 0.09, 0.9} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("got %v", got)
		}
	}
	if len(Holm(nil)) != 0 {
		t.Error("of nothing")
	}
}

func TestIntervalsOfARatioHoldTheTruthAtLeastAsOftenAsTheySay(t *testing.T) {
	const runs = 2000
	for _, n := range []int{6, 10} {
		held := 0
		for i := range runs {
			if c := compare(t, pairs(n, 1.05, uint64(i))); c.Low <= 1.05 && 1.05 <= c.High {
				held++
			}
		}
		if rate := float64(held) / runs; rate < Level-0.01 {
			t.Errorf("n=%d: %v", n, rate)
		}
	}
}

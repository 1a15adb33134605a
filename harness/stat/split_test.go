package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// trialsOf simulates trials whose means vary by between and whose windows vary by within, around 1.
func trialsOf(r *rand.Rand, trials, windows int, between, within float64) []Readings {
	var out []Readings
	for range trials {
		mean, values := 1+between*r.NormFloat64(), make([]float64, windows)
		for i := range values {
			values[i] = mean + within*r.NormFloat64()
		}
		out = append(out, Describe(values))
	}
	return out
}

func TestVarianceIsTracedToTheLevelThatCausesIt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range [][2]float64{{0.02, 0.05}, {0.05, 0.01}} {
		s, ok := SplitVariance(trialsOf(r, 2000, 30, c[0], c[1]), 0.03, 10)
		if !ok || math.Abs(s.Between/c[0]-1) > 0.1 || math.Abs(s.Within/c[1]-1) > 0.05 {
			t.Errorf("%v: %+v", c, s)
		}
		if want := math.Ceil(math.Sqrt(10) * c[1] / c[0]); math.Abs(float64(s.Windows)-want) > 1 {
			t.Errorf("%v: %d windows, want %.0f", c, s.Windows, want)
		}
	}
	if s, ok := SplitVariance(trialsOf(r, 2000, 30, 0, 0.05), 0.03, 10); !ok || s.Between > 0.004 {
		t.Errorf("trials that differ by their windows only: %+v", s)
	}
}

func TestTheSuggestedBlocksKeepThePrecisionAtTheirRate(t *testing.T) {
	const spread, precision = 0.05, 0.03
	n := blocksFor(spread, precision) // t(12)·0.05/√13 is 0.0302, t(13)·0.05/√14 is 0.0289
	if n != 14 {
		t.Fatalf("%d blocks", n)
	}
	r := rand.New(rand.NewPCG(3, 4))
	kept := 0
	for range 1000 {
		sum := 0.0
		for range n {
			sum += 1 + spread*r.NormFloat64()
		}
		if math.Abs(sum/float64(n)-1) <= precision {
			kept++
		}
	}
	if kept < 940 {
		t.Errorf("%d of 1000 means within the precision", kept)
	}
	if blocksFor(0, precision) != MinTrials || blocksFor(100, precision) != MaxSuggested {
		t.Error("bounds are not kept")
	}
}

func TestThereIsNoSplitOfTooLittle(t *testing.T) {
	for _, trials := range [][]Readings{nil, {{N: 9, Mean: 1}}, {{N: 1, Mean: 1}, {N: 1, Mean: 2}}, {{N: 9}, {N: 9}}} {
		if s, ok := SplitVariance(trials, 0.03, 10); ok {
			t.Errorf("%v: %+v", trials, s)
		}
	}
}

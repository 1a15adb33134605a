package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestATrendIsFoundAndNamed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, slope := range []float64{0.02, -0.02} {
		var values []float64
		for i := range 30 {
			values = append(values, 100*(1+slope*float64(i)*0.5)*(1+0.02*r.NormFloat64()))
		}
		got, ok := FindTrend(values)
		if !ok || got.P > 1e-6 || math.Signbit(got.Rho) != math.Signbit(slope) || math.Abs(got.Change-20*slope*0.5) > 0.04 {
			t.Errorf("%v a value: %+v, %v", slope, got, ok)
		}
	}
	if got, ok := FindTrend([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}); !ok || math.Abs(got.Rho-1) > 1e-12 || got.P > 1e-9 || got.Change != 3.5 {
		t.Errorf("%+v", got)
	}
}

func TestChanceIsATrendAsOftenAsItsPSays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	const runs = 4000
	found := 0
	for range runs {
		values := make([]float64, 30)
		for i := range values {
			values[i] = math.Exp(r.NormFloat64())
		}
		if got, ok := FindTrend(values); ok && got.P < 0.05 {
			found++
		}
	}
	if share := float64(found) / runs; share < 0.04 || share > 0.06 {
		t.Errorf("p < 5 %% in %.1f %%", 100*share)
	}
}

func TestTooLittleHasNoTrend(t *testing.T) {
	alike := make([]float64, 30)
	for _, values := range [][]float64{nil, {1, 2, 3, 4, 5, 6, 7, 8, 9}, alike, {0, 0, 0, 0, 0, 1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, math.NaN()}} {
		if got, ok := FindTrend(values); ok {
			t.Errorf("%v: %+v", values, got)
		}
	}
}

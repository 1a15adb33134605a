package stat

import (
	"cmp"
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
	"github.com/montanaflynn/stats"
)

// A Pair is one figure of two engines, A and B, measured in the same block.
type Pair struct{ A, B float64 }

// A Comparison is what the pairs of two engines say.
type Comparison struct {
	N        int
	Ratio    float64 // the median of A/B over the blocks
	Interval         // of Ratio
	P        float64 // that A and B would look at least this different if they were alike (exact Mann-Whitney, two-sided)
}

// Compare compares A with B by their ratio within each block: what slows a whole block down (a neighbour, heat) cancels.
// Figures that are not above zero have no ratio and are an error, as are no pairs.
//
// Note: a bootstrap of the blocks would give an interval too, but of a median of six to ten ratios it can only return some
// of those ratios, with a coverage that is known for large samples; order statistics give the same kind of bounds with a
// coverage that is exact, and no random numbers.
func Compare(pairs []Pair) (Comparison, error) {
	var a, b, ratios []float64
	for _, p := range pairs {
		a, b = append(a, p.A), append(b, p.B)
		if p.A > 0 && p.B > 0 {
			ratios = append(ratios, p.A/p.B)
		} else {
			ratios = append(ratios, math.NaN())
		}
	}
	if err := check(ratios); err != nil {
		return Comparison{}, err
	}
	c := Comparison{N: len(pairs), Interval: interval(ratios), P: 1}
	c.Ratio, _ = stats.Median(ratios)
	// The test's only errors are samples that are all equal, or empty: no difference is shown either way.
	if res, err := moremath.MannWhitneyUTest(a, b, moremath.LocationDiffers); err == nil {
		c.P = min(res.P, 1)
	}
	return c, nil
}

// A Verdict is what may be said about two engines.
type Verdict string

// The verdicts. That no difference was shown does not mean that there is none.
const (
	TooFew  Verdict = "too few trials"
	NotSeen Verdict = "no difference shown"
	Lower   Verdict = "lower"  // A is lower than B
	Higher  Verdict = "higher" // A is higher than B
)

// Bounds of a claim.
const (
	Alpha     = 0.05 // the chance of any false claim in a family of comparisons
	MinEffect = 0.01 // a smaller difference is nobody's reason to choose
)

// Judge gives a verdict on each comparison of a family: all that are read together, for each is another chance to be wrong.
// A difference is claimed only when
//
//   - the interval of the ratio excludes 1,
//   - the p value, corrected for the size of the family (see Holm), is below Alpha, and
//   - the ratio differs from 1 by more than MinEffect and by more than floor, which is what comparing an engine with itself
//     in the same run gave; 0 when nobody did.
func Judge(family []Comparison, floor float64) []Verdict {
	return JudgeEach(family, slices.Repeat([]float64{floor}, len(family)))
}

// JudgeEach is Judge for a family whose members have floors of their own, because they are of different figures.
func JudgeEach(family []Comparison, floors []float64) []Verdict {
	adjusted := Adjusted(family)
	verdicts := make([]Verdict, len(family))
	for i, c := range family {
		verdicts[i] = c.verdict(adjusted[i], max(floors[i], MinEffect))
	}
	return verdicts
}

// Adjusted returns the p values of a family, corrected for its size (see Holm).
func Adjusted(family []Comparison) []float64 {
	p := make([]float64, len(family))
	for i, c := range family {
		p[i] = c.P
	}
	return Holm(p)
}

func (c Comparison) verdict(p, floor float64) Verdict {
	switch {
	case !c.Exists():
		return TooFew
	case p >= Alpha || c.Low <= 1 && 1 <= c.High || math.Abs(c.Ratio-1) <= floor:
		return NotSeen
	case c.Ratio < 1:
		return Lower
	}
	return Higher
}

// Holm corrects p values for their number, so that the chance of at least one false claim among them stays below the level
// each is then compared with: the smallest is multiplied by their number, the next by one less, and so on, never
// decreasing. It is stronger than multiplying all by their number and assumes no more.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	adjusted := make([]float64, len(p))
	worst := 0.0
	for rank, i := range order {
		worst = max(worst, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = worst
	}
	return adjusted
}

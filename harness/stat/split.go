package stat

import (
	"math"

	moremath "github.com/aclements/go-moremath/stats"
)

// Readings describe one trial as a series of readings, such as its throughput in windows of 100 ms.
type Readings struct {
	N        int
	Mean     float64
	Variance float64 // between the readings
}

// Describe returns the readings of a trial.
func Describe(values []float64) Readings {
	r := Readings{N: len(values)}
	if r.N == 0 {
		return r
	}
	for _, x := range values {
		r.Mean += x / float64(r.N)
	}
	for _, x := range values {
		r.Variance += (x - r.Mean) * (x - r.Mean) / math.Max(1, float64(r.N-1))
	}
	return r
}

// A Split says where the variance of a figure comes from, and what to repeat because of it.
type Split struct {
	Between float64 // standard deviation between trials that windows do not explain, as a share of the mean; 0 for none
	Within  float64 // between the windows of a trial
	Blocks  int     // trials that a mean within the precision takes, at most MaxSuggested
	Windows int     // that a trial should have; 0 when nothing speaks for any number
}

// MaxSuggested bounds a suggestion: beyond it the advice is not to repeat but to find out what disturbs.
const MaxSuggested = 1000

// SplitVariance takes the variance of trials apart, as in Kalibera and Jones, "Rigorous benchmarking in reasonable time"
// (ISMM 2013) with the authors' later correction: what lies between the means of trials, less what their windows would
// cause anyway. It suggests how many trials a mean within a share of itself takes (by Student's t), and how many windows a
// trial should have when starting a trial costs as much as startCost windows: where trials differ much, many short ones;
// where windows do, few long ones. ok is false with fewer than two trials or two windows.
//
// Limits: windows are taken for independent. Those of a real server follow from each other, so Within/sqrt(n) is the least
// that windows explain and Between the most that is left.
func SplitVariance(trials []Readings, precision, startCost float64) (s Split, ok bool) {
	least, means, within := math.MaxInt, make([]float64, len(trials)), 0.0
	for i, t := range trials {
		least, means[i] = min(least, t.N), t.Mean
		within += t.Variance / float64(len(trials))
	}
	all := Describe(means)
	if len(trials) < 2 || least < 2 || all.Mean <= 0 {
		return Split{}, false
	}
	between := math.Max(0, all.Variance-within/float64(least))
	s = Split{
		Between: math.Sqrt(between) / all.Mean, Within: math.Sqrt(within) / all.Mean,
		Blocks: blocksFor(math.Sqrt(all.Variance)/all.Mean, precision),
	}
	if between > 0 && within > 0 {
		s.Windows = int(math.Min(MaxSuggested, math.Ceil(math.Sqrt(startCost*within/between))))
	}
	return s, true
}

// blocksFor returns the least n whose mean is known to within precision by Student's t, and not below MinTrials.
func blocksFor(spread, precision float64) int {
	if spread == 0 {
		return MinTrials
	}
	for n := MinTrials; n < MaxSuggested; n++ {
		// The interval t·spread/√n is within the precision when t standard errors hold the level.
		reach := precision / spread * math.Sqrt(float64(n))
		if (moremath.TDist{V: float64(n - 1)}).CDF(reach) >= 1-(1-Level)/2 {
			return n
		}
	}
	return MaxSuggested
}

// Package stat says what a handful of trials allow to conclude.
//
// Benchmark figures are not normally distributed, and there are few of them: six to ten trials of a point. So the centre is
// the median, its uncertainty is read off the ordered sample (an order-statistic interval, which assumes nothing but that
// trials are independent), engines are compared within blocks, and a difference is claimed only when three tests that can
// each refuse it do not: see [Judge]. With fewer than [MinTrials] trials no interval exists at 95 %, and no winner is
// named.
//
// Medians and quartiles come from montanaflynn/stats, intervals and the exact test from aclements/go-moremath. Three
// definitions of a quartile meet in those and in the tools that read our files; [Summarise] is the one place where ours is
// computed.
//
// Limits: percentiles of latency are figures of a trial; they are never averaged or merged here. Trials of one run share a
// machine and an hour, and an interval says nothing about other machines.
package stat

import (
	"fmt"
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
	"github.com/montanaflynn/stats"
)

// MinTrials is the least number of trials for a 95 % interval of a median: of n trials all lie on the same side of the true
// median with chance 2/2^n, which is 6.25 % for five and 3.1 % for six.
const MinTrials = 6

// Level is the confidence that intervals are asked for; they have at least that.
const Level = 0.95

// A Summary describes one figure over the trials of a point.
type Summary struct {
	N        int
	Median   float64
	Q1, Q3   float64 // quartiles by linear interpolation (Hyndman and Fan's type 7, as in NumPy, R and spreadsheets)
	Min, Max float64
	Interval
}

// An Interval of a median. The zero value is no interval.
type Interval struct {
	Low, High  float64
	Confidence float64 // that it holds the true median; 0 when there is no interval
}

// Exists reports whether there is an interval.
func (i Interval) Exists() bool { return i.Confidence > 0 }

// Summarise describes values. No values, and values that are not finite numbers, are errors: there is no honest summary of
// them.
func Summarise(values []float64) (Summary, error) {
	if err := check(values); err != nil {
		return Summary{}, err
	}
	s := Summary{N: len(values), Min: slices.Min(values), Max: slices.Max(values), Interval: interval(values)}
	s.Median, _ = stats.Median(values) // these fail on no values only
	s.Q1, _ = stats.Percentile(values, 25)
	s.Q3, _ = stats.Percentile(values, 75)
	return s, nil
}

func check(values []float64) error {
	if len(values) == 0 {
		return fmt.Errorf("no values to summarise")
	}
	for _, x := range values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%v cannot be summarised", x)
		}
	}
	return nil
}

// interval returns the order-statistic interval of the median, when the sample reaches far enough.
func interval(values []float64) Interval {
	ci := moremath.QuantileCI(len(values), 0.5, Level)
	if len(values) < MinTrials || ci.LoOrder < 1 || ci.HiOrder > len(values) {
		return Interval{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return Interval{sorted[ci.LoOrder-1], sorted[ci.HiOrder-1], ci.Confidence}
}

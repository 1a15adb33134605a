// Package capacity searches the highest load under which a service level holds, in the way of RFC 9971 (MLRsearch), with a
// latency objective as the loss: a request that is late, failed or was never sent is lost.
//
// Near its capacity a system passes one trial and fails the next, so a search that believes each trial ends wherever chance
// took it. MLRsearch classifies a load by all its trials: a load is a lower bound when even the trials that are still
// missing could not make it fail, an upper bound when they could not make it pass, and is measured again otherwise. The
// result is a pair of bounds and not a number, because that is what a finite search knows.
//
// A trial that others disturbed should be made again and not be added. One that cannot be had undisturbed counts, because a
// search must end, and is remembered: a bound that would not be one without such trials is not sure.
//
// It is pure: no process and no clock. [Search.Next] says what to measure, [Search.Add] takes what came of it.
//
// Limits: all trials have one length, so the RFC's rule for shorter ones does not apply. The loss of a load is taken to
// grow with it; where it does not, the bounds are those around the lowest load that failed.
package capacity

import (
	"cmp"
	"math"
	"slices"
)

// A Goal is when a load passes, and how closely the capacity is to be known.
type Goal struct {
	LossRatio   float64 // largest share of lost requests with which a trial is good: 0.01 for a p99
	Trials      int     // good and bad trials that decide a load; odd, so that more than half is a majority
	ExceedRatio float64 // share of the trials that may be bad
	Width       float64 // the search ends when the bounds are this close, as a share of the lower one
}

// Defaults: three trials of which one may be bad, which is RFC 9971's recommended half, rounded down.
const (
	DefaultTrials      = 3
	DefaultExceedRatio = 0.5
)

// A Class is what a load has been found to be.
type Class int

// The classes of a load.
const (
	Undecided Class = iota // measure again
	Lower                  // it passes
	Upper                  // it fails
)

// Classify classifies a load by its numbers of good and bad trials. The optimist takes the missing trials for good, the
// pessimist for bad; where they agree, more trials change nothing.
func (g Goal) Classify(good, bad int) Class {
	whole := max(good+bad, g.Trials)
	mayBeBad := float64(whole) * g.ExceedRatio
	optimist, pessimist := float64(bad) <= mayBeBad, float64(whole-good) <= mayBeBad
	switch {
	case optimist && pessimist:
		return Lower
	case !optimist && !pessimist:
		return Upper
	}
	return Undecided
}

// A Probe is what one trial of a load showed.
type Probe struct {
	Loss      float64 // share of the requests due that were lost
	Generator bool    // the generator was the limit
	Disturbed bool    // others used the CPUs, so that the loss may be theirs
}

// A Load is a load with the loss ratios of its trials.
type Load struct {
	RateRPS   float64   `json:"rate_rps"`
	Losses    []float64 `json:"loss_ratios"`
	Disturbed []float64 `json:"disturbed_loss_ratios,omitempty"` // of these, those of trials that others disturbed
	Generator bool      `json:"generator_limited,omitempty"`     // in some trial the generator was the limit
}

// Add takes what a trial of the load showed.
func (l *Load) Add(p Probe) {
	l.Losses = append(l.Losses, p.Loss)
	if p.Disturbed {
		l.Disturbed = append(l.Disturbed, p.Loss)
	}
	l.Generator = l.Generator || p.Generator
}

// class classifies the load. Where the generator was the limit nothing is known about the server, and the load is out of
// reach: it bounds the search from above.
func (l *Load) class(g Goal) Class {
	if l.Generator {
		return Upper
	}
	return g.classify(l.Losses, nil)
}

// Passes reports whether a load passes by its trials.
func (g Goal) Passes(l Load) bool { return g.classify(l.Losses, nil) == Lower }

// Sure reports whether a load would be found to be the same without the trials that others disturbed. Where it would not,
// nobody knows whether the system or its neighbours decided.
func (g Goal) Sure(l Load) bool {
	return g.classify(l.Losses, l.Disturbed) == g.classify(l.Losses, nil)
}

// classify classifies a load by the loss ratios of its trials, of which some do not count.
func (g Goal) classify(losses, without []float64) Class {
	good, all := g.good(losses)-g.good(without), len(losses)-len(without)
	return g.Classify(good, all-good)
}

// good counts the trials with a loss that is small enough.
func (g Goal) good(losses []float64) (n int) {
	for _, loss := range losses {
		if loss <= g.LossRatio {
			n++
		}
	}
	return n
}

// A Search finds the bounds of one system. Loads are whole numbers of requests per second.
type Search struct {
	goal     Goal
	start    float64
	min, max float64
	loads    []*Load // sorted by rate
	probes   int
}

// MaxProbes bounds a search. Halving the bracket from the start rate takes a few dozen at most; a system that contradicts
// itself all the time must not keep the search going.
const MaxProbes = 200

// NewSearch begins a search at a load, such as the throughput of a closed loop, between two others.
func NewSearch(goal Goal, start, lowest, highest float64) *Search {
	at := math.Round(math.Min(math.Max(start, lowest), highest))
	return &Search{goal: goal, start: at, min: lowest, max: highest}
}

// Next returns the load to measure next; ok is false when the search is over.
func (s *Search) Next() (rate float64, ok bool) {
	if s.probes >= MaxProbes {
		return 0, false
	}
	for _, l := range s.loads {
		if l.class(s.goal) == Undecided {
			return l.RateRPS, true
		}
	}
	lower, upper := s.bounds()
	switch {
	case lower == nil && upper == nil:
		return s.start, true
	case upper == nil:
		return math.Min(2*lower.RateRPS, s.max), lower.RateRPS < s.max
	case lower == nil:
		return math.Max(math.Round(upper.RateRPS/2), s.min), upper.RateRPS > s.min
	}
	// The middle in ratios, because the width is one.
	middle := math.Round(math.Sqrt(lower.RateRPS * upper.RateRPS))
	inside := middle > lower.RateRPS && middle < upper.RateRPS
	return middle, inside && upper.RateRPS/lower.RateRPS-1 > s.goal.Width
}

// Add takes the result of a trial.
func (s *Search) Add(rate float64, p Probe) {
	s.probes++
	i, found := slices.BinarySearchFunc(s.loads, rate, func(l *Load, r float64) int {
		return cmp.Compare(l.RateRPS, r)
	})
	if !found {
		s.loads = slices.Insert(s.loads, i, &Load{RateRPS: rate})
	}
	s.loads[i].Add(p)
}

// bounds returns the relevant bounds: the lowest load that fails, and the highest below it that passes.
func (s *Search) bounds() (lower, upper *Load) {
	for _, l := range s.loads {
		switch l.class(s.goal) {
		case Upper:
			return lower, l
		case Lower:
			lower = l
		}
	}
	return lower, nil
}

// A Result is what a search found.
type Result struct {
	Lower       float64 `json:"lower_rps,omitempty"`       // absent: even the lowest load failed
	Upper       float64 `json:"upper_rps,omitempty"`       // absent: nothing failed, or only the generator
	Conditional float64 `json:"conditional_rps,omitempty"` // of the lower bound, what is not lost in the median trial
	Irregular   string  `json:"irregular,omitempty"`       // why a bound is absent, or the bounds are not close
	Probes      int     `json:"probes"`
	Disturbed   int     `json:"disturbed,omitempty"`    // of these, others used the CPUs; they count all the same
	LowerUnsure bool    `json:"lower_unsure,omitempty"` // without the disturbed ones the bound would not be one
	UpperUnsure bool    `json:"upper_unsure,omitempty"` // likewise
	Loads       []Load  `json:"loads"`
}

// Result returns what is known so far.
func (s *Search) Result() Result {
	r := Result{Probes: s.probes}
	for _, l := range s.loads {
		r.Loads = append(r.Loads, *l)
		r.Disturbed += len(l.Disturbed)
	}
	lower, upper := s.bounds()
	if lower != nil {
		r.Lower, r.LowerUnsure = lower.RateRPS, !s.goal.Sure(*lower)
		r.Conditional = lower.RateRPS * (1 - s.quantile(lower.Losses))
	}
	if upper != nil && !upper.Generator {
		r.Upper, r.UpperUnsure = upper.RateRPS, !s.goal.Sure(*upper)
	}
	switch _, more := s.Next(); {
	case upper != nil && upper.Generator:
		r.Irregular = "the generator is the limit: the capacity is the lower bound or more"
	case lower == nil:
		r.Irregular = "no load passed"
	case upper == nil && !more:
		r.Irregular = "the highest load passed: the capacity is the lower bound or more"
	case s.probes >= MaxProbes:
		r.Irregular = "the search was ended by its bound on probes"
	}
	return r
}

// quantile returns the loss ratio that all but the exceed ratio of the trials keep.
func (s *Search) quantile(losses []float64) float64 {
	sorted := slices.Sorted(slices.Values(losses))
	i := int(math.Ceil(float64(len(sorted))*(1-s.goal.ExceedRatio))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

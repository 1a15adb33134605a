package load

import (
	"context"
	"fmt"
	"math"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// UtilBound is the share of its CPUs that a generator may use before its own delays show (package flags has the same bound
// for trials).
const UtilBound = 0.80

// Bounds of a calibration. The rate that is wanted is tried first, and mostly that is all. If it is large, or nobody says what
// is wanted, a closed loop shows first where to begin: there is no use in trying what is far beyond it, and it takes long.
// From there the rate is doubled until one fails or halved until one passes, and then halved in until the highest that passed and the lowest that failed are calibrateWidth apart. A rate fails when
// two tries in a row do, because one may be a neighbour's fault.
const (
	CalibrateEase  = 1000 // no generator is busy with that, so no rate up to that is worth a try
	calibrateLarge = 20_000
	calibrateWidth = 1.10
	starvedShare   = 0.25 // a generator that got less of its CPUs has not shown that it needs more
	calibrateTries = 2
	MaxAttempts    = 60
)

// A Try makes a load against a null responder (see NullMain) and returns its result: in processes and on CPUs as the trials
// will have them, or the figure is another machine's.
type Try func(context.Context, control.Load) (control.LoadResult, error)

// Calibrate finds the highest rate, up to l.RateRPS unless that is 0, for which the generator needs at most UtilBound of its
// cpus: what a request takes of them at that rate, times the rate. l says all but the rate.
//
// The queue of a thread that works for a share ρ of its time is a few requests long up to ρ = 0.8, and then grows without
// bound: the bound of the CPU is the bound of lateness. What the slip was stands beside each attempt.
//
// Note: the slip p99 was the rule at first, and then the median. But a tenth of a second is short, and a neighbour who takes the CPU
// for a few milliseconds makes requests late at any rate: on busy machines, such as those that run tests, rates of a few
// hundred per second were refused. CPU time per request is the generator's own whatever the neighbours do.
func Calibrate(ctx context.Context, l control.Load, cpus float64, try Try) (record.Calibration, error) {
	if l.WindowNS <= 0 || cpus <= 0 {
		return record.Calibration{}, misuse.Errorf("a calibration needs a window and CPUs above 0, not %v and %v", time.Duration(l.WindowNS), cpus)
	}
	c := &calibration{load: l, cpus: cpus, try: try, most: MaxRate}
	if l.RateRPS > 0 {
		c.most = l.RateRPS
	}
	err := c.search(ctx)
	return c.found, err
}

// calibration is a search under way.
type calibration struct {
	load  control.Load
	cpus  float64
	try   Try
	most  float64 // higher rates are not asked for
	found record.Calibration
}

func (c *calibration) search(ctx context.Context) error {
	rate, err := c.start(ctx)
	low, high := 0.0, math.Inf(1)
	for err == nil && len(c.found.Attempts)+calibrateTries <= MaxAttempts {
		var passed bool
		if passed, err = c.passes(ctx, rate); passed {
			low = rate
		} else {
			high = rate
		}
		if c.found.AtLeast = low >= c.most; c.found.AtLeast || high <= 1 || low > 0 && high/low <= calibrateWidth {
			break
		}
		rate = c.between(low, high)
	}
	return err
}

// start returns the first rate to try.
func (c *calibration) start(ctx context.Context) (float64, error) {
	if c.most <= calibrateLarge {
		return c.most, nil
	}
	l := c.load
	l.RateRPS = 0
	r, err := c.try(ctx, l)
	if err != nil {
		return 0, fmt.Errorf("calibrate in a closed loop: %w", err)
	}
	reached := float64(r.Requests) * 1e9 / float64(max(r.WindowNS, 1))
	if c.most <= reached {
		return c.most, nil
	}
	return max(1, math.Round(reached/2)), nil
}

// between returns the next rate to try: the middle in ratios, once there are two ends.
func (c *calibration) between(low, high float64) float64 {
	switch {
	case low == 0:
		return high / 2
	case math.IsInf(high, 1):
		return min(2*low, c.most)
	}
	return math.Sqrt(low * high)
}

// passes tries a rate.
func (c *calibration) passes(ctx context.Context, rate float64) (bool, error) {
	for range calibrateTries {
		a, err := c.attempt(ctx, rate)
		if err != nil {
			return false, err
		}
		c.found.Attempts = append(c.found.Attempts, a)
		if a.Passed {
			c.found.GenMaxRPS, c.found.SlipP99NS, c.found.ClientUtil = rate, a.SlipP99NS, a.ClientUtil
			return true, nil
		}
	}
	return false, nil
}

func (c *calibration) attempt(ctx context.Context, rate float64) (record.Attempt, error) {
	l := c.load
	l.RateRPS = rate
	r, err := c.try(ctx, l)
	if err != nil {
		return record.Attempt{}, fmt.Errorf("calibrate at %.0f requests per second: %w", rate, err)
	}
	slip, worked := r.Latency["slip"], r.Usage.CPUNS-min(r.Usage.CPUNS, r.Usage.SpinNS)
	a := record.Attempt{RateRPS: rate, SlipP50NS: slip.P50, SlipP99NS: slip.P99, SentShare: float64(r.Sent) / float64(max(r.Due, 1))}
	a.ClientUtil = float64(worked) / float64(max(r.Sent, 1)) * rate / 1e9 / c.cpus
	starved := float64(worked)/float64(max(r.Usage.MonotonicNS, 1)) < starvedShare*c.cpus
	a.Passed = r.Sent > 0 && (a.ClientUtil <= UtilBound || starved)
	return a, nil
}

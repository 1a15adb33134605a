package load

import (
	"context"
	"fmt"
	"math"
	"time"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
)

// SlipBound is the slip p99 that a calibrated rate keeps: below it, lateness is small beside what loopback takes anyway.
const SlipBound = 100 * time.Microsecond

// Bounds of a calibration. Rates are tried from calibrateFrom on, doubled until one fails, and then halved in until the
// highest that passed and the lowest that failed are calibrateWidth apart. A rate fails when two tries in a row do, because
// one may be a neighbour's fault.
const (
	calibrateFrom  = 1000
	calibrateWidth = 1.10
	calibrateTries = 2
	MaxProbes      = 60
)

// Calibration is what a generator can do on this machine, with nobody but a null responder to wait for. Rates above
// GenMaxRPS are to be refused: their latencies would be the generator's.
type Calibration struct {
	GenMaxRPS float64 `json:"gen_max_rps"` // highest rate that passed; 0 when none did
	SlipP99NS int64   `json:"slip_p99_ns"` // at that rate
	BoundNS   int64   `json:"bound_ns"`
	AtLeast   bool    `json:"at_least,omitempty"` // MaxRate passed too: the limit is not known
	Conns     int     `json:"conns"`
	Threads   int     `json:"threads"`
	Probes    []Probe `json:"probes"` // in order
}

// Probe is one try of a rate.
type Probe struct {
	RateRPS   float64 `json:"rate_rps"`
	SlipP99NS int64   `json:"slip_p99_ns"`
	SentShare float64 `json:"sent_share"` // of what was due
	Passed    bool    `json:"passed"`
}

// Calibrate finds the highest rate at which the generator sends on time: slip p99 within bound, at least 99 % sent by the
// window's end, and no error. try makes a load against a null responder (see NullMain) and returns its result: in a process
// and on CPUs of its own as the trials will have them, or the figure is another machine's. l says all but the rate.
func Calibrate(ctx context.Context, l control.Load, bound time.Duration,
	try func(context.Context, control.Load) (control.LoadResult, error)) (Calibration, error) {
	if l.WindowNS <= 0 || bound <= 0 {
		return Calibration{}, misuse.Errorf("a calibration needs a window and a bound above 0, not %v and %v", time.Duration(l.WindowNS), bound)
	}
	c := Calibration{BoundNS: bound.Nanoseconds(), Conns: l.Conns, Threads: l.Threads}
	low, high := 0.0, math.Inf(1)
	for rate := float64(calibrateFrom); len(c.Probes)+calibrateTries <= MaxProbes; rate = between(low, high) {
		passed, err := c.probe(ctx, l, rate, try)
		if err != nil {
			return c, err
		}
		if passed {
			low = rate
			c.GenMaxRPS, c.SlipP99NS = rate, c.Probes[len(c.Probes)-1].SlipP99NS
		} else {
			high = rate
		}
		if c.AtLeast = low >= MaxRate; c.AtLeast || high/max(low, 1) <= calibrateWidth {
			break
		}
	}
	return c, nil
}

// between returns the next rate to try.
func between(low, high float64) float64 {
	if math.IsInf(high, 1) {
		return min(2*low, MaxRate)
	}
	return math.Sqrt(max(low, 1) * high)
}

func (c *Calibration) probe(ctx context.Context, l control.Load, rate float64,
	try func(context.Context, control.Load) (control.LoadResult, error)) (bool, error) {
	l.RateRPS = rate
	for range calibrateTries {
		r, err := try(ctx, l)
		if err != nil {
			return false, fmt.Errorf("calibrate at %.0f requests per second: %w", rate, err)
		}
		slip := r.Latency["slip"]
		p := Probe{RateRPS: rate, SlipP99NS: slip.P99, SentShare: float64(r.Sent) / float64(max(r.Due, 1))}
		p.Passed = slip.Count > 0 && slip.P99 <= c.BoundNS && p.SentShare >= 0.99 && len(r.Errors) == 0 && r.Unanswered == 0
		c.Probes = append(c.Probes, p)
		if p.Passed {
			return true, nil
		}
	}
	return false, nil
}

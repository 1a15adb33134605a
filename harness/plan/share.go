package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// A share is a rate in terms of what the point can do. What that is, nobody knows before the run: it is measured first, in
// the closed loop, by a probe for each point (see Probes), and Settle makes rates of the shares.
//
// Engines at the same share are equally busy, which is where their delays can be compared; at the same rate the dearer one
// is also the busier one. Both are fair questions, and a rate can be given either way.
type share float64

// rateShare is the parameter that keeps the share beside the rate that came of it.
const rateShare = "rate-share"

// shareOption bounds a share: beyond the capacity a queue grows as long as one looks, so 2 is far enough.
var shareOption = option.Option{Name: "rate", Kind: option.Float, Min: 0.001, Max: 2}

// expand returns the values of an axis. Those of a rate that end in % are shares: 10%,50% or 10%..90%+20%.
func expand(o option.Option, text string) ([]any, error) {
	if o.Name != "rate" || !strings.Contains(text, "%") {
		return expandItem(o, text)
	}
	var values []any
	for _, item := range strings.Split(text, ",") {
		more, err := expandItem(o, item)
		if strings.Contains(item, "%") {
			more, err = expandItem(shareOption, item)
			for i := range more {
				more[i] = share(more[i].(float64))
			}
		}
		if err != nil {
			return nil, err
		}
		for _, v := range more {
			if slices.Contains(values, v) {
				return nil, misuse.Errorf("rate: %s: a value is given twice", text)
			}
			values = append(values, v)
		}
	}
	return values, nil
}

func expandItem(o option.Option, text string) ([]any, error) {
	parsed, err := o.Expand(text)
	if err != nil {
		return nil, misuse.Errorf("%w", err)
	}
	values := make([]any, len(parsed))
	for i, v := range parsed {
		values[i] = plain(v)
	}
	return values, nil
}

// set sets a parameter. A rate and a share exclude each other until the share is settled.
func set(params map[string]any, name string, v any) {
	if s, ok := v.(share); ok {
		delete(params, name)
		params[rateShare] = float64(s)
		return
	}
	if name == "rate" {
		delete(params, rateShare)
	}
	params[name] = v
}

// What a probe finds out is in all rates of its point, in every block. So it is made a few times, of which the median counts,
// each in a part of the time that a trial of the point takes; but a window is not shorter than probeWindow, also where the
// trials themselves are kept short.
const (
	probeTimes  = 3
	probeWindow = 500 * time.Millisecond
)

// probeOf returns the closed loop whose throughput is what p can do.
func probeOf(p record.Point) record.Point {
	p.Mode, p.Arm, p.Params = record.Closed, record.Probe, maps.Clone(p.Params)
	p.Params["rate"] = 0.0
	delete(p.Params, rateShare)
	delete(p.Params, "arrivals")
	p.Params["duration"] = max(probeWindow, (p.Duration("duration") / probeTimes).Round(time.Millisecond)).String()
	return p
}

// probeKey tells probes apart.
func probeKey(p record.Point) string {
	return fmt.Sprintf("%s %s %s %v", p.Label(), p.Workload, p.Experiment, p.Params) // maps are printed in order
}

// Probes lists what has to be measured before the rates are known: each closed loop in turn, probeTimes over. They have
// numbers that follow those of the planned trials, so that whether there are any changes nothing about these.
func (p *Plan) Probes() []Job {
	next := 0
	for _, order := range p.Order {
		next += len(order)
	}
	var jobs []Job
	points := p.probed()
	for round := range probeTimes {
		for _, point := range points {
			jobs = append(jobs, p.Job(next+len(jobs), round, point))
		}
	}
	return jobs
}

// probed lists the closed loops, each once.
func (p *Plan) probed() []record.Point {
	var points []record.Point
	seen := map[string]bool{}
	for _, point := range p.Points {
		if _, shared := point.Params[rateShare]; !shared {
			continue
		}
		probe := probeOf(point)
		if key := probeKey(probe); !seen[key] {
			seen[key] = true
			points = append(points, probe)
		}
	}
	return points
}

// Settled reports whether every share has its rate.
func (p *Plan) Settled() bool {
	return !slices.ContainsFunc(p.Points, func(point record.Point) bool {
		_, shared := point.Params[rateShare]
		return shared && point.Number("rate") == 0
	})
}

// Settle makes rates of shares. can returns what the point of a probe can do, in requests per second.
func (p *Plan) Settle(can func(probe record.Point) (rps float64, ok bool)) error {
	for i, point := range p.Points {
		s, shared := point.Params[rateShare].(float64)
		if !shared {
			continue
		}
		rps, ok := can(probeOf(point))
		if !ok {
			return fmt.Errorf("no probe says what %s %s can do, so %.3g %% of it is no rate", point.Label(), point.Workload, 100*s)
		}
		point.Params["rate"] = max(1, float64(int64(s*rps+0.5)))
		p.Points[i] = point
	}
	return nil
}

package run

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// probeTries is how often a point is probed that serves nothing: a machine that was busy for half a second must not end the run.
const probeTries = 2

// settle finds out the rates that the plan has as shares of what a point can do: it measures the closed loops that are not
// among the records yet, and writes the rates into run.json. What they say is in every rate of their point, so those that
// others spoilt are made again, as trials of blocks are. A run that is resumed keeps the rates that it has.
func (r *runner) settle(ctx context.Context, have []record.Trial) error {
	if r.plan.Settled() || r.meta.Stopped != "" {
		return nil
	}
	p := &probes{jobs: r.plan.Probes(), last: map[int]*record.Trial{}}
	for i := range have {
		p.keep(&have[i])
	}
	r.note = p.keep
	defer func() { r.note = nil }()
	for attempt := range max(probeTries, 1+r.plan.Retries) {
		if err := r.measure(ctx, p.wanting(attempt, r.plan.Retries)); err != nil {
			return err
		}
	}
	if err := r.plan.Settle(func(point record.Point) (float64, bool) { return r.can(p.of(point)) }); err != nil {
		return err
	}
	return r.writer.Amend(r.meta)
}

// probes are the closed loops that settle rates.
type probes struct {
	jobs []plan.Job
	last map[int]*record.Trial // by number; of those that were made again the last
}

func (p *probes) keep(t *record.Trial) {
	if t.Arm == record.Probe && t.Mode == record.Closed {
		p.last[t.Trial] = t
	}
}

// wanting lists the probes that are missing, those that others spoilt, and one of each point of which none served anything.
func (p *probes) wanting(attempt, retries int) []plan.Job {
	var jobs []plan.Job
	asked := map[string]bool{}
	for _, j := range p.jobs {
		t, at := p.last[j.Trial], key(j.Point)
		switch {
		case t == nil:
		case t.ThroughputRPS == 0 && attempt < probeTries && !asked[at] && len(p.of(j.Point)) == 0, spoilt(t) && t.Repeat < retries:
			j.Repeat = t.Repeat + 1
		default:
			continue
		}
		asked[at] = true
		jobs = append(jobs, j)
	}
	return jobs
}

// of lists the probes of a point that served anything, the slowest first.
func (p *probes) of(point record.Point) []*record.Trial {
	var served []*record.Trial
	for _, j := range p.jobs {
		if t := p.last[j.Trial]; t != nil && t.ThroughputRPS > 0 && key(j.Point) == key(point) {
			served = append(served, t)
		}
	}
	slices.SortStableFunc(served, func(a, b *record.Trial) int { return cmp.Compare(a.ThroughputRPS, b.ThroughputRPS) })
	return served
}

// can returns what a point can do by its probes, the slowest first: the median of the valid ones, and of two the slower. Where
// none is valid the others must do, because without a rate there is no run; the run then says so.
func (r *runner) can(served []*record.Trial) (rps float64, ok bool) {
	if len(served) == 0 {
		return 0, false
	}
	good := slices.DeleteFunc(slices.Clone(served), func(t *record.Trial) bool { return !t.Valid() })
	if len(good) == 0 {
		good = served
		r.remember(fmt.Sprintf("%s: shares of a rate are of an invalid closed loop (%s), because no valid one could be made: "+
			"the rates may be other shares than they say", describe(served[0].Point), invalidCodes(served)))
	}
	return r.capacity(good[(len(good)-1)/2]), true
}

// invalidCodes names the flags that made trials invalid, each once.
func invalidCodes(trials []*record.Trial) string {
	var codes []string
	for _, t := range trials {
		for _, f := range t.Flags {
			if f.Level == record.Invalid && !slices.Contains(codes, f.Code) {
				codes = append(codes, f.Code)
			}
		}
	}
	return strings.Join(codes, ", ")
}

// generatorShare is how much of its CPUs a generator may use in an open loop before its own delays show; see package flags,
// whose bound lies above it.
const generatorShare = 0.75

// capacity returns what a point can do in an open loop, by its closed loop: the throughput, unless the generator would be
// short of CPU before the server is. A share of that is then a share of what can be measured, and the run says so.
func (r *runner) capacity(t *record.Trial) float64 {
	rps := t.ThroughputRPS
	if t.CPU == nil || t.CPU.ClientNSPerReq <= 0 {
		return rps
	}
	cpus, err := proc.ParseCPUs(t.Text("client-cpus"))
	if err != nil {
		return rps
	}
	reach := math.Min(float64(cpus.Len()), t.Number("threads"))
	if most := generatorShare * reach * 1e9 / t.CPU.ClientNSPerReq; most < rps {
		r.remember(fmt.Sprintf("%s: shares of a rate are of %.0f/s, all that the generator can offer on time; the server can do more", describe(t.Point), most))
		return most
	}
	return rps
}

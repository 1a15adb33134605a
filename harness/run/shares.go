package run

import (
	"context"
	"fmt"
	"math"
	"slices"

	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// probeTries is how often a probe is made that serves nothing: a machine that was busy for half a second must not end the run.
const probeTries = 2

// settle finds out the rates that the plan has as shares of what a point can do: it measures the closed loops that are not
// among the records yet, and writes the rates into run.json. A probe that served nothing is made again when the run is
// resumed.
func (r *runner) settle(ctx context.Context, have []record.Trial) error {
	probes := r.plan.Probes()
	if len(probes) == 0 || r.meta.Stopped != "" {
		return nil
	}
	can := map[string]float64{}
	r.note = func(t *record.Trial) {
		if t.Arm == record.Probe && t.Mode == record.Closed && t.ThroughputRPS > 0 {
			can[key(t.Point)] = r.capacity(t)
		}
	}
	for i := range have {
		r.note(&have[i])
	}
	for range probeTries {
		probes = slices.DeleteFunc(probes, func(j plan.Job) bool { return can[key(j.Point)] > 0 })
		if err := r.measure(ctx, probes); err != nil {
			return err
		}
	}
	r.note = nil
	if err := r.plan.Settle(func(p record.Point) (float64, bool) { rps, ok := can[key(p)]; return rps, ok }); err != nil {
		return err
	}
	return r.writer.Amend(r.meta)
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
		note := fmt.Sprintf("%s: shares of a rate are of %.0f/s, all that the generator can offer on time; the server can do more", describe(t.Point), most)
		if !slices.Contains(r.meta.Notes, note) {
			r.meta.Notes = append(r.meta.Notes, note)
		}
		return most
	}
	return rps
}

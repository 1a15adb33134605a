package run

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/harness/stat"
)

// seen is what a run knows about its points so far.
type seen struct {
	points map[string]*soFar
}

// soFar is what the valid trials of a point say.
type soFar struct {
	point record.Point
	cost  []float64       // CPU per request, or time per operation, by trial
	pace  []stat.Readings // throughput in windows of 100 ms, by trial
}

func newSeen() *seen { return &seen{points: map[string]*soFar{}} }

func (s *seen) add(t *record.Trial) {
	if t.Arm == record.Probe {
		return
	}
	p := s.points[key(t.Point)]
	if p == nil {
		p = &soFar{point: t.Point}
		s.points[key(t.Point)] = p
	}
	if t.Valid() && t.Micro != nil {
		p.cost = append(p.cost, t.Micro.NSPerOp)
	}
	if !t.Valid() || t.CPU == nil {
		return
	}
	if t.CPU.ServerNSPerReq > 0 {
		p.cost = append(p.cost, t.CPU.ServerNSPerReq)
	}
	var pace []float64
	for _, w := range t.Windows {
		if w.Measured {
			pace = append(pace, float64(w.Received))
		}
	}
	p.pace = append(p.pace, stat.Describe(pace))
}

// key tells the points of a run apart.
func key(p record.Point) string {
	return fmt.Sprintf("%s %s %s %s %s %v", p.Experiment, p.Label(), p.Arm, p.Workload, p.Mode, p.Params) // maps are printed in order
}

// enough says why the run may end before the block that comes next and needs some time, or "" when it must go on.
//
// It looks at how well the medians are known and never at whether engines differ: to stop when a difference has become
// significant would be to wait for chance to produce one.
func (r *runner) enough(next int, needs time.Duration) string {
	if !r.fits(needs) {
		return fmt.Sprintf("block %d would not have fitted into the budget of %v", next+1, r.plan.Budget)
	}
	if r.plan.Precision > 0 && next >= stat.MinTrials && r.seen.knownTo(r.plan.Precision) {
		return fmt.Sprintf("after %d blocks every median of CPU per request was known to %.3g %%", next, 100*r.plan.Precision)
	}
	return ""
}

// fits reports whether something that needs some time can still be done within the budget. All that the run has done counts:
// calibration, probes, blocks, searches.
func (r *runner) fits(needs time.Duration) bool {
	return r.plan.Budget == 0 || time.Since(r.began)+needs <= r.plan.Budget
}

// knownTo reports whether the interval of every point's median cost reaches no further than a share of it on average to
// either side. A point without enough valid trials is not known.
func (s *seen) knownTo(precision float64) bool {
	for _, p := range s.points {
		sum, err := stat.Summarise(p.cost)
		if err != nil || !sum.Exists() || sum.Median <= 0 || (sum.High-sum.Low)/2 > precision*sum.Median {
			return false
		}
	}
	return len(s.points) > 0
}

// advise says, for the point of each engine that varies most, where the variance comes from and how many blocks that asks
// for. The next run can be planned with it.
func (r *runner) advise() {
	out := r.options.Stderr
	if out == nil || r.options.Quiet {
		return
	}
	if r.summary.Stopped != "" {
		fmt.Fprintf(out, "stopped early: %s\n", r.summary.Stopped)
	}
	precision := r.plan.Precision
	if precision == 0 {
		precision = DefaultPrecision
	}
	worst := map[string]split{}
	for _, key := range slices.Sorted(maps.Keys(r.seen.points)) {
		p := r.seen.points[key]
		if len(p.pace) < stat.MinTrials {
			continue
		}
		if s, ok := stat.SplitVariance(p.pace, precision, startCost(p.point)/0.1); ok && s.Blocks >= worst[p.point.Label()].Blocks {
			worst[p.point.Label()] = split{s, p.point}
		}
	}
	for _, label := range slices.Sorted(maps.Keys(worst)) {
		worst[label].print(out, precision)
	}
}

// DefaultPrecision is what the command line asks for when it is not told: 3 %.
const DefaultPrecision = 0.03

// startCost is what a trial takes, in seconds, besides its window.
func startCost(p record.Point) float64 {
	p.Params = maps.Clone(p.Params)
	delete(p.Params, "duration")
	return plan.Estimate([]plan.Job{{Point: p}}).Seconds()
}

type split struct {
	stat.Split
	point record.Point
}

func (s split) print(out io.Writer, precision float64) {
	fmt.Fprintf(out, "%s: throughput varies by %.1f %% between trials and %.1f %% between windows of 100 ms;\n"+
		"  for a mean within %.3g %%: %d blocks", describe(s.point), 100*s.Between, 100*s.Within, 100*precision, s.Blocks)
	if s.Windows > 0 {
		fmt.Fprintf(out, ", each window %.1f s or longer", float64(s.Windows)/10)
	}
	fmt.Fprintln(out)
}

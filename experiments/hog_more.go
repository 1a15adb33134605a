package experiments

import (
	"slices"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
)

// The hog experiment's two side questions, asked in the cell that its findings speak of. Both have points that differ from
// the main ones in one parameter only, so the main drawings leave them out (see mainly).

// hogTimers is the share of requests that wait for a timer of a millisecond: enough of them for a p99 in a trial of a cell.
const hogTimers = "0.6"

// latenessSweeps have requests that wait for a timer. What comes on top of the millisecond is how late the engine read the
// request and how late it woke it.
func latenessSweeps(c hogCell, least time.Duration) []plan.Sweep {
	pairs := append([]string{"hog.timers", hogTimers}, c.axes(least)...)
	with := func(more ...string) []string { return append(more, pairs...) }
	return many(
		sweep([]string{"coop", "preempt", "preempt/nopreempt", "threads"}, "hog", pairs...),
		sweep([]string{"coop"}, "hog", with("coop.yield", "100us")...),
		sweep([]string{"coop"}, "hog", with("coop.offload", "1")...),
		sweep([]string{"preempt"}, "hog", with("preempt.procs", "2")...),
	)
}

// quantumSweep asks how long a task may go on before it has to give way. 100us is among the main points.
func quantumSweep(c hogCell, least time.Duration) plan.Sweep {
	return sweep([]string{"coop"}, "hog", append([]string{"coop.yield", "20us,500us,2ms,10ms"}, c.axes(least)...)...)
}

// mainly picks the points of the main question. A run from before the side questions lacks their parameter.
func mainly(p record.Point) bool {
	return p.Number("hog.timers") == 0 && (p.Engine != "coop" || slices.Contains([]string{"", "0s", "100µs"}, p.Text("coop.yield")))
}

// late picks the points with timers.
func late(p record.Point) bool { return p.Number("hog.timers") > 0 }

// quantum picks the points that give way after a time.
func quantum(p record.Point) bool {
	return !late(p) && p.Label() == "coop" && p.Text("coop.yield") != "0s" && has(p, hogShown.params())
}

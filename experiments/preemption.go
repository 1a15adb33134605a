package experiments

import (
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// preemptionSeries are compared: the same goroutines with and without the runtime's signal, and coop, which has neither.
var preemptionSeries = []series{plainly("preempt"), plainly("preempt/nopreempt"), plainly("coop")}

// preemptionBursts lie on both sides of the runtime's slice of 10 ms.
var preemptionBursts = []time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond}

// preemptionShown is the burst that findings speak of.
const preemptionShown = "100ms"

func preemptionSweeps() []plan.Sweep {
	labels := []string{"preempt", "preempt/nopreempt", "coop"}
	sweeps := many(doubled(sweep(labels, "http", append(measured("300ms", "1s"), "conns", "64")...)))
	for _, burst := range preemptionBursts {
		beside := sweep(labels, "hog", hogCell{0.01, burst}.axes(time.Second)...)
		beside.AA = burst.String() == preemptionShown
		sweeps = append(sweeps, beside)
	}
	return sweeps
}

func of(workload string) where { return func(p record.Point) bool { return p.Workload == workload } }

var preemption = &Experiment{
	Experiment: reports.Experiment{
		Name:     "preemption",
		Question: "What does it cost to interrupt tasks, and what does it save?",
		Held: "One engine twice, with the runtime's preemption signal and without it (GODEBUG=asyncpreemptoff=1), and coop beside " +
			"them. Once where no request takes long, so that interrupting can only cost, and once beside hogs of 5 to 100 ms, " +
			"one request in a hundred, at a quarter of one CPU.",
		Limits: "The work of a hog has no function call, at which Go would give way without a signal: the signal makes the largest " +
			"difference it can. The servers allocate next to nothing, so what a collection waits for a loop that cannot be " +
			"stopped is not provoked here.",
		Next: []string{
			"lab sweep --engine preempt,preempt/nopreempt --workload hog --conns 256 --rate 240 --set hog.burst=100ms --blocks 6",
			"lab timeline --engine preempt,preempt/nopreempt --workload hog",
		},
		Plots: []reports.Plot{
			{ID: "saved", Title: "p99 of innocents against the length of a burst", Kind: reports.Lines, Metrics: []string{"innocent-p99"},
				X: "hog.burst", Where: of("hog"), Note: "Up to the slice of 10 ms the signal changes nothing; beyond it, it bounds the wait."},
			{ID: "delay", Title: "How long goroutines were ready and did not run (p99)", Kind: reports.Lines, Metrics: []string{"sched:go_delay_p99_ns"},
				X: "hog.burst", Where: where(of("hog")).and(func(p record.Point) bool { return p.Engine == "preempt" }),
				Note: "Go's own account of scheduling latency; it does not see requests that nobody has read yet."},
			{ID: "hogs", Title: "What the hogs themselves wait at the median", Kind: reports.Lines, Metrics: []string{"hog-p50"}, X: "hog.burst", Where: of("hog"),
				Note: "A hog that is interrupted ends later: that is what the others' gain costs it."},
			{ID: "cost", Title: "CPU per request where nobody needs to be interrupted", Kind: reports.Bars, Metrics: []string{"cpu"}, Where: of("http"),
				Note: "HTTP over 64 connections in a closed loop."},
		},
		Findings: preemptionFindings,
	},
	Full: &Measure{Sweeps: preemptionSweeps(), Blocks: fullBlocks},
}

func preemptionFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "preemption")
	var f findings
	f.add(v.against(contest{
		metric: "innocent-p99", series: preemptionSeries, at: is("", map[string]any{"hog.burst": preemptionShown}), charts: []string{"saved"},
		title: "Beside hogs of " + preemptionShown + ", innocents' p99 was", condition: "one request in a hundred computed; a quarter of one CPU's time in all, open loop",
	}))
	f.add(v.against(contest{
		metric: "cpu", series: preemptionSeries[:2], at: of("http"), charts: []string{"cost"},
		title: "Without hogs, a request cost", condition: "HTTP over 64 connections in a closed loop",
	}))
	return f
}

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
const preemptionShown = 100 * time.Millisecond

// collecting is a server on two Ps whose garbage is collected every 20 ms. A collection stops all Ps before it begins, and
// one whose goroutine cannot be stopped keeps the other one standing: that is why Go got its signal (golang/go#24543). With
// one P nobody could ask for a collection while a hog computes, so the two Ps share the server's CPU.
const collecting = "20ms"

// collectingBurst is the burst beside which collections are made.
const collectingBurst = 20 * time.Millisecond

func preemptionSweeps() []plan.Sweep {
	labels := []string{"preempt", "preempt/nopreempt", "coop"}
	sweeps := many(doubled(sweep(labels, "http", append(measured("300ms", "1s"), "conns", "64")...)))
	for _, burst := range preemptionBursts {
		beside := sweep(labels, "hog", hogCell{0.01, burst}.axes(time.Second)...)
		beside.AA = burst == preemptionShown
		sweeps = append(sweeps, beside)
	}
	pairs := append([]string{"preempt.procs", "2", "preempt.gc-every", "0s," + collecting}, hogCell{0.01, collectingBurst}.axes(time.Second)...)
	return append(sweeps, sweep(labels[:2], "hog", pairs...))
}

// collected are the series on two Ps, the one that can be stopped first.
var collected = []series{
	onTwoPs("preempt", collecting), onTwoPs("preempt/nopreempt", collecting), onTwoPs("preempt", "0s"), onTwoPs("preempt/nopreempt", "0s"),
}

func onTwoPs(label, every string) series {
	name := label
	if every != "0s" {
		name += "+gc"
	}
	return series{name, is(label, map[string]any{"preempt.procs": 2.0, "preempt.gc-every": every})}
}

// onOneP picks what no collection is forced upon.
func onOneP(p record.Point) bool { return p.Number("preempt.procs") == 0 }

func onTwo(p record.Point) bool { return !onOneP(p) }

func of(workload string) where { return func(p record.Point) bool { return p.Workload == workload } }

var preemption = &Experiment{
	Experiment: reports.Experiment{
		Name:     "preemption",
		Question: "What does it cost to interrupt tasks, and what does it save?",
		Held: "One engine twice, with the runtime's preemption signal and without it (GODEBUG=asyncpreemptoff=1), and coop beside " +
			"them. Once where no request takes long, so that interrupting can only cost, and once beside hogs of 5 to 100 ms, " +
			"one request in a hundred, at a quarter of one CPU. Then goroutines on two Ps beside hogs of 20 ms, with a collection " +
			"every 20 ms and without.",
		Limits: "The work of a hog has no function call, at which Go would give way without a signal: the signal makes the largest " +
			"difference it can. The servers allocate next to nothing: the collections are forced, and their heap is small.",
		Next: []string{
			"lab sweep --engine preempt,preempt/nopreempt --workload hog --conns 256 --rate 240 --set hog.burst=100ms --blocks 6",
			"lab timeline --engine preempt,preempt/nopreempt --workload hog",
		},
		Plots: []reports.Plot{
			{ID: "saved", Title: "p99 of innocents against the length of a burst", Kind: reports.Lines, Metrics: []string{"innocent-p99"},
				X: "hog.burst", Where: where(of("hog")).and(onOneP), Note: "No burst below 10 ms is interrupted. A longer one is, after 10 to 20 ms, and the others wait for some such turns instead of for whole bursts."},
			{ID: "delay", Title: "How long goroutines were ready and did not run (p99)", Kind: reports.Lines, Metrics: []string{"sched:go_delay_p99_ns"},
				X: "hog.burst", Where: where(of("hog")).and(onOneP).and(func(p record.Point) bool { return p.Engine == "preempt" }),
				Note: "Go's own account of scheduling latency; it does not see requests that nobody has read yet."},
			{ID: "hogs", Title: "What the hogs themselves wait at the median", Kind: reports.Lines, Metrics: []string{"hog-p50"}, X: "hog.burst", Where: where(of("hog")).and(onOneP),
				Note: "A hog that is interrupted ends later: that is what the others' gain costs it."},
			{ID: "cost", Title: "CPU per request where nobody needs to be interrupted", Kind: reports.Bars, Metrics: []string{"cpu"}, Where: of("http"),
				Note: "HTTP over 64 connections in a closed loop."},
			{ID: "stop", Title: "The longest wait of a collection for the world to stop", Kind: reports.Bars, Metrics: []string{"sched:go_gc_stop_max_ns"},
				Where: where(onTwo).and(is("", map[string]any{"preempt.gc-every": collecting})),
				Note:  "Until the last goroutine has stopped, all others stand. Without the signal that is the end of the burst."},
			{ID: "collected", Title: "p99 of innocents on two Ps, with collections and without", Kind: reports.Bars, Metrics: []string{"innocent-p99"},
				Where: onTwo, Note: "On two Ps the kernel shares the CPU between a hog and the others; a collection that waits takes that away."},
		},
		Findings: preemptionFindings,
	},
	Full: &Measure{Sweeps: preemptionSweeps(), Blocks: fullBlocks},
}

func preemptionFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "preemption")
	var f findings
	f.add(v.against(contest{
		metric: "innocent-p99", series: preemptionSeries, at: is("", map[string]any{"hog.burst": preemptionShown.String()}), charts: []string{"saved"},
		title: "Beside " + milliseconds(preemptionShown) + " hogs, innocents' p99 was", condition: "one request in a hundred computed; a quarter of one CPU's time in all, open loop",
	}))
	f.add(v.against(contest{
		metric: "innocent-p99", series: collected, at: onTwo, charts: []string{"stop", "collected"},
		title:     "On two Ps beside " + milliseconds(collectingBurst) + " hogs, p99 was",
		condition: "the p99 is that of innocents; +gc has its garbage collected every " + collecting + ", before which all goroutines stop",
	}))
	f.add(v.against(contest{
		metric: "cpu", series: preemptionSeries[:2], at: of("http"), charts: []string{"cost"},
		title: "Without hogs, a request cost", condition: "HTTP over 64 connections in a closed loop",
	}))
	return f
}

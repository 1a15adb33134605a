package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

// callers are the engines that can call other servers; the first is what the others are held against.
var (
	callers     = []series{plainly("preempt"), plainly("coop"), plainly("coop/await"), plainly("threads")}
	callersList = []string{"preempt", "coop", "coop/await", "threads"}
)

func fanoutMode(mode string) where { return is("", map[string]any{"fanout.mode": mode}) }

var fanout = &Experiment{
	Experiment: reports.Experiment{
		Name:     "fanout",
		Question: "Who joins many calls best, and who drops the losers best?",
		Held: "Each request makes K calls at the same time to a server that takes 1 ms, and 10 ms for one call in a hundred. It is " +
			"answered when all have answered, when the first has, or with those that came within 5 ms. 450 requests per second " +
			"in an open loop over 32 connections.",
		Limits: "The called server runs on the generator's CPU: with many calls the two disturb each other. Calls reuse connections.",
		Next: []string{
			"lab sweep --engine coop,preempt,threads --workload fanout --conns 32 --rate 200 --set fanout.calls=1..64*2 --duration 2s",
			"lab sweep --engine coop,preempt --workload fanout --conns 32 --rate 200 --set fanout.mode=deadline --set fanout.within=2ms,5ms,20ms",
		},
		Plots: []reports.Plot{
			{ID: "all", Title: "p99 when all must answer", Kind: reports.Lines, Metrics: []string{"response-p99"}, X: "fanout.calls", Where: fanoutMode("all"),
				Note: "With more calls the slowest of them decides: at 32 calls one request in four meets a slow one."},
			{ID: "first", Title: "p99 when the first answer is enough", Kind: reports.Lines, Metrics: []string{"response-p99"}, X: "fanout.calls",
				Where: fanoutMode("first"), Note: "More calls hide slow ones, and make more losers to be dropped."},
			{ID: "deadline", Title: "p99 with a deadline of 5 ms", Kind: reports.Lines, Metrics: []string{"response-p99"}, X: "fanout.calls",
				Where: fanoutMode("deadline"), Note: "What lies above 5 ms passed until the engine noticed and the answer had come."},
			{ID: "cpu", Title: "CPU per request when all must answer", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "fanout.calls", Where: fanoutMode("all"),
				Note: "The slope is the price of a call, with its waiting and joining."},
		},
		Findings: fanoutFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep(callersList, "fanout", append(measured("200ms", "1s"), "conns", "32", "rate", "450", "fanout.mode", "all", "fanout.calls", "1,8")...),
		doubled(sweep(callersList, "fanout", append(measured("200ms", "1s"), "conns", "32", "rate", "450", "fanout.mode", "all", "fanout.calls", "32")...)),
		sweep(callersList, "fanout", append(measured("200ms", "1s"), "conns", "32", "rate", "450", "fanout.mode", "first,deadline", "fanout.calls", "1,32")...),
	)},
}

func fanoutFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "fanout")
	var f findings
	f.add(v.against(contest{
		metric: "cpu", series: callers, at: fanoutMode("all").and(is("", map[string]any{"fanout.calls": 32.0})), charts: []string{"cpu", "all"},
		title: "A request that joined 32 calls cost", condition: "450 requests/s in an open loop, each waiting for all of its calls",
	}))
	f.add(v.against(contest{
		metric: "response-p99", series: callers, at: fanoutMode("deadline").and(is("", map[string]any{"fanout.calls": 32.0})), charts: []string{"deadline"},
		title: "With a deadline of 5 ms for 32 calls, p99 was", condition: "450 requests/s in an open loop; what lies above 5 ms passed until the deadline was noticed and the answer had come",
	}))
	return f
}

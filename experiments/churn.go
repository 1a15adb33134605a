package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

var acceptors = []series{plainly("preempt"), plainly("coop"), plainly("threads"), plainly("loop")}

var churn = &Experiment{
	Experiment: reports.Experiment{
		Name:     "churn",
		Question: "What does it cost to take a connection and let it go?",
		Held:     "16 connections at any time; the server closes each after 1, 10 or 100 requests and a new one takes its place.",
		Limits: "Most of the cost of a connection is the kernel's and is the same for all. The generator opens connections on its " +
			"CPU, which is often the limit.",
		Next: []string{
			"lab sweep --engine coop,preempt,threads,loop --workload churn --conns 1..256*4 --duration 1s",
			"lab sweep --engine coop,preempt,threads --workload churn --conns 16 --rate 1k,2k,4k",
		},
		Plots: []reports.Plot{
			{ID: "cpu", Title: "CPU per request", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "churn.requests",
				Note: "At the left every request has a connection of its own; at the right its cost has almost vanished."},
			{ID: "connects", Title: "Connections opened and served per second", Kind: reports.Lines, Metrics: []string{"connects"}, X: "churn.requests",
				Note: "Of a closed loop: often the generator's limit."},
			{ID: "p99", Title: "p99, with the time to connect", Kind: reports.Lines, Metrics: []string{"service-p99"}, X: "churn.requests",
				Note: "Service time, from when a request could have been sent."},
		},
		Findings: churnFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		doubled(sweep(engines, "churn", append(measured("200ms", "800ms"), "conns", "16", "churn.requests", "1")...)),
		sweep(engines, "churn", append(measured("200ms", "800ms"), "conns", "16", "churn.requests", "10,100")...),
	)},
}

func churnFindings(d *digest.Digest) []reports.Finding {
	var f findings
	f.add(viewOf(d, "churn").against(contest{
		metric: "cpu", series: acceptors, at: is("", map[string]any{"churn.requests": 1.0}), charts: []string{"cpu"},
		title: "A connection for one request cost", condition: "16 connections at any time in a closed loop; accepting, one answer of 64 bytes, closing",
	}))
	return f
}

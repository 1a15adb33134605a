package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

var futuresSeries = []series{plainly("loop"), plainly("coop"), plainly("coop/await")}

var futures = &Experiment{
	Experiment: reports.Experiment{
		Name:     "futures",
		Question: "What does the abstraction of futures cost over a bare loop?",
		Held:     "Echo of 64 bytes in a closed loop: the least that a server can do for a request, so that the abstraction's part is as large as it gets.",
		Limits:   "The system calls of a request cost some microseconds; the abstraction costs nanoseconds, near what trials of one engine differ by.",
		Next: []string{
			"lab sweep --engine loop,coop,coop/await --workload echo,http --conns 64 --blocks 10 --aa on",
			"go test -bench . ./coop",
		},
		Plots: []reports.Plot{
			{ID: "cpu", Title: "CPU per request", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "conns", Note: "Loop has no tasks, coop has poll machines, coop/await has coroutines."},
			{ID: "p50", Title: "Median service time", Kind: reports.Lines, Metrics: []string{"service-p50"}, X: "conns", Note: "Of a closed loop: the number of connections over the throughput."},
			{ID: "trials", Title: "Every trial's CPU per request", Kind: reports.Strips, Metrics: []string{"cpu"}, X: "conns", Note: "Whether a difference is larger than the scatter can be seen here."},
		},
		Findings: futuresFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		doubled(sweep([]string{"loop", "coop", "coop/await"}, "echo", append(measured("300ms", "1s"), "conns", "1,64,1024")...)),
	)},
}

func futuresFindings(d *digest.Digest) []reports.Finding {
	var f findings
	f.add(viewOf(d, "futures").against(contest{
		metric: "cpu", series: futuresSeries, at: is("", map[string]any{"conns": 64.0}), charts: []string{"cpu", "trials"},
		title: "An echo of 64 bytes cost the server", condition: "64 connections in a closed loop; what the kernel does to read and write is in it",
	}))
	return f
}

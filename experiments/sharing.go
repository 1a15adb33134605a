package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

// lockers are the engines that share state; the first of sharingSeries is what the others are held against.
var (
	lockers       = []string{"coop", "preempt", "threads"}
	sharingSeries = []series{plainly("preempt"), plainly("coop"), plainly("threads")}
)

var sharing = &Experiment{
	Experiment: reports.Experiment{
		Name:     "sharing",
		Question: "Shared state: is taking turns cheaper than locks?",
		Held: "A key-value store of 10,000 keys, 64 connections in a closed loop. Where one executor runs all sessions (coop) " +
			"there is nothing to lock; the others share mutexes. Shares of writes of 10 and 50 %, keys drawn evenly and by " +
			"Zipf's law (0.99).",
		Limits: "With one CPU for the server a lock is seldom held when another wants it: its price here is that of taking it, not " +
			"of waiting for it. Give the server more CPUs (--server-cpus) to see the other half.",
		Next: []string{
			"lab sweep --engine coop,preempt,threads --workload kv --conns 64 --set kv.skew=0,0.99,1.2 --set kv.reads=50%,90%,100%",
			"lab sweep --engine coop,preempt,threads --workload kv --conns 256 --set coop.executors=1,4",
		},
		Plots: []reports.Plot{
			{ID: "cpu", Title: "CPU per request", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "kv.reads", Where: is("", map[string]any{"kv.skew": 0.99}),
				Note: "Keys drawn by Zipf's law; further right, fewer requests write."},
			{ID: "even", Title: "CPU per request, keys drawn evenly", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "kv.reads", Where: is("", map[string]any{"kv.skew": 0.0}),
				Note: "The same without keys that all want."},
			{ID: "throughput", Title: "Throughput", Kind: reports.Lines, Metrics: []string{"throughput"}, X: "kv.reads", Where: is("", map[string]any{"kv.skew": 0.99}),
				Note: "Of a closed loop: often the generator's limit."},
			{ID: "waits", Title: "Time spent waiting for locks", Kind: reports.Lines, Metrics: []string{"sched:go_mutex_wait_seconds"}, X: "kv.reads",
				Where: is("", map[string]any{"kv.skew": 0.99}), Note: "Of all goroutines together, in seconds of the window, as Go's runtime counts them."},
		},
		Findings: sharingFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep(lockers, "kv", append(measured("200ms", "800ms"), "conns", "64", "kv.skew", "0", "kv.reads", "50%,90%")...),
		sweep(lockers, "kv", append(measured("200ms", "800ms"), "conns", "64", "kv.skew", "0.99", "kv.reads", "90%")...),
		doubled(sweep(lockers, "kv", append(measured("200ms", "800ms"), "conns", "64", "kv.skew", "0.99", "kv.reads", "50%")...)),
	)},
}

func sharingFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "sharing")
	var f findings
	f.add(v.against(contest{
		metric: "cpu", series: sharingSeries, at: is("", map[string]any{"kv.skew": 0.99, "kv.reads": 0.5}), charts: []string{"cpu"},
		title:     "With half of the requests writing, a request cost",
		condition: "a key-value store, 64 connections in a closed loop; on one CPU a lock is seldom waited for",
	}))
	return f
}

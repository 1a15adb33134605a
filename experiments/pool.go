package experiments

import (
	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// poolSeries are compared; a thread for each connection is what the others are held against.
var poolSeries = []series{
	{"threads", is("threads", map[string]any{"threads.procs": 0.0})},
	tuned("threads", "threads.procs", 2.0, "threads GOMAXPROCS=2"),
	tuned("threads/pool", "threads.size", 2.0, "pool of 2"),
	tuned("threads/pool", "threads.size", 8.0, "pool of 8"),
	tuned("threads/pool", "threads.size", 64.0, "pool of 64"),
}

func pooled(p record.Point) bool { return p.Variant == "pool" }

var pool = &Experiment{
	Experiment: reports.Experiment{
		Name:     "pool",
		Question: "How many threads: one for each connection, or a few for all?",
		Held: "128 connections in a closed loop. Once requests of HTTP, which never wait on the server, and once requests that the " +
			"server answers after 1 ms of sleep, during which its thread is lost to all others.",
		Limits: "threads GOMAXPROCS=2 is a distortion on purpose: with fewer Ps than threads it is Go's scheduler and not the kernel " +
			"that decides who runs, and the figure is not one of OS threads. One server CPU.",
		Next: []string{
			"lab sweep --engine threads/pool --workload http --conns 128 --set threads.size=1..128*2",
			"lab sweep --engine threads/pool,threads --workload sleep --conns 128 --set sleep.delay=100us,1ms,10ms",
		},
		Plots: []reports.Plot{
			{ID: "throughput", Title: "Throughput of HTTP against the size of the pool", Kind: reports.Lines, Metrics: []string{"throughput"}, X: "threads.size",
				Where: where(of("http")).and(pooled), Note: "Threads that never wait on anything but the socket: more of them than CPUs only wait for each other."},
			{ID: "waiting", Title: "Throughput of requests that wait", Kind: reports.Lines, Metrics: []string{"throughput"}, X: "threads.size",
				Where: where(of("sleep")).and(pooled), Note: "A pool does as many waits at a time as it has threads: its throughput is its size over the wait."},
			{ID: "p99", Title: "p99 of requests that wait", Kind: reports.Lines, Metrics: []string{"service-p99"}, X: "threads.size",
				Where: where(of("sleep")).and(pooled), Note: "What is above 1 ms is waiting for a thread."},
			{ID: "cpu", Title: "CPU per request of HTTP", Kind: reports.Bars, Metrics: []string{"cpu"}, Where: of("http"),
				Note: "A thread for each connection, the same with two Ps, and pools."},
		},
		Findings: poolFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep([]string{"threads/pool"}, "http", append(measured("200ms", "800ms"), "conns", "128", "threads.size", "2,8,64")...),
		sweep([]string{"threads/pool"}, "sleep", append(measured("200ms", "800ms"), "conns", "128", "sleep.delay", "1ms", "threads.size", "2,8,64")...),
		doubled(sweep([]string{"threads"}, "http", append(measured("200ms", "800ms"), "conns", "128", "threads.procs", "0")...)),
		sweep([]string{"threads"}, "http", append(measured("200ms", "800ms"), "conns", "128", "threads.procs", "2")...),
		sweep([]string{"threads"}, "sleep", append(measured("200ms", "800ms"), "conns", "128", "sleep.delay", "1ms", "threads.procs", "0,2")...),
	)},
}

func poolFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "pool")
	var f findings
	f.add(v.against(contest{
		metric: "cpu", series: poolSeries, at: of("http"), charts: []string{"cpu"},
		title: "A request of HTTP cost the server", condition: "128 connections in a closed loop on one CPU",
	}))
	f.add(v.against(contest{
		metric: "throughput", series: poolSeries, at: of("sleep"), charts: []string{"waiting"},
		title: "With waits of 1 ms, the server answered", condition: "128 connections in a closed loop",
	}))
	return f
}

package experiments

import (
	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// connectionsSeries are compared; the first is what the others are held against.
var connectionsSeries = []series{plainly("preempt"), plainly("coop"), plainly("coop/await"), plainly("threads"), plainly("loop")}

// connectionsShown is the number of connections that findings speak of.
const connectionsShown = 1024

func inMode(mode string) where { return func(p record.Point) bool { return p.Mode == mode } }

var connections = &Experiment{
	Experiment: reports.Experiment{
		Name:     "connections",
		Question: "What does another connection cost, while all of them work?",
		Held: "HTTP with a body of 13 bytes, one request under way on each connection. The closed loop asks for as much as comes " +
			"back; in the open loop every engine gets the same rate whatever the number of connections.",
		Limits: "With one core for the generator the throughput of a closed loop is often the generator's: read CPU per request. " +
			"Connections are on loopback, where bytes cost no wire.",
		Next: []string{
			"lab sweep --engine coop,preempt,threads --workload http --conns 1..1024*2 --blocks 6 # and lab fit on its folder",
			"lab sweep --engine coop,preempt,threads --workload http --conns 1..4096*4 --depth 1,16",
			"lab bench --experiment memory",
		},
		Plots: []reports.Plot{
			{ID: "cpu", Title: "Server CPU per request", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "conns", Where: inMode(record.Closed),
				Note: "The cost of a request as connections grow. Where it falls, one wake-up may serve several; where it rises, caches may be too small."},
			{ID: "throughput", Title: "Throughput of a closed loop", Kind: reports.Lines, Metrics: []string{"throughput"}, X: "conns", Where: inMode(record.Closed),
				Note: "Client and server have a core each. Look for the flag client_limited before calling this the server's."},
			{ID: "switches", Title: "Voluntary switches per request", Kind: reports.Lines, Metrics: []string{"voluntary"}, X: "conns",
				Where: inMode(record.Closed), Note: "How often the server's threads went to sleep for a request: an event loop that finds several ready at once need not."},
			{ID: "preempted", Title: "Involuntary switches per request", Kind: reports.Lines, Metrics: []string{"involuntary"}, X: "conns",
				Where: inMode(record.Closed), Note: "How often the kernel took the CPU away."},
			{ID: "calls", Title: "System calls per request", Kind: reports.Lines, Metrics: []string{"kernel-calls"}, X: "conns",
				Where: inMode(record.Closed), Note: "All calls of the server's process, as the kernel counts them, where it may be asked."},
			{ID: "ratios", Title: "Server CPU per request, engine against engine", Kind: reports.Ratios, Metrics: []string{"cpu"}, X: "conns",
				Where: inMode(record.Closed), Against: "coop",
				Note: "Ratios are taken within blocks, so that what slows a whole block down cancels. Where coop was measured twice in each " +
					"block, what it differs by from itself is shaded: within that, nothing can be told."},
			{ID: "rate-cpu", Title: "Server CPU per request at one rate", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "conns", Where: inMode(record.Open),
				Note: "The same requests, spread over more connections."},
			{ID: "rate-p99", Title: "p99 at one rate", Kind: reports.Lines, Metrics: []string{"p99"}, X: "conns", Where: inMode(record.Open),
				Note: "Response time, from when a request was due."},
		},
		Findings: connectionsFindings,
	},
	Quick: &Measure{Blocks: quickBlocks, Sweeps: many(
		sweep(engines, "http", append(measured("200ms", "700ms"), "conns", "1,32,1024")...),
	)},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		doubled(sweep([]string{"coop", "coop/await", "preempt", "threads", "loop"}, "http", append(measured("200ms", "700ms"), "conns", "1,32,256,1024,4096")...)),
		sweep(engines, "http", append(measured("200ms", "700ms"), "conns", "64,1024,8000", "rate", "8k")...),
	)},
}

func connectionsFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "connections")
	var f findings
	f.add(v.against(contest{
		metric: "cpu", series: connectionsSeries, at: where(inMode(record.Closed)).and(is("", map[string]any{"conns": float64(connectionsShown)})),
		charts: []string{"cpu"}, title: "A request of HTTP cost the server",
		condition: "CPU time of the whole server process; 1,024 connections in a closed loop, one request under way on each",
	}))
	f.add(v.grown(growth{
		metric: "cpu", series: connectionsSeries, charts: []string{"cpu"},
		from:  where(inMode(record.Closed)).and(is("", map[string]any{"conns": 32.0})),
		to:    where(inMode(record.Closed)).and(is("", map[string]any{"conns": float64(connectionsShown)})),
		title: "From 32 to 1,024 conns a request got", of: "as dear", baseline: "loop", columns: [2]string{"1,024 conns", "32 conns"},
		condition: "closed loop, so that 32 times as many requests were under way; loop, which has no tasks, is in the table alone",
	}))
	return f
}

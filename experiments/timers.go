package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

var timers = &Experiment{
	Experiment: reports.Experiment{
		Name:     "timers",
		Question: "Who keeps many timers, how late, and at what cost?",
		Held: "Every request is answered after a wait of 10 ms on the server. Each connection has one request under way, so there are " +
			"as many timers as connections.",
		Limits: "What lies above 10 ms is lateness of the timer and of everything else: reading, the turn, the reply. A closed loop " +
			"waits for the late ones and so meets them less often.",
		Next: []string{
			"lab sweep --engine coop,coop/await,preempt,threads --workload sleep --conns 16..4096*4 --set sleep.delay=100ms",
			"lab sweep --engine coop,preempt,threads --workload sleep --conns 256 --set sleep.spread=0,10ms",
		},
		Plots: []reports.Plot{
			{ID: "p99", Title: "p99 of a wait of 10 ms", Kind: reports.Lines, Metrics: []string{"service-p99"}, X: "conns", Note: "Ten milliseconds are meant; the rest is late."},
			{ID: "p50", Title: "Median of a wait of 10 ms", Kind: reports.Lines, Metrics: []string{"service-p50"}, X: "conns", Note: "How late a timer usually is."},
			{ID: "cpu", Title: "CPU per wait", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "conns", Note: "Setting a timer, waking up for it, and the request around it."},
		},
		Findings: timersFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep(callersList, "sleep", append(measured("200ms", "800ms"), "conns", "16,64", "sleep.delay", "10ms")...),
		doubled(sweep(callersList, "sleep", append(measured("200ms", "800ms"), "conns", "256", "sleep.delay", "10ms")...)),
	)},
}

func timersFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "timers")
	at := is("", map[string]any{"conns": 256.0})
	var f findings
	f.add(v.against(contest{
		metric: "service-p99", series: callers, at: at, charts: []string{"p99"},
		title: "With 256 waits of 10 ms at a time, p99 was", condition: "closed loop, one timer for each connection",
	}))
	f.add(v.against(contest{
		metric: "cpu", series: callers, at: at, charts: []string{"cpu"},
		title: "A wait cost the server", condition: "256 timers at a time, with the request and the reply around each",
	}))
	return f
}

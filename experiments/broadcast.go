package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

var broadcast = &Experiment{
	Experiment: reports.Experiment{
		Name:     "broadcast",
		Question: "What does it cost to wake many for one message?",
		Held:     "One connection publishes 50 messages of 64 bytes per second, and each of 16, 128 or 512 connections gets every one.",
		Limits:   "Delivery times count from when a message was due at its publisher; that generator and server share a machine makes all of them longer.",
		Next: []string{
			"lab sweep --engine coop,preempt,threads --workload broadcast --conns 64..4096*4 --rate 20 --duration 2s",
			"lab sweep --engine coop,preempt --workload broadcast --conns 256 --rate 50 --set broadcast.queue=1,256 --set broadcast.overflow=drop,close",
		},
		Plots: []reports.Plot{
			{ID: "delivery", Title: "p99 until a message has arrived", Kind: reports.Lines, Metrics: []string{"delivery-p99"}, X: "conns",
				Note: "The last of many waits for all others to be written to."},
			{ID: "median", Title: "Median until a message has arrived", Kind: reports.Lines, Metrics: []string{"delivery-p50"}, X: "conns",
				Note: "Half of the listeners have it by then."},
			{ID: "cpu", Title: "CPU per message", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "conns", Note: "For one message to all; the slope is the price of a listener."},
		},
		Findings: broadcastFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep(callersList, "broadcast", append(measured("200ms", "1s"), "conns", "16,128", "rate", "50")...),
		doubled(sweep(callersList, "broadcast", append(measured("200ms", "1s"), "conns", "512", "rate", "50")...)),
	)},
}

func broadcastFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "broadcast")
	at := is("", map[string]any{"conns": 512.0})
	var f findings
	f.add(v.against(contest{
		metric: "delivery-p99", series: callers, at: at, charts: []string{"delivery"},
		title: "To 512 listeners, delivery p99 was", condition: "50 messages/s of 64 bytes, from when a message was due",
	}))
	f.add(v.against(contest{
		metric: "cpu", series: callers, at: at, charts: []string{"cpu"},
		title: "A message to 512 listeners cost", condition: "50 messages/s of 64 bytes",
	}))
	return f
}

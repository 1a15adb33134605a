package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

var stream = &Experiment{
	Experiment: reports.Experiment{
		Name:     "stream",
		Question: "Does it matter who schedules when bytes are what costs?",
		Held:     "Streams of 1 MiB from the server over 8 connections in a closed loop, in chunks of 4, 16 and 64 KiB after each of which a server sees to others.",
		Limits:   "Loopback copies bytes on the sender's CPU and on the receiver's; a network card would do otherwise. The generator reads as fast as it can.",
		Next: []string{
			"lab sweep --engine coop,preempt,threads,loop --workload stream --conns 1..64*4 --set stream.direction=down,up,both",
		},
		Plots: []reports.Plot{
			{ID: "cpu", Title: "CPU per stream of 1 MiB", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "stream.chunk",
				Note: "Larger chunks are fewer system calls and longer turns."},
			{ID: "throughput", Title: "Streams per second", Kind: reports.Lines, Metrics: []string{"throughput"}, X: "stream.chunk", Note: "Times 1 MiB."},
			{ID: "fairness", Title: "Fairness between the streams", Kind: reports.Lines, Metrics: []string{"fairness"}, X: "stream.chunk",
				Note: "Jain's index of what each connection got: 1 is even."},
			{ID: "p99", Title: "p99 of a stream", Kind: reports.Lines, Metrics: []string{"service-p99"}, X: "stream.chunk", Note: "From request to last byte."},
		},
		Findings: streamFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep(engines, "stream", append(measured("200ms", "800ms"), "conns", "8", "stream.chunk", "4k,64k")...),
		doubled(sweep(engines, "stream", append(measured("200ms", "800ms"), "conns", "8", "stream.chunk", "16k")...)),
	)},
}

func streamFindings(d *digest.Digest) []reports.Finding {
	var f findings
	f.add(viewOf(d, "stream").against(contest{
		metric: "cpu", series: acceptors, at: is("", map[string]any{"stream.chunk": 16384.0}), charts: []string{"cpu"},
		title: "A stream of 1 MiB cost the server", condition: "chunks of 16 KiB, 8 connections in a closed loop; the kernel copies the bytes within this time",
	}))
	return f
}

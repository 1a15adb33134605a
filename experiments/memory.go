package experiments

import (
	"turnlab/reports"
	"turnlab/reports/digest"
)

// memorySeries are compared; the first is what the others are held against.
var memorySeries = []series{plainly("preempt"), plainly("coop"), plainly("coop/await"), plainly("threads")}

// everything picks all points.
var everything = is("", nil)

var memory = &Experiment{
	Experiment: reports.Experiment{
		Name:     "memory",
		Question: "What does a connection cost that only waits?",
		Held: "Ten connections ask 1,000 times per second in all, the others are silent and are asked once at the end, to prove that " +
			"they are served. Memory is read under that load, after the window.",
		Limits: "PSS is the process's own; page tables and kernel stacks are the kernel's and are shown apart, socket buffers where " +
			"they are counted. Kernel stacks are inferred (16 KiB for each thread). Of threads, about 27 KB for each are Go's: a P for each " +
			"thread, so that the kernel and not Go schedules.",
		Next: []string{
			"lab sweep --engine coop,preempt --workload idle --conns 500..8000*2 --rate 1k --set engine.gogc=50,100,400",
			"lab sweep --engine preempt,threads --workload idle --conns 1000 --rate 1k --set preempt.buffer=1k,4k,64k",
		},
		Plots: []reports.Plot{
			{ID: "slope", Title: "Memory for each waiting connection (PSS)", Kind: reports.Bars, Metrics: []string{"pss"}, X: "conns", Slope: true,
				Note: "The slope of a line through all sizes: what there is without connections does not count."},
			{ID: "kinds", Title: "What it is made of", Kind: reports.Stacked, Slope: true, X: "conns",
				Metrics: []string{"go-heap", "go-stacks", "go-metadata", "page-tables", "kernel-stacks"},
				Note: "Go's three kinds are inside PSS; page tables and kernel stacks are the kernel's and come on top. " +
					"Go counts what it has reserved, touched or not, so its kinds can be more than PSS."},
			{ID: "pss", Title: "Server memory (PSS)", Kind: reports.Lines, Metrics: []string{"pss"}, X: "conns",
				Note: "Where a line is not straight, its slope is a summary of something else."},
			{ID: "cpu", Title: "CPU per request of the ten that work", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "conns",
				Note: "A level line: the silent cost the others nothing."},
		},
		Findings: memoryFindings,
	},
	Quick: &Measure{Blocks: quickBlocks, Sweeps: many(
		sweep([]string{"coop", "coop/await", "preempt", "threads"}, "idle", append(measured("100ms", "400ms"), "conns", "250,500,1000,2000", "rate", "1k")...),
	)},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep([]string{"coop", "coop/await", "preempt", "threads", "loop"}, "idle", append(measured("100ms", "400ms"), "conns", "500,1000,2000,4000,8000", "rate", "1k")...),
	)},
}

func memoryFindings(d *digest.Digest) []reports.Finding {
	var f findings
	f.add(viewOf(d, "memory").slopes(slopeRule{
		metric: "pss", x: "conns", series: memorySeries, at: everything, charts: []string{"slope", "kinds"},
		title:     "A connection that only waited took",
		condition: "private and shared memory of the server (PSS) by connection, from the slope over all sizes; the kernel's own memory is not in it",
	}))
	return f
}

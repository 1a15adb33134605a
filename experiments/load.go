package experiments

import (
	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// loadSeries are compared; the first is what the others are held against.
var loadSeries = []series{plainly("preempt"), plainly("coop"), plainly("threads"), plainly("loop")}

// ownShare picks the points whose rate is a share of what they can do; sameRate those of a rate that is the same for all.
func ownShare(p record.Point) bool { _, ok := p.Params["rate-share"]; return ok }
func sameRate(p record.Point) bool { return !ownShare(p) }

var load = &Experiment{
	Experiment: reports.Experiment{
		Name:     "load",
		Question: "How does waiting grow as a server nears what it can do?",
		Held: "HTTP over 64 connections in an open loop. Once with rates as shares of what each engine did in a closed loop, so that " +
			"all are equally busy, and once with the same rates for all, so that all do the same work.",
		Limits: "Where the generator is the limit a share is of what it can offer; the run's notes say so. Near capacity a queue is " +
			"long and slow to forget: figures of short windows scatter there.",
		Next: []string{
			"lab sweep --engine coop,preempt,threads --workload http --rate 10%..90%+10% --duration 3s --blocks 6",
			"lab capacity --slo 'p99<5ms' --engine coop,preempt,threads --workload http",
		},
		Plots: []reports.Plot{
			{ID: "share-p99", Title: "p99 response time against the share of capacity", Kind: reports.Lines, Metrics: []string{"response-p99"},
				X: "rate-share", Where: ownShare, Note: "Equally busy: what differs is how each engine shares out the CPU."},
			{ID: "share-p50", Title: "Median response time against the share of capacity", Kind: reports.Lines, Metrics: []string{"response-p50"},
				X: "rate-share", Where: ownShare, Note: "At low load this is the price of waking up; near capacity it is the queue."},
			{ID: "service", Title: "p99 service time against the share of capacity", Kind: reports.Lines, Metrics: []string{"service-p99"},
				X: "rate-share", Where: ownShare, Note: "From when a request was sent: what a closed-loop tool would have reported."},
			{ID: "slip", Title: "p99 of slip", Kind: reports.Lines, Metrics: []string{"slip-p99"}, X: "rate-share", Where: ownShare,
				Note: "How late requests left: the generator's part of the response time."},
			{ID: "rate-p99", Title: "p99 response time at equal rates", Kind: reports.Lines, Metrics: []string{"response-p99"}, X: "rate", Where: sameRate,
				Note: "The same work: an engine that needs more CPU for it is nearer to its limit."},
			{ID: "rate-cpu", Title: "CPU per request at equal rates", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "rate", Where: sameRate,
				Note: "A busier server can handle more requests each time that it wakes."},
			{ID: "spectrum", Title: "Every percentile at the highest equal rate", Kind: reports.Spectra, X: "rate", Where: sameRate,
				Note: "Between the response time and the service time of an engine lies how late its requests left."},
			{ID: "ratios", Title: "p99 response time at equal rates, engine against engine", Kind: reports.Ratios, Metrics: []string{"response-p99"},
				X: "rate", Where: sameRate, Note: "Ratios are taken within blocks, so that what slows a whole block down cancels."},
		},
		Findings: loadFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sweep(engines, "http", append(measured("300ms", "1s"), "conns", "64", "rate", "10%,20%,50%,95%")...),
		doubled(sweep(engines, "http", append(measured("300ms", "1s"), "conns", "64", "rate", "80%")...)),
		sweep(engines, "http", append(measured("300ms", "1s"), "conns", "64", "rate", "2k,8k,16k")...),
	)},
}

func loadFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "load")
	var f findings
	f.add(v.against(contest{
		metric: "response-p99", series: loadSeries, at: is("", map[string]any{"rate-share": 0.8}), charts: []string{"share-p99"},
		title:     "At 80 % of what each could do, p99 was",
		condition: "HTTP, 64 connections, open loop, times from when a request was due",
	}))
	f.add(v.against(contest{
		metric: "response-p99", series: loadSeries, at: where(sameRate).and(is("", map[string]any{"rate": 8000.0})), charts: []string{"rate-p99"},
		title:     "At 8,000 requests/s for all, p99 was",
		condition: "HTTP, 64 connections, open loop: the same work for each, so the dearer engine is also the busier one",
	}))
	return f
}

package flags

import (
	"math"

	"turnlab/harness/record"
	"turnlab/harness/stat"
)

// Bounds of a trend. A run has hundreds of trials, so chance alone must almost never be doubted; and a trend that changes
// nothing is none.
const (
	trendP      = 0.001
	trendChange = 0.05
	fullSlice   = 20 // replies of a slice on average, below which slices count single requests
)

// notStationary: the server became faster or slower within the window, so the trial's figures belong to no moment of it.
func notStationary(t *record.Trial) (record.Flag, bool) {
	var received []float64
	sum := 0.0
	for _, w := range t.Windows {
		if w.Measured {
			received = append(received, float64(w.Received))
			sum += float64(w.Received)
		}
	}
	trend, ok := stat.FindTrend(received)
	change := math.Abs(trend.Change)
	return record.Flag{
		Level: record.Warn, Figure: change, Bound: trendChange, Unit: "of throughput, first to last third",
		Advice: "the server's pace changed within the window: look at the slices, and warm up longer (--warmup, or --settle on)",
	}, ok && sum >= fullSlice*float64(len(received)) && trend.P < trendP && change > trendChange
}

// clientGC: the generator's collector is switched off, and a trial in which it ran all the same has its pauses among the
// server's latencies.
func clientGC(t *record.Trial) (record.Flag, bool) {
	cycles := t.ClientSched["gc_cycles"]
	return record.Flag{
		Level: record.Warn, Figure: cycles, Unit: "collections",
		Advice: "the generator collected garbage within the window, and the pauses are in the latencies: use fewer connections " +
			"for each generator (--generators)",
	}, cycles > 0
}

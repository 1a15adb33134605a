package proc

import (
	"math"
	"runtime/metrics"

	"turnlab/engine"
)

// figures are the Go runtime's figures that go with every sample, by our name.
var figures = map[string]string{
	"goroutines":           "/sched/goroutines:goroutines",
	"goroutines_created":   "/sched/goroutines-created:goroutines",
	"goroutines_running":   "/sched/goroutines/running:goroutines",
	"goroutines_runnable":  "/sched/goroutines/runnable:goroutines",
	"goroutines_waiting":   "/sched/goroutines/waiting:goroutines",
	"goroutines_not_in_go": "/sched/goroutines/not-in-go:goroutines",
	"threads":              "/sched/threads/total:threads",
	"gomaxprocs":           "/sched/gomaxprocs:threads",
	"gc_cycles":            "/gc/cycles/total:gc-cycles",
	"gc_cpu_seconds":       "/cpu/classes/gc/total:cpu-seconds",
	"alloc_bytes":          "/gc/heap/allocs:bytes",
	"alloc_objects":        "/gc/heap/allocs:objects",
	"mutex_wait_seconds":   "/sync/mutex/wait/total:seconds",
}

// histograms are the runtime's histograms that go with every sample, as counters (see engine.Bucket): how long a goroutine
// that could run waited for its turn, of which the runtime times one in eight; how long a collection stopped the world, and
// how much of that it waited for the last thread to stop.
var histograms = map[string]string{
	"delay":    "/sched/latencies:seconds",
	"gc_pause": "/sched/pauses/total/gc:seconds",
	"gc_stop":  "/sched/pauses/stopping/gc:seconds",
}

// runtimeFigures reads figures and histograms. None of them stops the world.
//
// Note: CPU seconds by class are estimates that the runtime brings up to date at the end of a collection only.
func runtimeFigures() map[string]float64 {
	var samples []metrics.Sample
	var names []string
	for _, list := range []map[string]string{figures, histograms} {
		for ours, theirs := range list {
			names, samples = append(names, ours), append(samples, metrics.Sample{Name: theirs})
		}
	}
	metrics.Read(samples)
	out := make(map[string]float64, 2*len(names))
	for i, name := range names {
		if v := samples[i].Value; v.Kind() == metrics.KindFloat64Histogram {
			addBuckets(out, name, v.Float64Histogram())
		} else {
			out[name] = number(samples[i])
		}
	}
	return out
}

// addBuckets adds the counts of a histogram that are not 0, each under the upper end of its bucket in nanoseconds. The last
// bucket has none and goes by its lower end.
func addBuckets(out map[string]float64, name string, h *metrics.Float64Histogram) {
	for i, n := range h.Counts {
		if n == 0 {
			continue
		}
		seconds := h.Buckets[i+1]
		if math.IsInf(seconds, 1) {
			seconds = h.Buckets[i]
		}
		out[engine.Bucket(name, int64(math.Round(seconds*1e9)))] += float64(n)
	}
}

// readFigure reads one number.
func readFigure(name string) float64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	return number(s[0])
}

// number panics when the runtime does not know the figure, which a test would have shown.
func number(s metrics.Sample) float64 {
	switch s.Value.Kind() {
	case metrics.KindUint64:
		return float64(s.Value.Uint64())
	case metrics.KindFloat64:
		return s.Value.Float64()
	}
	panic("proc: the Go runtime has no figure " + s.Name)
}

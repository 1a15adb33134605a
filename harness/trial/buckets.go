package trial

import (
	"maps"
	"slices"

	"turnlab/engine"
)

// percentiles replaces the buckets of histograms among counters (see engine.Bucket) by what they say: NAME_p50_ns,
// NAME_p99_ns and NAME_max_ns. The counts are those of the window, so the percentiles are too. A p99 needs a hundred times,
// a p50 two, a maximum one; otherwise it is left out.
func percentiles(counters map[string]float64) {
	histograms := map[string]map[int64]float64{}
	for counter, n := range counters {
		name, ns, ok := engine.SplitBucket(counter)
		if !ok {
			continue
		}
		delete(counters, counter)
		if histograms[name] == nil {
			histograms[name] = map[int64]float64{}
		}
		histograms[name][ns] += n
	}
	for name, h := range histograms {
		addPercentile(counters, name+"_p50_ns", h, 0.5, 2)
		addPercentile(counters, name+"_p99_ns", h, 0.99, 100)
		addPercentile(counters, name+"_max_ns", h, 1, 1)
	}
}

// addPercentile stores the time that a share q of the counted times does not exceed, if there are at least that many.
func addPercentile(counters map[string]float64, key string, counts map[int64]float64, q, atLeast float64) {
	total := 0.0
	for _, n := range counts {
		total += n
	}
	if total < atLeast {
		return
	}
	left := q * total
	for _, ns := range slices.Sorted(maps.Keys(counts)) {
		if left -= counts[ns]; left <= 0 {
			counters[key] = float64(ns)
			return
		}
	}
}

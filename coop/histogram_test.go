package coop

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestAHistogramKnowsATimeWithinASixteenth(t *testing.T) {
	for range 10_000 {
		ns := rand.Int64N(1 << rand.IntN(histogramOf))
		var h Histogram
		h.Add(time.Duration(ns))
		got := int64(h.Quantile(0.5))
		if off := max(got-ns, ns-got); off > ns/16+1 {
			t.Fatalf("%d ns are remembered as %d ns", ns, got)
		}
	}
}

func TestAHistogramKeepsTimesBeyondItsEndsInItsOutermostBuckets(t *testing.T) {
	var h Histogram
	h.Add(-time.Second)
	h.Add(1 << 62)
	if low, high := h.Quantile(0.5), h.Quantile(1); low != 0 || high < 1<<(histogramOf-1) {
		t.Errorf("%v and %v", low, high)
	}
}

func TestQuantilesOfAHistogramSplitItsTimes(t *testing.T) {
	var h, other Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("an empty histogram has no times")
	}
	for range 98 {
		h.Add(4)
	}
	other.Add(6)
	other.Add(7)
	h.Merge(&other)
	if h.Count() != 100 || h.Quantile(0.5) != 4 || h.Quantile(0.98) != 4 || h.Quantile(0.99) != 6 || h.Quantile(1) != 7 {
		t.Errorf("%d times; quantiles %v %v %v %v", h.Count(), h.Quantile(0.5), h.Quantile(0.98), h.Quantile(0.99), h.Quantile(1))
	}
}

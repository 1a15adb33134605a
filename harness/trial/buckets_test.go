package trial

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"turnlab/engine"
)

func TestBucketsOfAHistogramBecomePercentiles(t *testing.T) {
	got := map[string]float64{
		"polls": 6000, engine.Bucket("poll", 10): 60, engine.Bucket("poll", 200): 38, engine.Bucket("poll", 3000): 2,
		engine.Bucket("poll", 7): 0, // counted before the window only
	}
	percentiles(got)
	want := map[string]float64{"polls": 6000, "poll_p50_ns": 10, "poll_p99_ns": 3000, "poll_max_ns": 3000}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAPercentileNeedsEnoughTimes(t *testing.T) {
	got := map[string]float64{engine.Bucket("delay", 10): 50, engine.Bucket("poll", 5): 1, engine.Bucket("none", 5): 0}
	percentiles(got)
	if d := cmp.Diff(map[string]float64{"delay_p50_ns": 10, "delay_max_ns": 10, "poll_max_ns": 5}, got); d != "" {
		t.Error(d)
	}
}

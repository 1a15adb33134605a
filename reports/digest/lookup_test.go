package digest

import (
	"testing"

	"turnlab/harness/record"
)

func find(t *testing.T, id string) Metric {
	t.Helper()
	m, ok := MetricByID(id)
	if !ok || m.ID != id || m.Title == "" || m.Short == "" {
		t.Fatalf("%s: found %v, %+v", id, ok, m)
	}
	return m
}

func TestAMetricIsFoundByItsNameAndReadsWhatTheNameSays(t *testing.T) {
	tr := record.Trial{
		Point: record.Point{Mode: record.Open}, WindowSeconds: 2, Connects: 10, Requests: 5, Fairness: 0.5,
		LatencyNS: map[string]record.Latency{"response": {P50: 1, P99: 2, P999: 3, Max: 4}, "service": {P50: 5}, "slip": {P99: 6}, "delivery": {P50: 7}},
		Classes: map[string]record.Class{
			"innocent": {LatencyNS: map[string]record.Latency{"response": {P50: 8, P99: 9, Max: 10}, "service": {P50: 11}}},
			"other":    {LatencyNS: map[string]record.Latency{"response": {P999: 12}}},
		},
		CPU:    &record.CPU{ServerNSPerReq: 13},
		Memory: map[string]uint64{"pss": 14, "rss": 15, "go_heap": 16, "kernel_stacks": 17},
		Sched:  map[string]float64{"polls": 18, "wait_p99_ns": 19, "kernel_wait_ns_per_req": 21, "kernel_calls_per_req": 22, "lock_wait_seconds": 0.5},
		Micro:  &record.Micro{NSPerOp: 20, AllocsPerOp: 0},
	}
	for id, want := range map[string]float64{
		"p50": 1, "p99": 2, "p999": 3, "response-p99": 2, "response-max": 4, "service-p50": 5, "slip-p99": 6, "delivery-p50": 7,
		"innocent-p50": 8, "innocent-p99": 9, "innocent-max": 10, "other-p999": 12, "cpu": 13, "pss": 14, "rss": 15, "go-heap": 16,
		"kernel-stacks": 17, "sched:polls": 18, "sched:wait_p99_ns": 19, "ns-per-op": 20, "allocs-per-op": 0, "fairness": 0.5, "connects": 5,
		"run-queue-wait": 21, "kernel-calls": 22, "sched:lock_wait_seconds": 5e8,
	} {
		if x, ok := find(t, id).Of(&tr); !ok || x != want {
			t.Errorf("%s is %v (%v), want %v", id, x, ok, want)
		}
	}
	for _, id := range []string{"hog-p99", "innocent-p999", "response-p90", "page-tables", "sched:none"} {
		if x, ok := find(t, id).Of(&tr); ok {
			t.Errorf("%s was not measured and is %v", id, x)
		}
	}
}

func TestTheLatencyOfAClassIsWhatItsLoopMeasures(t *testing.T) {
	tr := record.Trial{Point: record.Point{Mode: record.Closed}, LatencyNS: map[string]record.Latency{"service": {P99: 2}},
		Classes: map[string]record.Class{"innocent": {LatencyNS: map[string]record.Latency{"service": {P99: 1}}}}}
	for id, want := range map[string]float64{"innocent-p99": 1, "p99": 2} {
		m := find(t, id)
		if x, ok := m.Of(&tr); !ok || x != want {
			t.Errorf("%s is %v, %v", id, x, ok)
		}
		if closed, open := m.In(record.Closed).Title, m.In(record.Open).Title; closed == open {
			t.Errorf("%s has one name in both loops: %q", id, closed)
		}
	}
}

func TestWhatIsNoNameOfAMetricIsNotFound(t *testing.T) {
	for _, id := range []string{"", "nothing", "p98", "innocent-p98", "-p99", "sched:", "Innocent-p99"} {
		if m, ok := MetricByID(id); ok {
			t.Errorf("%q is %q", id, m.Title)
		}
	}
}

package trial

import (
	"testing"
	"time"

	"turnlab/harness/record"
)

func TestCallsAreDividedByTheRepliesOfTheirTime(t *testing.T) {
	tr := &record.Trial{}
	for i := range 10 {
		tr.Windows = append(tr.Windows, record.Window{AtMS: int64(100 * i), Received: uint64(1000 * i)})
	}
	// The slices from 400 to 600 ms lie between the readings: 15,000 replies in 0.3 s, so 20,000 in 0.4 s.
	callCount{from: 310 * time.Millisecond, to: 710 * time.Millisecond, server: 54_000, client: 27_000}.addTo(tr)
	if got := tr.Sched["kernel_calls_per_req"]; !near(got, 2.7) {
		t.Errorf("server %v", got)
	}
	if got := tr.ClientSched["kernel_calls_per_req"]; !near(got, 1.35) {
		t.Errorf("client %v", got)
	}
}

func TestCallsOfFewRepliesSayNothing(t *testing.T) {
	tr := &record.Trial{Windows: []record.Window{{AtMS: 400, Received: 99}}}
	if (callCount{from: 300 * time.Millisecond, to: 700 * time.Millisecond, server: 5}).addTo(tr); tr.Sched != nil {
		t.Errorf("%v", tr.Sched)
	}
}

func TestAShortWarmUpHasNoTimeToCount(t *testing.T) {
	if c, ok := <-countCalls(t.Context(), []int{1}, []int{1}, 100*time.Millisecond); ok {
		t.Errorf("%+v", c)
	}
}

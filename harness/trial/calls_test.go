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
	// Nine tenths of the 3,000 replies from 300 ms on, then 4,000, 5,000 and 6,000, and a tenth of the 7,000 from 700 ms on.
	callCount{from: 310 * time.Millisecond, to: 710 * time.Millisecond, server: 18_400 * 27 / 10, client: 18_400 * 27 / 20}.addTo(tr)
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

func TestCallsAreCountedInTheShortestWarmUpOfTheLabsOwnExperiments(t *testing.T) {
	tr := &record.Trial{Windows: []record.Window{{AtMS: 0, Received: 1000}, {AtMS: 100, Received: 1000}}}
	callCount{from: 60 * time.Millisecond, to: 140 * time.Millisecond, server: 1600, client: 800}.addTo(tr)
	if got := tr.Sched["kernel_calls_per_req"]; !near(got, 2) {
		t.Errorf("1,600 calls in 80 ms with 10 replies in each are %v by request", got)
	}
}

package trial

import (
	"testing"
	"time"

	"turnlab/harness/control"
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

func TestOfASliceThatIsPartlyCountedAPartOfTheRepliesCounts(t *testing.T) {
	tr := &record.Trial{Windows: []record.Window{{AtMS: 0, Received: 1000}, {AtMS: 100, Received: 1000}}}
	callCount{from: 60 * time.Millisecond, to: 140 * time.Millisecond, server: 1600, client: 800}.addTo(tr)
	if got := tr.Sched["kernel_calls_per_req"]; !near(got, 2) {
		t.Errorf("1,600 calls in 80 ms with 10 replies in each are %v by request", got)
	}
}

func TestCallsAreOfTheTimeOfTheirReplies(t *testing.T) {
	const second = int64(time.Second)
	opened := &control.Event{Usage: &control.Usage{MonotonicNS: 90 * second}} // so the load began at 89.5 s
	c := callCount{from: 89_600 * time.Millisecond, to: 89_800 * time.Millisecond, server: 5}.since(opened, 500*time.Millisecond)
	if c.from != 100*time.Millisecond || c.to != 300*time.Millisecond || c.server != 5 {
		t.Errorf("%+v", c)
	}
	if c := (callCount{server: 5}).since(&control.Event{}, 0); c != (callCount{}) {
		t.Errorf("a generator that tells no time, and %+v", c)
	}
	tr := &record.Trial{Windows: []record.Window{{AtMS: 100, Received: 1000}}}
	if (callCount{from: 100 * time.Millisecond, to: 200 * time.Millisecond}).addTo(tr); tr.Sched != nil {
		t.Errorf("replies without a call: %v", tr.Sched)
	}
}

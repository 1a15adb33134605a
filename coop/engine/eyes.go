package engine

import (
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"turnlab/coop"
	"turnlab/engine"
)

// times are how long an executor's polls took and how long its tasks waited for them.
type times struct {
	polls, delays coop.Histogram
}

// update copies what has changed: one poll in 64 is timed, and a turn with few polls often has none of these.
func (t *times) update(ex *coop.Executor) {
	if x := ex.PollTimes(); x.Count() != t.polls.Count() {
		t.polls = *x
	}
	if x := ex.Delays(); x.Count() != t.delays.Count() {
		t.delays = *x
	}
}

// addTimes adds the sums of the workers' histograms to their counters.
func addTimes(counters map[string]int64, workers []*worker) {
	var sum times
	for _, w := range workers {
		w.mu.Lock()
		sum.polls.Merge(&w.times.polls)
		sum.delays.Merge(&w.times.delays)
		w.mu.Unlock()
	}
	maps.Insert(counters, buckets("poll", &sum.polls))
	maps.Insert(counters, buckets("delay", &sum.delays))
}

// buckets yields a histogram as counters.
func buckets(name string, h *coop.Histogram) func(yield func(string, int64) bool) {
	return func(yield func(string, int64) bool) {
		for d, n := range h.All() {
			if !yield(engine.Bucket(name, int64(d)), n) {
				return
			}
		}
	}
}

// complaintsMax bounds what the watchdog prints; it goes on counting. A reader learns nothing from the hundredth stack, and
// a pipe that nobody reads must not fill up.
const complaintsMax = 10

// complaints is where the watchdog prints. The executors and their watchdogs all do.
type complaints struct {
	mu    sync.Mutex
	to    io.Writer // nil for standard error
	count int
}

func (c *complaints) add(f coop.Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.count <= complaintsMax {
		fmt.Fprintf(c.to, "%v\n", f)
	}
	if c.count == complaintsMax {
		fmt.Fprintf(c.to, "coop: %d findings were printed; more are not (stalls are still counted)\n", c.count)
	}
}

// watch returns how executors are watched: not at all, unless option watchdog says how long a poll may take.
func (e *Engine) watch() *coop.Watch {
	if e.watchdog == 0 {
		return nil
	}
	if e.complaints.to == nil {
		e.complaints.to = os.Stderr
	}
	return &coop.Watch{PollMax: e.watchdog, FirstPollMax: max(e.watchdog, time.Second), Report: e.complaints.add}
}

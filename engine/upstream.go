package engine

import (
	"sync"
	"sync/atomic"

	"turnlab/workloads"
)

// Upstream bounds the connections to one upstream server, for an engine whose sessions run on many threads, and keeps
// those that are done with a request. C is what the engine calls a connection.
//
// A request takes a [Ticket], which is granted at once or when another request gives its own back; first come, first
// served. Otherwise a request with many calls could be overtaken for ever. At most workloads.UpstreamConns tickets are out.
type Upstream[C any] struct {
	Network, Address string

	mu    sync.Mutex
	out   int // tickets that are granted
	idle  []C // at most UpstreamConns − out
	queue []*Ticket[C]
}

// Ticket is the right to use one connection.
type Ticket[C any] struct {
	// Granted is called once, when the ticket is granted after all; by whoever gave its own back, so it must not wait. It is
	// not called when Get grants at once.
	Granted func()

	granted bool // guarded by Upstream.mu
}

// NewUpstreams makes the upstreams of a Config.
func NewUpstreams[C any](texts []string) ([]*Upstream[C], error) {
	var all []*Upstream[C]
	for _, text := range texts {
		network, address, err := SplitUpstream(text)
		if err != nil {
			return nil, err
		}
		all = append(all, &Upstream[C]{Network: network, Address: address})
	}
	return all, nil
}

// Get asks for a ticket and reports whether it is granted at once.
func (u *Upstream[C]) Get(t *Ticket[C]) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if t.granted = u.out < workloads.UpstreamConns; t.granted {
		u.out++
	} else {
		u.queue = append(u.queue, t)
	}
	return t.granted
}

// Idle returns a connection that is kept; without one, the owner of the ticket makes a new one.
func (u *Upstream[C]) Idle() (c C, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	last := len(u.idle) - 1
	if last < 0 {
		return c, false
	}
	c = u.idle[last]
	u.idle = u.idle[:last]
	return c, true
}

// Keep keeps a connection that is done with its request, before the ticket is given back.
func (u *Upstream[C]) Keep(c C) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.idle = append(u.idle, c)
}

// Return gives a ticket back, granted or not.
func (u *Upstream[C]) Return(t *Ticket[C]) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !t.granted {
		for i, waiting := range u.queue {
			if waiting == t {
				u.queue = append(u.queue[:i], u.queue[i+1:]...)
				return
			}
		}
		return
	}
	t.granted = false
	if len(u.queue) == 0 {
		u.out--
		return
	}
	next := u.queue[0]
	u.queue = u.queue[1:]
	next.granted = true
	next.Granted()
}

// Holds reports whether the ticket is granted.
func (u *Upstream[C]) Holds(t *Ticket[C]) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return t.granted
}

// Drain hands every kept connection to end, which closes it.
func (u *Upstream[C]) Drain(end func(C)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range u.idle {
		end(c)
	}
	u.idle = nil
}

// CallCounts counts what becomes of requests to upstreams.
type CallCounts struct {
	Calls, Failed, Cancelled, Connects atomic.Int64
}

// AddTo adds the counts to an engine's.
func (c *CallCounts) AddTo(counters map[string]int64) {
	counters["calls"], counters["calls_failed"] = c.Calls.Load(), c.Failed.Load()
	counters["calls_cancelled"], counters["upstream_connects"] = c.Cancelled.Load(), c.Connects.Load()
}

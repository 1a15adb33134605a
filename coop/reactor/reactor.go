// Package reactor is the driver of an executor that serves sockets: it waits for them all at once and wakes the tasks that
// wait for one.
//
// Each socket is registered once, for both directions, edge-triggered: the kernel reports when something becomes possible,
// and the reactor remembers it ([Source]) until an operation finds that it is no longer so. A request then costs a read, a
// write and its share of one wait, as in a bare loop in C; re-arming the interest for every wait, as level-triggered and
// one-shot designs do, would add a system call to each.
//
// An event names its source by slot and generation. A socket that was closed, and whose descriptor or slot has gone to
// another, may still have an event in the same batch; its generation tells it apart and it is counted and thrown away.
//
// Limits: Linux, one thread. Only [Reactor.Wake] may be called from others.
package reactor

import (
	"fmt"
	"syscall"
	"time"

	"turnlab/coop"
	"turnlab/coop/internal/slab"
)

// eventsPerWait bounds how many events one Wait takes in. The kernel keeps the rest for the next.
const eventsPerWait = 256

// Stats counts what a reactor has seen. Only the executor's goroutine may read it.
type Stats struct {
	Waits  int64 // calls of System.Wait
	Events int64
	Stale  int64 // events of sources that were gone
}

// Reactor implements coop.Driver on a System.
type Reactor struct {
	sys     System
	sources slab.Slab[Source]
	events  [eventsPerWait]Event
	stats   Stats
}

// New returns a reactor on epoll.
func New() (*Reactor, error) {
	sys, err := NewEpoll()
	if err != nil {
		return nil, err
	}
	return On(sys), nil
}

// On returns a reactor on a System of the caller's.
func On(sys System) *Reactor { return &Reactor{sys: sys} }

// Of returns the reactor that drives the executor which polls with cx. It panics when that is driven by something else.
func Of(cx *coop.Context) *Reactor {
	r, ok := cx.Executor().Driver().(*Reactor)
	if !ok {
		panic("reactor: this future needs an executor whose Config.Driver is a reactor")
	}
	return r
}

// System returns what the reactor stands on.
func (r *Reactor) System() System { return r.sys }

// Stats returns the counts so far.
func (r *Reactor) Stats() Stats { return r.stats }

// Sources returns how many sources are registered.
func (r *Reactor) Sources() int { return r.sources.Len() }

// Register watches a non-blocking descriptor. The source owns the descriptor from here on, also when Register fails.
//
// A new socket can be written to, as far as anybody knows, and has nothing to read until an event says so: the first wait
// after the registration reports what is there already.
func (r *Reactor) Register(fd int32) (*Source, error) {
	h, s := r.sources.Insert()
	if errno := r.sys.Add(fd, uint64(h)); errno != 0 {
		r.sources.Remove(h)
		r.sys.CloseFD(fd)
		return nil, fmt.Errorf("register a descriptor with the reactor: %w", errno)
	}
	s.reactor, s.handle, s.fd, s.ready = r, h, fd, writable
	return s, nil
}

// Wait implements coop.Driver.
func (r *Reactor) Wait(timeout time.Duration) error {
	r.stats.Waits++
	n, errno := r.sys.Wait(r.events[:], timeout)
	if errno == syscall.EINTR {
		return nil
	}
	if errno != 0 {
		return fmt.Errorf("wait for events: %w", errno)
	}
	r.stats.Events += int64(n)
	for i := range r.events[:n] {
		r.dispatch(r.events[i])
	}
	return nil
}

func (r *Reactor) dispatch(e Event) {
	s := r.sources.Get(slab.Handle(e.Token))
	if s == nil {
		r.stats.Stale++
		return
	}
	s.became(readiness(e.Flags))
}

// Wake implements coop.Driver.
func (r *Reactor) Wake() { r.sys.Wake() }

// Now implements coop.Driver.
func (r *Reactor) Now() int64 { return r.sys.Now() }

// Close implements coop.Driver. It closes the descriptors that are still registered.
func (r *Reactor) Close() error {
	for _, s := range r.sources.All {
		s.Close()
	}
	return r.sys.Close()
}

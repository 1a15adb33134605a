package coop

import "time"

// An executor looks at some of its polls and of its wakes, one in 64 or so, and counts how long they took. What it costs is
// a comparison each for all the others.
//
// The distance between two that are looked at is random. A fixed one would be in step with the work: with 64 connections
// that take turns, each 64th poll is always that of the same connection.

// sampler says which events to look at.
type sampler struct {
	state uint64
	every bool // all of them
}

// next returns the number of the event to look at after number n: one of the 64 numbers from n+33 on. The generator is a
// linear congruential one (Knuth's MMIX), of which the upper bits are good, and apart from the executor's source of chance,
// so that looking does not change what happens.
func (s *sampler) next(n int64) int64 {
	if s.every {
		return n + 1
	}
	s.state = s.state*6364136223846793005 + 1442695040888963407
	return n + 33 + int64(s.state>>58)
}

// delays measures how long tasks wait in a run queue. The queue is first in, first out: the n-th that goes in is the n-th
// that comes out. So the moment when a task went in need not be kept in the task.
//
// Note: one place for "the task that is looked at" would be simpler. But while it waits nobody else could be looked at, so
// that the longer the queue the rarer the looks, and the long waits would be counted too seldom: coordinated omission.
type delays struct {
	driver  Driver
	sampler sampler
	trace   Trace // nil without Config.Trace
	times   Histogram
	pending []stamp // oldest first, from next on; at most one for 33 tasks of the queue (each, with a Trace), and as many that are used up
	next    int
}

// stamp is the number of a task that went into the queue, and when that was.
type stamp struct{ number, at int64 }

// entered notes that the number-th task has gone in. It returns the number of the next to note, and the first to come out.
func (d *delays) entered(number int64, id TaskID) (stampAt, dueAt int64) {
	if d.trace != nil {
		d.trace.Woken(id)
	}
	if d.next > len(d.pending)/2 {
		n := copy(d.pending, d.pending[d.next:])
		d.pending, d.next = d.pending[:n], 0
	}
	d.pending = append(d.pending, stamp{number, d.driver.Now()})
	return d.sampler.next(number), d.pending[d.next].number
}

// left notes that the first of the noted tasks has come out. It returns the number of the next; 0 when there is none.
func (d *delays) left() (dueAt int64) {
	d.times.Add(time.Duration(d.driver.Now() - d.pending[d.next].at))
	d.next++
	if d.next == len(d.pending) {
		return 0
	}
	return d.pending[d.next].number
}

// Trace is told of everything that an executor does with its tasks, for a picture of who ran when. It is called from the
// executor's goroutine and reads its own clock.
//
// Where nobody traces it costs nothing: an executor looks at some of its polls and wakes in any case, and tracing it is to
// look at all.
type Trace interface {
	// Woken: the task has become runnable. A wake from another thread is told when the executor takes it in, and that of a
	// task that has yielded after the events.
	Woken(TaskID)
	PollBegins(TaskID)
	PollEnds(TaskID) // also of a poll that panics
}

// open prepares the executor's eyes.
func (ex *Executor) open(seed uint64) {
	every := ex.config.Trace != nil
	ex.delays = delays{driver: ex.driver, sampler: sampler{seed, every}, trace: ex.config.Trace}
	ex.tasks.delays = &ex.delays
	ex.tasks.stampAt = ex.delays.sampler.next(0)
	ex.sampler = sampler{^seed, every}
	if ex.config.Watch != nil {
		ex.watcher = newWatcher(*ex.config.Watch)
		return // lookAt stays 0: every poll is looked at
	}
	ex.lookAt = ex.sampler.next(0)
}

// PollTimes returns the times that polls took, of one poll in 64, or of all with Config.Watch. It is for the executor's own
// goroutine: copy it in AfterTurn.
func (ex *Executor) PollTimes() *Histogram { return &ex.pollTimes }

// Delays returns how long tasks waited between becoming runnable and being polled, of one in 64. A wake from another thread
// counts from when the executor takes it in, at the beginning of a turn. It is for the executor's own goroutine.
func (ex *Executor) Delays() *Histogram { return &ex.delays.times }

// pollSeen polls a task and looks at the clock. A poll that panics is not counted.
func (ex *Executor) pollSeen(t *slot) {
	began := ex.driver.Now()
	w := ex.watcher.begin(ex, t)
	if trace := ex.config.Trace; trace != nil {
		id := t.id() // at the end the slot may have another task
		trace.PollBegins(id)
		defer trace.PollEnds(id)
	}
	p := t.fut.Poll(&ex.cx)
	took := time.Duration(ex.driver.Now() - began)
	ex.pollTimes.Add(took)
	if w != nil {
		ex.watcher.end(ex, w, took, p.ready)
	} else {
		ex.lookAt = ex.sampler.next(ex.stats.Polls)
	}
	if p.ready {
		ex.end(t)
	}
}

package load

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/workloads"
)

// burst bounds the requests that are sent in a row between two looks at what has arrived.
const burst = 64

// worker is one generator thread with its share of the connections. Only its own goroutine touches it between begin and
// the end of the load.
type worker struct {
	*generator
	number    int // of this thread
	address   address
	firstConn int // number of conns[0] in the trial
	depth     int32
	timeout   int64
	openLoop  bool
	classed   bool // the clients are Classed
	ending    bool // they are Ending
	listening bool // they are Listeners

	poller   *poller
	conns    []conn
	flights  []flight // conn i's are [i×depth, (i+1)×depth)
	schedule schedule // open loop
	spacing  spacing  // open loop
	idle     idle     // open loop
	in       []byte   // unread input of a connection, then what was read
	out      []byte   // requests being made
	spills   []*spill

	now              int64 // ns since generator.base, at the last look at the clock
	t0, t1, deadline int64 // of the window and the drain, as far as this thread knows them

	alarm   int64 // when something other than an event needs care; never before the load begins
	sweepAt int64
	swept   int // connections looked at in this round of the sweep
	marked  int // edges of the window that have been signalled
	running bool
	asked   bool // all requests have ended
	waiting bool // requests are due and no connection is free

	opened, dialing, flying, reopened int
	lastFailure                       kind
	unreachable                       error // the reason for which the load cannot begin
	broken                            error // the reason for which it could not go on

	reported uint64 // right replies that phases knows of
	tally    *tally
	progress progress
}

// live is the life of a thread: connect, load, and stay connected until the others are done and told.
func (w *worker) live(connected chan<- error, loaded func()) {
	// The thread is never unlocked: it ends with its goroutine, because its timer slack is not for other goroutines.
	runtime.LockOSThread()
	defer w.hangUpAll()
	// To save wake-ups the kernel may end a wait up to 50 µs late, which would all be slip.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	connected <- w.connect()
	<-w.started
	if !w.cut.Load() {
		if w.broken = w.load(); w.broken != nil {
			w.stop()
		}
	}
	w.drained.Done()
	w.drained.Wait()
	if err := w.askSilent(); err != nil {
		w.broken = errors.Join(w.broken, err)
	}
	loaded()
	<-w.hold
}

// load makes the load from its beginning to the last reply.
func (w *worker) load() error {
	err := w.begin()
	for err == nil && !w.over() {
		w.sendDue(burst)
		err = w.turn(w.idleNS())
	}
	w.finish()
	return err
}

// tick looks at the clock.
func (w *worker) tick() int64 {
	w.now = int64(time.Since(w.base))
	return w.now
}

// begin waits for the start, which is the same for all threads, and lets the requests go.
func (w *worker) begin() error {
	w.running, w.alarm = true, w.start
	w.t0, w.t1, w.deadline = w.phases.t0.Load(), w.phases.t1.Load(), w.phases.t1.Load()+w.timeout
	w.progress.begin(w.start, w.phases.longest+w.timeout)
	w.sweepAt = w.start
	if w.schedule.gap > 0 { // open loop, and some connection of this thread asks
		w.schedule.begin(w.start, w.t1)
	}
	for range w.depth { // each connection has a place in the queue before any has its second
		for i := range w.conns {
			w.unpark(int32(i), &w.conns[i], 1)
		}
	}
	for w.tick() < w.start {
		if err := w.turn(w.start - w.now); err != nil {
			return err
		}
	}
	for i := range w.conns {
		if c := &w.conns[i]; c.state == open {
			w.tick()
			w.refill(int32(i), c)
		}
	}
	return nil
}

// unpark gives an open connection's places back to the queue.
func (w *worker) unpark(index int32, c *conn, most int32) {
	if !w.openLoop || c.state != open && c.state != ended {
		return
	}
	for ; most > 0 && c.parked > 0; most-- {
		c.parked--
		w.idle.push(index)
	}
}

// over reports whether the load has ended: all that was due has an end, or there is no more time.
func (w *worker) over() bool {
	if w.now >= w.t1 {
		w.adopt()
	}
	drained := w.now >= w.t1 && w.flying == 0 && w.schedule.next == never && w.phases.final.Load()
	if drained && !w.asked {
		w.asked = true
		w.asking.Add(-1)
	}
	return drained && w.heardAll() || w.now >= w.deadline && w.phases.final.Load() || w.cut.Load()
}

// idleNS returns how long there is nothing to do unless something arrives.
func (w *worker) idleNS() int64 {
	until := w.alarm
	if w.idle.n > 0 {
		until = min(until, w.schedule.next)
	}
	return until - w.tick()
}

// turn waits up to ns for events and handles one batch. In between it attends to the alarm and the schedule, so that a
// large batch delays neither.
func (w *worker) turn(ns int64) error {
	n, errno := w.wait(ns)
	if errno != 0 {
		return fmt.Errorf("wait for events: %w", errno)
	}
	if n == 0 {
		w.tick()
	}
	for i := range w.poller.events[:n] {
		w.event(&w.poller.events[i])
		if w.now >= w.alarm {
			w.attend()
		}
		if w.schedule.next <= w.now {
			w.sendDue(1)
		}
	}
	if w.now >= w.alarm {
		w.attend()
	}
	return nil
}

// wait waits up to ns for events. A CPU that slept needs some 30 µs from a timer's end to the first instruction, more in a
// virtual machine, and all of it is slip; so the last stretch of the wait, at most spin, is spent awake, looking for events
// over and over. What that takes is counted (spun), or nobody could tell how much of its CPU the generator needs.
func (w *worker) wait(ns int64) (int, unix.Errno) {
	until := w.now + ns // all callers have just looked at the clock
	n, errno := w.poller.poll(ns - w.spin)
	if n != 0 || errno != 0 || w.spin == 0 {
		return n, errno
	}
	from := w.tick()
	for n == 0 && errno == 0 && w.now < until {
		n, errno = w.poller.poll(0)
		w.tick()
	}
	w.spun.Add(min(w.now-from, w.spin)) // what is beyond was somebody else's time, who had the CPU
	return n, errno
}

func (w *worker) event(e *unix.EpollEvent) {
	if e.Fd < 0 { // the bell, see generator.stop
		w.tick()
		return
	}
	c := &w.conns[e.Fd]
	switch {
	case c.generation != e.Pad || !c.up(): // of a socket that has been closed in the meantime
	case c.state == connecting:
		w.tick()
		w.dialed(e.Fd, c)
	default:
		if e.Events&unix.EPOLLOUT != 0 && !w.flush(e.Fd, c) {
			return
		}
		if e.Events&^unix.EPOLLOUT != 0 {
			w.readable(e.Fd, c, e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0)
		}
	}
}

// sendDue sends requests that are due, as far as connections are free. Once there was none, all that is sent until the
// backlog is empty has waited for one.
func (w *worker) sendDue(most int) {
	for ; most > 0 && w.schedule.next <= w.now; most-- {
		index := w.freeConn()
		if index < 0 {
			w.waiting = true
			return
		}
		w.submit(index, &w.conns[index], w.schedule.take())
	}
	if w.waiting && w.schedule.next > w.now {
		w.waiting = false
	}
}

// freeConn returns the connection whose free place is the oldest, or -1. It sets aside the places of connections that are
// down, or about to end, until they can take requests again.
func (w *worker) freeConn() int32 {
	for w.idle.n > 0 {
		index := w.idle.pop()
		c := &w.conns[index]
		if c.state == ended || c.state == open && !(w.ending && spent(c)) {
			return index
		}
		c.parked++
	}
	return -1
}

// submit sends one request of the open loop.
func (w *worker) submit(index int32, c *conn, intended int64) {
	if w.waiting && w.measured(intended) {
		w.tally.waited++
	}
	if c.state == ended {
		w.revive(index, c, intended)
		return
	}
	w.out = w.request(c, w.out[:0], intended)
	w.fly(index, c, flight{intended: intended, sent: w.tick()})
	w.write(index, c, w.out)
}

// request appends the connection's next request.
func (w *worker) request(c *conn, dst []byte, intended int64) []byte {
	if w.listening {
		c.client.(workloads.Listener).Stamp(intended)
	}
	return c.client.Request(dst)
}

// refill makes requests until the connection has `depth` under way: the closed loop.
func (w *worker) refill(index int32, c *conn) {
	if w.openLoop || w.now >= w.t1 || c.flying == w.depth || c.role != workloads.Asks || w.ending && spent(c) {
		return
	}
	w.out = w.out[:0]
	for c.flying < w.depth && !(w.ending && spent(c)) {
		w.out = w.request(c, w.out, w.now)
		w.fly(index, c, flight{intended: w.now, sent: w.now})
	}
	w.write(index, c, w.out)
}

package load

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// What no event announces (replies that do not come, connections to open again) is found by looking at each connection
// once in a round. The round is cut into steps of sweepStep connections, so that no request is late because the generator
// looked at ten thousand connections. A timeout is noticed at most one round late.
const (
	sweepRound = 100 * time.Millisecond
	sweepStep  = 256
)

// attend does what the alarm was set for, and sets it again.
func (w *worker) attend() {
	if w.now >= w.progress.until {
		from := w.progress.index
		w.progress.roll(w.now)
		w.report(from)
	}
	w.adopt()
	if w.number == 0 {
		w.mark()
	}
	if w.now >= w.sweepAt {
		w.sweep()
	}
	w.alarm = min(w.progress.until, w.sweepAt, w.deadline)
	for _, edge := range []int64{w.t0, w.t1} {
		if w.now < edge {
			w.alarm = min(w.alarm, edge)
		}
	}
}

// mark signals the edges of the window, with what the process has used until then. The thread itself does it, because it
// is awake at that moment; a goroutine would have to be woken first, on the CPU that the threads keep busy.
func (w *worker) mark() {
	for w.marked < 2 && w.now >= [2]int64{w.t0, w.t1}[w.marked] {
		w.marks <- w.usage() // never blocks: there is room for both
		w.marked++
	}
}

// sweep looks at the next connections.
func (w *worker) sweep() {
	end := min(w.swept+sweepStep, len(w.conns))
	for i := w.swept; i < end; i++ {
		w.inspect(int32(i), &w.conns[i])
	}
	if w.swept = end; end == len(w.conns) {
		w.swept = 0
		w.giveUp()
	}
	steps := (len(w.conns) + sweepStep - 1) / sweepStep
	w.sweepAt = w.now + min(sweepRound.Nanoseconds(), w.timeout/4)/int64(steps)
}

func (w *worker) inspect(index int32, c *conn) {
	switch {
	case c.flying > 0 && w.now-w.oldest(c).sent >= w.timeout:
		w.lose(index, c, timeout, fmt.Errorf("no reply in %v", time.Duration(w.timeout)))
	case c.state == down && w.now >= c.since:
		w.reopen(index, c)
	case c.state == connecting && w.now-c.since >= w.timeout:
		w.hangUp(c)
		w.dialFailed(index, c, unix.ETIMEDOUT)
	case w.lingers(c) && w.now-c.since >= w.timeout:
		w.notEnded(index, c)
	}
}

// giveUp ends requests that have waited for a connection for longer than the timeout. This is the bound of the backlog:
// it holds at most timeout × rate requests. What they failed of is the lack of a free connection, or, when none is open,
// what keeps the connections from opening.
func (w *worker) giveUp() {
	if w.schedule.next > w.now-w.timeout {
		return
	}
	why := backlog
	text := fmt.Sprintf("no connection to %s became free in %v", w.address.text, time.Duration(w.timeout))
	if w.opened == 0 && !w.ending {
		why = w.lastFailure
		text = fmt.Sprintf("no connection to %s could be opened in %v", w.address.text, time.Duration(w.timeout))
	}
	w.tally.note(w.now, text)
	for w.schedule.next <= w.now-w.timeout {
		w.gaveUp(w.schedule.take(), why)
	}
}

// finish counts what has no end when the load is over. After a stop before the time, what was not yet due never is.
func (w *worker) finish() {
	w.tick()
	for i := range w.conns {
		for c := &w.conns[i]; c.flying > 0; w.land(int32(i), c) {
			if f := w.oldest(c); w.owed(f) {
				w.tally.unanswered++
				w.latencies(f)
			}
		}
	}
	for w.schedule.next < w.now {
		if intended := w.schedule.take(); w.measured(intended) {
			w.tally.due++
			w.tally.unanswered++
			w.tally.record(w.interval(intended).response, w.now-intended)
		}
	}
	w.tally.countAnswers(w.conns)
	if w.number == 0 && w.marked == 1 { // stopped inside the window
		w.marks <- w.usage()
	}
}

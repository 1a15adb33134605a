package coop

import (
	"bytes"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// watchdog notices polls that take too long, from outside: the executor's own goroutine cannot, since it is inside of one.
//
// The executor counts up when a poll begins and when it ends. A goroutine looks at the count now and then; if it is odd and
// has not changed for longer than the limit, one poll has been running all that time. The executor only stores, so that
// nobody waits for anybody.
type watchdog struct {
	beat   atomic.Uint64           // odd while a poll runs; only the executor writes
	polled atomic.Pointer[watched] // whose; stored before the beat
	told   atomic.Uint64           // the beat of the last poll that was reported
}

const (
	watchdogLooks   = 10                     // how often per limit the watchdog looks,
	watchdogMin     = time.Millisecond       // but not more often than this
	watchdogMax     = 100 * time.Millisecond // and not less
	watchdogStack   = 1 << 20                // bytes of the stacks of all goroutines among which it finds the executor's
	watchdogUnknown = "(the stack is not among the first MiB of all goroutines' stacks)"
)

func (d *watchdog) begin(task *watched) {
	d.polled.Store(task)
	d.beat.Store(d.beat.Load() + 1)
}

// end comes after a poll. It reports whether nobody has told of this poll, and nobody will.
func (d *watchdog) end() bool {
	beat := d.beat.Load()
	d.beat.Store(beat + 1)
	return d.claim(beat)
}

// claim makes the caller the only one who may tell of the poll with that beat.
func (d *watchdog) claim(beat uint64) bool {
	old := d.told.Load()
	return old != beat && d.told.CompareAndSwap(old, beat)
}

// failed comes after a poll that has panicked, and after everything else that is not a poll: then the beat is even.
func (w *watcher) failed() {
	if w != nil && w.dog.beat.Load()%2 == 1 {
		w.dog.end()
	}
}

// guard starts the watchdog, if there is to be one, and returns how to end it.
func (ex *Executor) guard() (end func()) {
	w := ex.watcher
	if w == nil || w.PollMax <= 0 {
		return func() {}
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		w.lookOut(ex.owner.Load(), stop)
	}()
	return func() {
		close(stop)
		<-ended
	}
}

// lookOut looks at the beat until stop is closed. It sees a poll's beginning late, never early, so what it takes for too
// long is.
func (w *watcher) lookOut(owner uint64, stop <-chan struct{}) {
	ticker := time.NewTicker(min(max(w.PollMax/watchdogLooks, watchdogMin), watchdogMax))
	defer ticker.Stop()
	var seen uint64
	since := time.Now()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		if beat := w.dog.beat.Load(); beat != seen {
			seen, since = beat, time.Now()
			continue
		}
		if took := time.Since(since); seen%2 == 1 && took > w.PollMax {
			w.bark(seen, owner, took)
		}
	}
}

// bark reports the poll with that beat, once. If it ends while its stack is taken, the stack may be another's, and the
// executor itself reports.
func (w *watcher) bark(beat, owner uint64, took time.Duration) {
	if w.dog.told.Load() == beat {
		return
	}
	task := w.dog.polled.Load()
	stack := stackOf(owner)
	if w.dog.beat.Load() == beat && w.dog.claim(beat) {
		w.Report(task.stall(took, w.PollMax, stack))
	}
}

// stackOf returns the stack of a goroutine. Go gives only those of all, for which it stops them for a moment.
func stackOf(id uint64) []byte {
	all := make([]byte, watchdogStack)
	all = all[:runtime.Stack(all, true)]
	for stack := range bytes.SplitSeq(all, []byte("\n\n")) {
		if bytes.HasPrefix(stack, fmt.Appendf(nil, "goroutine %d ", id)) {
			return bytes.Clone(stack)
		}
	}
	return []byte(watchdogUnknown)
}

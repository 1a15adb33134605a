package coop

import (
	"math/rand/v2"
	"time"
)

// OpsPerPoll is how many leaf operations a task may complete in one poll before it has to let others run. A task that reads
// from a socket which always has more would otherwise never answer Pending. The number is tokio's.
const OpsPerPoll = 128

// Context is what a poll gets to know about the world: the waker of the task that is polled, its budget, and its executor.
// It belongs to the executor and is only good during the poll: do not keep it.
type Context struct {
	_      noCopy
	ex     *Executor
	waker  LocalWaker
	budget int32
}

// NewContext returns a context for polling a future by hand, without an executor. Futures that need one (timers, sockets,
// spawning) panic when they are polled with it.
func NewContext(w Waker) *Context {
	return &Context{waker: LocalWaker(w), budget: OpsPerPoll}
}

// Waker returns the waker of the task that is polled, for use from any thread. It is borrowed: Clone what you keep.
func (cx *Context) Waker() Waker { return Waker(cx.waker) }

// LocalWaker returns the waker of the task that is polled, for use on this thread. It is borrowed: Clone what you keep.
func (cx *Context) LocalWaker() LocalWaker { return cx.waker }

// Executor returns the executor that polls. It panics when the context was made by NewContext.
func (cx *Context) Executor() *Executor {
	if cx.ex == nil {
		panic("coop: this future needs an executor: spawn it, instead of polling it with a context from NewContext")
	}
	return cx.ex
}

// HasBudget reports whether the task may complete another leaf operation in this poll. Futures that poll many others ask it
// between them, so that a sub-executor shares the bound of the task it runs in.
func (cx *Context) HasBudget() bool { return cx.budget > 0 }

// Spend takes one operation from the budget. A leaf future calls it when its operation has completed.
func (cx *Context) Spend() { cx.budget-- }

// Proceed reports whether a leaf future may go on. Without budget it has the task polled again after the others and after a
// look at the events, and the leaf answers Pending.
func (cx *Context) Proceed() bool {
	if cx.budget > 0 {
		return true
	}
	cx.Defer()
	return false
}

// Defer has the task polled again, but after every other runnable task and after a look at the events. A task that simply
// woke itself would come round before the events are looked at, and two of them could keep the reactor out for long.
func (cx *Context) Defer() {
	if cx.ex == nil {
		cx.waker.Waker().Wake()
		return
	}
	cx.ex.stats.Deferred++
	cx.ex.deferred = append(cx.ex.deferred, cx.waker.Clone())
}

// Now returns the executor's clock.
func (cx *Context) Now() time.Duration { return time.Duration(cx.Executor().driver.Now()) }

// chance returns a number below n, from the executor's own source, so that a run can be repeated.
func (cx *Context) chance(n int) int {
	if cx.ex == nil {
		return rand.IntN(n)
	}
	return cx.ex.random.IntN(n)
}

package coop

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// ErrAborted answers a join of a task that was aborted before it ended.
var ErrAborted = errors.New("coop: the task was aborted")

// JoinError is what a join of a task that panicked returns.
type JoinError struct {
	Panic any    // what the task panicked with
	Stack []byte // the stack at the panic
}

// Error returns the panic and its stack.
func (e *JoinError) Error() string {
	return fmt.Sprintf("coop: a task panicked: %v\n%s", e.Panic, e.Stack)
}

// Unwrap returns the value of the panic, if it is an error.
func (e *JoinError) Unwrap() error {
	err, _ := e.Panic.(error)
	return err
}

// JoinHandle is a spawned task as seen by whoever waits for it. It is a future of the task's result, which it hands out
// once: on the same executor, on another one, or through Wait on any goroutine. Forgetting a handle lets the task run on.
//
// The error of the result is nil, ErrAborted, ErrStopped, ErrFull, or a *JoinError.
type JoinHandle[T any] struct {
	job job[T]
}

// job is the task behind a handle. Handle and task are two views of one piece of memory, which Spawn allocates.
type job[T any] struct {
	place noCopy
	ex    *Executor // that runs the task
	fut   Future[T] // belongs to the executor's goroutine; nil when it has been dropped

	mu     sync.Mutex
	result Result[T]
	stage  stage
	abort  bool // asked for before the task had a slot
	slot   *slot
	id     TaskID
	waiter Waker
	home   *Executor     // the waiter is polled there
	done   chan struct{} // closed when the task has ended; made by Wait
}

type stage uint8

const (
	working stage = iota
	settled
	taken
)

// Spawn runs f as a task of ex. It may be called from any goroutine; tasks of ex itself better use SpawnLocal, which needs
// no lock. If ex has been stopped or is full, the handle is ready with that error and f has not been touched.
func Spawn[T any](ex *Executor, f Future[T]) *JoinHandle[T] {
	h := &JoinHandle[T]{}
	h.job.place.stay("JoinHandle")
	h.job.fut, h.job.ex = f, ex
	if err := ex.Go(&h.job); err != nil {
		h.job.settle(nil, Result[T]{Err: err})
	}
	return h
}

// SpawnLocal runs f as a task of the executor that polls the caller. Otherwise it is like Spawn.
func SpawnLocal[T any](cx *Context, f Future[T]) *JoinHandle[T] {
	h := &JoinHandle[T]{}
	SpawnIn(cx, h, f)
	return h
}

// SpawnIn is SpawnLocal into a handle that the caller provides: a new one, or one whose result has been taken. It allocates
// nothing.
func SpawnIn[T any](cx *Context, h *JoinHandle[T], f Future[T]) {
	j := &h.job
	j.place.stay("JoinHandle")
	if j.fut != nil || j.stage == settled {
		panic("coop: SpawnIn needs a handle whose task has ended and whose result has been taken")
	}
	j.ex, j.fut, j.stage, j.abort, j.slot, j.done = cx.ex, f, working, false, nil, nil
	if err := cx.Go(j); err != nil {
		j.fut = nil
		j.settle(nil, Result[T]{Err: err})
	}
}

// Poll returns the task's result. It panics when the result has been taken before.
func (h *JoinHandle[T]) Poll(cx *Context) Poll[Result[T]] {
	j := &h.job
	j.place.stay("JoinHandle")
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stage != working {
		return Ready(j.take())
	}
	if !j.waiter.WillWake(cx.Waker()) {
		j.waiter.Drop()
		j.waiter = cx.Waker().Clone()
		j.home = cx.ex
	}
	return Pending[Result[T]]()
}

// Wait blocks the calling goroutine until the task has ended. It is for goroutines: a task polls the handle instead. A task
// that called Wait would stop its executor, and if the executor is the same for ever; in that case Wait panics.
func (h *JoinHandle[T]) Wait() (T, error) {
	j := &h.job
	j.mu.Lock()
	if j.stage == working {
		j.checkWait()
		if j.done == nil {
			j.done = make(chan struct{})
		}
		done := j.done
		j.mu.Unlock()
		<-done
		j.mu.Lock()
	}
	defer j.mu.Unlock()
	r := j.take()
	return r.Value, r.Err
}

// Abort asks the executor to drop the task before it is polled again. It returns at once; the handle answers ErrAborted
// when it has happened, or the result if the task was quicker. It may be called from any goroutine and more than once.
func (h *JoinHandle[T]) Abort() {
	j := &h.job
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.slot == nil {
		j.abort = true
		return
	}
	j.slot.tell(j.id, flagAborted)
}

// Finished reports whether the task has ended.
func (h *JoinHandle[T]) Finished() bool {
	h.job.mu.Lock()
	defer h.job.mu.Unlock()
	return h.job.stage != working
}

// Drop forgets the waker of whoever polled the handle. The task runs on.
func (h *JoinHandle[T]) Drop(*Context) {
	h.job.mu.Lock()
	defer h.job.mu.Unlock()
	h.job.waiter.Drop()
	h.job.waiter = Waker{}
}

// checkWait panics when only the caller's own goroutine could end the wait.
func (j *job[T]) checkWait() {
	if j.ex != nil && j.ex.owner.Load() == goroutineID() {
		j.mu.Unlock()
		panic("coop: Wait was called by a task of the executor that it waits for, which could never return; poll the handle")
	}
}

// take moves the result out.
func (j *job[T]) take() Result[T] {
	if j.stage == taken {
		panic("coop: the result of this JoinHandle has been taken before; it is handed out once")
	}
	r := j.result
	j.result, j.stage = Result[T]{}, taken
	return r
}

// Poll drives the task. The future is dropped before its result can be seen, so that what it held has been given back
// when somebody learns that it has ended.
func (j *job[T]) Poll(cx *Context) Poll[Unit] {
	p := j.fut.Poll(cx)
	if !p.ready {
		return Pending[Unit]()
	}
	f := j.fut
	j.fut = nil
	Drop(cx, f)
	j.settle(cx.ex, Result[T]{Value: p.value})
	return Done()
}

// Drop ends a task that has not come to its result.
func (j *job[T]) Drop(cx *Context) {
	f := j.fut
	if f == nil {
		return
	}
	j.fut = nil
	defer func() {
		if value := recover(); value != nil {
			j.fail(&JoinError{Panic: value, Stack: debug.Stack()})
		}
	}()
	Drop(cx, f)
	err := ErrAborted
	if cx.ex.stopping.Load() {
		err = ErrStopped
	}
	j.settle(cx.ex, Result[T]{Err: err})
}

// fail ends a task that has panicked.
func (j *job[T]) fail(e *JoinError) { j.settle(nil, Result[T]{Err: e}) }

// placed tells the job its slot.
func (j *job[T]) placed(t *slot) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.slot, j.id = t, t.id()
	t.abort = j.abort
}

// settle stores the result and wakes whoever waits. The first result counts: a task that panics, and then is dropped, has
// panicked. ex is the executor on whose goroutine the caller is, if any.
func (j *job[T]) settle(ex *Executor, r Result[T]) {
	j.mu.Lock()
	if j.stage != working {
		j.mu.Unlock()
		return
	}
	j.result, j.stage = r, settled
	waiter, done, local := j.waiter, j.done, ex != nil && j.home == ex
	j.waiter, j.home = Waker{}, nil
	j.mu.Unlock()
	if done != nil {
		close(done)
	}
	if local {
		LocalWaker(waiter).Wake()
	} else if !waiter.IsZero() {
		waiter.Wake()
	}
	waiter.Drop()
}

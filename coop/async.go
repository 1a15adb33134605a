package coop

import (
	"runtime"
	"runtime/debug"
)

// Co is the running body of an async function: what Await needs to suspend it. It belongs to the body, and is good on the
// body's own goroutine until it returns.
type Co struct {
	cx      *Context // of the present poll
	on      *coroutine
	stage   coStage
	unwinds int        // how often the body has been told to unwind
	failure *JoinError // how the body has ended, if not by returning
}

type coStage uint8

const (
	coNew coStage = iota
	coInside
	coSuspended
	coOver
)

// AsyncFuture is a function that can wait; see Async.
type AsyncFuture[T any] struct {
	place noCopy
	co    Co
	body  func(*Co) T
	value T
}

// Async returns a future that runs body, which is written like code that blocks: where it has to wait it calls Await, and
// the future answers Pending meanwhile.
//
// A future is a state machine, and somebody has to write it. Rust's compiler makes one of an async function: a generator
// that stores the variables which live across an await. Go's compiler does not, but it has coroutines (package iter), and a
// coroutine stores them all the same, on a stack of its own. So the price is another one: a stack of 2 KiB and a switch per
// wait, where a state machine written by hand takes a few words and a function call. The lab measures both.
//
// A body runs on its executor's goroutine in all that matters: it blocks the executor when it blocks, it takes turns with
// the other tasks, and between two awaits nobody interrupts it. When the future is dropped the body is unwound: Await panics
// and deferred functions run. They must not await. A body that recovers such a panic and goes on finds it again in its next
// Await. A panic of the body is the panic of the future, a *JoinError with the stack of the body.
//
// Limits: Await works only on the body's own goroutine, and not inside an iterator made by iter.Pull. A body must leave with
// the thread locks (runtime.LockOSThread) that it came with, also across an await. With Config.Locked, where the Go runtime
// binds a coroutine to the thread and the lock under which it was made, use Run, or let a body end within the BlockOn in
// which it began: the runtime ends the program otherwise.
func Async[T any](body func(*Co) T) *AsyncFuture[T] { return &AsyncFuture[T]{body: body} }

// AsyncIn is Async into a future that the caller provides, a new one or one that is over. It allocates nothing.
func AsyncIn[T any](f *AsyncFuture[T], body func(*Co) T) {
	if f.co.stage == coInside || f.co.stage == coSuspended {
		panic("coop: AsyncIn of a future whose body has not ended; Drop it first")
	}
	f.co, f.body = Co{}, body
}

// Poll runs the body to its end or to the next await that has to wait.
func (f *AsyncFuture[T]) Poll(cx *Context) Poll[T] {
	f.place.stay("Async")
	switch f.co.stage {
	case coNew:
		f.co.on = takeCoroutine(cx, f)
	case coInside:
		panic("coop: an Async future was polled by its own body")
	case coOver:
		panic("coop: an Async future was polled after Ready or Drop; wrap it in Fuse if that may happen")
	}
	f.co.resume(cx)
	if f.co.stage == coSuspended {
		return Pending[T]()
	}
	f.co.finish()
	var none T
	v := f.value
	f.value = none
	return Ready(v)
}

// Drop unwinds the body, if it has begun and has not ended.
func (f *AsyncFuture[T]) Drop(cx *Context) {
	f.body = nil
	switch f.co.stage {
	case coInside:
		panic("coop: an Async future was dropped by its own body")
	case coSuspended:
		f.co.unwinds = 1
		f.co.resume(cx)
		f.co.finish()
	default:
		f.co.stage = coOver
	}
}

// call runs the body, on a coroutine.
func (f *AsyncFuture[T]) call() { f.value = f.body(&f.co) }

func (f *AsyncFuture[T]) state() *Co { return &f.co }

// Await waits inside an async function until fut is ready, and returns its value. It polls first, and suspends the body
// only if it has to wait; fut is dropped in any case.
func Await[T any](co *Co, fut Future[T]) T {
	co.check()
	ended := false
	defer func() {
		if !ended { // unwinding: by a panic of fut, or because the body itself has been dropped
			Drop(co.cx, fut)
		}
	}()
	for {
		if p := fut.Poll(co.cx); p.ready {
			ended = true
			Drop(co.cx, fut)
			return p.value
		}
		co.suspend()
	}
}

// check answers an Await that cannot work.
func (co *Co) check() {
	switch {
	case co == nil || co.stage == coNew:
		panic("coop: Await outside an async function: it needs the Co that Async gives to its body")
	case co.stage == coOver:
		panic("coop: Await after its async function has ended; a Co is good only inside the body that got it")
	case co.stage == coSuspended:
		panic("coop: Await from another goroutine while the async function waits; a body awaits on its own goroutine only")
	case co.unwinds > 0:
		co.unwind()
	}
}

// suspend gives the control back to Poll, and returns when the future is polled again.
func (co *Co) suspend() {
	co.stage = coSuspended
	co.on.yield(Unit{})
	if co.unwinds > 0 {
		co.unwind()
	}
}

// unwound is what Await panics with when the body is to end.
type unwound struct{}

func (unwound) Error() string {
	return "coop: this async function has been dropped; let the panic pass"
}

// unwindsMax is how often a body may recover the panic that unwinds it and await again. Then it is ended as by
// runtime.Goexit, which cannot be recovered.
const unwindsMax = 16

func (co *Co) unwind() {
	if co.unwinds++; co.unwinds > unwindsMax {
		runtime.Goexit()
	}
	panic(unwound{})
}

// resume runs the body until it ends or suspends itself.
func (co *Co) resume(cx *Context) {
	co.cx, co.stage = cx, coInside
	on := co.on
	defer func() {
		if on.exited {
			_ = recover() // see coroutine.catch
		}
	}()
	on.next()
}

// finish gives the coroutine of a body that has ended back, and passes its panic on.
func (co *Co) finish() {
	on, failure := co.on, co.failure
	co.on, co.failure, co.cx = nil, nil, nil
	on.release()
	if failure != nil {
		panic(failure)
	}
}

// ended records how the body has ended. value is what it panicked with, nil if it called runtime.Goexit.
func (co *Co) ended(returned bool, value any) {
	co.stage = coOver
	if returned || value == any(unwound{}) && co.unwinds > 0 || value == nil && co.unwinds > unwindsMax {
		return
	}
	if value == nil {
		value = "an async function called runtime.Goexit, as testing.T.FailNow does; that ends goroutines, not tasks"
	}
	failure, passed := value.(*JoinError) // of an async function inside this one: keep the stack that tells most
	if !passed {
		failure = &JoinError{Panic: value, Stack: debug.Stack()}
	}
	co.failure = failure
}

package coop

// Future is a value that may not be there yet, and the computation that makes it.
//
// A future does nothing by itself. Somebody polls it, and each Poll does what can be done without waiting and then answers:
//
//   - Ready(v): here is the value. The future must not be polled again (Fuse makes it safe to do so).
//   - Pending: not yet; *and the future has arranged to be woken*. That second half is the poll contract. A future that
//     answers Pending because another future inside it did has kept it already: the inner one has arranged the wake-up. A
//     leaf future, one with no future inside, must store cx.LocalWaker() or cx.Waker() where the event that it waits for will
//     find it. A future that answers Pending and has stored no waker is never polled again.
//
// A Poll may come without a wake-up (a spurious poll), and only the waker of the last Poll has to be woken.
//
// A future that holds something that must be given back (a socket, a timer, a place in a queue) implements Dropper. Whoever
// owns a future calls [Drop] on it exactly once: when it has answered Ready, or earlier, to cancel it.
type Future[T any] interface {
	Poll(cx *Context) Poll[T]
}

// Poll is the answer of a future: ready with a value, or pending. Get takes it apart.
//
// A Poll is also a future, one that always gives the same answer: Ready(v) is the future that has v at once, and
// Pending[T]() the one that never comes.
type Poll[T any] struct {
	value T
	ready bool
}

// Unit is the result of a future that is polled for its effect.
type Unit = struct{}

// Ready returns the answer that v is there.
func Ready[T any](v T) Poll[T] { return Poll[T]{value: v, ready: true} }

// Pending returns the answer that there is no value yet.
func Pending[T any]() Poll[T] { return Poll[T]{} }

// Done is the answer of a future that is polled for its effect and has had it.
func Done() Poll[Unit] { return Poll[Unit]{ready: true} }

// Get returns the value and whether there is one.
func (p Poll[T]) Get() (T, bool) { return p.value, p.ready }

// IsReady reports whether there is a value.
func (p Poll[T]) IsReady() bool { return p.ready }

// Poll returns p itself.
func (p Poll[T]) Poll(*Context) Poll[T] { return p }

// Result is the output of a future that can fail.
type Result[T any] struct {
	Value T
	Err   error
}

// Ok is the answer of a future that can fail and has not.
func Ok[T any](v T) Poll[Result[T]] { return Ready(Result[T]{Value: v}) }

// Fail is the answer of a future that has failed.
func Fail[T any](err error) Poll[Result[T]] { return Ready(Result[T]{Err: err}) }

// Dropper is a future that holds something to give back.
//
// Rust runs a destructor when a future goes out of scope: once, at once, on the thread that owns it, recursively. Go has no
// destructors, so here it is a contract: the owner calls Drop exactly once and between polls, never from another thread and
// never while Poll runs; a future that contains futures passes the call on. After Drop the future must not be polled.
type Dropper interface {
	Drop(cx *Context)
}

// Drop gives back what f holds, if it holds anything. It is how an owner ends its use of a future.
func Drop(cx *Context, f any) {
	if d, ok := f.(Dropper); ok {
		d.Drop(cx)
	}
}

package coop

// AbortHandle ends an AbortableFuture from outside.
type AbortHandle struct {
	signal signal
}

// Abort makes the future answer ErrAborted at its next poll, for which it is woken. It may be called from any thread, also
// after the future has ended.
func (h *AbortHandle) Abort() { h.signal.fire() }

// AbortableFuture is a future that can be ended from outside; see Abortable.
type AbortableFuture[T any] struct {
	child  child[T]
	handle *AbortHandle
	over   over
}

// Abortable returns a future that runs fut, and a handle to end it. The error is ErrAborted, when the handle was quicker.
func Abortable[T any](fut Future[T]) (*AbortableFuture[T], *AbortHandle) {
	h := &AbortHandle{}
	return &AbortableFuture[T]{child: child[T]{fut: fut}, handle: h}, h
}

// Poll polls the future inside, unless it has been aborted.
func (a *AbortableFuture[T]) Poll(cx *Context) Poll[Result[T]] {
	a.over.check("Abortable")
	if a.handle.signal.poll(cx) {
		a.Drop(cx)
		return Fail[T](ErrAborted)
	}
	if !a.child.poll(cx) {
		return Pending[Result[T]]()
	}
	a.Drop(cx)
	return Ok(a.child.value)
}

// Drop drops the future inside.
func (a *AbortableFuture[T]) Drop(cx *Context) {
	a.over = true
	a.child.drop(cx)
	a.handle.signal.forget()
}

package coop

// LazyFuture is a function that runs when it is polled; see Lazy.
type LazyFuture[T any] struct {
	f    func(cx *Context) T
	over over
}

// Lazy returns a future that calls f at its first poll, and not before, and is ready with what it returns.
func Lazy[T any](f func(cx *Context) T) *LazyFuture[T] { return &LazyFuture[T]{f: f} }

// Poll calls the function.
func (l *LazyFuture[T]) Poll(cx *Context) Poll[T] {
	l.over.check("Lazy")
	l.over = true
	return Ready(l.f(cx))
}

// PollFn is a future made of a function: its Poll. The function has to keep the poll contract.
type PollFn[T any] func(cx *Context) Poll[T]

// Poll calls the function.
func (f PollFn[T]) Poll(cx *Context) Poll[T] { return f(cx) }

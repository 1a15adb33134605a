package coop

// Terminated is a future that can say whether it has answered Ready.
type Terminated interface {
	// IsTerminated reports whether there is no point in polling any more.
	IsTerminated() bool
}

// FuseFuture is a future that can be polled for ever; see Fuse.
type FuseFuture[T any] struct {
	child child[T]
}

// Fuse returns a future that may be polled after it has been ready, which others must not: it then answers Pending, and
// IsTerminated tells. A loop that selects among several futures again and again needs it for those that end before others.
func Fuse[T any](fut Future[T]) *FuseFuture[T] { return &FuseFuture[T]{child[T]{fut: fut}} }

// Poll answers Ready at most once.
func (f *FuseFuture[T]) Poll(cx *Context) Poll[T] {
	if f.IsTerminated() || !f.child.poll(cx) {
		return Pending[T]()
	}
	value := f.child.value
	f.child = child[T]{}
	return Ready(value)
}

// IsTerminated reports whether f has been ready, or has been dropped.
func (f *FuseFuture[T]) IsTerminated() bool { return f.child.fut == nil }

// Drop drops the future inside, unless it has been ready.
func (f *FuseFuture[T]) Drop(cx *Context) { f.child.drop(cx) }

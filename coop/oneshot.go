package coop

import (
	"errors"
	"sync"
)

// ErrClosed answers a receive of what will never be sent, and a send that nobody will receive.
var ErrClosed = errors.New("coop: the channel is closed")

// Oneshot carries one value from anywhere to one task. It is itself the future of the value; the error is ErrClosed when
// the sender has closed it instead. It is cancel-safe in that nothing is left behind: a Send that comes after Drop is told.
type Oneshot[T any] struct {
	place  noCopy
	ended  signal // fired when there is a value or a Close
	mu     sync.Mutex
	result Result[T]
	closed bool // no Send will be accepted: there was one, or a Close, or a Drop
}

// NewOneshot returns an empty Oneshot.
func NewOneshot[T any]() *Oneshot[T] { return &Oneshot[T]{} }

// Send stores the value and wakes the receiver. It reports false when nobody will receive it. It may be called from any
// thread.
func (o *Oneshot[T]) Send(v T) bool { return o.end(Result[T]{Value: v}) }

// Close tells the receiver that nothing will be sent, unless something has been. It may be called from any thread.
func (o *Oneshot[T]) Close() { o.end(Result[T]{Err: ErrClosed}) }

func (o *Oneshot[T]) end(r Result[T]) bool {
	o.mu.Lock()
	first := !o.closed
	if first {
		o.closed, o.result = true, r
	}
	o.mu.Unlock()
	if first {
		o.ended.fire()
	}
	return first
}

// Poll answers Ready when there is a value, or will never be one.
func (o *Oneshot[T]) Poll(cx *Context) Poll[Result[T]] {
	o.place.stay("Oneshot")
	if !cx.Proceed() || !o.ended.poll(cx) {
		return Pending[Result[T]]()
	}
	cx.Spend()
	return Ready(o.result)
}

// Drop ends the receiving side. A value that has been sent and not received is lost.
func (o *Oneshot[T]) Drop(*Context) {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.ended.forget()
}

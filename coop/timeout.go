package coop

import (
	"errors"
	"time"
)

// ErrTimeout answers a Timeout whose future took too long.
var ErrTimeout = errors.New("coop: timed out")

// TimeoutFuture bounds the time of a future; see Timeout.
type TimeoutFuture[T any] struct {
	child child[T]
	timer Sleep
	over  over
}

// Timeout returns a future that runs fut for at most d, counted from the first poll. The error is ErrTimeout, when the time
// was up first; fut has then been dropped. A future that is ready and late at the same time counts as ready.
func Timeout[T any](d time.Duration, fut Future[T]) *TimeoutFuture[T] {
	return &TimeoutFuture[T]{child: child[T]{fut: fut}, timer: Sleep{wait: d}}
}

// Poll polls the future inside and then the timer.
func (t *TimeoutFuture[T]) Poll(cx *Context) Poll[Result[T]] {
	t.over.check("Timeout")
	if t.child.poll(cx) {
		t.Drop(cx)
		return Ok(t.child.value)
	}
	if t.expired(cx) {
		t.Drop(cx)
		return Fail[T](ErrTimeout)
	}
	return Pending[Result[T]]()
}

// expired polls the timer, also when the future inside has used the budget up: it may do so every time, and would then
// never be stopped.
func (t *TimeoutFuture[T]) expired(cx *Context) bool {
	budget := cx.budget
	cx.budget = 1
	expired := t.timer.Poll(cx).ready
	cx.budget = budget
	return expired
}

// Drop drops the future inside and the timer.
func (t *TimeoutFuture[T]) Drop(cx *Context) {
	t.over = true
	t.timer.Drop(cx)
	t.child.drop(cx)
}

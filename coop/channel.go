package coop

import "sync"

// Channel is a bounded queue between tasks: any number of senders and receivers, on any executors. Senders wait while it is
// full, so a slow receiver slows its senders down instead of filling the memory. Both sides are served in the order in which
// they came, and what one sender sends is received in its order.
//
// It is two counts of permits, one of free places and one of values, around a ring. That makes it cancel-safe: a receiver
// takes its value only in the poll that answers with it, and a sender puts its value in only in the poll that answers.
type Channel[T any] struct {
	places permits // to be filled
	values permits // to be taken

	mu     sync.Mutex // taken before the lock of values
	ring   []T
	oldest int
	length int
	closed bool
}

// NewChannel returns a channel for up to size values, at least one.
func NewChannel[T any](size int) *Channel[T] {
	if size < 1 {
		panic("coop: NewChannel needs room for one value at least: tasks take turns, so they cannot meet")
	}
	c := &Channel[T]{ring: make([]T, size)}
	c.places.free = size
	return c
}

// SendFuture waits for a free place; see Channel.Send.
type SendFuture[T any] struct {
	to    *Channel[T]
	value T
	claim claim
}

// Send returns a future that puts v in when there is a place. The error is ErrClosed after Close. It is cancel-safe: dropped
// before it is ready, v has not been sent.
func (c *Channel[T]) Send(v T) *SendFuture[T] {
	return &SendFuture[T]{to: c, value: v, claim: claim{need: 1}}
}

// Poll sends.
func (f *SendFuture[T]) Poll(cx *Context) Poll[Result[Unit]] {
	f.claim.place.stay("Send")
	p := f.to.places.poll(cx, &f.claim)
	switch {
	case !p.ready:
		return Pending[Result[Unit]]()
	case !p.value || !f.to.put(f.value):
		return Fail[Unit](ErrClosed)
	}
	return Ok(Unit{})
}

// Drop gives up the place in the queue.
func (f *SendFuture[T]) Drop(*Context) { f.to.places.drop(&f.claim) }

// TrySend puts v in if nobody waits and there is a place, and reports whether it did. It may be called from any thread.
func (c *Channel[T]) TrySend(v T) bool { return c.places.try(1) && c.put(v) }

// put stores a value, for which the caller has a place. The lock is held until the value is announced, so that a Close
// comes before or after both and no receiver is told of the end while a value is on its way.
func (c *Channel[T]) put(v T) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.ring[(c.oldest+c.length)%len(c.ring)] = v
	c.length++
	c.values.release(1)
	return true
}

// RecvFuture waits for a value; see Channel.Recv.
type RecvFuture[T any] struct {
	from  *Channel[T]
	claim claim
}

// Recv returns a future of the next value. Its Item is not OK when the channel is closed and empty. It is cancel-safe.
func (c *Channel[T]) Recv() *RecvFuture[T] {
	return &RecvFuture[T]{from: c, claim: claim{need: 1}}
}

// Poll receives.
func (f *RecvFuture[T]) Poll(cx *Context) Poll[Item[T]] {
	f.claim.place.stay("Recv")
	p := f.from.values.poll(cx, &f.claim)
	switch {
	case !p.ready:
		return Pending[Item[T]]()
	case !p.value:
		return Ready(Item[T]{})
	}
	return Ready(Item[T]{Value: f.from.take(), OK: true})
}

// Drop gives up the place in the queue.
func (f *RecvFuture[T]) Drop(*Context) { f.from.values.drop(&f.claim) }

// TryRecv takes a value if nobody waits and there is one. It may be called from any thread.
func (c *Channel[T]) TryRecv() (v T, ok bool) {
	if !c.values.try(1) {
		return v, false
	}
	return c.take(), true
}

// take removes the oldest value, of which the caller knows that there is one, and frees its place.
func (c *Channel[T]) take() T {
	c.mu.Lock()
	v := c.ring[c.oldest]
	var none T
	c.ring[c.oldest] = none
	c.oldest = (c.oldest + 1) % len(c.ring)
	c.length--
	c.mu.Unlock()
	c.places.release(1)
	return v
}

// Len returns how many values wait.
func (c *Channel[T]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.length
}

// Close refuses what is sent from now on. Values that wait can still be received. It may be called from any thread and
// more than once.
func (c *Channel[T]) Close() {
	c.mu.Lock()
	c.closed = true
	c.values.close()
	c.mu.Unlock()
	c.places.close()
}

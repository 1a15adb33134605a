package coop

import (
	"runtime/debug"
	"sync"
)

// Pool is a number of goroutines for work that would hold up an executor: long computations and calls that block.
//
// A task hands over a function and waits for it as for anything else. The queue holds at most one function per waiting
// task, so the executors' bounds on tasks bound it too. Work that has begun cannot be cancelled: when its future is dropped
// it runs to its end and its result is thrown away. Work that has not begun is skipped.
type Pool struct {
	mu      sync.Mutex
	work    sync.Cond
	queue   []offloaded // oldest first, from next on
	next    int
	closed  bool
	running sync.WaitGroup
}

// offloaded is a function in the queue, seen without its type.
type offloaded interface {
	run()
	refuse()
}

// NewPool starts a pool of n goroutines.
func NewPool(n int) *Pool {
	p := &Pool{}
	p.work.L = &p.mu
	p.running.Add(n)
	for range n {
		go p.serve()
	}
	return p
}

// Close lets the goroutines end with what they are at, and waits for that. Work that has not begun, and work that comes
// later, is answered with ErrStopped.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	left := p.queue[p.next:]
	p.queue, p.next = nil, 0
	p.mu.Unlock()
	p.work.Broadcast()
	for _, o := range left {
		o.refuse()
	}
	p.running.Wait()
}

// submit queues o. It reports false when the pool is closed.
func (p *Pool) submit(o offloaded) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if p.next > len(p.queue)/2 { // most of the slice is used up: move the rest to the front
		n := copy(p.queue, p.queue[p.next:])
		clear(p.queue[n:])
		p.queue, p.next = p.queue[:n], 0
	}
	p.queue = append(p.queue, o)
	p.work.Signal()
	return true
}

func (p *Pool) serve() {
	defer p.running.Done()
	for o := p.take(); o != nil; o = p.take() {
		o.run()
	}
}

// take waits for work; nil means that the pool is closed.
func (p *Pool) take() offloaded {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.next == len(p.queue) {
		if p.closed {
			return nil
		}
		p.work.Wait()
	}
	o := p.queue[p.next]
	p.queue[p.next] = nil
	p.next++
	return o
}

// OffloadFuture is work in a pool; see Offload.
type OffloadFuture[T any] struct {
	_    noCopy
	pool *Pool
	work func() T
	sent bool

	mu      sync.Mutex
	done    bool
	dropped bool
	result  Result[T]
	waker   Waker
}

// Offload returns a future that runs work in p, from its first poll on. The error is ErrStopped if the pool has been
// closed, and a *JoinError if work panicked.
func Offload[T any](p *Pool, work func() T) *OffloadFuture[T] {
	return &OffloadFuture[T]{pool: p, work: work}
}

// Poll answers Ready when the work is done.
func (f *OffloadFuture[T]) Poll(cx *Context) Poll[Result[T]] {
	f.mu.Lock()
	if f.done {
		defer f.mu.Unlock()
		return Ready(f.result)
	}
	if !f.waker.WillWake(cx.Waker()) {
		f.waker.Drop()
		f.waker = cx.Waker().Clone()
	}
	f.mu.Unlock()
	if f.sent {
		return Pending[Result[T]]()
	}
	f.sent = true // with the waker in its place, so that the end of the work finds it
	if !f.pool.submit(f) {
		return Fail[T](ErrStopped)
	}
	return Pending[Result[T]]()
}

// Drop lets the work go unheeded.
func (f *OffloadFuture[T]) Drop(*Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped = true
	f.waker.Drop()
	f.waker = Waker{}
}

func (f *OffloadFuture[T]) run() {
	f.mu.Lock()
	skip := f.dropped
	f.mu.Unlock()
	if skip {
		return
	}
	var r Result[T]
	defer func() {
		if value := recover(); value != nil {
			r.Err = &JoinError{Panic: value, Stack: debug.Stack()}
		}
		f.settle(r)
	}()
	r.Value = f.work()
}

func (f *OffloadFuture[T]) refuse() { f.settle(Result[T]{Err: ErrStopped}) }

func (f *OffloadFuture[T]) settle(r Result[T]) {
	f.mu.Lock()
	f.result, f.done = r, true
	waker := f.waker
	f.waker = Waker{}
	f.mu.Unlock()
	if !waker.IsZero() {
		waker.Wake()
		waker.Drop()
	}
}

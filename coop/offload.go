package coop

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
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
	place   noCopy
	pool    *Pool
	work    func() T
	sent    bool
	dropped atomic.Bool
	result  Result[T] // written before ended is fired
	ended   signal
}

// Offload returns a future that runs work in p, from its first poll on. The error is ErrStopped if the pool has been
// closed, and a *JoinError if work panicked.
func Offload[T any](p *Pool, work func() T) *OffloadFuture[T] {
	return &OffloadFuture[T]{pool: p, work: work}
}

// Poll answers Ready when the work is done.
func (f *OffloadFuture[T]) Poll(cx *Context) Poll[Result[T]] {
	f.place.stay("Offload")
	if f.ended.poll(cx) {
		return Ready(f.result)
	}
	if !f.sent {
		f.sent = true // with the waker in its place, so that the end of the work finds it
		if !f.pool.submit(f) {
			return Fail[T](ErrStopped)
		}
	}
	return Pending[Result[T]]()
}

// Drop lets the work go unheeded.
func (f *OffloadFuture[T]) Drop(*Context) {
	f.dropped.Store(true)
	f.ended.forget()
}

func (f *OffloadFuture[T]) run() {
	if f.dropped.Load() {
		return
	}
	defer f.ended.fire()
	defer func() {
		if value := recover(); value != nil {
			f.result.Err = &JoinError{Panic: value, Stack: debug.Stack()}
		}
	}()
	f.result.Value = f.work()
}

func (f *OffloadFuture[T]) refuse() {
	f.result.Err = ErrStopped
	f.ended.fire()
}

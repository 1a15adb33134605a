package coop

import (
	"fmt"
	"sync/atomic"
)

// Semaphore is a bound on how many do something at the same time. It hands its permits out first come, first served: a
// large request at the front is not passed by small ones behind it. Tasks of several executors may share one.
type Semaphore struct {
	permits permits
	size    int
	out     atomic.Int64 // permits that are taken, to answer a Release too many
}

// NewSemaphore returns a semaphore with n permits.
func NewSemaphore(n int) *Semaphore {
	s := &Semaphore{size: n}
	s.permits.free = n
	return s
}

// AcquireFuture waits for permits; see Semaphore.Acquire.
type AcquireFuture struct {
	from  *Semaphore
	claim claim
}

// Acquire returns a future of n permits, which Release gives back. It is cancel-safe, but to drop it gives up its place in
// the queue. It panics if n is more than there are: nobody would ever wake it.
func (s *Semaphore) Acquire(n int) *AcquireFuture {
	f := &AcquireFuture{}
	s.AcquireIn(f, n)
	return f
}

// AcquireIn is Acquire into a future that the caller provides, a new one or one that is over. It allocates nothing.
func (s *Semaphore) AcquireIn(f *AcquireFuture, n int) {
	if n < 1 || n > s.size {
		panic(fmt.Sprintf("coop: Acquire(%d) of a Semaphore of %d", n, s.size))
	}
	if f.claim.stage == claimQueued || f.claim.stage == claimGranted {
		panic("coop: AcquireIn of a future that still waits; Drop it first")
	}
	f.from, f.claim.need, f.claim.stage = s, n, claimNew
}

// Poll answers Ready when the permits are the caller's.
func (f *AcquireFuture) Poll(cx *Context) Poll[Unit] {
	f.claim.place.stay("Acquire")
	if !f.from.permits.poll(cx, &f.claim).ready {
		return Pending[Unit]()
	}
	f.from.out.Add(int64(f.claim.need))
	return Done()
}

// Drop leaves the queue. Permits that Poll has not answered with go to the next.
func (f *AcquireFuture) Drop(*Context) { f.from.permits.drop(&f.claim) }

// TryAcquire takes n permits if nobody waits and there are as many.
func (s *Semaphore) TryAcquire(n int) bool {
	if !s.permits.try(n) {
		return false
	}
	s.out.Add(int64(n))
	return true
}

// Release gives n permits back. It may be called from any thread. It panics when as many have not been acquired.
func (s *Semaphore) Release(n int) {
	if s.out.Add(-int64(n)) < 0 {
		panic("coop: Release of more permits of a Semaphore than have been acquired")
	}
	s.permits.release(n)
}

package coop

import "sync"

// permits is a number of permits and a queue of those who want some, first come, first served. Semaphore, Mutex and Channel
// are made of it, so that the protocol of waiting and of giving up is written once.
//
// A permit is handed over, not put down for whoever is quicker: release gives it to the first in the queue, and a claim
// that comes later cannot take it. Otherwise a task that releases and asks again at once would win every time, because the
// one that was woken has to be polled first. What is handed over to a future that is then dropped goes to the next.
type permits struct {
	mu     sync.Mutex
	queue  claims
	free   int
	closed bool
}

// poll answers true when the claim's permits are the caller's, and false when there will be none because of close.
func (p *permits) poll(cx *Context, c *claim) Poll[bool] {
	if !cx.Proceed() {
		return Pending[bool]()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	got := true
	switch {
	case c.stage == claimOver:
		panic("coop: a future of a semaphore, a mutex or a channel was polled after Ready or Drop")
	case c.stage == claimGranted:
	case c.stage == claimNew && p.queue.first == nil && p.free >= c.need:
		p.free -= c.need
	case p.closed:
		p.queue.remove(c)
		got = false
	default:
		p.queue.await(cx, c)
		return Pending[bool]()
	}
	c.stage = claimOver
	cx.Spend()
	return Ready(got)
}

// try takes n permits if nobody waits and there are as many.
func (p *permits) try(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue.first != nil || p.free < n {
		return false
	}
	p.free -= n
	return true
}

// release gives n permits back.
func (p *permits) release(n int) {
	p.mu.Lock()
	p.free += n
	p.grantAndUnlock()
}

// close refuses every claim for which there is no permit, now and later.
func (p *permits) close() {
	p.mu.Lock()
	p.closed = true
	p.grantAndUnlock()
}

// drop ends a claim. Its permits go to the next, if they have been granted and nobody has learned of it.
func (p *permits) drop(c *claim) {
	p.mu.Lock()
	if c.stage == claimGranted {
		p.free += c.need
	}
	p.queue.remove(c) // a large claim may have kept smaller ones behind it waiting
	c.stage = claimOver
	p.grantAndUnlock()
}

// wakesPerLock is how many wakers are collected under a lock before they are used outside it: a waker may be anybody's code.
const wakesPerLock = 16

// grantAndUnlock serves the front of the queue as far as the permits go. Each round serves at least one claim or is the
// last, so the rounds are bounded by the queue.
func (p *permits) grantAndUnlock() {
	for {
		var woken [wakesPerLock]Waker
		n := 0
		for ; n < len(woken); n++ {
			c := p.queue.first
			if c == nil || p.free < c.need && !p.closed {
				break
			}
			stage := claimNew // refused: its next poll finds the end
			if p.free >= c.need {
				p.free -= c.need
				stage = claimGranted
			}
			woken[n] = p.queue.take(c, stage)
		}
		p.mu.Unlock()
		wakeAll(woken[:n])
		if n < len(woken) {
			return
		}
		p.mu.Lock()
	}
}

func wakeAll(wakers []Waker) {
	for _, w := range wakers {
		w.Wake()
		w.Drop()
	}
}

// claim is a future's place in a queue. Its fields belong to the lock of the queue.
type claim struct {
	place      noCopy
	next, prev *claim
	waker      Waker // while it is queued
	need       int
	stage      claimStage
}

type claimStage uint8

const (
	claimNew     claimStage = iota
	claimQueued             // in the queue, with its waker
	claimGranted            // has got what it waited for, and will learn of it in its next poll
	claimOver
)

// claims is a queue of claims.
type claims struct {
	first, last *claim
	length      int
}

// await puts c at the end of the queue, unless it is there, and has the task that polls woken when it is taken off.
func (q *claims) await(cx *Context, c *claim) {
	if c.stage != claimQueued {
		c.stage, c.prev = claimQueued, q.last
		if q.last == nil {
			q.first = c
		} else {
			q.last.next = c
		}
		q.last = c
		q.length++
	}
	if !c.waker.WillWake(cx.Waker()) {
		c.waker.Drop()
		c.waker = cx.Waker().Clone()
	}
}

// take takes c off the queue and returns its waker.
func (q *claims) take(c *claim, stage claimStage) Waker {
	if c.prev == nil {
		q.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		q.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	q.length--
	w := c.waker
	c.next, c.prev, c.waker, c.stage = nil, nil, Waker{}, stage
	return w
}

// remove takes c off the queue, if it is there, and forgets its waker.
func (q *claims) remove(c *claim) {
	if c.stage == claimQueued {
		q.take(c, claimOver).Drop()
	}
}

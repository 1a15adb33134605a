package coop

import "sync"

// Notify tells tasks that something has changed, and carries nothing. Waiting tasks look at the state themselves, and wait
// again if it is not what they wait for.
//
// NotifyOne is remembered, once, when nobody waits: so "look, then wait" misses nothing. NotifyAll is for those who wait
// now and is not remembered.
type Notify struct {
	mu     sync.Mutex
	queue  claims
	stored bool // a NotifyOne that found nobody
}

// NewNotify returns a Notify that nobody waits for.
func NewNotify() *Notify { return &Notify{} }

// NotifiedFuture waits for a notification; see Notify.Notified.
type NotifiedFuture struct {
	from  *Notify
	claim claim
}

// Notified returns a future of the next notification, which waits from its first poll on. It is cancel-safe: a NotifyOne
// that it has got and not answered with goes to the next.
func (n *Notify) Notified() *NotifiedFuture { return &NotifiedFuture{from: n} }

// Poll answers Ready when there was a notification.
func (f *NotifiedFuture) Poll(cx *Context) Poll[Unit] {
	f.claim.place.stay("Notified")
	if !cx.Proceed() {
		return Pending[Unit]()
	}
	n := f.from
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case f.claim.stage == claimOver:
		panic("coop: Notified was polled after Ready or Drop")
	case f.claim.stage == claimGranted:
	case f.claim.stage == claimNew && n.stored:
		n.stored = false
	default:
		n.queue.await(cx, &f.claim)
		return Pending[Unit]()
	}
	f.claim.stage = claimOver
	cx.Spend()
	return Done()
}

// Drop leaves the queue.
func (f *NotifiedFuture) Drop(*Context) {
	n := f.from
	n.mu.Lock()
	handOn := f.claim.stage == claimGranted && f.claim.need == one
	n.queue.remove(&f.claim)
	f.claim.stage = claimOver
	n.mu.Unlock()
	if handOn {
		n.NotifyOne()
	}
}

// What a claim in a Notify has been granted by is left in its field need, which means nothing else here.
const (
	one = 1
	all = 2
)

// NotifyOne wakes the task that has waited longest. It may be called from any thread.
func (n *Notify) NotifyOne() {
	n.mu.Lock()
	c := n.queue.first
	if c == nil {
		n.stored = true
		n.mu.Unlock()
		return
	}
	c.need = one
	w := n.queue.take(c, claimGranted)
	n.mu.Unlock()
	wakeAll([]Waker{w})
}

// NotifyAll wakes every task that waits. It may be called from any thread.
func (n *Notify) NotifyAll() {
	n.mu.Lock()
	woken := make([]Waker, 0, n.queue.length)
	for c := n.queue.first; c != nil; c = n.queue.first {
		c.need = all
		woken = append(woken, n.queue.take(c, claimGranted))
	}
	n.mu.Unlock()
	wakeAll(woken)
}

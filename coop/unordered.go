package coop

import "sync"

// FuturesUnordered runs any number of futures inside one task and hands out their values as they come.
//
// It is a sub-executor: each future gets a waker of its own, and only those that were woken are polled, so that an item costs
// the same among a hundred thousand as among ten. Its futures share the budget of the task they run in: when that is used
// up it stops, rather than poll the others for nothing, and goes on where it stopped.
//
// It may be polled by a different task than before. Limits: not safe for concurrent use, except that its wakers may be used
// from any thread.
type FuturesUnordered[T any] struct {
	place   noCopy
	tasks   tasks[Future[T]]
	polling bool
	outer   LocalWaker // of the task that polls

	mu     sync.Mutex
	remote Waker // outer, for other threads
}

// Item is what comes next from a source of values; OK is false when nothing more will come.
type Item[T any] struct {
	Value T
	OK    bool
}

// NewFuturesUnordered returns an empty set.
func NewFuturesUnordered[T any]() *FuturesUnordered[T] {
	u := &FuturesUnordered[T]{}
	u.tasks.parent = u
	u.place.stay("FuturesUnordered")
	return u
}

// Push adds a future. It is first polled by the next PollNext.
func (u *FuturesUnordered[T]) Push(f Future[T]) {
	u.place.stay("FuturesUnordered")
	u.tasks.enqueue(u.tasks.insert(f))
	u.wokenLocal()
}

// Len returns how many futures have not handed out their value.
func (u *FuturesUnordered[T]) Len() int { return u.tasks.live }

// IsTerminated reports whether the set is empty.
func (u *FuturesUnordered[T]) IsTerminated() bool { return u.tasks.live == 0 }

// unorderedSelfWakes is how many futures may wake themselves during one poll before the set lets other tasks run. The
// number is that of Rust's futures crate.
const unorderedSelfWakes = 2

// PollNext answers with the value of a future that is ready; OK is false when the set is empty. It polls only what was woken,
// and nothing twice in one call.
func (u *FuturesUnordered[T]) PollNext(cx *Context) Poll[Item[T]] {
	u.place.stay("FuturesUnordered")
	u.adopt(cx) // before the inbox is looked into: a wake from now on reaches this task
	if u.tasks.live == 0 {
		return Ready(Item[T]{})
	}
	u.tasks.collect()
	selfWakes := 0
	for range u.tasks.queued {
		if selfWakes == unorderedSelfWakes || !cx.HasBudget() {
			break
		}
		t := u.tasks.dequeue()
		if t == nil {
			break
		}
		if p := u.pollOne(cx, t); p.ready {
			cx.Spend() // so that a loop over many that are ready ends some time
			u.end(cx, t)
			return Ready(Item[T]{Value: p.value, OK: true})
		}
		if t.queued {
			selfWakes++
		}
	}
	if u.tasks.queued > 0 {
		cx.Defer()
	}
	return Pending[Item[T]]()
}

// pollOne polls a future with its own waker.
func (u *FuturesUnordered[T]) pollOne(cx *Context, t *task[Future[T]]) Poll[T] {
	outer := cx.waker
	cx.waker, u.polling = t.waker(), true
	p := t.fut.Poll(cx)
	cx.waker, u.polling = outer, false
	return p
}

func (u *FuturesUnordered[T]) end(cx *Context, t *task[Future[T]]) { Drop(cx, u.tasks.retire(t)) }

// Next returns a future of one PollNext. It is cancel-safe.
func (u *FuturesUnordered[T]) Next() Future[Item[T]] { return PollFn[Item[T]](u.PollNext) }

// Drop drops the futures that are left. The set is empty afterwards, and may be used again.
func (u *FuturesUnordered[T]) Drop(cx *Context) {
	u.tasks.each(func(t *task[Future[T]]) { u.end(cx, t) })
	u.mu.Lock()
	defer u.mu.Unlock()
	u.outer.Drop()
	u.outer, u.remote, u.polling = LocalWaker{}, Waker{}, false
}

// each calls f for every future in the set.
func (u *FuturesUnordered[T]) each(f func(Future[T])) {
	u.tasks.each(func(t *task[Future[T]]) { f(t.fut) })
}

// adopt makes the task that polls the one to be woken.
func (u *FuturesUnordered[T]) adopt(cx *Context) {
	if u.outer.WillWake(cx.LocalWaker()) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.outer.Drop()
	u.outer = cx.LocalWaker().Clone()
	u.remote = u.outer.Waker()
}

// wokenLocal passes a wake on. During PollNext that needs no wake: it sees for itself what is left to do.
func (u *FuturesUnordered[T]) wokenLocal() {
	if !u.polling && !u.outer.IsZero() {
		u.outer.Wake()
	}
}

func (u *FuturesUnordered[T]) wokenRemote() {
	u.mu.Lock()
	w := u.remote
	u.mu.Unlock()
	if !w.IsZero() {
		w.Wake()
	}
}

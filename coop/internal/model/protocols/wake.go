package main

import (
	"time"

	"turnlab/coop"
	"turnlab/coop/internal/model"
)

// wakes: two threads wake a task, before, during and after its polls and while its executor goes to sleep.
func wakes(w *model.World) {
	ex, park := newExecutor()
	g := newGate(w, "executor", 3)
	w.Thread("executor", func() { block(w, ex, g) })
	w.Thread("one", func() { g.open(1) })
	w.Thread("two", func() { g.open(2) })
	droppedAtEnd(w, &g.watched)
	w.AtEnd(func() {
		if park.Rings > g.wakes {
			w.Failf("%d rings for %d wakes", park.Rings, g.wakes)
		}
	})
}

// inbox: two threads wake two tasks in opposite orders, so that pushes meet each other and the owner who takes all.
func inbox(w *model.World) {
	ex, _ := newExecutor()
	a, b := newGate(w, "executor", 3), newGate(w, "executor", 3)
	w.Thread("executor", func() { block(w, ex, coop.Map(both(a, b), none)) })
	w.Thread("one", func() { a.open(1); b.open(1) })
	w.Thread("two", func() { b.open(2); a.open(2) })
	droppedAtEnd(w, &a.watched, &b.watched)
}

// both spawns two futures as tasks and joins them.
func both(a, b coop.Future[coop.Unit]) coop.Future[coop.Tuple2[coop.Result[coop.Unit], coop.Result[coop.Unit]]] {
	var joined coop.Future[coop.Tuple2[coop.Result[coop.Unit], coop.Result[coop.Unit]]]
	return coop.PollFn[coop.Tuple2[coop.Result[coop.Unit], coop.Result[coop.Unit]]](
		func(cx *coop.Context) coop.Poll[coop.Tuple2[coop.Result[coop.Unit], coop.Result[coop.Unit]]] {
			if joined == nil {
				joined = coop.Join2[coop.Result[coop.Unit], coop.Result[coop.Unit]](coop.SpawnLocal(cx, a), coop.SpawnLocal(cx, b))
			}
			return joined.Poll(cx)
		})
}

func none[T any](T) coop.Unit { return coop.Unit{} }

// slots: a waker is used while its task ends, and after another task has been given the same slot.
func slots(w *model.World) {
	ex, _ := newExecutor()
	first, second := newGate(w, "executor", 1), newGate(w, "executor", 1)
	w.Thread("executor", func() {
		if _, err := coop.BlockOn(ex, first); err != nil {
			w.Failf("BlockOn: %v", err)
		}
		block(w, ex, second)
	})
	w.Thread("stale", func() {
		first.open(1)
		first.wakes++
		first.waker.Wake() // which by now may be the waker of a task that has ended
	})
	w.Thread("friend", func() { second.open(1) })
	droppedAtEnd(w, &first.watched, &second.watched)
}

// timer: a task waits for another thread or for its time to be up, whichever is first.
func timer(w *model.World) {
	ex, _ := newExecutor()
	g := newGate(w, "executor", 1)
	g.wakes = 1 // the timer's
	w.Thread("executor", func() { block(w, ex, coop.Map(coop.Timeout[coop.Unit](time.Second, g), none)) })
	w.Thread("opener", func() { g.open(1) })
	droppedAtEnd(w, &g.watched)
}

// register: a future that waits for another thread is moved from one task to the next, so that the waker which it holds is
// replaced while somebody may be about to use it.
func register(w *model.World) {
	ex, _ := newExecutor()
	inside := never(w, "executor")
	inside.watched.wakes = 2
	f, handle := coop.Abortable[coop.Unit](inside)
	w.Thread("executor", func() {
		var early coop.Poll[coop.Result[coop.Unit]]
		if _, err := coop.BlockOn(ex, coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
			early = f.Poll(cx)
			return coop.Done()
		})); err != nil {
			w.Failf("BlockOn: %v", err)
		}
		if early.IsReady() {
			ex.Close()
			return
		}
		block(w, ex, coop.Map[coop.Result[coop.Unit]](f, none))
	})
	w.Thread("aborter", handle.Abort)
	droppedAtEnd(w, &inside.watched)
}

// unordered: two threads wake the members of a sub-executor.
func unordered(w *model.World) {
	ex, _ := newExecutor()
	a, b := newGate(w, "executor", 1), newGate(w, "executor", 1)
	set := coop.NewFuturesUnordered[coop.Unit]()
	set.Push(a)
	set.Push(b)
	w.Thread("executor", func() {
		block(w, ex, coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
			for {
				item, ok := set.PollNext(cx).Get()
				if !ok {
					return coop.Pending[coop.Unit]()
				}
				if !item.OK {
					return coop.Done()
				}
			}
		}))
	})
	w.Thread("one", func() { a.open(1) })
	w.Thread("two", func() { b.open(1) })
	droppedAtEnd(w, &a.watched, &b.watched)
}

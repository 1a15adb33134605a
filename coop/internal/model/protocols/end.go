package main

import (
	"errors"

	"turnlab/coop"
	"turnlab/coop/internal/model"
)

// joined: a task of one executor waits for a task of another.
func joined(w *model.World) {
	ex, _ := newExecutor()
	other, _ := newExecutor()
	g := newGate(w, "executor", 0)
	h := coop.Spawn[coop.Unit](ex, g)
	w.Thread("executor", func() { ex.Run() })
	w.Thread("joiner", func() {
		block(w, other, coop.Map[coop.Result[coop.Unit]](h, none))
		ex.Stop()
	})
	droppedAtEnd(w, &g.watched)
}

// aborted: a task that is never ready is aborted while it is woken, and joined from another executor.
func aborted(w *model.World) {
	abort(w, never(w, "executor"), func(err error) bool { return err == coop.ErrAborted })
}

// abortedOrDone: the same with a task that may come to its end first.
func abortedOrDone(w *model.World) {
	abort(w, newGate(w, "executor", 1), func(err error) bool { return err == nil || err == coop.ErrAborted })
}

func abort(w *model.World, g *gate, want func(error) bool) {
	ex, _ := newExecutor()
	other, _ := newExecutor()
	h := coop.Spawn[coop.Unit](ex, g)
	w.Thread("executor", func() { ex.Run() })
	w.Thread("waker", func() {
		g.handed()
		g.open(1)
	})
	w.Thread("aborter", func() {
		g.handed()
		h.Abort()
	})
	w.Thread("joiner", func() {
		r, err := coop.BlockOn[coop.Result[coop.Unit]](other, h)
		if err != nil || !want(r.Err) {
			w.Failf("the join answers %v, %v", r.Err, err)
		}
		if g.drops != 1 {
			w.Failf("somebody learns that the task has ended, and it has been dropped %d times", g.drops)
		}
		ex.Stop()
		other.Close()
	})
}

// early: a task is aborted before it has a slot, or just then.
func early(w *model.World) {
	ex, _ := newExecutor()
	other, _ := newExecutor()
	g := never(w, "executor")
	h := coop.Spawn[coop.Unit](ex, g)
	w.Thread("executor", func() { ex.Run() })
	w.Thread("aborter", h.Abort)
	w.Thread("joiner", func() {
		r, err := coop.BlockOn[coop.Result[coop.Unit]](other, h)
		if err != nil || r.Err != coop.ErrAborted {
			w.Failf("the join answers %v, %v", r.Err, err)
		}
		ex.Stop()
		other.Close()
	})
	droppedAtEnd(w, &g.watched)
}

// spawns: two threads spawn tasks on an executor that goes to sleep.
func spawns(w *model.World) {
	ex, _ := newExecutor()
	count := 0
	task := func() *watched {
		return &watched{w: w, owner: "executor", step: func(*coop.Context) bool {
			if count++; count == 2 {
				ex.Stop()
			}
			return true
		}}
	}
	a, b := task(), task()
	spawn := func(f *watched) func() {
		return func() {
			if err := ex.Go(f); err != nil {
				w.Failf("Go: %v", err)
			}
		}
	}
	w.Thread("executor", func() { ex.Run() })
	w.Thread("one", spawn(a))
	w.Thread("two", spawn(b))
	droppedAtEnd(w, a, b)
}

// stops: a thread spawns while another one stops the executor. Either the executor takes the future and drops it, or it
// refuses the future and leaves it alone.
func stops(w *model.World) {
	ex, park := newExecutor()
	g := never(w, "executor")
	g.watched.wakes = -1
	var refused error
	w.Thread("executor", func() {
		if err := ex.Run(); err != nil {
			w.Failf("Run: %v", err)
		}
	})
	w.Thread("spawner", func() { refused = ex.Go(g) })
	w.Thread("stopper", ex.Stop)
	w.AtEnd(func() {
		want := 1
		if refused != nil {
			want = 0
		}
		if g.drops != want || want == 0 && g.polls > 0 || refused != nil && !errors.Is(refused, coop.ErrStopped) {
			w.Failf("spawn answers %v; %d polls, %d drops", refused, g.polls, g.drops)
		}
		if !park.Closed || ex.Live() != 0 {
			w.Failf("the driver is closed: %v; %d tasks are left", park.Closed, ex.Live())
		}
	})
}

// stopsBlockOn: an executor is stopped under a BlockOn that would wait for ever, while its task is woken.
func stopsBlockOn(w *model.World) {
	ex, park := newExecutor()
	g := never(w, "executor")
	w.Thread("executor", func() {
		if _, err := coop.BlockOn(ex, g); err != coop.ErrStopped {
			w.Failf("BlockOn answers %v", err)
		}
	})
	w.Thread("waker", func() { g.open(1) })
	w.Thread("stopper", func() {
		g.handed()
		ex.Stop()
	})
	droppedAtEnd(w, &g.watched)
	w.AtEnd(func() {
		if !park.Closed {
			w.Failf("the driver has not been closed")
		}
	})
}

package main

import (
	"turnlab/coop"
	"turnlab/coop/internal/model"
)

// on runs f to its end on an executor and in a thread of its own.
func on[T any](w *model.World, thread string, f coop.Future[T], got func(T)) {
	ex, _ := newExecutor()
	w.Thread(thread, func() {
		v, err := coop.BlockOn(ex, f)
		if err != nil {
			w.Failf("BlockOn: %v", err)
		}
		got(v)
		if err := ex.Close(); err != nil {
			w.Failf("Close: %v", err)
		}
	})
}

// oneshot: a value is sent while it is waited for, and while a Close comes from elsewhere. One of the two counts.
func oneshot(w *model.World) {
	o := coop.NewOneshot[int]()
	sent := false
	w.Thread("sender", func() { sent = o.Send(7) })
	w.Thread("closer", o.Close)
	on(w, "receiver", o, func(r coop.Result[int]) {
		w.AtEnd(func() {
			if sent != (r.Err == nil && r.Value == 7) || !sent && r.Err != coop.ErrClosed {
				w.Failf("sent: %v; received %v, %v", sent, r.Value, r.Err)
			}
		})
	})
}

// channel: two tasks send more than there is room for, on executors of their own, and a third one receives all of it, each
// sender's in its order, and then the end.
func channel(w *model.World) {
	c := coop.NewChannel[int](1)
	left := 2
	for sender, name := range []string{"one", "two"} {
		first, second := c.Send(10*sender+1), c.Send(10*sender+2)
		on(w, name, coop.Then(first, func(coop.Result[coop.Unit]) coop.Future[coop.Result[coop.Unit]] { return second }),
			func(r coop.Result[coop.Unit]) {
				if r.Err != nil {
					w.Failf("Send: %v", r.Err)
				}
				if left--; left == 0 {
					c.Close()
				}
			})
	}
	on(w, "receiver", receiveAll(c), func(got []int) {
		last := [2]int{}
		for _, v := range got {
			if v%10 != last[v/10]+1 {
				w.Failf("received %v", got)
			}
			last[v/10] = v % 10
		}
		if len(got) != 4 {
			w.Failf("received %v, want four values", got)
		}
	})
}

// receiveAll receives until the channel is closed and empty.
func receiveAll(c *coop.Channel[int]) coop.Future[[]int] {
	var got []int
	next := c.Recv()
	return coop.PollFn[[]int](func(cx *coop.Context) coop.Poll[[]int] {
		for {
			item, ok := next.Poll(cx).Get()
			if !ok {
				return coop.Pending[[]int]()
			}
			next.Drop(cx)
			if !item.OK {
				return coop.Ready(got)
			}
			got, next = append(got, item.Value), c.Recv()
		}
	})
}

// mutex: two tasks on two executors take a lock, and each is alone while it has it. A third one gives up waiting, perhaps
// just when the lock has been handed to it, and must not take it along.
func mutex(w *model.World) {
	m := coop.NewMutex()
	inside := 0
	for _, name := range []string{"one", "two"} {
		on(w, name, m.Lock(), func(coop.Unit) {
			if inside++; inside != 1 {
				w.Failf("%d tasks have the lock", inside)
			}
			inside--
			m.Unlock()
		})
	}
	given := m.Lock()
	on[coop.Unit](w, "quitter", coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		if given.Poll(cx).IsReady() {
			m.Unlock()
		}
		given.Drop(cx)
		return coop.Done()
	}), func(coop.Unit) {
		w.AtEnd(func() {
			if !m.TryLock() {
				w.Failf("the lock was taken along")
			}
		})
	})
}

// notify: a thread changes something and tells one of those who wait; a task looks and then waits.
func notify(w *model.World) {
	n := coop.NewNotify()
	g := newGate(w, "waiter", 1)
	waiting := n.Notified()
	on[coop.Unit](w, "waiter", coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		for g.bits.Load() != g.all {
			if !waiting.Poll(cx).IsReady() {
				return coop.Pending[coop.Unit]()
			}
			waiting.Drop(cx)
			waiting = n.Notified()
		}
		waiting.Drop(cx)
		return coop.Done()
	}), func(coop.Unit) {})
	w.Thread("teller", func() {
		g.bits.Or(1)
		n.NotifyOne()
	})
}

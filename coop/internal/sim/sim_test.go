package sim

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"turnlab/coop"
)

var (
	seeds = flag.Uint64("seeds", 10_000, "how many seeds to run")
	only  = flag.Uint64("seed", 0, "run this seed alone, as printed by a failure")
)

func TestEverySeedKeepsTheProperties(t *testing.T) {
	if *only != 0 {
		if _, err := play(*only); err != nil {
			t.Fatal(err)
		}
		return
	}
	n := *seeds
	if testing.Short() {
		n /= 20
	}
	for part := range uint64(shares) {
		t.Run(fmt.Sprint("part ", part+1), func(t *testing.T) {
			t.Parallel()
			for seed := 1 + part; seed <= n; seed += shares {
				if _, err := play(seed); err != nil {
					t.Fatalf("seed %d: %v\nrepeat it with -seed %d", seed, err, seed)
				}
			}
		})
	}
}

// shares is into how many parts the seeds are cut, to be run at the same time.
const shares = 4

// play runs the program of a seed and checks what is left of it.
func play(seed uint64) (w *world, err error) {
	w = newWorld(seed)
	defer func() {
		if value := recover(); value != nil && w.failure == nil {
			err = fmt.Errorf("panic: %v", value)
		} else {
			err = w.failure
		}
	}()
	stopped := w.runAll()
	if err := w.ex.Close(); err != nil {
		w.fail("Close: %v", err)
	}
	w.checkEnd(stopped)
	return w, nil
}

// runAll runs clients, a server and tasks with timers until the clients have ended, or until the executor is stopped.
func (w *world) runAll() (stopped bool) {
	fd := w.sys.Listen()
	server := coop.Spawn[coop.Unit](w.ex, track(w, "the server", newServer(w, fd)))
	var handles []*coop.JoinHandle[coop.Unit]
	clients := 1 + w.random.IntN(6)
	for i := range clients {
		handles = append(handles, coop.Spawn[coop.Unit](w.ex, track(w, "a client", newClient(w, i, fd))))
	}
	if !w.calm && w.random.IntN(5) == 0 {
		w.ex.Go(track[coop.Unit](w, "a stopper", coop.Map(nap(w, w.between(0, 4*time.Millisecond)), func(coop.Unit) coop.Unit {
			w.ex.Stop()
			return coop.Unit{}
		})))
	}
	for range w.random.IntN(4) {
		w.ex.Go(restless(w, w.random.IntN(1<<w.random.IntN(9))))
	}
	trees := coop.Spawn(w.ex, naps(w, 3))
	_, err := coop.BlockOn(w.ex, w.end(handles, trees, server))
	if err != nil && (err != coop.ErrStopped || w.calm) {
		w.fail("BlockOn: %v", err)
	}
	if w.calm && w.served != clients {
		w.fail("%d of %d clients were served", w.served, clients)
	}
	return err != nil
}

// end is the future that waits for the clients, some of which it aborts, then ends the server, and then looks whether the
// executor would sleep for ever, as it should when everybody has gone.
func (w *world) end(clients []*coop.JoinHandle[coop.Unit], trees, server *coop.JoinHandle[coop.Unit]) coop.Future[coop.Unit] {
	var all []coop.Future[coop.Result[coop.Unit]]
	for _, c := range clients {
		if !w.calm && w.random.IntN(4) == 0 {
			w.ex.Go(coop.Map(nap(w, w.between(0, 2*time.Millisecond)), func(coop.Unit) coop.Unit {
				c.Abort()
				return coop.Unit{}
			}))
		}
		all = append(all, c)
	}
	all = append(all, trees)
	served := coop.Then(coop.JoinAll(all), func([]coop.Result[coop.Unit]) coop.Future[coop.Result[coop.Unit]] {
		server.Abort()
		return server
	})
	return coop.Then(served, func(coop.Result[coop.Unit]) coop.Future[coop.Unit] { return w.silence() })
}

// silence is ready when the executor would sleep for ever, after all other tasks have ended. A timer that somebody has left
// behind would wake it first.
func (w *world) silence() coop.Future[coop.Unit] {
	var waker coop.Waker
	var rest coop.Sleep
	silent, timeouts := false, 0
	return coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		for w.ex.Live() > 1 {
			if !rest.Poll(cx).IsReady() {
				return coop.Pending[coop.Unit]()
			}
			rest.Reset(cx, time.Millisecond)
		}
		rest.Drop(cx)
		switch {
		case silent && w.sys.Timeouts > timeouts:
			w.fail("a timer is left that nobody waits for")
		case silent:
			return coop.Done()
		case waker.IsZero():
			waker, timeouts = cx.Waker().Clone(), w.sys.Timeouts
			w.sys.OnIdle = func() bool {
				silent = true
				waker.Wake()
				return true
			}
		}
		return coop.Pending[coop.Unit]()
	})
}

// checkEnd checks that nothing is left.
func (w *world) checkEnd(stopped bool) {
	for _, t := range w.tracked {
		if err := t.check(); err != nil {
			w.fail("%v; stopped: %v", err, stopped)
		}
	}
	if open, sources, live := w.sys.Open(), w.reactor.Sources(), w.ex.Live(); open+sources+live != 0 {
		w.fail("%d descriptors, %d sources and %d tasks are left", open, sources, live)
	}
	if s := w.ex.Stats(); s.Polls > s.Wakes || s.Spawned > s.Finished && !stopped {
		w.fail("more polls than wakes, or tasks that have not ended: %+v", s)
	}
}

func TestASeedAlwaysGivesTheSameRun(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		a, errA := play(seed)
		b, errB := play(seed)
		if errA != nil || errB != nil || a.sys.Digest != b.sys.Digest || a.sys.Calls != b.sys.Calls {
			t.Fatalf("seed %d: %d calls, then %d; %v, %v", seed, a.sys.Calls, b.sys.Calls, errA, errB)
		}
	}
}

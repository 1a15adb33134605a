package sim

import (
	"time"

	"turnlab/coop"
	"turnlab/coop/internal/wheel"
)

// lateMax is how late a timer may be: a tick, what the system adds, and the work of a turn.
const lateMax = wheel.Tick + lateNS + 1_000_000

// nap is a sleep that checks its time.
func nap(w *world, d time.Duration) coop.Future[coop.Unit] {
	began := int64(-1)
	sleep := coop.SleepFor(d)
	return track(w, "a nap", &parts[coop.Unit]{func(cx *coop.Context) coop.Poll[coop.Unit] {
		if began < 0 {
			began = w.sys.Now()
		}
		p := sleep.Poll(cx)
		if took := w.sys.Now() - began; p.IsReady() && (took < int64(d) || took > int64(d)+lateMax) {
			w.fail("a nap of %v took %v", d, time.Duration(took))
		}
		return p
	}, sleep.Drop})
}

// parts is a future made of functions.
type parts[T any] struct {
	poll func(cx *coop.Context) coop.Poll[T]
	drop func(cx *coop.Context)
}

func (p *parts[T]) Poll(cx *coop.Context) coop.Poll[T] { return p.poll(cx) }
func (p *parts[T]) Drop(cx *coop.Context)              { p.drop(cx) }

// naps is a tree of timers under joins, selects and timeouts.
func naps(w *world, depth int) coop.Future[coop.Unit] {
	d := w.between(0, 3*time.Millisecond)
	if depth == 0 {
		return nap(w, d)
	}
	switch w.random.IntN(4) {
	case 0:
		var all []coop.Future[coop.Unit]
		for range 1 + w.random.IntN(40) {
			all = append(all, nap(w, w.between(0, 2*time.Millisecond)))
		}
		return coop.Map(coop.JoinAll(all), func([]coop.Unit) coop.Unit { return coop.Unit{} })
	case 1:
		return coop.Map[coop.Choice2[coop.Unit, coop.Unit]](coop.Select2(naps(w, depth-1), naps(w, depth-1)),
			func(coop.Choice2[coop.Unit, coop.Unit]) coop.Unit { return coop.Unit{} })
	case 2:
		return coop.Map[coop.Tuple2[coop.Unit, coop.Unit]](coop.Join2(naps(w, depth-1), naps(w, depth-1)),
			func(coop.Tuple2[coop.Unit, coop.Unit]) coop.Unit { return coop.Unit{} })
	default:
		return coop.Map[coop.Result[coop.Unit]](coop.Timeout(d, naps(w, depth-1)),
			func(coop.Result[coop.Unit]) coop.Unit { return coop.Unit{} })
	}
}

// restless wakes itself a number of times, in one of three ways, and checks how long the queue makes it wait.
func restless(w *world, times int) coop.Future[coop.Unit] {
	woken, bound := int64(-1), int64(0)
	return track[coop.Unit](w, "a restless task", coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		polls := w.ex.Stats().Polls
		if woken >= 0 && polls-woken > bound {
			w.fail("a task was polled %d polls after its wake, want at most %d", polls-woken, bound)
		}
		if times--; times < 0 {
			return coop.Done()
		}
		woken, bound = polls, int64(w.ex.Live()+coop.PollsPerTurn)
		switch w.random.IntN(3) {
		case 0:
			cx.LocalWaker().Wake()
		case 1:
			cx.Waker().Wake()
		default:
			cx.Defer()
			bound += coop.PollsPerTurn
		}
		return coop.Pending[coop.Unit]()
	}))
}

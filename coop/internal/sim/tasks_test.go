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

// restless wakes itself a number of times, always in the same of three ways or in any, and checks that the executor does not sleep meanwhile and
// how long the queue makes it wait: nobody may overtake it, so that each of the others comes at most once before it. What
// another thread wakes is taken in with the next turn, and so is what yields.
func restless(w *world, times int) coop.Future[coop.Unit] {
	var before coop.Stats
	bound := int64(-1)
	way := w.random.IntN(6)
	return track[coop.Unit](w, "a restless task", coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		now := w.ex.Stats()
		if polls := now.Polls - before.Polls; bound >= 0 && polls > bound {
			w.fail("a task was polled %d polls after its wake, want at most %d", polls, bound)
		}
		if bound >= 0 && now.Sleeps != before.Sleeps {
			w.fail("the executor slept although a task was woken")
		}
		if times--; times < 0 {
			return coop.Done()
		}
		before, bound = now, int64(w.ex.Live())
		this := way
		if way > 2 {
			this = w.random.IntN(3)
		}
		switch this {
		case 0:
			cx.LocalWaker().Wake()
		case 1:
			cx.Waker().Wake()
			bound += coop.PollsPerTurn
		default:
			cx.Defer()
			bound += coop.PollsPerTurn
		}
		return coop.Pending[coop.Unit]()
	}))
}

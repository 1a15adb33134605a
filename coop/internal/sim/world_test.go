package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"turnlab/coop"
	"turnlab/coop/reactor"
)

// world is one run: a simulated system, an executor on it, and what the tasks have to say at the end.
type world struct {
	sys     *System
	reactor *reactor.Reactor
	ex      *coop.Executor
	random  *rand.Rand // for the programs; the system has a source of its own
	tracked []tally
	calm    bool // nothing resets, times out or is aborted, so that everything must be served
	served  int  // clients that got everything back
	failure error
}

// tally is a tracked future as seen at the end.
type tally interface{ check() error }

// fail ends the run. The first failure counts: a task that panics fails those that wait for it.
func (w *world) fail(format string, args ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf(format, args...)
	}
	panic(w.failure)
}

// newWorld makes the world of a seed. Every second one is calm.
func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 4)), calm: seed%2 == 0}
	chances := Chances{Interrupt: w.random.IntN(100), Early: w.random.IntN(100), Spurious: w.random.IntN(300),
		Stale: w.random.IntN(300), Held: w.random.IntN(300)}
	if !w.calm {
		chances.Refuse, chances.Reset = w.random.IntN(50), w.random.IntN(50)
	}
	w.sys = New(seed, chances)
	w.sys.Fail = w.fail
	w.reactor = reactor.On(w.sys)
	w.ex = coop.New(coop.Config{Driver: w.reactor, Seed: seed + 1, OnPanic: func(e *coop.JoinError) {
		w.fail("a task panicked: %v", e)
	}})
	return w
}

// tracked is a future that checks how it is used.
type tracked[T any] struct {
	w      *world
	inside coop.Future[T]
	name   string
	polls  int
	drops  int
	over   bool
}

// track wraps a future, for spawning or as a part of another one. It must be dropped before the end of the world.
func track[T any](w *world, name string, f coop.Future[T]) *tracked[T] {
	t := &tracked[T]{w: w, inside: f, name: name}
	w.tracked = append(w.tracked, t)
	return t
}

func (t *tracked[T]) Poll(cx *coop.Context) coop.Poll[T] {
	if t.over || t.drops > 0 {
		t.w.fail("%s is polled after its end", t.name)
	}
	t.polls++
	before := t.w.sys.Ops
	p := t.inside.Poll(cx)
	if ops := t.w.sys.Ops - before; ops > coop.OpsPerPoll {
		t.w.fail("%s completed %d operations in one poll", t.name, ops)
	}
	t.over = p.IsReady()
	return p
}

func (t *tracked[T]) Drop(cx *coop.Context) {
	t.drops++
	if t.drops > 1 {
		t.w.fail("%s is dropped again", t.name)
	}
	coop.Drop(cx, t.inside)
}

func (t *tracked[T]) check() error {
	if t.drops != 1 {
		return fmt.Errorf("%s was dropped %d times, want once (%d polls)", t.name, t.drops, t.polls)
	}
	return nil
}

// between returns a time that the run's chance chooses.
func (w *world) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.random.Int64N(int64(to-from)+1))
}

// byteAt is what a client sends at a position.
func byteAt(client, position int) byte { return byte(position*7 + position>>8 + client*31) }

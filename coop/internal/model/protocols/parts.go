package main

import (
	"turnlab/coop"
	"turnlab/coop/internal/model"
	"turnlab/coop/internal/model/standin"
)

// newExecutor returns an executor with a modelled place to sleep.
func newExecutor() (*coop.Executor, *model.Park) {
	park := &model.Park{}
	return coop.New(coop.Config{Driver: park, Seed: 1, TasksMax: 100}), park
}

// watched is a future that checks how it is used: by its owner alone, one poll at a time, not after its end, no more often
// than it was woken, and dropped once.
type watched struct {
	w       *model.World
	owner   string // the thread that may poll and drop it
	step    func(cx *coop.Context) bool
	wakes   int // by anybody; -1 to leave the number of polls unchecked
	polls   int
	drops   int
	polling bool
	over    bool
}

// Poll calls step, which says whether the future is ready.
func (f *watched) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	f.polls++
	switch {
	case f.w.Current() != f.owner:
		f.w.Failf("a future of %s is polled by %s", f.owner, f.w.Current())
	case f.over || f.drops > 0:
		f.w.Failf("a future is polled after its end")
	case f.polling:
		f.w.Failf("a future is polled during its poll")
	case f.wakes >= 0 && f.polls > f.wakes+1:
		f.w.Failf("a future that was woken %d times is polled %d times", f.wakes, f.polls)
	}
	f.polling = true
	f.over = f.step(cx)
	f.polling = false
	if f.over {
		return coop.Done()
	}
	return coop.Pending[coop.Unit]()
}

// Drop counts.
func (f *watched) Drop(*coop.Context) {
	f.drops++
	if f.drops > 1 || f.polling || f.w.Current() != f.owner {
		f.w.Failf("a future is dropped %d times, by %s, during a poll: %v", f.drops, f.w.Current(), f.polling)
	}
}

// droppedAtEnd checks that each future has been dropped once.
func droppedAtEnd(w *model.World, futures ...*watched) {
	w.AtEnd(func() {
		for i, f := range futures {
			if f.drops != 1 {
				w.Failf("future %d was dropped %d times, want once", i, f.drops)
			}
		}
	})
}

// gate is a leaf future for other threads to open: it is ready when all of its bits are set. It breaks no rule of the poll
// contract: the waker is there before it looks.
type gate struct {
	watched
	all   uint64
	bits  standin.Uint64
	waker coop.Waker // of the last poll
}

func newGate(w *model.World, owner string, all uint64) *gate {
	g := &gate{all: all}
	g.w, g.owner, g.step = w, owner, func(cx *coop.Context) bool {
		g.waker = cx.Waker()
		return g.bits.Load() == g.all
	}
	return g
}

// open sets a bit and wakes whoever waits, once the gate has been polled.
func (g *gate) open(bit uint64) {
	waker := g.handed()
	g.bits.Or(bit)
	g.wakes++
	waker.Wake()
}

// handed waits until the gate has a waker, and returns it.
func (g *gate) handed() coop.Waker {
	standin.Running.Block("wait for a waker", func() bool { return !g.waker.IsZero() })
	return g.waker
}

// never returns a future that is not ready however often it is polled.
func never(w *model.World, owner string) *gate { return newGate(w, owner, 1<<63) }

// block runs f to its end and closes the executor.
func block(w *model.World, ex *coop.Executor, f coop.Future[coop.Unit]) {
	if _, err := coop.BlockOn(ex, f); err != nil {
		w.Failf("BlockOn: %v", err)
	}
	if err := ex.Close(); err != nil {
		w.Failf("Close: %v", err)
	}
}

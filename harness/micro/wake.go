package micro

import (
	"errors"
	"sync"

	"turnlab/coop"
	"turnlab/internal/option"
)

var wake = &Operation{
	Name: "wake",
	Summary: "wake a task from another thread and wait until it has done the same: half of a round. What a switch within one thread " +
		"saves is seen beside it",
	Options: option.Set{pinnedOption},
	Ways: []Way{
		{Engine: "coop", Does: "a waker of an executor that sleeps in epoll on another thread, through its eventfd", Procs: executorsProcs, Make: newPosts},
		{Engine: "preempt", Does: "an unbuffered channel to a goroutine that is bound to another thread", Procs: goroutineProcs, Make: newBoundChannels},
		{Engine: "threads", Does: "a futex: the same as switch, because between threads every switch is a wake", Procs: threadProcs(2), Make: newFutexThreads},
	},
}

// executorsProcs is the engine's rule for two executors.
func executorsProcs(option.Values, int) int { return 3 }

func newFutexThreads(option.Values) (Runner, error) {
	mine, theirs := newFutexEnds()
	return newThreadPair(mine, theirs), nil
}

// newBoundChannels binds the goroutine that answers, and not the caller's: every hand-over has to cross threads then.
func newBoundChannels(option.Values) (Runner, error) { return newChannels(true), nil }

// A post is where a task of one executor waits for a task of another.
type post struct {
	mu      sync.Mutex
	there   bool
	waiting coop.Waker
}

// Poll takes what is there.
func (p *post) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	if !cx.Proceed() {
		return coop.Pending[coop.Unit]()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.there {
		p.there = false
		cx.Spend()
		return coop.Done()
	}
	if !p.waiting.WillWake(cx.Waker()) {
		p.waiting.Drop()
		p.waiting = cx.Waker().Clone()
	}
	return coop.Pending[coop.Unit]()
}

// put leaves something and wakes the task that waits.
func (p *post) put() {
	p.mu.Lock()
	p.there = true
	w := p.waiting
	p.mu.Unlock()
	if !w.IsZero() {
		w.Wake()
	}
}

// writer is a task that answers its post, for left times; negative is for ever. The one that begins writes first.
type writer struct {
	in, out *post
	begins  bool
	left    int
}

// Poll answers what has come. Post that is there already counts against the task's budget, which bounds the loop.
func (w *writer) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for {
		if !w.begins && !w.in.Poll(cx).IsReady() {
			return coop.Pending[coop.Unit]()
		}
		w.begins = false
		if w.left == 0 {
			return coop.Done()
		}
		w.left--
		w.out.put()
	}
}

// posts is two tasks of two executors, each on a thread of its own.
type posts struct {
	mine, other *coop.Executor
	there, back post
	ended       chan error // of the other executor
}

func newPosts(option.Values) (Runner, error) {
	mine, err := newExecutor(2)
	if err != nil {
		return nil, err
	}
	other, err := newExecutor(2)
	if err != nil {
		return nil, errors.Join(err, mine.Close())
	}
	p := &posts{mine: mine, other: other, ended: make(chan error, 1)}
	if err := other.Go(&writer{in: &p.there, out: &p.back, left: -1}); err != nil {
		return nil, errors.Join(err, mine.Close(), other.Close())
	}
	go func() { p.ended <- other.Run() }()
	return p, nil
}

func (p *posts) Run(n int) error {
	_, err := coop.BlockOn(p.mine, coop.Future[coop.Unit](&writer{in: &p.back, out: &p.there, begins: true, left: n / 2}))
	return err
}

func (p *posts) Close() error {
	p.other.Stop()
	return errors.Join(<-p.ended, p.mine.Close())
}

package micro

import (
	"runtime"

	"golang.org/x/sys/unix"

	"turnlab/coop"
	"turnlab/coop/reactor"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

var switching = &Operation{
	Name: "switch",
	Summary: "one of two tasks wakes the other and waits for it: half of a round. Each time somebody else goes on, so it is the " +
		"whole way from one task to the next, the scheduler's part with it",
	Options: option.Set{pinnedOption},
	Ways: []Way{
		{Engine: "coop", Does: "two futures on one executor", Procs: coopProcs, Make: newTasks},
		{Engine: "coop/await", Does: "the same as async functions: two coroutines", Procs: coopProcs, Make: newAwaitTasks},
		{Engine: "preempt", Does: "two goroutines", Procs: goroutineProcs, Make: newGoroutines,
			Options: option.Set{{Name: "via", Kind: option.Choice, Default: "channel", Choices: []string{"channel", "gosched"},
				Help: "channel: an unbuffered one, the way goroutines hand over; gosched: runtime.Gosched, the bare scheduler, with one P only"}}},
		{Engine: "threads", Does: "two OS threads", Procs: threadProcs(2), Make: newThreads, Options: option.Set{kernelVia}},
		{Engine: "loop", Does: "the system calls of threads' way by one thread, with nobody to switch to: subtract it", Procs: loopProcs,
			Make: newAlone, Options: option.Set{kernelVia}},
	},
}

// kernelVia is by what threads wake each other.
var kernelVia = option.Option{Name: "via", Kind: option.Choice, Default: "futex", Choices: []string{"futex", "pipe"},
	Help: "futex: what a mutex or a condition is made of; pipe: a byte, as when a thread waits for input"}

// A baton is held by one of two tasks of one executor.
type baton struct {
	holder  int
	passes  int
	waiting [2]coop.LocalWaker
}

// pass hands the baton over.
func (b *baton) pass(to int) {
	b.holder = to
	b.passes++
	b.waiting[to].Wake()
}

// runner is a task that passes the baton on whenever it has it, for left times; negative is for ever.
type runner struct {
	baton *baton
	me    int
	left  int
}

// Poll passes the baton on. It ends when it has the baton back for the last time.
func (r *runner) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	r.baton.waiting[r.me].Register(cx)
	if r.baton.holder != r.me {
		return coop.Pending[coop.Unit]()
	}
	if r.left == 0 {
		return coop.Done()
	}
	r.left--
	r.baton.pass(1 - r.me)
	return coop.Pending[coop.Unit]()
}

// taskPair is two tasks of one executor.
type taskPair struct {
	ex    *coop.Executor
	baton *baton
	make  func(me, rounds int) coop.Future[coop.Unit]
}

// newExecutor makes an executor as the engine coop has it: it looks for events after every 61 polls.
func newExecutor(tasks int) (*coop.Executor, error) {
	r, err := reactor.New()
	if err != nil {
		return nil, err
	}
	return coop.New(coop.Config{Driver: r, TasksMax: tasks + 2}), nil
}

// newPairOf makes the task that answers; Run brings the other.
func newPairOf(newTask func(*baton, int, int) coop.Future[coop.Unit]) (Runner, error) {
	ex, err := newExecutor(2)
	if err != nil {
		return nil, err
	}
	p := &taskPair{ex: ex, baton: &baton{}}
	p.make = func(me, rounds int) coop.Future[coop.Unit] { return newTask(p.baton, me, rounds) }
	return p, ex.Go(p.make(1, -1))
}

func newTasks(option.Values) (Runner, error) {
	return newPairOf(func(b *baton, me, rounds int) coop.Future[coop.Unit] { return &runner{b, me, rounds} })
}

// newAwaitTasks writes the same two tasks as async functions.
func newAwaitTasks(option.Values) (Runner, error) {
	return newPairOf(func(b *baton, me, rounds int) coop.Future[coop.Unit] {
		return coop.Async(func(co *coop.Co) coop.Unit {
			mine := coop.Future[coop.Unit](&turn{b, me})
			for ; rounds != 0; rounds-- {
				coop.Await(co, mine)
				b.pass(1 - me)
			}
			return coop.Await(co, mine)
		})
	})
}

// turn is a future of having the baton. It is polled again and again, so it is made once.
type turn struct {
	baton *baton
	me    int
}

// Poll looks who has the baton.
func (t *turn) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	if t.baton.holder == t.me {
		return coop.Done()
	}
	t.baton.waiting[t.me].Register(cx)
	return coop.Pending[coop.Unit]()
}

func (p *taskPair) Run(n int) error {
	_, err := coop.BlockOn(p.ex, p.make(0, n/2))
	return err
}

func (p *taskPair) Close() error { return p.ex.Close() }

func newGoroutines(o option.Values) (Runner, error) {
	if o.Text("via") == "channel" {
		return newChannels(false), nil
	}
	if runtime.GOMAXPROCS(0) > 1 {
		return nil, misuse.Errorf("preempt.via=gosched needs preempt.procs=1: on several Ps both goroutines run, and nobody switches")
	}
	return yielders{}, nil
}

// channels is two goroutines that hand over by unbuffered channels.
type channels struct{ there, back, ended chan struct{} }

// newChannels starts the goroutine that answers, on a thread of its own if it is to be locked.
func newChannels(locked bool) *channels {
	c := &channels{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	go func() {
		if locked {
			runtime.LockOSThread()
		}
		defer close(c.ended)
		for range c.there {
			c.back <- struct{}{}
		}
	}()
	return c
}

func (c *channels) Run(n int) error {
	for range n / 2 {
		c.there <- struct{}{}
		<-c.back
	}
	return nil
}

func (c *channels) Close() error {
	close(c.there)
	<-c.ended
	return nil
}

// yielders is two goroutines that do nothing but let the other go first.
type yielders struct{}

func (yielders) Run(n int) error {
	ended := make(chan struct{})
	go func() {
		for range n / 2 {
			runtime.Gosched()
		}
		close(ended)
	}()
	for range n / 2 {
		runtime.Gosched()
	}
	<-ended
	return nil
}

func (yielders) Close() error { return nil }

func newThreads(o option.Values) (Runner, error) {
	if o.Text("via") == "futex" {
		mine, theirs := newFutexEnds()
		return newThreadPair(mine, theirs), nil
	}
	mine, theirs, err := newPipeEnds()
	if err != nil {
		return nil, err
	}
	return newThreadPair(mine, theirs), nil
}

// alone is one thread that makes the system calls of two: per hand-over one wakes, or writes, and the other waits, or reads.
type alone struct{ end }

func (a alone) Run(n int) error {
	for range n {
		if err := a.give(); err != nil {
			return err
		}
		if err := a.take(); err != nil {
			return err
		}
	}
	return nil
}

func (a alone) Close() error { return a.close() }

func newAlone(o option.Values) (Runner, error) {
	if o.Text("via") == "futex" {
		return alone{&nobody{}}, nil
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	return alone{byteEnd{fds[0], fds[1]}}, nil
}

// nobody is a futex on which nobody waits.
type nobody struct{ futex }

func (f *nobody) give() error {
	if errno := f.wake(); errno != 0 {
		return errno
	}
	return nil
}

// take is told at once that the word is another.
func (f *nobody) take() error {
	if errno := f.wait(others); errno != unix.EAGAIN {
		return errno
	}
	return nil
}

func (f *nobody) close() error { return nil }

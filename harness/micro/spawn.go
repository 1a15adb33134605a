package micro

import (
	"errors"
	"runtime"

	"turnlab/coop"
	"turnlab/internal/option"
)

var spawn = &Operation{
	Name:    "spawn",
	Summary: "start a task that has nothing to do, and wait for its end",
	Ways: []Way{
		{Engine: "coop", Does: "a future as a task of the executor, and a join", Procs: coopProcs, Make: newSpawner},
		{Engine: "coop/await", Does: "an async function as a task, on a coroutine that has served others, and a join", Procs: coopProcs, Make: newAwaitSpawner},
		{Engine: "preempt", Does: "a goroutine, and a channel that says it is done", Procs: goroutineProcs, Make: newGoSpawner},
		{Engine: "threads", Does: "an OS thread that ends with its goroutine, and a channel; Go's runtime makes it, with a stack for signals and a cache for the allocator",
			Procs: threadProcs(2), Make: newThreadSpawner},
	},
}

// spawner is a task that spawns another, joins it, and so on.
type spawner struct {
	ex      *coop.Executor
	child   func() coop.Future[coop.Unit]
	handle  coop.JoinHandle[coop.Unit]
	started bool
	left    int
	joined  int
}

func newSpawnerOf(child func() coop.Future[coop.Unit]) (Runner, error) {
	ex, err := newExecutor(4)
	return &spawner{ex: ex, child: child}, err
}

func newSpawner(option.Values) (Runner, error) {
	done := coop.Future[coop.Unit](coop.Done())
	return newSpawnerOf(func() coop.Future[coop.Unit] { return done })
}

func newAwaitSpawner(option.Values) (Runner, error) {
	f := new(coop.AsyncFuture[coop.Unit])
	body := func(*coop.Co) coop.Unit { return coop.Unit{} }
	return newSpawnerOf(func() coop.Future[coop.Unit] {
		coop.AsyncIn(f, body)
		return f
	})
}

// Poll joins the task that it has spawned and spawns the next.
func (s *spawner) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for {
		if s.started {
			r, ok := s.handle.Poll(cx).Get()
			if !ok {
				return coop.Pending[coop.Unit]()
			}
			s.started = false
			if r.Err == nil {
				s.joined++
			}
		}
		if s.left == 0 {
			return coop.Done()
		}
		s.left--
		coop.SpawnIn(cx, &s.handle, s.child())
		s.started = true
	}
}

func (s *spawner) Run(n int) error {
	s.left, s.joined = n, 0
	if _, err := coop.BlockOn[coop.Unit](s.ex, s); err != nil {
		return err
	}
	if s.joined != n {
		return errors.New("a task did not end as it should")
	}
	return nil
}

func (s *spawner) Close() error { return s.ex.Close() }

// goSpawner spawns goroutines.
type goSpawner struct {
	done  chan struct{}
	child func(*goSpawner)
}

func newGoSpawner(option.Values) (Runner, error) {
	return &goSpawner{make(chan struct{}), (*goSpawner).end}, nil
}

func newThreadSpawner(option.Values) (Runner, error) {
	return &goSpawner{make(chan struct{}), (*goSpawner).endThread}, nil
}

func (s *goSpawner) end() { s.done <- struct{}{} }

// endThread ends the thread as well, since the goroutine never unlocks it.
func (s *goSpawner) endThread() {
	runtime.LockOSThread()
	s.done <- struct{}{}
}

func (s *goSpawner) Run(n int) error {
	for range n {
		go s.child(s)
		<-s.done
	}
	return nil
}

func (s *goSpawner) Close() error { return nil }

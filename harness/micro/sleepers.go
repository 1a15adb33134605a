package micro

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/coop"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/threads"
)

var sleepers = &Operation{
	Name: "sleepers",
	Summary: "start a task that goes to sleep and stays asleep; when all of them sleep, the process's memory is read. It is the test that " +
		"people know with a million tasks",
	Holds: true,
	Options: option.Set{
		{Name: "tasks", Kind: option.Int, Default: "10k", Min: 2, Max: 1 << 20, Help: "how many sleep at the same time"},
		{Name: "for", Kind: option.Duration, Default: "1h", Min: 0.001, Max: 36000,
			Help: "how long each sleeps; a trial ends as soon as the memory is known, and fails if somebody has woken before"},
	},
	Ways: []Way{
		{Engine: "coop", Does: "a future with a timer in it, as a task", Procs: coopProcs, Make: newSleepTasks},
		{Engine: "coop/await", Does: "an async function that awaits a timer: a coroutine", Procs: coopProcs, Make: newAwaitSleepTasks},
		{Engine: "preempt", Does: "a goroutine in time.Sleep", Procs: goroutineProcs, Make: newSleepGoroutines},
		{Engine: "threads", Does: "an OS thread in clock_nanosleep(2); by default with a P for each, as the engine has them",
			Procs: threadPerTask, Make: newSleepThreads},
	},
}

func threadPerTask(o option.Values, _ int) int { return o.Int("tasks") + 2 }

// asleep is what all ways have in common: who sleeps is counted when he lies down and when he has got up.
type asleep struct {
	length time.Duration
	tasks  int64
	down   atomic.Int64
	up     atomic.Int64
	all    chan struct{} // closed when everybody is down
}

func newAsleep(o option.Values) *asleep {
	return &asleep{length: o.Duration("for"), tasks: int64(o.Int("tasks")), all: make(chan struct{})}
}

// lie counts one more. He has a park or a system call to go until he really sleeps.
func (a *asleep) lie() {
	if a.down.Add(1) == a.tasks {
		close(a.all)
	}
}

// Held says that somebody has woken, which would make less of the memory.
func (a *asleep) Held() error {
	if n := a.up.Load(); n > 0 {
		return fmt.Errorf("%d of %d sleepers had woken before the memory was read: let them sleep longer (sleepers.for)", n, a.tasks)
	}
	return nil
}

// lieTime bounds how long they may take to lie down.
const lieTime = time.Minute

// wait waits until everybody is down.
func (a *asleep) wait() error {
	select {
	case <-a.all:
		return nil
	case <-time.After(lieTime):
		return fmt.Errorf("after %v %d of %d tasks sleep", lieTime, a.down.Load(), a.tasks)
	}
}

// sleepTasks are those of an executor.
type sleepTasks struct {
	*asleep
	ex   *coop.Executor
	task func(*sleepTasks) coop.Future[coop.Unit]
}

func newSleepTasks(o option.Values) (Runner, error) {
	return newSleepersOf(o, func(s *sleepTasks) coop.Future[coop.Unit] {
		f := &sleepTask{all: s.asleep}
		f.sleep = *coop.SleepFor(s.length)
		return f
	})
}

// newAwaitSleepTasks keeps the future that is awaited inside the one that awaits: one piece of memory, and the stack.
func newAwaitSleepTasks(o option.Values) (Runner, error) {
	return newSleepersOf(o, func(s *sleepTasks) coop.Future[coop.Unit] {
		return coop.Async(func(co *coop.Co) coop.Unit {
			s.lie()
			coop.Await(co, coop.Future[coop.Unit](coop.SleepFor(s.length)))
			s.up.Add(1)
			return coop.Unit{}
		})
	})
}

func newSleepersOf(o option.Values, task func(*sleepTasks) coop.Future[coop.Unit]) (Runner, error) {
	ex, err := newExecutor(o.Int("tasks") + 2) // and the one that spawns them, and the one that keeps coroutines
	return &sleepTasks{asleep: newAsleep(o), ex: ex, task: task}, err
}

// sleepTask is a future with a timer inside.
type sleepTask struct {
	all     *asleep
	sleep   coop.Sleep
	counted bool
}

// Poll counts its first answer and its last.
func (t *sleepTask) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	if !t.counted {
		t.counted = true
		t.all.lie()
	}
	p := t.sleep.Poll(cx)
	if p.IsReady() {
		t.all.up.Add(1)
	}
	return p
}

// Drop takes the timer off.
func (t *sleepTask) Drop(cx *coop.Context) { t.sleep.Drop(cx) }

// spawnSome is how many tasks are spawned before those have their turn: as many as an executor polls in one.
const spawnSome = coop.PollsPerTurn - 1

// Run spawns n tasks and returns when each of them has been polled.
func (s *sleepTasks) Run(n int) error {
	left := n
	failed, err := coop.BlockOn(s.ex, coop.PollFn[error](func(cx *coop.Context) coop.Poll[error] {
		for range min(spawnSome, left) {
			if err := cx.Go(s.task(s)); err != nil {
				return coop.Ready(err)
			}
			left--
		}
		if left == 0 && s.down.Load() == int64(n) {
			return coop.Ready[error](nil)
		}
		cx.Defer()
		return coop.Pending[error]()
	}))
	return errors.Join(failed, err)
}

func (s *sleepTasks) Close() error { return s.ex.Close() }

// sleepGoroutines are goroutines, or threads.
type sleepGoroutines struct {
	*asleep
	body func(*asleep)
}

func newSleepGoroutines(o option.Values) (Runner, error) {
	return &sleepGoroutines{newAsleep(o), sleepGoroutine}, nil
}

func sleepGoroutine(a *asleep) {
	a.lie()
	time.Sleep(a.length)
	a.up.Add(1)
}

// newSleepThreads is bounded by what the system allows in threads.
func newSleepThreads(o option.Values) (Runner, error) {
	n := o.Int("tasks")
	if n > threads.Most {
		return nil, misuse.Errorf("sleepers.tasks %d: at most %d threads", n, threads.Most)
	}
	if err := threads.Check(n); err != nil {
		return nil, err
	}
	return &sleepGoroutines{newAsleep(o), sleepThread}, nil
}

func sleepThread(a *asleep) {
	runtime.LockOSThread()
	a.lie()
	t := unix.NsecToTimespec(time.Now().Add(a.length).UnixNano())
	for unix.ClockNanosleep(unix.CLOCK_REALTIME, unix.TIMER_ABSTIME, &t, nil) == unix.EINTR {
	}
	a.up.Add(1)
}

func (s *sleepGoroutines) Run(n int) error {
	for range n {
		go s.body(s.asleep)
	}
	return s.wait()
}

// Close leaves the sleepers to the end of the process: nobody can wake a goroutine in time.Sleep.
func (s *sleepGoroutines) Close() error { return nil }

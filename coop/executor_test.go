package coop

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func contains(v any, want string) bool { return strings.Contains(fmt.Sprint(v), want) }

// fn is a future made of a function.
type fn[T any] func(cx *Context) Poll[T]

func (f fn[T]) Poll(cx *Context) Poll[T] { return f(cx) }

func TestBlockOnReturnsTheValue(t *testing.T) {
	ex, _ := newExecutor(t)
	if got := run[int](t, ex, Ready(42)); got != 42 {
		t.Errorf("got %d", got)
	}
	if got := run[string](t, ex, selfWaking(3, "later")); got != "later" {
		t.Errorf("got %q", got)
	}
}

func TestATaskIsPolledOncePerWake(t *testing.T) {
	ex, _ := newExecutor(t)
	sleeper := never[Unit]()
	ex.Go(sleeper)
	run[int](t, ex, selfWaking(10, 0))
	if sleeper.polls != 1 {
		t.Errorf("a task that nobody woke was polled %d times, want once", sleeper.polls)
	}
}

func TestAWakeDuringThePollPollsAgain(t *testing.T) {
	for name, wake := range map[string]func(cx *Context){
		"local":  func(cx *Context) { cx.LocalWaker().Wake() },
		"remote": func(cx *Context) { cx.Waker().Wake() },
		"both":   func(cx *Context) { cx.Waker().Wake(); cx.LocalWaker().Wake(); cx.Waker().Wake() },
	} {
		t.Run(name, func(t *testing.T) {
			ex, _ := newExecutor(t)
			woken := &probe[int]{}
			woken.poll = func(cx *Context) Poll[int] {
				if woken.polls == 2 {
					return Ready(1)
				}
				wake(cx)
				return Pending[int]()
			}
			run[int](t, ex, woken)
		})
	}
}

func TestWakesBeforeAPollAreOne(t *testing.T) {
	ex, _ := newExecutor(t)
	var waker Waker
	sleeper := &probe[Unit]{poll: func(cx *Context) Poll[Unit] { waker = cx.Waker(); return Pending[Unit]() }}
	ex.Go(sleeper)
	run(t, ex, Yield())
	for range 5 {
		waker.Wake()
	}
	run[int](t, ex, selfWaking(5, 0))
	if sleeper.polls != 2 {
		t.Errorf("polled %d times, want once to begin and once for five wakes", sleeper.polls)
	}
}

func TestTasksAreServedInTheOrderInWhichTheyWereWoken(t *testing.T) {
	ex, _ := newExecutor(t)
	var order []int
	for i := range 200 {
		ex.Go(fn[Unit](func(*Context) Poll[Unit] { order = append(order, i); return Done() }))
	}
	run(t, ex, Yield())
	run[int](t, ex, selfWaking(10, 0))
	for i, got := range order {
		if got != i {
			t.Fatalf("place %d went to task %d", i, got)
		}
	}
	if len(order) != 200 {
		t.Errorf("%d tasks ran, want 200", len(order))
	}
}

func TestAWakerOutlivesItsTaskHarmlessly(t *testing.T) {
	ex, _ := newExecutor(t)
	var old Waker
	var oldLocal LocalWaker
	run[int](t, ex, fn[int](func(cx *Context) Poll[int] { old, oldLocal = cx.Waker(), cx.LocalWaker(); return Ready(0) }))
	next := never[Unit]()
	ex.Go(next) // takes the same slot
	run[int](t, ex, selfWaking(3, 0))
	old.Wake()
	oldLocal.Wake()
	run[int](t, ex, selfWaking(3, 0))
	if next.polls != 1 {
		t.Errorf("the waker of a task that has ended woke the next one in its slot")
	}
}

func TestATaskThatWakesItselfDoesNotShutOutTheEvents(t *testing.T) {
	ex, c := newExecutor(t)
	polls := PollsPerTurn * 10
	run[int](t, ex, selfWaking(polls, 0))
	if c.waits < 9 {
		t.Errorf("%d looks for events in %d polls, want one per %d", c.waits, polls, PollsPerTurn)
	}
}

func TestYieldLetsOthersAndTheEventsGoFirst(t *testing.T) {
	ex, c := newExecutor(t)
	looked := 0
	ex.Go(selfWaking(3, Unit{}))
	run[Unit](t, ex, fn[Unit](func(cx *Context) Poll[Unit] {
		if looked == 0 {
			looked = c.waits + 1
			cx.Defer()
			return Pending[Unit]()
		}
		if c.waits < looked {
			t.Error("a task that yielded came back before the events were looked at")
		}
		return Done()
	}))
}

func TestABudgetEndsAPoll(t *testing.T) {
	ex, _ := newExecutor(t)
	var perPoll []int
	left := 3*OpsPerPoll + 10
	run[int](t, ex, fn[int](func(cx *Context) Poll[int] {
		perPoll = append(perPoll, 0)
		for ; left > 0; left-- {
			if !cx.Proceed() {
				return Pending[int]()
			}
			cx.Spend()
			perPoll[len(perPoll)-1]++
		}
		return Ready(0)
	}))
	if fmt.Sprint(perPoll) != fmt.Sprint([]int{OpsPerPoll, OpsPerPoll, OpsPerPoll, 10}) {
		t.Errorf("operations per poll: %v", perPoll)
	}
}

func TestSleepsEndInOrderAndNeverEarly(t *testing.T) {
	ex, c := newExecutor(t)
	var ended []time.Duration
	for _, d := range []time.Duration{5 * time.Second, time.Millisecond, 0, 70 * time.Microsecond, time.Hour, -1} {
		s := SleepFor(d)
		Spawn[Unit](ex, fn[Unit](func(cx *Context) Poll[Unit] {
			p := s.Poll(cx)
			if p.IsReady() {
				if time.Duration(c.now) < d {
					t.Errorf("a sleep of %v ended after %v", d, time.Duration(c.now))
				}
				ended = append(ended, d)
			}
			return p
		}))
	}
	run(t, ex, SleepFor(2*time.Hour))
	want := []time.Duration{0, -1, 70 * time.Microsecond, time.Millisecond, 5 * time.Second, time.Hour}
	if fmt.Sprint(ended) != fmt.Sprint(want) {
		t.Errorf("ended %v, want %v", ended, want)
	}
}

func TestDroppingASleepTakesItsTimerOffTheWheel(t *testing.T) {
	ex, _ := newExecutor(t)
	h := Spawn[Unit](ex, SleepFor(time.Hour))
	run(t, ex, Yield())
	h.Abort()
	if _, err := result(t, ex, h); err != ErrAborted {
		t.Errorf("error %v, want ErrAborted", err)
	}
	if n := ex.timers.Len(); n != 0 {
		t.Errorf("%d timers left", n)
	}
}

// result runs ex until the task has ended.
func result[T any](t testing.TB, ex *Executor, h *JoinHandle[T]) (T, error) {
	t.Helper()
	r := run[Result[T]](t, ex, h)
	return r.Value, r.Err
}

func TestAnotherThreadWakesASleepingExecutor(t *testing.T) {
	ex := New(Config{})
	defer ex.Close()
	for range 1000 {
		wakers := make(chan Waker, 1)
		go func() { (<-wakers).Wake() }()
		first := true
		run[Unit](t, ex, fn[Unit](func(cx *Context) Poll[Unit] {
			if first {
				first = false
				wakers <- cx.Waker()
				return Pending[Unit]()
			}
			return Done()
		}))
	}
}

func TestManyThreadsSpawnAndWakeWithoutLosingAny(t *testing.T) {
	ex := New(Config{})
	ran := make(chan error, 1)
	go func() { ran <- ex.Run() }()
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range 300 {
				got, err := Spawn[int](ex, remotelyWoken(i)).Wait()
				if got != i || err != nil {
					t.Errorf("got %d, %v; want %d", got, err, i)
				}
			}
		}()
	}
	all.Wait()
	ex.Stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// remotelyWoken returns a future that is ready when other goroutines have woken it three times.
func remotelyWoken(v int) Future[int] {
	p := &probe[int]{}
	p.poll = func(cx *Context) Poll[int] {
		if p.polls > 3 {
			return Ready(v)
		}
		w := cx.Waker()
		go w.Wake()
		return Pending[int]()
	}
	return p
}

func TestStopDropsEveryTaskAndRefusesNewOnes(t *testing.T) {
	ex := New(Config{})
	waiting, arrived := never[Unit](), never[Unit]()
	ex.Go(waiting)
	joined := Spawn[Unit](ex, never[Unit]())
	stop := fn[Unit](func(cx *Context) Poll[Unit] {
		ex.Go(arrived)
		ex.Stop()
		return Pending[Unit]()
	})
	ex.Go(stop)
	if err := ex.Run(); err != nil {
		t.Fatal(err)
	}
	if waiting.drops != 1 || arrived.drops != 1 {
		t.Errorf("dropped %d and %d times, want once each", waiting.drops, arrived.drops)
	}
	if _, err := joined.Wait(); err != ErrStopped {
		t.Errorf("the joined task ended with %v, want ErrStopped", err)
	}
	if err := ex.Go(never[Unit]()); err != ErrStopped {
		t.Errorf("Go after Stop: %v, want ErrStopped", err)
	}
	if _, err := Spawn[int](ex, Ready(1)).Wait(); err != ErrStopped {
		t.Errorf("Spawn after Stop: %v, want ErrStopped", err)
	}
	if _, err := BlockOn[int](ex, Ready(1)); err != ErrStopped {
		t.Errorf("BlockOn after Stop: %v, want ErrStopped", err)
	}
	if err := ex.Run(); err != ErrStopped {
		t.Errorf("Run after Stop: %v, want ErrStopped", err)
	}
	if err := ex.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestASpawnBeyondTheBoundIsRefused(t *testing.T) {
	ex := New(Config{TasksMax: 2})
	defer ex.Close()
	ex.Go(never[Unit]())
	h := Spawn[Unit](ex, never[Unit]())
	if err := ex.Go(never[Unit]()); err != ErrFull {
		t.Errorf("the third task: %v, want ErrFull", err)
	}
	h.Abort()
	if _, err := BlockOn[int](ex, Ready(1)); err != ErrFull {
		t.Errorf("BlockOn on a full executor: %v, want ErrFull", err)
	}
}

func TestAFailingDriverStopsTheExecutor(t *testing.T) {
	broken := errors.New("broken")
	task := never[Unit]()
	ex := New(Config{Driver: &failing{clock{t: t}, broken}})
	ex.Go(task)
	if err := ex.Run(); !errors.Is(err, broken) {
		t.Errorf("Run: %v, want the driver's error", err)
	}
	if task.drops != 1 {
		t.Error("the task was not dropped")
	}
}

type failing struct {
	clock
	err error
}

func (f *failing) Wait(time.Duration) error { return f.err }

func TestRunningTwiceIsAnswered(t *testing.T) {
	ex, _ := newExecutor(t)
	run[Unit](t, ex, fn[Unit](func(cx *Context) Poll[Unit] {
		panicsWith(t, "running already", func() { ex.Run() })
		panicsWith(t, "running already", func() { BlockOn[int](ex, Ready(1)) })
		panicsWith(t, "running already", func() { ex.Close() })
		return Done()
	}))
}

func TestWaitingForOneselfIsAnswered(t *testing.T) {
	ex, _ := newExecutor(t)
	run[Unit](t, ex, fn[Unit](func(cx *Context) Poll[Unit] {
		panicsWith(t, "could never return", func() { SpawnLocal[Unit](cx, never[Unit]()).Wait() })
		return Done()
	}))
}

func TestGoexitInATaskStillDropsTheOthers(t *testing.T) {
	ex := New(Config{})
	other := never[Unit]()
	ex.Go(other)
	ex.Go(fn[Unit](func(*Context) Poll[Unit] { runtime.Goexit(); return Done() }))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ex.Run()
	}()
	<-ended
	if other.drops != 1 {
		t.Errorf("the other task was dropped %d times, want once", other.drops)
	}
}

func TestAPanicEndsItsTaskOnly(t *testing.T) {
	ex, _ := newExecutor(t)
	boom := &probe[int]{poll: func(*Context) Poll[int] { panic("boom") }}
	h := Spawn[int](ex, boom)
	_, err := result(t, ex, h)
	var failure *JoinError
	if !errors.As(err, &failure) || failure.Panic != "boom" || !strings.Contains(string(failure.Stack), "TestAPanicEndsItsTaskOnly") {
		t.Errorf("error %v; want the panic and the stack of the task", err)
	}
	if boom.drops != 1 {
		t.Errorf("dropped %d times, want once", boom.drops)
	}
	if got := run[int](t, ex, Ready(7)); got != 7 {
		t.Error("the executor does not go on")
	}
}

func TestAPanicThatNobodyJoinsReachesTheProgram(t *testing.T) {
	ex := New(Config{})
	task := &probe[Unit]{poll: func(*Context) Poll[Unit] { panic("boom") }}
	ex.Go(task)
	panicsWith(t, "boom", func() { ex.Run() })
	if task.drops != 1 {
		t.Errorf("dropped %d times, want once", task.drops)
	}

	var told *JoinError
	ex = New(Config{OnPanic: func(e *JoinError) { told = e }})
	ex.Go(fn[Unit](func(*Context) Poll[Unit] { panic("boom") }))
	run[int](t, ex, selfWaking(1, 0))
	ex.Close()
	if told == nil || told.Panic != "boom" {
		t.Errorf("OnPanic was told %v", told)
	}
}

func TestAPanicInDropIsReported(t *testing.T) {
	var told []*JoinError
	ex := New(Config{OnPanic: func(e *JoinError) { told = append(told, e) }})
	defer ex.Close()
	ex.Go(explosive{})
	run[int](t, ex, selfWaking(1, 0))
	if len(told) != 1 {
		t.Errorf("OnPanic was told %d times, want once", len(told))
	}
	h := Spawn[Unit](ex, explosive{})
	if _, err := result(t, ex, h); err == nil || !contains(err, "in Drop") {
		t.Errorf("the join ended with %v", err)
	}
}

type explosive struct{}

func (explosive) Poll(*Context) Poll[Unit] { return Done() }
func (explosive) Drop(*Context)            { panic("boom in Drop") }

func TestAResultIsHandedOutOnce(t *testing.T) {
	ex, _ := newExecutor(t)
	h := Spawn[int](ex, Ready(1))
	if v, err := result(t, ex, h); v != 1 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
	panicsWith(t, "taken before", func() { h.Wait() })
	panicsWith(t, "taken before", func() { h.Poll(NewContext(NoopWaker())) })
}

func TestAnAbortedTaskIsDroppedBetweenPolls(t *testing.T) {
	ex, _ := newExecutor(t)
	task := never[int]()
	h := Spawn[int](ex, task)
	run(t, ex, Yield())
	h.Abort()
	h.Abort()
	if task.drops != 0 {
		t.Error("Abort dropped the task itself; that is the executor's to do")
	}
	if _, err := result(t, ex, h); err != ErrAborted {
		t.Errorf("error %v, want ErrAborted", err)
	}
	if task.drops != 1 || task.polls != 1 {
		t.Errorf("polled %d times and dropped %d times, want once each", task.polls, task.drops)
	}
	h.Abort() // after the end: harmless
}

func TestAnAbortBeforeTheFirstPollCounts(t *testing.T) {
	ex, _ := newExecutor(t)
	task := never[int]()
	h := Spawn[int](ex, task)
	h.Abort()
	if _, err := result(t, ex, h); err != ErrAborted || task.polls != 0 {
		t.Errorf("error %v after %d polls, want ErrAborted after none", err, task.polls)
	}
}

func TestATaskIsGivenBackBeforeItsResultIsSeen(t *testing.T) {
	ex, _ := newExecutor(t)
	task := &probe[int]{poll: func(*Context) Poll[int] { return Ready(1) }}
	h := Spawn[int](ex, task)
	result(t, ex, h)
	if task.drops != 1 {
		t.Errorf("dropped %d times when its result was seen, want once", task.drops)
	}
}

func TestAHandleCanBeUsedAgain(t *testing.T) {
	ex, _ := newExecutor(t)
	var h JoinHandle[int]
	i := 0
	run[Unit](t, ex, fn[Unit](func(cx *Context) Poll[Unit] {
		if i > 0 {
			r, ok := h.Poll(cx).Get()
			if !ok {
				return Pending[Unit]()
			}
			if r.Value != i {
				t.Errorf("task %d returned %d", i, r.Value)
			}
		}
		i++
		if i > 3 {
			return Done()
		}
		SpawnIn[int](cx, &h, selfWaking(1, i))
		panicsWith(t, "SpawnIn needs a handle", func() { SpawnIn[int](cx, &h, Ready(1)) })
		h.Poll(cx)
		return Pending[Unit]()
	}))
}

func TestATaskOfOneExecutorJoinsOneOfAnother(t *testing.T) {
	far := New(Config{})
	ran := make(chan error, 1)
	go func() { ran <- far.Run() }()
	near := New(Config{})
	defer near.Close()
	for i := range 200 {
		if r := run[Result[int]](t, near, Spawn(far, remotelyWoken(i))); r.Value != i || r.Err != nil {
			t.Fatalf("got %v, want %d", r, i)
		}
	}
	far.Stop()
	<-ran
}

func TestOffloadedWorkRunsElsewhere(t *testing.T) {
	ex := New(Config{})
	defer ex.Close()
	pool := NewPool(2)
	release := make(chan struct{})
	h := Spawn[Result[int]](ex, Offload(pool, func() int { <-release; return 9 }))
	failing := Spawn[Result[int]](ex, Offload(pool, func() int { panic("boom") }))
	run[int](t, ex, selfWaking(100, 0)) // the executor goes on meanwhile
	if h.Finished() {
		t.Error("the work has ended before it could")
	}
	close(release)
	if r, err := result(t, ex, h); r.Value != 9 || r.Err != nil || err != nil {
		t.Errorf("got %v, %v", r, err)
	}
	var failure *JoinError
	if r, _ := result(t, ex, failing); !errors.As(r.Err, &failure) || failure.Panic != "boom" {
		t.Errorf("got %v, want the panic", r.Err)
	}
	pool.Close()
	if r := run[Result[int]](t, ex, Offload(pool, func() int { return 1 })); r.Err != ErrStopped {
		t.Errorf("work for a closed pool: %v, want ErrStopped", r.Err)
	}
}

func TestClosingAPoolAnswersWhatHasNotBegun(t *testing.T) {
	ex := New(Config{})
	defer ex.Close()
	pool := NewPool(1)
	began, release := make(chan struct{}), make(chan struct{})
	first := Spawn[Result[int]](ex, Offload(pool, func() int { close(began); <-release; return 1 }))
	var rest []*JoinHandle[Result[int]]
	for range 10 {
		rest = append(rest, Spawn[Result[int]](ex, Offload(pool, func() int { return 2 })))
	}
	run[int](t, ex, selfWaking(20, 0))
	<-began
	closed := make(chan struct{})
	go func() { pool.Close(); close(closed) }()
	for _, h := range rest {
		if r, _ := result(t, ex, h); r.Err != ErrStopped {
			t.Errorf("got %v, want ErrStopped", r)
		}
	}
	close(release)
	<-closed
	if r, _ := result(t, ex, first); r.Value != 1 {
		t.Errorf("got %v, want 1", r)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	ex, _ := newExecutor(t)
	var h JoinHandle[int]
	sleep := SleepFor(0)
	one := Future[int](Ready(1))
	body := func(cx *Context) {
		for range 100 {
			SpawnIn(cx, &h, one)
			ex.pollSome()
			h.Poll(cx)
			sleep.Reset(cx, time.Second)
			sleep.Poll(cx)
			sleep.Drop(cx)
			cx.Waker().Wake()
			ex.tasks.collect()
		}
	}
	ex.cx.waker = ex.tasks.insert(never[Unit]()).waker()
	body(&ex.cx) // the first round makes the slots
	if n := testing.AllocsPerRun(10, func() { body(&ex.cx) }); n != 0 {
		t.Errorf("%v allocations in 100 rounds of spawn, join, timer and wake", n)
	}
}

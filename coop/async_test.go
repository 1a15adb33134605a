package coop

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestAnAsyncFunctionWaitsLikeBlockingCode(t *testing.T) {
	ex, clock := newExecutor(t)
	got := run(t, ex, Async(func(co *Co) int {
		sum := 0
		for i := range 5 {
			Await(co, SleepFor(time.Second))
			sum += Await(co, selfWaking(2, i))
		}
		return sum
	}))
	if got != 10 || clock.now < int64(5*time.Second) {
		t.Errorf("got %d after %v, want 10 after 5 s", got, time.Duration(clock.now))
	}
}

func TestAReadyFutureIsAwaitedWithoutSuspending(t *testing.T) {
	f := Async(func(co *Co) int { return Await(co, Ready(3)) + Await(co, Ready(4)) })
	if v, ok := f.Poll(NewContext(NoopWaker())).Get(); v != 7 || !ok {
		t.Errorf("the first poll answered %d, %v; want 7", v, ok)
	}
}

func TestAwaitDropsWhatItAwaited(t *testing.T) {
	ex, _ := newExecutor(t)
	ready, failing := selfWaking(1, 1), &probe[int]{poll: func(*Context) Poll[int] { panic("boom") }}
	h := Spawn(ex, Async(func(co *Co) int { return Await(co, ready) + Await(co, failing) }))
	if _, err := result(t, ex, h); !contains(err, "boom") {
		t.Errorf("got %v, want the panic", err)
	}
	if ready.drops != 1 || failing.drops != 1 {
		t.Errorf("dropped %d and %d times, want once each", ready.drops, failing.drops)
	}
}

func TestADroppedAsyncFunctionUnwinds(t *testing.T) {
	ex, _ := newExecutor(t)
	awaited, deferred, after := never[Unit](), 0, false
	h := Spawn(ex, Async(func(co *Co) Unit {
		defer func() { deferred++ }()
		Await(co, awaited)
		after = true
		return Unit{}
	}))
	run(t, ex, Yield())
	h.Abort()
	if _, err := result(t, ex, h); err != ErrAborted {
		t.Errorf("got %v, want ErrAborted", err)
	}
	if deferred != 1 || awaited.drops != 1 || after {
		t.Errorf("deferred %d, drops %d, went on %v", deferred, awaited.drops, after)
	}
}

func TestABodyThatRecoversItsEndFindsItAgain(t *testing.T) {
	ex, _ := newExecutor(t)
	rounds := 0
	h := Spawn(ex, Async(func(co *Co) Unit {
		for {
			func() {
				defer func() { rounds++; recover() }()
				Await(co, never[Unit]())
			}()
		}
	}))
	run(t, ex, Yield())
	h.Abort()
	if _, err := result(t, ex, h); err != ErrAborted {
		t.Errorf("got %v, want ErrAborted", err)
	}
	if rounds < 2 || rounds > unwindsMax+1 {
		t.Errorf("the body was told %d times", rounds)
	}
}

func TestAPanicOfABodyKeepsItsStack(t *testing.T) {
	ex, _ := newExecutor(t)
	mine := errors.New("my own error")
	h := Spawn(ex, Async(func(co *Co) Unit {
		Await(co, Yield())
		Await(co, Async(func(co *Co) Unit { Await(co, Yield()); deepInside(mine); return Unit{} }))
		return Unit{}
	}))
	_, err := result(t, ex, h)
	if !errors.Is(err, mine) || !strings.Contains(err.Error(), "deepInside") {
		t.Errorf("got %v; want the body's error and the place where it panicked", err)
	}
	if got := run(t, ex, Async(func(co *Co) int { return Await(co, selfWaking(1, 5)) })); got != 5 {
		t.Errorf("after a panic: got %d", got)
	}
}

//go:noinline
func deepInside(err error) { panic(err) }

func TestGoexitInABodyEndsTheTaskOnly(t *testing.T) {
	ex, _ := newExecutor(t)
	for _, awaitFirst := range []bool{false, true} {
		deferred := false
		h := Spawn(ex, Async(func(co *Co) Unit {
			defer func() { deferred = true }()
			if awaitFirst {
				Await(co, Yield())
			}
			runtime.Goexit()
			return Unit{}
		}))
		if _, err := result(t, ex, h); !contains(err, "Goexit") || !deferred {
			t.Errorf("got %v, deferred %v; want a panic about Goexit", err, deferred)
		}
	}
}

func TestAnAwaitThatCannotWorkSaysSo(t *testing.T) {
	panicsWith(t, "outside an async function", func() { Await(nil, Ready(1)) })
	panicsWith(t, "outside an async function", func() { Await(&Co{}, Ready(1)) })
	ex, _ := newExecutor(t)
	var kept *Co
	run(t, ex, Async(func(co *Co) int { kept = co; return 0 }))
	panicsWith(t, "has ended", func() { Await(kept, Ready(1)) })
	h := Spawn(ex, Async(func(co *Co) int { kept = co; return Await(co, never[int]()) }))
	run(t, ex, Yield())
	panicsWith(t, "from another goroutine", func() { Await(kept, Ready(1)) })
	h.Abort()
	result(t, ex, h)
}

func TestAnAsyncFutureThatIsOverIsNotPolled(t *testing.T) {
	cx := NewContext(NoopWaker())
	f := Async(func(*Co) int { return 1 })
	f.Poll(cx)
	panicsWith(t, "after Ready or Drop", func() { f.Poll(cx) })
	dropped := Async(func(*Co) int { return 1 })
	dropped.Drop(cx)
	panicsWith(t, "after Ready or Drop", func() { dropped.Poll(cx) })
	var self *AsyncFuture[int]
	self = Async(func(co *Co) int { return Await(co, Future[int](self)) })
	panicsWith(t, "by its own body", func() { self.Poll(cx) })
	waiting := Async(func(co *Co) int { return Await(co, never[int]()) })
	waiting.Poll(cx)
	panicsWith(t, "has not ended", func() { AsyncIn(waiting, func(*Co) int { return 1 }) })
	waiting.Drop(cx)
}

func TestAsyncFunctionsNest(t *testing.T) {
	ex, _ := newExecutor(t)
	var fib func(n int) Future[int]
	fib = func(n int) Future[int] {
		return Async(func(co *Co) int {
			Await(co, Yield())
			if n < 2 {
				return n
			}
			both := Await(co, Join2(fib(n-1), fib(n-2)))
			return both.First + both.Second
		})
	}
	if got := run(t, ex, fib(10)); got != 55 {
		t.Errorf("got %d, want 55", got)
	}
}

func TestShutdownUnwindsBodiesAndKeepsNoCoroutine(t *testing.T) {
	for _, locked := range []bool{false, true} {
		ex := New(Config{Locked: locked})
		const bodies = 2 * coroutinesKept
		unwound, began := 0, 0
		for range bodies {
			Spawn(ex, Async(func(co *Co) Unit {
				defer func() { unwound++ }()
				began++
				if began == bodies {
					ex.Stop()
				}
				return Await(co, never[Unit]())
			}))
		}
		if err := ex.Run(); err != nil || unwound != bodies {
			t.Errorf("locked %v: %d of %d unwound, error %v", locked, unwound, bodies, err)
		}
		if ex.coroutines.idle != nil {
			t.Errorf("locked %v: a stopped executor keeps %d coroutines", locked, ex.coroutines.length)
		}
	}
}

func TestALockedExecutorThatBlocksOnAnAsyncFunctionCanBeClosed(t *testing.T) {
	ex := New(Config{Locked: true})
	for range 3 {
		if v, err := BlockOn(ex, Async(func(co *Co) int { Await(co, Yield()); return 1 })); v != 1 || err != nil {
			t.Fatalf("got %d, %v", v, err)
		}
	}
	if err := ex.Close(); err != nil {
		t.Error(err)
	}
}

func TestBodiesShareCoroutines(t *testing.T) {
	ex, _ := newExecutor(t)
	home := func() *coroutines { return &ex.coroutines }
	run(t, ex, Async(func(co *Co) int { Await(co, Yield()); return 1 }))
	first := home().idle
	run(t, ex, Async(func(co *Co) int {
		if home().idle != nil {
			t.Error("the coroutine was not used again")
		}
		Await(co, Yield())
		return 1
	}))
	if home().idle != first || home().length != 1 {
		t.Errorf("%d coroutines are kept, want the same one", home().length)
	}
}

func TestAwaitAllocatesNothing(t *testing.T) {
	ex, _ := newExecutor(t)
	turn := PollFn[Unit](func() func(cx *Context) Poll[Unit] {
		yielded := false
		return func(cx *Context) Poll[Unit] {
			if yielded = !yielded; yielded {
				cx.LocalWaker().Wake()
				return Pending[Unit]()
			}
			return Done()
		}
	}())
	awaited := Future[Unit](turn)
	var again AsyncFuture[Unit]
	body := func(co *Co) Unit { Await(co, awaited); return Await(co, awaited) }
	cx := &ex.cx
	cx.waker = ex.tasks.insert(never[Unit]()).waker()
	round := func() {
		AsyncIn(&again, body)
		cx.budget = OpsPerPoll
		for !again.Poll(cx).IsReady() {
			ex.tasks.dequeue()
		}
		again.Drop(cx)
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations per body with two awaits", n)
	}
}

// BenchmarkAwaitSwitch suspends and resumes a body: BenchmarkWakeAndPoll is the same without a coroutine.
func BenchmarkAwaitSwitch(b *testing.B) {
	ex := New(Config{Driver: &clock{t: b}})
	defer ex.Close()
	b.ReportAllocs()
	again := false
	turn := Future[Unit](PollFn[Unit](func(cx *Context) Poll[Unit] {
		if again = !again; again {
			cx.LocalWaker().Wake()
			return Pending[Unit]()
		}
		return Done()
	}))
	BlockOn(ex, Async(func(co *Co) Unit {
		for b.Loop() {
			Await(co, turn)
		}
		return Unit{}
	}))
}

// BenchmarkAwaitReady awaits what is ready, for which nothing is switched.
func BenchmarkAwaitReady(b *testing.B) {
	ready := Future[int](Ready(1))
	Async(func(co *Co) Unit {
		for b.Loop() {
			Await(co, ready)
		}
		return Unit{}
	}).Poll(NewContext(NoopWaker()))
}

// BenchmarkAsyncToDone runs a body that does not wait, on a coroutine that is kept.
func BenchmarkAsyncToDone(b *testing.B) {
	ex := New(Config{Driver: &clock{t: b}})
	defer ex.Close()
	b.ReportAllocs()
	body := func(*Co) Unit { return Unit{} }
	BlockOn(ex, Lazy(func(cx *Context) Unit {
		var f AsyncFuture[Unit]
		for b.Loop() {
			AsyncIn(&f, body)
			f.Poll(cx)
		}
		return Unit{}
	}))
}

// BenchmarkParkedBodies reports what a body that waits takes: its stack, its goroutine and its task.
func BenchmarkParkedBodies(b *testing.B) {
	const bodies = 10_000
	for b.Loop() {
		ex := New(Config{Driver: &clock{t: b}})
		before := inUse()
		for range bodies {
			Spawn(ex, Async(func(co *Co) Unit { return Await(co, never[Unit]()) }))
		}
		BlockOn(ex, Yield())
		b.ReportMetric(float64(inUse()-before)/bodies, "B/body")
		ex.Close()
	}
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

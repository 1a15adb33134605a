package coop_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"turnlab/coop"
)

// findings collects what a Watch reports.
type findings struct {
	mu  sync.Mutex
	all []coop.Finding
}

func (f *findings) add(x coop.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, x)
}

func (f *findings) of(lint coop.Lint) (found []coop.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.all {
		if x.Lint == lint {
			found = append(found, x)
		}
	}
	return found
}

// watch runs fut under w and returns what was found and the executor's counts.
func watch[T any](t *testing.T, w coop.Watch, fut coop.Future[T]) (*findings, coop.Stats) {
	t.Helper()
	found := &findings{}
	w.Report = found.add
	ex := coop.New(coop.Config{Watch: &w})
	defer ex.Close()
	if _, err := coop.BlockOn(ex, fut); err != nil {
		t.Fatal(err)
	}
	return found, ex.Stats()
}

// expect checks that lint was found n times, and everything else never.
func expect(t *testing.T, found *findings, lint coop.Lint, n int) {
	t.Helper()
	if got := len(found.of(lint)); got != n || len(found.all) != n {
		t.Errorf("%q found %d times instead of %d, among %v", lint, got, n, found.all)
	}
}

func compute(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

// steps is a future of n polls that calls step in each.
func steps(n int, step func(cx *coop.Context)) coop.Future[coop.Unit] {
	return coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		if n--; n < 0 {
			return coop.Done()
		}
		step(cx)
		return coop.Pending[coop.Unit]()
	})
}

// beside runs other as a task, and main until it is ready.
func beside[T any](main coop.Future[T], other coop.Future[coop.Unit]) coop.Future[T] {
	begun := false
	return coop.PollFn[T](func(cx *coop.Context) coop.Poll[T] {
		if !begun {
			begun = true
			cx.Go(other)
		}
		return main.Poll(cx)
	})
}

func TestATaskWhoseWakerNobodyHoldsIsReportedOnce(t *testing.T) {
	forgetful := steps(1000, func(cx *coop.Context) { cx.LocalWaker() }) // looked at, and not kept
	found, _ := watch(t, coop.Watch{}, beside(coop.SleepFor(time.Millisecond), forgetful))
	expect(t, found, coop.LostWaker, 1)
	f := found.all[0]
	if !strings.Contains(f.Future, "PollFn") || !strings.Contains(f.Spawned, "watch_test.go:") || !strings.Contains(f.String(), "lost waker") {
		t.Errorf("%v", f)
	}
}

// Everything in the library that can be waited for keeps its waker properly.
func TestATaskThatWaitsForSomethingHasNotLostItsWaker(t *testing.T) {
	pool := coop.NewPool(1)
	defer pool.Close()
	abortable, handle := coop.Abortable[coop.Unit](coop.SleepFor(time.Hour))
	var remote coop.Waker
	hears := coop.NewNotify()
	waits := []coop.Future[coop.Unit]{
		coop.SleepFor(time.Millisecond),
		ignore(coop.Timeout[coop.Unit](time.Millisecond, coop.SleepFor(time.Hour))),
		ignore(coop.Offload(pool, func() int { time.Sleep(time.Millisecond); handle.Abort(); return 1 })),
		ignore(abortable),
		coop.Yield(),
		coop.Async(func(co *coop.Co) coop.Unit { return coop.Await(co, coop.SleepFor(time.Millisecond)) }),
		hears.Notified(),
		coop.Lazy(func(*coop.Context) coop.Unit { hears.NotifyOne(); return coop.Unit{} }),
		steps(1, func(cx *coop.Context) { cx.LocalWaker().Wake() }),
		steps(1, func(cx *coop.Context) { cx.Waker().Wake() }),
		steps(1, func(cx *coop.Context) {
			remote = cx.Waker().Clone()
			go func() { remote.Wake(); remote.Drop() }()
		}),
	}
	set := coop.NewFuturesUnordered[coop.Unit]()
	set.Push(coop.SleepFor(time.Millisecond))
	waits = append(waits, ignore(set.Next()))
	var main coop.PollFn[coop.Unit]
	joins := coop.NewJoinSet[coop.Unit]()
	main = func(cx *coop.Context) coop.Poll[coop.Unit] {
		for _, f := range waits {
			joins.Spawn(cx, f)
		}
		waits = nil
		for {
			item, ok := joins.PollNext(cx).Get()
			if !ok {
				return coop.Pending[coop.Unit]()
			}
			if !item.OK {
				return coop.Done()
			}
		}
	}
	found, _ := watch(t, coop.Watch{}, main)
	expect(t, found, coop.LostWaker, 0)
}

// ignore makes a future of a value into one of its effect.
func ignore[T any](f coop.Future[T]) coop.Future[coop.Unit] {
	return coop.Map(f, func(T) coop.Unit { return coop.Unit{} })
}

func TestATaskThatMostlyWakesItselfIsAStorm(t *testing.T) {
	found, _ := watch(t, coop.Watch{}, steps(300, func(cx *coop.Context) { cx.LocalWaker().Wake() }))
	expect(t, found, coop.SelfWakes, 1)
}

func TestYieldsFewPollsAndOtherPeoplesWakesAreNoStorm(t *testing.T) {
	found, _ := watch(t, coop.Watch{}, steps(300, func(cx *coop.Context) { cx.Defer() }))
	expect(t, found, coop.SelfWakes, 0)
	found, _ = watch(t, coop.Watch{}, steps(90, func(cx *coop.Context) { cx.LocalWaker().Wake() }))
	expect(t, found, coop.SelfWakes, 0)
	n := 0
	found, _ = watch(t, coop.Watch{}, steps(300, func(cx *coop.Context) {
		if n++; n%3 == 0 {
			cx.LocalWaker().Wake()
			return
		}
		cx.Defer()
	}))
	expect(t, found, coop.SelfWakes, 0)
}

func TestAFirstPollThatComputesForLongHasNeverYielded(t *testing.T) {
	w := coop.Watch{FirstPollMax: 5 * time.Millisecond}
	found, _ := watch(t, w, coop.Lazy(func(*coop.Context) coop.Unit { compute(6 * time.Millisecond); return coop.Unit{} }))
	expect(t, found, coop.NeverYielded, 1)
}

func TestATaskThatHasYieldedMayComputeAfterwards(t *testing.T) {
	first := true
	later := steps(2, func(cx *coop.Context) {
		if !first {
			compute(60 * time.Millisecond)
		}
		first = false
		cx.Defer()
	})
	found, _ := watch(t, coop.Watch{FirstPollMax: 50 * time.Millisecond}, later)
	expect(t, found, coop.NeverYielded, 0)
}

type large struct {
	coop.Sleep
	_ [1024]byte
}

func TestALargeFutureIsReportedIfAsked(t *testing.T) {
	found, _ := watch(t, coop.Watch{FutureBytesMax: 1024}, coop.Future[coop.Unit](&large{}))
	expect(t, found, coop.LargeFuture, 1)
	if !strings.Contains(found.all[0].Future, "large") || !strings.Contains(found.all[0].Detail, " bytes") {
		t.Errorf("%v", found.all[0])
	}
	found, _ = watch(t, coop.Watch{}, coop.Future[coop.Unit](&large{}))
	expect(t, found, coop.LargeFuture, 0)
	found, _ = watch(t, coop.Watch{FutureBytesMax: 1024}, coop.SleepFor(0))
	expect(t, found, coop.LargeFuture, 0)
}

// hog computes until it is told of, and says so in its stack.
func hog(told *atomic.Bool) {
	for !told.Load() {
	}
}

func TestTheWatchdogNamesATaskWhileItsPollStillRuns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	var told atomic.Bool
	var found findings
	w := coop.Watch{PollMax: 10 * time.Millisecond, Report: func(f coop.Finding) { found.add(f); told.Store(true) }}
	ex := coop.New(coop.Config{Watch: &w})
	defer ex.Close()
	if _, err := coop.BlockOn(ex, coop.Lazy(func(*coop.Context) coop.Unit { hog(&told); return coop.Unit{} })); err != nil {
		t.Fatal(err)
	}
	expect(t, &found, coop.Stall, 1)
	f := found.all[0]
	if f.Took <= w.PollMax || !strings.Contains(string(f.Stack), "coop_test.hog") || !strings.Contains(f.Future, "LazyFuture") {
		t.Errorf("%v", f)
	}
	if !strings.Contains(f.Spawned, "TestTheWatchdogNamesATask") {
		t.Errorf("spawned at %q", f.Spawned)
	}
	if n := ex.Stats().Stalls; n != 1 {
		t.Errorf("%d stalls were counted", n)
	}
}

func TestEveryStallIsReportedAndCountedOnce(t *testing.T) {
	found, stats := watch(t, coop.Watch{PollMax: 2 * time.Millisecond}, steps(5, func(cx *coop.Context) {
		compute(3 * time.Millisecond)
		cx.Defer()
	}))
	if n := len(found.of(coop.Stall)); n != int(stats.Stalls) || n < 5 {
		t.Errorf("%d stalls reported, %d counted, 5 made", n, stats.Stalls)
	}
}

// Long waits are no stalls: neither those of the executor nor those after a panic, when a poll has begun and not ended.
func TestTheWatchdogIsQuietWhileNobodyIsPolled(t *testing.T) {
	found, stats := watch(t, coop.Watch{PollMax: 100 * time.Millisecond}, beside(coop.SleepFor(300*time.Millisecond), steps(3, func(cx *coop.Context) { cx.Defer() })))
	expect(t, found, coop.Stall, 0)
	if stats.Stalls != 0 {
		t.Errorf("%d stalls", stats.Stalls)
	}
	found = &findings{}
	w := coop.Watch{PollMax: 100 * time.Millisecond, Report: found.add}
	ex := coop.New(coop.Config{Watch: &w})
	defer ex.Close()
	broken := coop.Spawn(ex, coop.Lazy(func(*coop.Context) int { panic("broken") }))
	if _, err := coop.BlockOn(ex, coop.SleepFor(300*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	expect(t, found, coop.Stall, 0)
	var panicked *coop.JoinError
	if _, err := broken.Wait(); !errors.As(err, &panicked) {
		t.Errorf("the task that panicked: %v", err)
	}
}

func TestSpawnSitesAreThoseOfTheCallersOfTheLibrary(t *testing.T) {
	found := &findings{}
	w := coop.Watch{FutureBytesMax: 1, Report: found.add}
	ex := coop.New(coop.Config{Watch: &w})
	defer ex.Close()
	_, _, line, _ := runtime.Caller(0)
	coop.Spawn(ex, coop.SleepFor(0))
	ex.Go(coop.SleepFor(0))
	coop.BlockOn(ex, coop.Lazy(func(cx *coop.Context) coop.Unit {
		coop.SpawnLocal(cx, coop.SleepFor(0))
		cx.Go(coop.SleepFor(0))
		coop.NewJoinSet[coop.Unit]().Spawn(cx, coop.SleepFor(0))
		return coop.Unit{}
	}))
	coop.BlockOn(ex, coop.SleepFor(time.Millisecond))
	var got []string
	for _, f := range found.all {
		got = append(got, f.Spawned[strings.LastIndex(f.Spawned, "(")+1:])
	}
	for _, after := range []int{1, 2, 3, 4, 5, 6} {
		if want := fmt.Sprintf("watch_test.go:%d)", line+after); !slices.Contains(got, want) {
			t.Errorf("%s is missing in %v", want, got)
		}
	}
}

func TestAWatchThatReportsToNobodyIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	coop.New(coop.Config{Watch: &coop.Watch{}})
}

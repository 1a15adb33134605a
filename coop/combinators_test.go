package coop

import (
	"fmt"
	"testing"
	"time"
)

func TestFuseIsReadyOnceAndCanBePolledForEver(t *testing.T) {
	f := Fuse[int](Ready(1))
	cx := NewContext(NoopWaker())
	if f.IsTerminated() {
		t.Error("terminated before the first poll")
	}
	if v, ok := f.Poll(cx).Get(); v != 1 || !ok {
		t.Errorf("got %d, %v", v, ok)
	}
	for range 3 {
		if !f.IsTerminated() || f.Poll(cx).IsReady() {
			t.Error("ready again")
		}
	}
}

func TestLazyDoesNothingBeforeItIsPolled(t *testing.T) {
	ex, _ := newExecutor(t)
	called := false
	l := Lazy(func(*Context) int { called = true; return 3 })
	if called {
		t.Error("called too early")
	}
	if got := run[int](t, ex, l); got != 3 {
		t.Errorf("got %d", got)
	}
}

func TestSelectBeginsAnywhereUnlessBiased(t *testing.T) {
	ex := New(Config{Seed: 1})
	defer ex.Close()
	const rounds = 3000
	count := func(f func() Future[int], n int) []int {
		seen := make([]int, n)
		for range rounds {
			seen[run(t, ex, f())]++
		}
		return seen
	}
	one := func() Future[int] { return Ready(1) }
	which := map[string]func(biased bool) Future[int]{
		"Select2": func(biased bool) Future[int] {
			s := Select2(one(), one())
			if biased {
				s.Biased()
			}
			return Map[Choice2[int, int]](s, func(c Choice2[int, int]) int { return c.Which })
		},
		"Select3": func(biased bool) Future[int] {
			s := Select3(one(), one(), one())
			if biased {
				s.Biased()
			}
			return Map[Choice3[int, int, int]](s, func(c Choice3[int, int, int]) int { return c.Which })
		},
		"Select4": func(biased bool) Future[int] {
			s := Select4(one(), one(), one(), one())
			if biased {
				s.Biased()
			}
			return Map[Choice4[int, int, int, int]](s, func(c Choice4[int, int, int, int]) int { return c.Which })
		},
		"SelectAll": func(biased bool) Future[int] {
			s := SelectAll(readies(5))
			if biased {
				s.Biased()
			}
			return Map[Selected[int]](s, func(c Selected[int]) int { return c.Index })
		},
	}
	for name, n := range map[string]int{"Select2": 2, "Select3": 3, "Select4": 4, "SelectAll": 5} {
		fair := count(func() Future[int] { return which[name](false) }, n)
		if x := chiSquare(fair, rounds); x > 25 { // p < 0.0001 with four degrees of freedom; the seed is fixed
			t.Errorf("%s: winners %v are not evenly spread (chi² = %.1f)", name, fair, x)
		}
		if biased := count(func() Future[int] { return which[name](true) }, n); biased[0] != rounds {
			t.Errorf("%s, biased: winners %v, want the first always", name, biased)
		}
	}
}

func chiSquare(seen []int, total int) (x float64) {
	want := float64(total) / float64(len(seen))
	for _, n := range seen {
		x += (float64(n) - want) * (float64(n) - want) / want
	}
	return x
}

func TestTheSameSeedMakesTheSameChoices(t *testing.T) {
	choices := func() (text string) {
		ex := New(Config{Seed: 42})
		defer ex.Close()
		for range 50 {
			text += fmt.Sprint(run[Selected[int]](t, ex, SelectAll(readies(9))).Index)
		}
		return text
	}
	if a, b := choices(), choices(); a != b {
		t.Errorf("%s, then %s", a, b)
	}
}

func TestTimeoutStopsAFutureThatUsesUpEveryBudget(t *testing.T) {
	ex, c := newExecutor(t)
	greedy := &probe[int]{poll: func(cx *Context) Poll[int] {
		for cx.Proceed() {
			cx.Spend()
			c.now += int64(time.Millisecond)
		}
		return Pending[int]()
	}}
	r := run[Result[int]](t, ex, Timeout[int](time.Second, greedy))
	if r.Err != ErrTimeout || greedy.drops != 1 {
		t.Errorf("got %v, dropped %d times", r, greedy.drops)
	}
	if late := time.Duration(c.now) - time.Second; late > 2*OpsPerPoll*time.Millisecond {
		t.Errorf("it took until %v", time.Duration(c.now))
	}
}

func TestAbortEndsAFutureFromAnotherThread(t *testing.T) {
	ex := New(Config{})
	defer ex.Close()
	for range 200 {
		inner := never[int]()
		f, handle := Abortable[int](inner)
		go handle.Abort()
		if r := run[Result[int]](t, ex, f); r.Err != ErrAborted || inner.drops != 1 {
			t.Fatalf("got %v, dropped %d times", r, inner.drops)
		}
		handle.Abort() // after the end: harmless
	}
}

func TestJoinAllOfNothingIsReady(t *testing.T) {
	ex, _ := newExecutor(t)
	if got := run(t, ex, JoinAll[int](nil)); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestJoinAllKeepsTheOrder(t *testing.T) {
	ex, _ := newExecutor(t)
	for _, n := range []int{1, joinAllLinear, joinAllLinear + 1, 500} {
		var fs []Future[int]
		for i := range n {
			fs = append(fs, Map[Unit](SleepFor(time.Duration(n-i)*time.Millisecond), func(Unit) int { return i }))
		}
		for i, got := range run(t, ex, JoinAll(fs)) {
			if got != i {
				t.Fatalf("of %d: place %d holds %d", n, i, got)
			}
		}
	}
}

func TestUnorderedPollsOnlyWhatWasWoken(t *testing.T) {
	ex, _ := newExecutor(t)
	u := NewFuturesUnordered[int]()
	const n = 1000
	polls := 0
	for i := range n {
		sleep := SleepFor(time.Duration(i+1) * time.Second)
		u.Push(fn[int](func(cx *Context) Poll[int] {
			polls++
			if !sleep.Poll(cx).IsReady() {
				return Pending[int]()
			}
			return Ready(i)
		}))
	}
	for i := range n {
		item := run(t, ex, u.Next())
		if !item.OK || item.Value != i {
			t.Fatalf("item %d is %v", i, item)
		}
	}
	if item := run(t, ex, u.Next()); item.OK || !u.IsTerminated() {
		t.Errorf("after the last: %v", item)
	}
	if polls > 2*n+10*n/100 {
		t.Errorf("%d polls for %d futures that were woken once each", polls, n)
	}
}

func TestUnorderedPassesRemoteWakesOn(t *testing.T) {
	ex := New(Config{})
	defer ex.Close()
	u := NewFuturesUnordered[int]()
	for i := range 100 {
		u.Push(remotelyWoken(i))
	}
	seen := map[int]bool{}
	for range 100 {
		seen[run(t, ex, u.Next()).Value] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different values, want 100", len(seen))
	}
}

func TestUnorderedCanMoveToAnotherTask(t *testing.T) {
	ex, _ := newExecutor(t)
	u := NewFuturesUnordered[int]()
	var waker LocalWaker
	waiting := &probe[int]{}
	waiting.poll = func(cx *Context) Poll[int] {
		if waiting.polls == 1 {
			waker = cx.LocalWaker()
			return Pending[int]()
		}
		return Ready(5)
	}
	u.Push(waiting)
	first := Spawn(ex, u.Next()) // polls the set and is then gone
	run(t, ex, Yield())
	first.Abort()
	result(t, ex, first)
	second := Spawn(ex, u.Next())
	run(t, ex, Yield())
	waker.Wake()
	if item, err := result(t, ex, second); item.Value != 5 || err != nil {
		t.Errorf("got %v, %v", item, err)
	}
}

// TestNestedSetsDoNotMultiplyPolls guards against a famous trap: a set that does not see the budget polls its futures for
// nothing when the budget is used up, sets in sets do so for every level, and the polls grow as a power of the depth.
func TestNestedSetsDoNotMultiplyPolls(t *testing.T) {
	for depth := 1; depth <= 5; depth++ {
		ex, _ := newExecutor(t)
		polls := 0
		var nest func(level int) Future[int]
		nest = func(level int) Future[int] {
			if level == 0 {
				left := 3 * OpsPerPoll
				return fn[int](func(cx *Context) Poll[int] {
					polls++
					for ; left > 0; left-- {
						if !cx.Proceed() {
							return Pending[int]()
						}
						cx.Spend()
					}
					return Ready(1)
				})
			}
			u := NewFuturesUnordered[int]()
			for range 4 {
				u.Push(nest(0))
			}
			u.Push(nest(level - 1))
			sum := 0
			return fn[int](func(cx *Context) Poll[int] {
				for {
					item, ok := u.PollNext(cx).Get()
					if !ok {
						return Pending[int]()
					}
					if !item.OK {
						return Ready(sum)
					}
					sum += item.Value
				}
			})
		}
		if got := run(t, ex, nest(depth)); got != 4*depth+1 {
			t.Errorf("depth %d: got %d", depth, got)
		}
		if leaves := 4*depth + 1; polls > 12*leaves {
			t.Errorf("depth %d: %d polls of %d leaves", depth, polls, leaves)
		}
	}
}

func TestAJoinSetHandsOutResultsAsTheyCome(t *testing.T) {
	ex, _ := newExecutor(t)
	set := NewJoinSet[int]()
	for i := range 50 {
		set.SpawnOn(ex, Map[Unit](SleepFor(time.Duration(50-i)*time.Second), func(Unit) int { return i }))
	}
	set.SpawnOn(ex, PollFn[int](func(*Context) Poll[int] { panic("boom") }))
	if item := run(t, ex, set.Next()); !contains(item.Value.Err, "boom") {
		t.Errorf("first %v, want the panic", item)
	}
	for i := range 50 {
		if item := run(t, ex, set.Next()); item.Value.Value != 49-i || item.Value.Err != nil {
			t.Fatalf("result %d is %v", i, item)
		}
	}
	if item := run(t, ex, set.Next()); item.OK {
		t.Errorf("after the last: %v", item)
	}
}

func TestAJoinSetAbortsItsTasksTogether(t *testing.T) {
	ex, _ := newExecutor(t)
	set := NewJoinSet[int]()
	var tasks []*probe[int]
	for range 10 {
		task := never[int]()
		tasks = append(tasks, task)
		set.SpawnOn(ex, task)
	}
	run(t, ex, Yield())
	set.AbortAll()
	for range 10 {
		if item := run(t, ex, set.Next()); item.Value.Err != ErrAborted {
			t.Errorf("got %v, want ErrAborted", item)
		}
	}
	dropped := never[int]()
	set.SpawnOn(ex, dropped)
	run[Unit](t, ex, fn[Unit](func(cx *Context) Poll[Unit] { set.Drop(cx); return Done() }))
	run(t, ex, Yield())
	for _, task := range append(tasks, dropped) {
		if task.drops != 1 {
			t.Errorf("dropped %d times, want once", task.drops)
		}
	}
}

func TestACombinatorAllocatesNothingToPoll(t *testing.T) {
	ex, _ := newExecutor(t)
	u := NewFuturesUnordered[int]()
	one := Future[int](Ready(1))
	cx := &ex.cx
	cx.waker = ex.tasks.insert(never[Unit]()).waker()
	round := func() {
		cx.budget = OpsPerPoll
		u.Push(one)
		u.Push(one)
		for u.Len() > 0 {
			u.PollNext(cx)
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations per two items", n)
	}
}

package coop

import (
	"slices"
	"sync"
	"testing"
)

// step polls f once and reports whether it was ready.
func step[T any](cx *Context, f Future[T]) bool {
	cx.budget = OpsPerPoll
	return f.Poll(cx).ready
}

// woken returns a context that polls for a task of its own, and the number of times that the task was woken.
func woken() (*Context, *int) {
	n := 0
	return NewContext(Waker{&ringer{&n}, 0}), &n
}

type ringer struct{ n *int }

func (r *ringer) Wake(TaskID)           { *r.n++ }
func (r *ringer) WakeLocal(TaskID)      { *r.n++ }
func (r *ringer) Clone(id TaskID) Waker { return Waker{r, id} }
func (r *ringer) Drop(TaskID)           {}

func TestASemaphoreServesInOrder(t *testing.T) {
	cx := NewContext(NoopWaker())
	s := NewSemaphore(3)
	if !step(cx, s.Acquire(2)) {
		t.Fatal("two of three permits were not there")
	}
	large, small := s.Acquire(3), s.Acquire(1)
	if step(cx, large) || step(cx, small) || s.TryAcquire(1) {
		t.Error("a small request passed a large one that came before")
	}
	s.Release(2)
	if step(cx, small) || !step(cx, large) {
		t.Error("the large request is not first")
	}
	s.Release(3)
	if !step(cx, small) {
		t.Error("the small request is not next")
	}
}

// TestAPermitOfADroppedFutureGoesToTheNext drops the first of three who wait: before it was granted, after that, and after
// it was ready.
func TestAPermitOfADroppedFutureGoesToTheNext(t *testing.T) {
	for _, when := range []string{"waiting", "granted", "ready"} {
		s := NewSemaphore(1)
		s.TryAcquire(1)
		cx, wakes := woken()
		first, second := s.Acquire(1), s.Acquire(1)
		step(NewContext(NoopWaker()), first)
		step(cx, second)
		switch when {
		case "waiting":
			first.Drop(cx)
			s.Release(1)
		case "granted":
			s.Release(1)
			first.Drop(cx)
		case "ready":
			s.Release(1)
			if !step(cx, first) {
				t.Fatal("not granted")
			}
			first.Drop(cx)
			if *wakes != 0 || step(cx, second) {
				t.Error("a permit that its holder has was given away")
			}
			s.Release(1)
		}
		if *wakes != 1 || !step(cx, second) {
			t.Errorf("%s: the next was woken %d times and did not get the permit", when, *wakes)
		}
	}
}

func TestALargeRequestThatLeavesLetsThoseBehindItPass(t *testing.T) {
	s := NewSemaphore(3)
	s.TryAcquire(1)
	cx, wakes := woken()
	large := s.Acquire(3)
	step(NewContext(NoopWaker()), large)
	var small []*AcquireFuture
	for range 2 {
		small = append(small, s.Acquire(1))
		step(cx, small[len(small)-1])
	}
	large.Drop(cx)
	if *wakes != 2 || !step(cx, small[0]) || !step(cx, small[1]) {
		t.Error("those behind it were not served")
	}
}

func TestMoreThanAreWokenUnderOneLockAreAllServed(t *testing.T) {
	const n = 5*wakesPerLock + 3
	s := NewSemaphore(n)
	s.TryAcquire(n)
	cx, wakes := woken()
	var all []*AcquireFuture
	for range n {
		all = append(all, s.Acquire(1))
		step(cx, all[len(all)-1])
	}
	s.Release(n)
	if *wakes != n {
		t.Errorf("%d woken, want %d", *wakes, n)
	}
	for _, f := range all {
		if !step(cx, f) {
			t.Fatal("not granted")
		}
	}
}

func TestSemaphoresAnswerMisuse(t *testing.T) {
	cx := NewContext(NoopWaker())
	s := NewSemaphore(2)
	panicsWith(t, "Acquire(3)", func() { s.Acquire(3) })
	panicsWith(t, "Acquire(0)", func() { s.Acquire(0) })
	panicsWith(t, "more permits", func() { s.Release(1) })
	panicsWith(t, "more permits", func() { NewMutex().Unlock() })
	f := s.Acquire(1)
	step(cx, f)
	panicsWith(t, "after Ready", func() { step(cx, f) })
	s.TryAcquire(1)
	waiting := s.Acquire(1)
	step(cx, waiting)
	panicsWith(t, "still waits", func() { s.AcquireIn(waiting, 1) })
	panicsWith(t, "room for one", func() { NewChannel[int](0) })
}

func TestAMutexIsHeldAcrossAwaits(t *testing.T) {
	ex, _ := newExecutor(t)
	m := NewMutex()
	var order []int
	inside := 0
	for i := range 5 {
		Spawn(ex, Async(func(co *Co) Unit {
			Await(co, m.Lock())
			defer m.Unlock()
			inside++
			if Await(co, Yield()); inside != 1 {
				t.Errorf("%d are inside", inside)
			}
			inside--
			order = append(order, i)
			return Unit{}
		}))
	}
	run(t, ex, Async(func(co *Co) Unit {
		Await(co, Yield())
		Await(co, m.Lock())
		if m.TryLock() {
			t.Error("locked twice")
		}
		return Unit{}
	}))
	if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
		t.Errorf("the order was %v", order)
	}
}

func TestANotificationIsRememberedOnce(t *testing.T) {
	cx := NewContext(NoopWaker())
	n := NewNotify()
	n.NotifyOne()
	n.NotifyOne()
	if !step(cx, n.Notified()) || step(cx, n.Notified()) {
		t.Error("want one notification remembered")
	}
}

func TestNotifyWakesOneOrAllWhoWait(t *testing.T) {
	cx, wakes := woken()
	n := NewNotify()
	var waiting []*NotifiedFuture
	for range 4 {
		waiting = append(waiting, n.Notified())
		step(cx, waiting[len(waiting)-1])
	}
	n.NotifyOne()
	if *wakes != 1 || !step(cx, waiting[0]) || step(cx, waiting[1]) {
		t.Error("want the first notified, alone")
	}
	n.NotifyAll()
	for _, w := range waiting[1:] {
		if !step(cx, w) {
			t.Error("one was not notified")
		}
	}
	if step(cx, n.Notified()) {
		t.Error("NotifyAll was remembered")
	}
}

func TestANotificationOfADroppedFutureGoesToTheNext(t *testing.T) {
	cx, wakes := woken()
	n := NewNotify()
	first, second := n.Notified(), n.Notified()
	step(NewContext(NoopWaker()), first)
	step(cx, second)
	n.NotifyOne()
	first.Drop(cx)
	if *wakes != 1 || !step(cx, second) {
		t.Error("the notification was lost")
	}
	third := n.Notified()
	step(cx, third)
	n.NotifyAll()
	third.Drop(cx)
	if step(cx, n.Notified()) {
		t.Error("a NotifyAll was handed on")
	}
}

func TestAOneshotCarriesOneValue(t *testing.T) {
	cx, wakes := woken()
	o := NewOneshot[int]()
	if step(cx, o) {
		t.Error("ready before it was sent")
	}
	if !o.Send(5) || o.Send(6) || *wakes != 1 {
		t.Errorf("want one Send accepted and one wake, got %d", *wakes)
	}
	o.Close()
	if r, _ := o.Poll(cx).Get(); r.Value != 5 || r.Err != nil {
		t.Errorf("got %v", r)
	}
	closed := NewOneshot[int]()
	closed.Close()
	if r, _ := closed.Poll(cx).Get(); r.Err != ErrClosed {
		t.Errorf("got %v, want ErrClosed", r)
	}
	gone := NewOneshot[int]()
	gone.Drop(cx)
	if gone.Send(1) {
		t.Error("a value was sent to nobody")
	}
}

func TestAChannelKeepsOrderAndMakesSendersWait(t *testing.T) {
	cx := NewContext(NoopWaker())
	c := NewChannel[int](2)
	var waiting []*SendFuture[int]
	for i := range 5 {
		f := c.Send(i)
		if ready := step(cx, f); ready != (i < 2) {
			t.Errorf("send %d ready: %v", i, ready)
		} else if !ready {
			waiting = append(waiting, f)
		}
	}
	if c.TrySend(9) || c.Len() != 2 {
		t.Error("a send passed those that wait")
	}
	waiting[1].Drop(cx) // of 3
	for _, want := range []int{0, 1, 2, 4} {
		if v, ok := c.TryRecv(); v != want || !ok {
			t.Errorf("got %d, %v; want %d", v, ok, want)
		}
		for _, f := range []*SendFuture[int]{waiting[0], waiting[2]} {
			if f.claim.stage == claimGranted {
				step(cx, f)
			}
		}
	}
}

func TestAValueOfADroppedReceiverGoesToTheNext(t *testing.T) {
	cx, wakes := woken()
	c := NewChannel[int](4)
	first, second := c.Recv(), c.Recv()
	step(NewContext(NoopWaker()), first)
	step(cx, second)
	c.TrySend(7)
	if _, ok := c.TryRecv(); ok {
		t.Error("the value was taken by one who came later")
	}
	first.Drop(cx)
	if item, _ := second.Poll(cx).Get(); *wakes != 1 || item != (Item[int]{7, true}) {
		t.Errorf("got %v after %d wakes, want 7", item, *wakes)
	}
}

func TestAClosedChannelIsEmptiedFirst(t *testing.T) {
	cx, wakes := woken()
	c := NewChannel[int](1)
	c.TrySend(1)
	blocked := c.Send(2)
	step(cx, blocked)
	c.Close()
	c.Close()
	if r, _ := blocked.Poll(cx).Get(); r.Err != ErrClosed || *wakes != 1 {
		t.Errorf("a sender that waits got %v after %d wakes", r, *wakes)
	}
	if r, _ := c.Send(3).Poll(cx).Get(); r.Err != ErrClosed || c.TrySend(4) {
		t.Errorf("a send after Close got %v", r)
	}
	for _, want := range []Item[int]{{1, true}, {}, {}} {
		if item, ok := c.Recv().Poll(cx).Get(); item != want || !ok {
			t.Errorf("received %v, %v; want %v", item, ok, want)
		}
	}
	idle := NewChannel[int](1)
	receiver := idle.Recv()
	step(cx, receiver)
	idle.Close()
	if item, ok := receiver.Poll(cx).Get(); item.OK || !ok || *wakes != 2 {
		t.Error("a receiver that waits was not told of the end")
	}
}

// TestWaitingSharesTheBudget polls what is always ready until the budget stops it.
func TestWaitingSharesTheBudget(t *testing.T) {
	n, s := NewNotify(), NewSemaphore(1)
	for name, f := range map[string]func(cx *Context) bool{
		"semaphore": func(cx *Context) bool {
			ok := s.Acquire(1).Poll(cx).ready
			if ok {
				s.Release(1)
			}
			return ok
		},
		"notify":  func(cx *Context) bool { n.NotifyOne(); return n.Notified().Poll(cx).ready },
		"oneshot": func(cx *Context) bool { o := NewOneshot[int](); o.Send(1); return o.Poll(cx).ready },
	} {
		cx := NewContext(NoopWaker())
		ops := 0
		for ops < 10*OpsPerPoll && f(cx) {
			ops++
		}
		if ops != OpsPerPoll {
			t.Errorf("%s: %d operations in one poll, want %d", name, ops, OpsPerPoll)
		}
	}
}

// TestExecutorsShareAChannelAMutexAndASemaphore moves values through several executors while some of the waiting futures
// are dropped. Nothing may be lost, doubled, or left waiting.
func TestExecutorsShareAChannelAMutexAndASemaphore(t *testing.T) {
	const executors, tasks, each = 3, 8, 200
	in, out := NewChannel[int](4), NewChannel[int](4)
	m, s := NewMutex(), NewSemaphore(3)
	counter, holding := 0, make(chan Unit, 3)
	var all sync.WaitGroup
	relay := func(co *Co) Unit {
		for {
			choice := Await(co, Select2(in.Recv(), Yield())) // often drops the receiver
			if choice.Which == 1 {
				continue
			}
			if !choice.First.OK {
				return Unit{}
			}
			Await(co, s.Acquire(1))
			holding <- Unit{}
			Await(co, m.Lock())
			counter++
			m.Unlock()
			<-holding
			s.Release(1)
			Await(co, out.Send(choice.First.Value))
		}
	}
	for range executors {
		ex := New(Config{})
		all.Go(func() {
			defer ex.Close()
			var futures []Future[Unit]
			for range tasks {
				futures = append(futures, Async(relay))
			}
			if _, err := BlockOn(ex, JoinAll(futures)); err != nil {
				t.Error(err)
			}
		})
	}
	ex := New(Config{})
	defer ex.Close()
	produce := Async(func(co *Co) Unit {
		for i := range tasks * each {
			Await(co, in.Send(i))
		}
		in.Close()
		return Unit{}
	})
	seen := make([]bool, tasks*each)
	consume := Async(func(co *Co) Unit {
		for range seen {
			v := Await(co, out.Recv()).Value
			if seen[v] {
				t.Errorf("%d came twice", v)
			}
			seen[v] = true
		}
		return Unit{}
	})
	if _, err := BlockOn(ex, Join2(produce, consume)); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if counter != tasks*each || slices.Contains(seen, false) {
		t.Errorf("%d of %d values", counter, tasks*each)
	}
}

package coop_test

import (
	"fmt"
	"sync/atomic"
	"time"

	"turnlab/coop"
)

// The examples here stand behind docs/futures.md, one for each idea, in its order.

// counter is a future that needs to be polled n times more. It answers Pending only after it has arranged to be polled
// again, which here means that it wakes itself.
type counter struct {
	name string
	n    int
}

func (c *counter) Poll(cx *coop.Context) coop.Poll[string] {
	if c.n == 0 {
		return coop.Ready(c.name + " is done")
	}
	fmt.Println(c.name, "has", c.n, "to go")
	c.n--
	cx.LocalWaker().Wake()
	return coop.Pending[string]()
}

// In cooperative multitasking a task runs until it gives way by itself. These two do, after each step, so they take turns.
func Example_cooperative() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	both := coop.Join2(&counter{"a", 2}, &counter{"b", 2})
	v, _ := coop.BlockOn(ex, both)
	fmt.Println(v.First, "and", v.Second)
	// Output:
	// a has 2 to go
	// b has 2 to go
	// a has 1 to go
	// b has 1 to go
	// a is done and b is done
}

// Every task needs to cooperate, otherwise it won't work: while one computes, nobody else's timer is looked at.
func Example_uncooperative() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	hog := coop.Lazy(func(*coop.Context) coop.Unit {
		for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
		}
		return coop.Unit{}
	})
	began := time.Now()
	timer := coop.Map(coop.SleepFor(time.Millisecond), func(coop.Unit) time.Duration { return time.Since(began) })
	v, _ := coop.BlockOn(ex, coop.Join2(timer, hog))
	fmt.Println("a timer of 1 ms came after more than 40 ms:", v.First > 40*time.Millisecond)
	// Output: a timer of 1 ms came after more than 40 ms: true
}

// A task that has much to compute can yield between the pieces. The timer is then late by one piece at most.
func ExampleYield() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	turns := 0
	var piece coop.Future[coop.Unit]
	polite := coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		for turns < 3 {
			if piece == nil {
				fmt.Println("computes piece", turns)
				piece = coop.Yield()
			}
			if !piece.Poll(cx).IsReady() {
				return coop.Pending[coop.Unit]()
			}
			piece, turns = nil, turns+1
		}
		return coop.Done()
	})
	other := coop.Lazy(func(*coop.Context) coop.Unit { fmt.Println("another task runs"); return coop.Unit{} })
	polite2 := coop.Spawn(ex, polite)
	coop.Spawn(ex, other)
	_, _ = coop.BlockOn(ex, polite2)
	// Output:
	// computes piece 0
	// another task runs
	// computes piece 1
	// computes piece 2
}

// A future does nothing until it is polled. Polling answers with the value, or with "not yet".
func ExampleFuture() {
	cx := coop.NewContext(coop.NoopWaker())
	f := &counter{"c", 1}
	_, ready := f.Poll(cx).Get()
	fmt.Println("ready:", ready)
	v, ready := f.Poll(cx).Get()
	fmt.Println("ready:", ready, v)
	// Output:
	// c has 1 to go
	// ready: false
	// ready: true c is done
}

// mailbox is a leaf future: no other future is inside, so it must keep the poll contract itself. It stores the waker where
// the event, a letter from another goroutine, will find it.
type mailbox struct {
	letter atomic.Pointer[string]
	waker  atomic.Pointer[coop.Waker]
}

func (m *mailbox) Poll(cx *coop.Context) coop.Poll[string] {
	w := cx.Waker()
	m.waker.Store(&w) // store first and look second: in the other order a letter in between would wake nobody
	if letter := m.letter.Load(); letter != nil {
		return coop.Ready(*letter)
	}
	return coop.Pending[string]()
}

func (m *mailbox) send(letter string) {
	m.letter.Store(&letter)
	if w := m.waker.Load(); w != nil {
		w.Wake()
	}
}

func Example_leafFuture() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	m := &mailbox{}
	go m.send("hello from another thread")
	letter, _ := coop.BlockOn(ex, m)
	fmt.Println(letter)
	// Output: hello from another thread
}

// A future must not be polled after it was ready; a fused one may be, and then answers Pending for ever.
func ExampleFuse() {
	cx := coop.NewContext(coop.NoopWaker())
	f := coop.Fuse(coop.Ready("once"))
	fmt.Println(f.Poll(cx).Get())
	_, ready := f.Poll(cx).Get()
	fmt.Println(ready, f.IsTerminated())
	// Output:
	// once true
	// false true
}

// greeting is a state machine written by hand: what a local variable would be in a function that waits is a field, and
// where the function stands is the state. An async function is translated into just this.
type greeting struct {
	state int
	name  mailbox
	pause *coop.Sleep
}

func (g *greeting) Poll(cx *coop.Context) coop.Poll[string] {
	for {
		switch g.state {
		case 0: // waits for a name
			name, ok := g.name.Poll(cx).Get()
			if !ok {
				return coop.Pending[string]()
			}
			fmt.Println("hello,", name)
			g.pause = coop.SleepFor(time.Millisecond)
			g.state = 1
		case 1: // waits a while
			if !g.pause.Poll(cx).IsReady() {
				return coop.Pending[string]()
			}
			return coop.Ready("goodbye")
		}
	}
}

func Example_stateMachine() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	g := &greeting{}
	go g.name.send("world")
	fmt.Println(coop.BlockOn[string](ex, g))
	// Output:
	// hello, world
	// goodbye <nil>
}

// bell is a vtable: what it means to wake is the executor's business. This one only counts.
type bell struct{ rung int }

func (b *bell) Wake(coop.TaskID)                { b.rung++ }
func (b *bell) WakeLocal(coop.TaskID)           { b.rung++ }
func (b *bell) Clone(id coop.TaskID) coop.Waker { return coop.NewWaker(b, id) }
func (b *bell) Drop(coop.TaskID)                {}

// "Waking" is a misnomer. This future wakes its task while it is being polled: nobody slept. It means: poll me once more.
func ExampleWaker() {
	b := &bell{}
	cx := coop.NewContext(coop.NewWaker(b, 1))
	fmt.Println("ready:", coop.Yield().Poll(cx).IsReady())
	fmt.Println("rung:", b.rung)
	// Output:
	// ready: false
	// rung: 1
}

// A task is a future that an executor polls. Its handle is a future too, of the result.
func ExampleSpawn() {
	ex := coop.New(coop.Config{})
	done := make(chan error)
	go func() { done <- ex.Run() }()
	h := coop.Spawn(ex, coop.Map(coop.SleepFor(time.Millisecond), func(coop.Unit) int { return 42 }))
	fmt.Println(h.Wait())
	ex.Stop()
	fmt.Println(<-done)
	// Output:
	// 42 <nil>
	// <nil>
}

// A sub-executor runs many futures inside one task. Each has a waker of its own, and only those that were woken are polled.
func ExampleFuturesUnordered() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	u := coop.NewFuturesUnordered[int]()
	for _, ms := range []int{30, 10, 20} {
		u.Push(coop.Map(coop.SleepFor(time.Duration(ms)*time.Millisecond), func(coop.Unit) int { return ms }))
	}
	for u.Len() > 0 {
		item, _ := coop.BlockOn(ex, u.Next())
		fmt.Println(item.Value)
	}
	// Output:
	// 10
	// 20
	// 30
}

// Select runs futures until the first is ready and drops the others, which is how a future is cancelled.
func ExampleSelect2() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	answer := coop.Map(coop.SleepFor(time.Millisecond), func(coop.Unit) string { return "an answer" })
	late := coop.Map(coop.SleepFor(time.Hour), func(coop.Unit) string { return "too late" })
	c, _ := coop.BlockOn(ex, coop.Select2(answer, late))
	fmt.Println(c.Which, c.First)
	// Output: 0 an answer
}

// Timeout is a select against a timer.
func ExampleTimeout() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	r, _ := coop.BlockOn(ex, coop.Timeout(time.Millisecond, coop.SleepFor(time.Hour)))
	fmt.Println(r.Err)
	// Output: coop: timed out
}

// Pinned to the heap: the future is made in its place, and copies of the Pinned are copies of the address.
func ExamplePin() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	p := coop.Pin(coop.Sleep{}) // Rust: Box::pin(Sleep::new())
	q := p
	coop.BlockOn(ex, q.Get())
	fmt.Println("the same future:", p.Get() == q.Get())
	// Output: the same future: true
}

// Pinned to the stack: the variable is from here on used through its address only.
func ExamplePinLocal() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	var sleep coop.Sleep
	s := coop.PinLocal(&sleep) // Rust: let s = pin!(sleep)
	_, err := coop.BlockOn(ex, s.Get())
	fmt.Println("slept:", err == nil)
	// Output: slept: true
}

// An async function reads like one that blocks. At each Await that has to wait it answers Pending to whoever polls it, and
// goes on there with its variables as they were.
func ExampleAsync() {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	sum := coop.Async(func(co *coop.Co) int {
		total := 0
		for i := range 4 {
			coop.Await(co, coop.SleepFor(time.Millisecond))
			total += i
		}
		return total
	})
	v, _ := coop.BlockOn(ex, sum)
	fmt.Println(v)
	// Output: 6
}

// A task that is pending, and has left its waker nowhere, will never be polled again. Under Watch somebody says so.
func ExampleWatch() {
	watch := coop.Watch{Report: func(f coop.Finding) { fmt.Println(f.Lint) }}
	ex := coop.New(coop.Config{Watch: &watch})
	defer ex.Close()
	ex.Go(coop.Pending[coop.Unit]())
	coop.BlockOn(ex, coop.SleepFor(time.Millisecond))
	// Output: lost waker
}

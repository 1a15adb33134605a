package coop

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The primitives. docs/performance.md says what each benchmark shows and how to compare two versions.

func BenchmarkPollReady(b *testing.B) {
	cx := NewContext(NoopWaker())
	one := Future[int](Ready(1))
	sum := 0
	for b.Loop() {
		v, _ := one.Poll(cx).Get()
		sum += v
	}
}

// BenchmarkWakeAndPoll polls a task that wakes itself: the cost is one wake and one poll of a task.
func BenchmarkWakeAndPoll(b *testing.B) {
	ex := New(Config{Driver: &clock{t: b}})
	defer ex.Close()
	b.ReportAllocs()
	left := b.N
	b.ResetTimer()
	BlockOn[Unit](ex, PollFn[Unit](func(cx *Context) Poll[Unit] {
		if left--; left <= 0 {
			return Done()
		}
		cx.LocalWaker().Wake()
		return Pending[Unit]()
	}))
}

func BenchmarkWakeRemoteAndPoll(b *testing.B) {
	ex := New(Config{Driver: &clock{t: b}})
	defer ex.Close()
	b.ReportAllocs()
	left := b.N
	b.ResetTimer()
	BlockOn[Unit](ex, PollFn[Unit](func(cx *Context) Poll[Unit] {
		if left--; left <= 0 {
			return Done()
		}
		cx.Waker().Wake()
		return Pending[Unit]()
	}))
}

// bell is a driver whose Wake is what a reactor's is: a write to an eventfd, which is never read.
type bell struct {
	clock
	fd int
}

func newBell(b *testing.B) *bell {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(fd) })
	return &bell{clock: clock{t: b}, fd: fd}
}

func (e *bell) Wake() {
	one := uint64(1)
	unix.RawSyscall(unix.SYS_WRITE, uintptr(e.fd), uintptr(unsafe.Pointer(&one)), 8)
}

// BenchmarkEventfdWrite is the yardstick of BenchmarkWakeSleeper: the least that can end another thread's wait.
func BenchmarkEventfdWrite(b *testing.B) {
	e := newBell(b)
	for b.Loop() {
		e.Wake()
	}
}

// BenchmarkWakeSleeper is what it costs a thread to wake a task of an executor that sleeps. The executor's side of it, taking
// in and polling, is BenchmarkWakeRemoteAndPoll.
func BenchmarkWakeSleeper(b *testing.B) {
	ex := New(Config{Driver: newBell(b)})
	defer ex.Close()
	ex.start(never[Unit](), "")
	task := ex.tasks.dequeue()
	w := task.waker().Waker()
	b.ReportAllocs()
	for b.Loop() {
		ex.sleeping.Store(true)
		w.Wake()
		if ex.sleeping.Load() {
			b.Fatal("the executor sleeps on")
		}
		ex.tasks.collect()
		ex.tasks.dequeue()
	}
}

// BenchmarkHandOver sends a wake to another executor and waits for one to come back: two goroutines that go to sleep and are
// woken in turn, by a parked goroutine's channel. BenchmarkHandOverGoroutines is the same without executors.
func BenchmarkHandOver(b *testing.B) {
	there, back := NewNotify(), NewNotify()
	ex := New(Config{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ex.Run()
	}()
	b.ReportAllocs()
	Spawn(ex, Async(func(co *Co) Unit {
		for {
			Await(co, there.Notified())
			back.NotifyOne()
		}
	}))
	own := New(Config{})
	BlockOn(own, Async(func(co *Co) Unit {
		for b.Loop() {
			there.NotifyOne()
			Await(co, back.Notified())
		}
		return Unit{}
	}))
	own.Close()
	ex.Stop()
	<-ended
}

func BenchmarkHandOverGoroutines(b *testing.B) {
	there, back := make(chan struct{}, 1), make(chan struct{}, 1)
	go func() {
		for range there {
			back <- struct{}{}
		}
	}()
	for b.Loop() {
		there <- struct{}{}
		<-back
	}
	close(there)
}

func BenchmarkSpawnToDone(b *testing.B) {
	ex := New(Config{Driver: &clock{t: b}})
	defer ex.Close()
	b.ReportAllocs()
	one := Future[Unit](Done())
	left := b.N
	b.ResetTimer()
	BlockOn[Unit](ex, PollFn[Unit](func(cx *Context) Poll[Unit] {
		for range PollsPerTurn - 1 {
			cx.Go(one)
			left--
		}
		if left <= 0 {
			return Done()
		}
		cx.LocalWaker().Wake()
		return Pending[Unit]()
	}))
}

func BenchmarkSpawnAndJoin(b *testing.B) {
	ex := New(Config{Driver: &clock{t: b}})
	defer ex.Close()
	b.ReportAllocs()
	one := Future[int](Ready(1))
	handles := make([]JoinHandle[int], 32)
	left := b.N
	next := 0
	b.ResetTimer()
	BlockOn[Unit](ex, PollFn[Unit](func(cx *Context) Poll[Unit] {
		for ; next < len(handles) && left < b.N; next++ {
			if !handles[next].Poll(cx).IsReady() {
				return Pending[Unit]()
			}
		}
		if left <= 0 {
			return Done()
		}
		next = 0
		for i := range handles {
			SpawnIn(cx, &handles[i], one)
			left--
		}
		cx.LocalWaker().Wake()
		return Pending[Unit]()
	}))
}

func BenchmarkSleepInsertAndCancel(b *testing.B) {
	ex := New(Config{Driver: newParker()})
	defer ex.Close()
	b.ReportAllocs()
	BlockOn[Unit](ex, Lazy(func(cx *Context) Unit {
		s := SleepFor(0)
		for b.Loop() {
			s.Reset(cx, time.Hour)
			s.Poll(cx)
			s.Drop(cx)
		}
		return Unit{}
	}))
}

// BenchmarkSleepAmongMany is an insert and a cancel while other timers wait.
func BenchmarkSleepAmongMany(b *testing.B) {
	const others = 1_000_000
	ex := New(Config{Driver: newParker()})
	defer ex.Close()
	for i := range others {
		ex.timers.Insert(int64(time.Hour)+int64(i)*int64(time.Millisecond), LocalWaker{})
	}
	b.ReportAllocs()
	BlockOn[Unit](ex, Lazy(func(cx *Context) Unit {
		s := SleepFor(0)
		for b.Loop() {
			s.Reset(cx, time.Hour)
			s.Poll(cx)
			s.Drop(cx)
		}
		return Unit{}
	}))
}

// BenchmarkUnorderedItem is the cost per item when one future of many is ready at a time.
func BenchmarkUnorderedItem(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprint("futures=", n), func(b *testing.B) {
			u := NewFuturesUnordered[int]()
			cx := NewContext(NoopWaker())
			gates := make([]gate, n)
			for i := range gates {
				gates[i].number = i
				u.Push(&gates[i])
			}
			for u.tasks.queued > 0 {
				cx.budget = OpsPerPoll
				u.PollNext(cx)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				cx.budget = OpsPerPoll
				g := &gates[i%n]
				g.open = true
				g.waker.Wake()
				item, _ := u.PollNext(cx).Get()
				if item.Value != g.number {
					b.Fatal("the wrong one")
				}
				g.open = false
				u.Push(g)
				u.PollNext(cx)
				i++
			}
		})
	}
}

// gate is a future that is ready when it is open.
type gate struct {
	number int
	open   bool
	waker  LocalWaker
}

func (g *gate) Poll(cx *Context) Poll[int] {
	if g.open {
		return Ready(g.number)
	}
	g.waker.Register(cx)
	return Pending[int]()
}

func BenchmarkJoin2(b *testing.B) {
	cx := NewContext(NoopWaker())
	one := Future[int](Ready(1))
	b.ReportAllocs()
	for b.Loop() {
		j := Join2(one, one)
		j.Poll(cx)
	}
}

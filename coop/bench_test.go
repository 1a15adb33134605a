package coop

import (
	"fmt"
	"testing"
	"time"
)

// The primitives. What they are compared with, and the goals, is in the documentation of the lab's method; here is how:
//
//	go test -run '^$' -bench . -count 7 ./coop

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

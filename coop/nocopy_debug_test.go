//go:build coopdebug

package coop

import (
	"reflect"
	"testing"
	"time"
)

const checksCopies = true

// copyOf copies what p points to, in a way that vet cannot see.
func copyOf[T any](p *T) *T {
	c := reflect.New(reflect.TypeFor[T]())
	c.Elem().Set(reflect.ValueOf(p).Elem())
	return c.Interface().(*T)
}

// polledAfterCopy checks that a copy of a future that is in use panics with its name, and that the original goes on.
func polledAfterCopy[T any, F interface {
	*V
	Future[T]
}, V any](t *testing.T, cx *Context, name string, f F) {
	t.Helper()
	f.Poll(cx)
	c := F(copyOf((*V)(f)))
	panicsWith(t, name+" was copied", func() { c.Poll(cx) })
	f.Poll(cx)
	Drop(cx, f)
}

func TestAFutureThatIsPolledAfterACopySaysItsName(t *testing.T) {
	ex, _ := newExecutor(t)
	pool := NewPool(1)
	defer pool.Close()
	release := make(chan struct{})
	run(t, ex, Lazy(func(cx *Context) Unit {
		polledAfterCopy[Unit](t, cx, "Sleep", SleepFor(time.Hour))
		polledAfterCopy[Result[int]](t, cx, "Sleep", Timeout(time.Hour, never[int]()))
		polledAfterCopy[Result[int]](t, cx, "JoinHandle", SpawnLocal(cx, never[int]()))
		polledAfterCopy[Unit](t, cx, "Async", Async(func(co *Co) Unit { return Await(co, never[Unit]()) }))
		polledAfterCopy[Result[int]](t, cx, "Oneshot", NewOneshot[int]())
		polledAfterCopy[Unit](t, cx, "Notified", NewNotify().Notified())
		taken := NewSemaphore(1)
		taken.TryAcquire(1)
		polledAfterCopy[Unit](t, cx, "Acquire", taken.Acquire(1))
		full := NewChannel[int](1)
		polledAfterCopy[Item[int]](t, cx, "Recv", full.Recv())
		full.TrySend(1)
		polledAfterCopy[Result[Unit]](t, cx, "Send", full.Send(2))
		polledAfterCopy[Result[Unit]](t, cx, "Offload", Offload(pool, func() Unit { <-release; return Unit{} }))
		return Unit{}
	}))
	close(release)
}

func TestASetOfFuturesThatIsUsedAfterACopySaysItsName(t *testing.T) {
	cx := NewContext(NoopWaker())
	u := NewFuturesUnordered[int]()
	u.Push(never[int]())
	u.PollNext(cx)
	c := copyOf(u)
	panicsWith(t, "FuturesUnordered was copied", func() { c.PollNext(cx) })
	panicsWith(t, "FuturesUnordered was copied", func() { c.Push(never[int]()) })
}

func TestAFutureMayBeCopiedBeforeItsFirstPoll(t *testing.T) {
	ex, clock := newExecutor(t)
	s := copyOf(SleepFor(time.Second))
	run(t, ex, Future[Unit](s))
	if clock.now < int64(time.Second) {
		t.Error("the copy did not sleep")
	}
}

package coop

import (
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a driver whose time moves only when the executor would sleep, and which never really waits. An executor that
// would sleep for ever has lost a wake-up, or the test forgot one: the test fails.
type clock struct {
	t     testing.TB
	now   int64
	woken atomic.Bool
	waits int
	late  func() // called instead of failing, if not nil
}

func (c *clock) Wait(timeout time.Duration) error {
	c.waits++
	if c.woken.Swap(false) || timeout == 0 {
		return nil
	}
	if timeout < 0 {
		if c.late == nil {
			c.t.Fatal("the executor would sleep for ever: no task can run, no timer waits")
		}
		c.late()
		return nil
	}
	c.now += int64(timeout)
	return nil
}

func (c *clock) Wake()        { c.woken.Store(true) }
func (c *clock) Now() int64   { return c.now }
func (c *clock) Close() error { return nil }

// newExecutor returns an executor in simulated time, which is closed at the end of the test.
func newExecutor(t testing.TB) (*Executor, *clock) {
	c := &clock{t: t}
	ex := New(Config{Driver: c})
	t.Cleanup(func() { ex.Close() })
	return ex, c
}

// run runs f to its end and returns its value.
func run[T any](t testing.TB, ex *Executor, f Future[T]) T {
	t.Helper()
	v, err := BlockOn(ex, f)
	if err != nil {
		t.Fatalf("BlockOn: %v", err)
	}
	return v
}

// probe is a future under the test's control that counts what is done to it.
type probe[T any] struct {
	poll  func(cx *Context) Poll[T]
	polls int
	drops int
}

func (p *probe[T]) Poll(cx *Context) Poll[T] {
	p.polls++
	return p.poll(cx)
}

func (p *probe[T]) Drop(*Context) { p.drops++ }

// never returns a future that answers Pending for ever and is woken by nobody.
func never[T any]() *probe[T] {
	return &probe[T]{poll: func(*Context) Poll[T] { return Pending[T]() }}
}

// selfWaking returns a future that wakes itself n times before it is ready with v.
func selfWaking[T any](n int, v T) *probe[T] {
	p := &probe[T]{}
	p.poll = func(cx *Context) Poll[T] {
		if p.polls > n {
			return Ready(v)
		}
		cx.LocalWaker().Wake()
		return Pending[T]()
	}
	return p
}

// panicsWith checks that f panics with a text that contains want.
func panicsWith(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got == nil || !contains(got, want) {
			t.Errorf("panic %v; want one about %q", got, want)
		}
	}()
	f()
}

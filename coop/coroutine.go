package coop

import "iter"

// coroutine is a stack on which async functions run, one after another. To make one costs a goroutine and some six
// allocations, so those that are done are kept for later.
type coroutine struct {
	body   body
	next   func() (Unit, bool)
	stop   func()
	yield  func(Unit) bool
	exited bool        // by runtime.Goexit; it cannot run any more
	home   *coroutines // nil: not to be kept
	link   *coroutine  // next of those that have nothing to do
}

// body is an AsyncFuture, seen without its type.
type body interface {
	call()
	state() *Co
}

// exit is what a coroutine panics with to take the place of a runtime.Goexit.
type exit struct{}

func newCoroutine(home *coroutines) *coroutine {
	c := &coroutine{home: home}
	c.next, c.stop = iter.Pull(c.loop)
	return c
}

// loop runs one body after another; between them it waits for the next.
func (c *coroutine) loop(yield func(Unit) bool) {
	c.yield = yield
	for {
		c.run()
		if !yield(Unit{}) {
			return
		}
	}
}

func (c *coroutine) run() {
	returned := false
	defer func() { c.catch(returned, recover()) }()
	c.body.call()
	returned = true
}

// catch ends a body, however it has ended. A runtime.Goexit cannot be stopped, and package iter would have the goroutine
// that resumes the coroutine exit as well, which is the executor's. But it passes a panic on instead if there is one, and a
// panic can be recovered there.
func (c *coroutine) catch(returned bool, value any) {
	c.body.state().ended(returned, value)
	c.body = nil
	if !returned && value == nil {
		c.exited = true
		panic(exit{})
	}
}

// release keeps the coroutine for the next body, or ends it.
func (c *coroutine) release() {
	switch home := c.home; {
	case c.exited:
	case home != nil && !home.closed && home.length < coroutinesKept:
		c.link, home.idle = home.idle, c
		home.length++
	default:
		c.stop()
	}
}

// coroutinesKept bounds the coroutines that an executor keeps although they have nothing to do: a megabyte of stacks at
// most.
const coroutinesKept = 256

// coroutines are those of one executor that have nothing to do.
type coroutines struct {
	idle   *coroutine
	length int
	closed bool // the executor shuts down
}

// takeCoroutine returns a coroutine that will run b.
func takeCoroutine(cx *Context, b body) *coroutine {
	home := coroutinesOf(cx)
	if home == nil || home.idle == nil {
		c := newCoroutine(home)
		c.body = b
		return c
	}
	c := home.idle
	home.idle, c.link = c.link, nil
	home.length--
	c.body = b
	return c
}

// coroutinesOf returns where coroutines are kept. Nil means that they are not: when there is no executor or it shuts down,
// and when it is locked to a thread between BlockOns, in which case it might be ended on another thread.
func coroutinesOf(cx *Context) *coroutines {
	ex := cx.ex
	if ex == nil || ex.config.Locked || ex.coroutines.closed {
		return nil
	}
	return &ex.coroutines
}

// end ends the coroutines, on the goroutine that may. Those that still run a body end with it.
func (s *coroutines) end() {
	s.closed = true
	for c := s.idle; c != nil; c = c.link {
		c.stop()
	}
	s.idle, s.length = nil, 0
}

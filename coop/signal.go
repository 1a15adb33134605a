package coop

import "sync"

// signal is an event that happens once, that one task waits for, and that any thread may fire.
//
// Waiting across threads has to look, store the waker, and look again: an event between a look and the store would find no
// waker, and nobody would look any more. The lock makes look and store one step.
type signal struct {
	mu    sync.Mutex
	fired bool
	waker Waker
}

// poll reports whether the signal has been fired; if not, the task that polls is woken when it is.
func (s *signal) poll(cx *Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fired && !s.waker.WillWake(cx.Waker()) {
		s.waker.Drop()
		s.waker = cx.Waker().Clone()
	}
	return s.fired
}

// fire fires the signal. What was written before is seen by who finds it fired.
func (s *signal) fire() {
	s.mu.Lock()
	s.fired = true
	w := s.waker
	s.waker = Waker{}
	s.mu.Unlock()
	if !w.IsZero() {
		w.Wake()
		w.Drop()
	}
}

// forget lets nobody be woken.
func (s *signal) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waker.Drop()
	s.waker = Waker{}
}

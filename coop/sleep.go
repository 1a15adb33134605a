package coop

import (
	"time"

	"turnlab/coop/internal/wheel"
)

// Sleep is a future that is ready after some time. Nothing runs meanwhile: the executor's timer wheel keeps its waker.
//
// It is never early. It is late by up to 65 µs, the tick of the wheel, plus whatever else the executor does at that moment.
// The time counts from the first poll, and until then there is no timer. The zero Sleep is ready at once; a Sleep may be
// used again with Reset.
type Sleep struct {
	place    noCopy
	wait     time.Duration
	deadline int64
	timer    wheel.Handle
	waker    LocalWaker // the waker that the timer holds
	armed    bool
}

// SleepFor returns a future that is ready d after its first poll.
func SleepFor(d time.Duration) *Sleep { return &Sleep{wait: d} }

// Poll answers Ready when the time has passed.
func (s *Sleep) Poll(cx *Context) Poll[Unit] {
	s.place.stay("Sleep")
	ex := cx.Executor()
	now := ex.driver.Now()
	if !s.armed {
		s.deadline, s.armed = now+int64(max(0, s.wait)), true
	}
	if now >= s.deadline {
		return s.ready(cx)
	}
	if s.timer == 0 || !s.waker.WillWake(cx.LocalWaker()) {
		s.cancel(ex)
		s.waker = cx.LocalWaker().Clone()
		s.timer = ex.timers.Insert(s.deadline, s.waker)
	}
	return Pending[Unit]()
}

func (s *Sleep) ready(cx *Context) Poll[Unit] {
	if !cx.Proceed() {
		return Pending[Unit]()
	}
	cx.Spend()
	s.cancel(cx.ex)
	return Done()
}

// Reset makes s a sleep of d, which begins with its next poll.
func (s *Sleep) Reset(cx *Context, d time.Duration) {
	s.cancel(cx.Executor())
	s.wait, s.armed = d, false
}

// Drop takes the timer off the wheel.
func (s *Sleep) Drop(cx *Context) {
	if s.timer != 0 {
		s.cancel(cx.Executor())
	}
}

// cancel takes the timer off the wheel, if it is still there; a timer that has fired has dropped its waker.
func (s *Sleep) cancel(ex *Executor) {
	if w, ok := ex.timers.Cancel(s.timer); ok {
		w.Drop()
	}
	s.timer, s.waker = 0, LocalWaker{}
}

package coop

import (
	"time"
)

// Driver is where an executor waits when no task can run. A reactor is one: it waits for sockets. Simulations are others.
type Driver interface {
	// Wait looks for events and wakes the tasks that wait for them. It returns when there was one, when Wake was called
	// since the last Wait, or when the timeout has passed; 0 means do not wait, negative means no limit. It may return
	// early for no reason. An error stops the executor.
	Wait(timeout time.Duration) error
	// Wake ends a Wait, or makes the next one return at once. It may be called from any goroutine and after Close.
	Wake()
	// Now returns nanoseconds on a clock that never goes back.
	Now() int64
	// Close gives back what the driver holds. It is called once, on the executor's goroutine, when every task is gone.
	Close() error
}

// parker is the driver of an executor that has no sockets: it parks the goroutine. It needs nothing of the operating
// system, so tasks can live inside any Go program.
type parker struct {
	wake  chan struct{} // holds one: wakes that come together are one
	timer *time.Timer
	began time.Time
}

func newParker() *parker {
	p := &parker{wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), began: time.Now()}
	p.timer.Stop()
	return p
}

func (p *parker) Wait(timeout time.Duration) error {
	if timeout == 0 {
		return nil
	}
	var expired <-chan time.Time
	if timeout > 0 {
		p.timer.Reset(timeout)
		defer p.timer.Stop()
		expired = p.timer.C
	}
	select {
	case <-p.wake:
	case <-expired:
	}
	return nil
}

func (p *parker) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *parker) Now() int64 { return int64(time.Since(p.began)) }

func (p *parker) Close() error {
	p.timer.Stop()
	return nil
}

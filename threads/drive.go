package threads

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/internal/nonblock"
	"turnlab/workloads"
)

// conn is one connection and its thread's hands.
type conn struct {
	fd       int
	host     *host
	input    engine.Input
	x        workloads.Exchange
	bell     int         // eventfd; 0 until it is needed
	inbox    *inbox      // of a subscriber, from its first Receive on
	asking   *asking     // from the first Call on
	sleeping atomic.Bool // in clock_nanosleep, or about to be
	stopped  func() bool
}

// drive carries out what the session asks for until it is over. It blocks wherever it likes: the kernel runs another
// thread meanwhile.
func (c *conn) drive(s workloads.Session) {
	c.x = workloads.Exchange{Out: c.x.Out[:0]}
	defer c.leave()
	for !c.expelled() {
		op := s.Step(&c.x)
		c.x.Replies, c.x.Message = nil, ""
		if op.Kind != workloads.Burn && !c.flush() {
			return
		}
		switch op.Kind {
		case workloads.Read:
			if !c.read() {
				return
			}
		case workloads.Sleep:
			if !c.sleep(op.Wait) {
				return
			}
		case workloads.Burn:
			workloads.Work(op.Units)
		case workloads.Call:
			if !c.call(op.Calls) {
				return
			}
		case workloads.Publish:
			c.host.room.Publish(op.Message)
		case workloads.Receive:
			if !c.receive(op) {
				return
			}
		case workloads.Close:
			if op.Linger {
				c.linger()
			}
			return
		}
	}
}

// read blocks the thread until there is input, or its end.
func (c *conn) read() bool {
	if c.x.EOF || len(c.x.In) >= workloads.MaxUnread {
		return false
	}
	n, err := read(c.fd, c.input.Room(&c.x))
	if err != nil {
		return false
	}
	c.input.Got(&c.x, n)
	c.x.EOF = n == 0
	return true
}

// read is read(2), again when a signal came in between.
func read(fd int, p []byte) (n int, err error) {
	for {
		n, err = unix.Read(fd, p)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// flush blocks the thread until the kernel has taken the output. A signal may cut a write short.
//
// It asks the kernel not to block at first, because then the Go runtime need not be told: there is most often room, and to
// announce a call that could block, and to come back from it, costs more than copying a short reply. Only output for which
// there is no room blocks. So a request is still one read and one write.
func (c *conn) flush() bool {
	for out := c.x.Out; len(out) > 0; {
		n, errno := nonblock.Send(c.fd, out)
		var err error
		if errno == unix.EAGAIN {
			n, err = unix.Write(c.fd, out)
		} else if errno != 0 {
			err = errno
		}
		if err != nil && err != unix.EINTR {
			return false
		}
		out = out[max(n, 0):]
	}
	c.x.Out = c.x.Out[:0]
	return true
}

// sleep blocks the thread. The end is a point in time, so that signals in between do not make it longer. It reports
// false when the engine was stopped meanwhile.
func (c *conn) sleep(d time.Duration) bool {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	end := unix.NsecToTimespec(now.Nano() + int64(d))
	c.sleeping.Store(true)
	defer c.sleeping.Store(false)
	for !c.stopped() {
		if unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &end, nil) != unix.EINTR {
			return true
		}
	}
	return false
}

// linger ends our side and throws input away until the peer ends its own, within the bounds.
func (c *conn) linger() {
	if unix.Shutdown(c.fd, unix.SHUT_WR) != nil {
		return
	}
	c.x.In = nil
	end := time.Now().Add(workloads.LingerTime)
	for left := workloads.LingerBytes; left > 0; {
		wait := unix.NsecToTimeval(max(int64(time.Until(end)), 1000))
		_ = unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait)
		n, err := read(c.fd, c.input.Room(&c.x))
		if n <= 0 || err != nil {
			return // the peer has closed, or the time is up
		}
		left -= n
	}
}

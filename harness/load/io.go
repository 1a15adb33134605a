package load

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"turnlab/workloads"
)

// readSize is the largest read. One buffer of a thread serves all its connections.
const readSize = 64 << 10

// errClosed is the end of a connection that still owes replies.
var errClosed = errors.New("the server closed it before it had replied")

// write sends p, and keeps what the kernel will not take.
func (w *worker) write(index int32, c *conn, p []byte) {
	if c.spill != nil && len(c.spill.out) > 0 {
		c.spill.queue(p)
		return
	}
	n, errno := send(c.fd, p)
	if errno == 0 && n == len(p) {
		return
	}
	switch errno {
	case 0:
	case unix.EAGAIN, unix.EINTR:
		n = 0
	default:
		w.lose(index, c, kindOf(errno), fmt.Errorf("write: %w", errno))
		return
	}
	s := w.spillFor(c)
	s.out = append(s.out, p[n:]...)
	if errno := w.watch(index, c, unix.EPOLLOUT); errno != 0 {
		w.lose(index, c, other, fmt.Errorf("epoll_ctl: %w", errno))
	}
}

// flush sends what waits, and reports whether the connection is still there.
func (w *worker) flush(index int32, c *conn) bool {
	s := c.spill
	for s != nil && len(s.out) > 0 {
		n, errno := send(c.fd, s.out[s.gone:])
		switch errno {
		case 0:
			if s.gone += n; s.gone == len(s.out) {
				s.out, s.gone = s.out[:0], 0
			}
		case unix.EAGAIN:
			return true
		case unix.EINTR:
		default:
			w.tick()
			w.lose(index, c, kindOf(errno), fmt.Errorf("write: %w", errno))
			return false
		}
	}
	w.returnSpill(c)
	if errno := w.watch(index, c, 0); errno != 0 {
		w.tick()
		w.lose(index, c, other, fmt.Errorf("epoll_ctl: %w", errno))
		return false
	}
	return true
}

// readable takes in all that has arrived. A read that does not fill the buffer has emptied the socket, so there is no need
// to read again until "would block", unless the connection has ended: then the end is still to be read. It cannot go on
// for ever: new requests are made only afterwards, so what can arrive is bounded by the replies that are due.
func (w *worker) readable(index int32, c *conn, ended bool) {
	for {
		kept := w.recall(c)
		n, errno := recv(c.fd, w.in[kept:kept+readSize])
		w.tick()
		switch {
		case errno == unix.EAGAIN:
			w.refill(index, c)
			return
		case errno == unix.EINTR:
			continue
		case n <= 0 && w.lingers(c):
			w.end(index, c)
			return
		case errno != 0:
			w.lose(index, c, kindOf(errno), fmt.Errorf("read: %w", errno))
			return
		case n == 0:
			w.lose(index, c, closed, errClosed)
			return
		}
		if !w.check(index, c, w.in[:kept+n]) {
			return
		}
		if n < readSize && !ended {
			w.refill(index, c)
			return
		}
	}
}

// recall puts the connection's unread input at the start of the thread's buffer and returns its length.
func (w *worker) recall(c *conn) int {
	if c.spill == nil {
		return 0
	}
	return copy(w.in, c.spill.in)
}

// check gives what has arrived to the client, keeps what it does not want yet, and reports whether the connection is still
// there. Bytes that nobody asked for are kept too: the next request will find that they are no answer to it.
func (w *worker) check(index int32, c *conn, in []byte) bool {
	if w.listening {
		return w.hear(index, c, in)
	}
	for c.flying > 0 && len(in) > 0 {
		n, done, err := c.client.Reply(in)
		if err != nil {
			w.lose(index, c, wrong, err)
			return false
		}
		in = in[n:]
		if done {
			w.answered(index, c)
		} else if n == 0 {
			break
		}
	}
	return w.keep(index, c, in)
}

// keep puts what the client does not want yet aside, and reports whether the connection is still there.
func (w *worker) keep(index int32, c *conn, in []byte) bool {
	if len(in) > workloads.MaxUnread {
		w.lose(index, c, wrong, fmt.Errorf("more than %d bytes that are no reply", workloads.MaxUnread))
		return false
	}
	if len(in) > 0 || c.spill != nil {
		s := w.spillFor(c)
		s.in = append(s.in[:0], in...)
		w.returnSpill(c)
	}
	return true
}

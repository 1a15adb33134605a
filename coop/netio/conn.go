// Package netio has sockets for tasks: accepting, connecting, reading and writing as leaf futures on a reactor.
//
// Each operation comes in two forms. PollRead, PollWrite and PollAccept are for hand-written state machines: they try, and
// if the socket is not ready they leave the waker of the running task with it. Read, Write, WriteAll, Accept and Connect
// return the same as futures, for combinators and for await.
//
// An operation is tried only when the socket may be ready as far as the reactor knows, so a task that has read everything
// waits without asking the kernel again. Operations count against the budget of the task.
//
// Limits: sockets belong to the executor on whose reactor they are registered, and their methods may only be called from its
// tasks. One task may wait to read and one to write. Linux only.
package netio

import (
	"io"
	"net"
	"os"
	"syscall"

	"turnlab/coop"
	"turnlab/coop/reactor"
)

// WriteMax is the most that one system call is given to write. A write to a loopback socket runs the receiving side of the
// network stack before it returns, and the Go runtime cannot stop the thread meanwhile; the bound keeps that short.
const WriteMax = 64 << 10

// triesMax bounds how often a call that a signal interrupted is made again before the socket is treated as not ready yet.
const triesMax = 16

// Conn is a connected stream socket. The zero Conn is closed.
type Conn struct {
	src *reactor.Source
}

// Adopt makes a Conn of a connected non-blocking descriptor, which it owns from here on, also when Adopt fails.
func Adopt(r *reactor.Reactor, fd int32) (Conn, error) {
	src, err := r.Register(fd)
	return Conn{src}, err
}

// IsOpen reports whether c has not been closed.
func (c *Conn) IsOpen() bool { return c.src != nil }

// PollRead reads what is there into p, which must not be empty. Result.Value is the number of bytes, at least one; at the
// end of the stream the error is io.EOF.
func (c *Conn) PollRead(cx *coop.Context, p []byte) coop.Poll[coop.Result[int]] {
	s := c.src
	if s == nil {
		return coop.Fail[int](net.ErrClosed)
	}
	for range triesMax {
		if !s.PollReady(cx, reactor.ToRead) || !cx.Proceed() {
			return coop.Pending[coop.Result[int]]()
		}
		n, errno := s.System().Read(s.FD(), p)
		switch errno {
		case 0:
			cx.Spend()
			return received(s, n, len(p))
		case syscall.EAGAIN:
			s.Blocked(reactor.ToRead)
		case syscall.EINTR:
		default:
			cx.Spend()
			return coop.Fail[int](os.NewSyscallError("read", errno))
		}
	}
	return later[int](cx)
}

func received(s *reactor.Source, n, room int) coop.Poll[coop.Result[int]] {
	if n == 0 {
		return coop.Fail[int](io.EOF)
	}
	if n < room {
		s.Exhausted(reactor.ToRead)
	}
	return coop.Ok(n)
}

// PollWrite writes some of p. Result.Value is the number of bytes that were taken, at least one unless p is empty.
func (c *Conn) PollWrite(cx *coop.Context, p []byte) coop.Poll[coop.Result[int]] {
	s := c.src
	if s == nil {
		return coop.Fail[int](net.ErrClosed)
	}
	p = p[:min(len(p), WriteMax)]
	for range triesMax {
		if !s.PollReady(cx, reactor.ToWrite) || !cx.Proceed() {
			return coop.Pending[coop.Result[int]]()
		}
		n, errno := s.System().Write(s.FD(), p)
		switch errno {
		case 0:
			cx.Spend()
			if n < len(p) {
				s.Exhausted(reactor.ToWrite)
			}
			return coop.Ok(n)
		case syscall.EAGAIN:
			s.Blocked(reactor.ToWrite)
		case syscall.EINTR:
		default:
			cx.Spend()
			return coop.Fail[int](os.NewSyscallError("write", errno))
		}
	}
	return later[int](cx)
}

// later lets others run and has the operation tried again.
func later[T any](cx *coop.Context) coop.Poll[coop.Result[T]] {
	cx.Defer()
	return coop.Pending[coop.Result[T]]()
}

// CloseWrite tells the peer that nothing more will come. Reading goes on.
func (c *Conn) CloseWrite() error {
	if c.src == nil {
		return net.ErrClosed
	}
	if errno := c.src.System().CloseWrite(c.src.FD()); errno != 0 {
		return os.NewSyscallError("shutdown", errno)
	}
	return nil
}

// Close closes the socket. A task that waits for it is woken and finds net.ErrClosed; so does every later call, a second
// Close among them.
func (c *Conn) Close() error {
	s := c.src
	if s == nil {
		return net.ErrClosed
	}
	c.src = nil
	return s.Close()
}

package netio

import (
	"net"
	"os"
	"syscall"

	"turnlab/coop"
	"turnlab/coop/reactor"
)

// Listener is a listening socket.
type Listener struct {
	src *reactor.Source
}

// Listen makes a Listener of a non-blocking listening descriptor, which it owns from here on, also when Listen fails.
func Listen(r *reactor.Reactor, fd int32) (Listener, error) {
	src, err := r.Register(fd)
	return Listener{src}, err
}

// PollAccept takes a connection off the accept queue. Result.Value is its descriptor, non-blocking, for Adopt on this or on
// another executor's reactor. Connections that ended while they were queued are skipped.
func (l *Listener) PollAccept(cx *coop.Context) coop.Poll[coop.Result[int32]] {
	s := l.src
	if s == nil {
		return coop.Fail[int32](net.ErrClosed)
	}
	for range triesMax {
		if !s.PollReady(cx, reactor.ToRead) || !cx.Proceed() {
			return coop.Pending[coop.Result[int32]]()
		}
		fd, errno := s.System().Accept(s.FD())
		switch errno {
		case 0:
			cx.Spend()
			return coop.Ok(fd)
		case syscall.EAGAIN:
			s.Blocked(reactor.ToRead)
		case syscall.EINTR, syscall.ECONNABORTED:
		default:
			cx.Spend()
			return coop.Fail[int32](os.NewSyscallError("accept", errno))
		}
	}
	return later[int32](cx)
}

// Close closes the socket. A second Close answers net.ErrClosed.
func (l *Listener) Close() error {
	s := l.src
	if s == nil {
		return net.ErrClosed
	}
	l.src = nil
	return s.Close()
}

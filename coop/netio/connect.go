package netio

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"turnlab/coop"
	"turnlab/coop/reactor"
)

// ConnectFuture is a connection attempt; see Connect.
type ConnectFuture struct {
	to    unix.Sockaddr
	conn  *Conn
	stage stage
}

type stage uint8

const (
	untried stage = iota
	trying
	over
)

// Connect returns a future that connects conn, which must be closed, to an address. Dropped before it is ready, it closes
// the socket; afterwards the socket is the caller's.
func Connect(conn *Conn, to unix.Sockaddr) *ConnectFuture { return &ConnectFuture{to: to, conn: conn} }

// Poll begins the attempt, and later looks how it has ended: a socket that connects becomes writable when it has, or when it
// has failed.
func (f *ConnectFuture) Poll(cx *coop.Context) coop.Poll[coop.Result[coop.Unit]] {
	if f.stage == untried {
		if err := f.begin(cx); err != nil {
			return f.end(err)
		}
	}
	s := f.conn.src
	if s == nil {
		return f.end(net.ErrClosed)
	}
	if !s.PollReady(cx, reactor.ToWrite) || !cx.Proceed() {
		return coop.Pending[coop.Result[coop.Unit]]()
	}
	cx.Spend()
	if errno := s.System().ConnectError(s.FD()); errno != 0 {
		f.conn.Close()
		return f.end(errno)
	}
	return f.end(nil)
}

// begin starts the handshake and then registers the socket: one that has not begun to connect reports a hang-up.
func (f *ConnectFuture) begin(cx *coop.Context) error {
	if f.conn.IsOpen() {
		return fmt.Errorf("the Conn is open: %w", syscall.EISCONN)
	}
	r := reactor.Of(cx)
	fd, errno := r.System().Connect(f.to)
	if errno != 0 {
		return errno
	}
	s, err := r.Register(fd)
	if err != nil {
		return err
	}
	s.Exhausted(reactor.ToWrite) // not before the handshake is over; if it is already, the first wait reports it
	f.conn.src, f.stage = s, trying
	return nil
}

func (f *ConnectFuture) end(err error) coop.Poll[coop.Result[coop.Unit]] {
	f.stage = over
	if err != nil {
		return coop.Fail[coop.Unit](fmt.Errorf("connect: %w", err))
	}
	return coop.Ok(coop.Unit{})
}

// Drop closes the socket of an attempt that has not ended.
func (f *ConnectFuture) Drop(*coop.Context) {
	if f.stage == trying && f.conn.IsOpen() {
		f.conn.Close()
	}
}

package load

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// NullMain is the null responder child: a server that gives the right answers as cheaply as one can, and does nothing else.
// It talks as a server child does (see package control) and knows start and stop only; it ends when in does. Against it
// the generator meets its own limits, see Calibrate.
//
// It runs the workload's own sessions, so that the answers are right, on one thread with raw system calls. Burn and Sleep
// take no time: an answer without its work is still the right one to the client. Workloads whose sessions need others
// (calls to upstreams, published messages) it cannot serve, and says so.
func NullMain(in io.Reader, out io.Writer) int {
	say := json.NewEncoder(out)
	requests := json.NewDecoder(in)
	var first control.Request
	if err := requests.Decode(&first); err != nil || first.Do != control.Start || first.Server == nil {
		_ = say.Encode(control.Event{Is: control.Failed, Error: "the null responder needs to be started first"})
		return 1
	}
	n, address, err := newNull(*first.Server)
	if err != nil {
		_ = say.Encode(control.Event{Is: control.Failed, Error: err.Error(), Misuse: misuse.Is(err)})
		return 2
	}
	done := make(chan error, 1)
	go func() { done <- n.serve() }()
	_ = say.Encode(control.Event{Is: control.Ready, Address: address})
	var next control.Request
	err = requests.Decode(&next) // stop, or the end
	n.stopped.Store(true)
	if served := <-done; served != nil || err == nil && next.Do != control.Stop {
		_ = say.Encode(control.Event{Is: control.Failed, Error: fmt.Sprintf("null responder: %v, asked for %q", served, next.Do)})
		return 1
	}
	_ = say.Encode(control.Event{Is: control.Stopped})
	return 0
}

// null is the responder. conns is indexed by descriptor.
type null struct {
	server   workloads.Server
	listener net.Listener // keeps the socket and removes a unix socket's path
	fd       int32        // a duplicate of its descriptor
	tcp      bool
	poller   *poller
	conns    map[int32]*nullConn
	buffer   []byte
	stopped  atomic.Bool
}

type nullConn struct {
	session workloads.Session
	x       workloads.Exchange
	again   bool // Step wants no input
	closing bool
}

func newNull(s control.Server) (*null, string, error) {
	w, err := workloads.Find(s.Workload)
	if err != nil {
		return nil, "", err
	}
	for _, op := range []workloads.Kind{workloads.Call, workloads.Publish, workloads.Receive} {
		if w.Uses(op) {
			return nil, "", misuse.Errorf("the null responder cannot serve %s, whose sessions %s: calibrate with echo", w.Name, op)
		}
	}
	values, err := w.Options.Resolve(s.Settings)
	if err != nil {
		return nil, "", misuse.Errorf("workload %s: %w", w.Name, err)
	}
	half, err := w.NewServer(values, workloads.Env{})
	if err != nil {
		return nil, "", misuse.Errorf("workload %s: %w", w.Name, err)
	}
	n := &null{server: half, tcp: s.Network == "tcp", conns: map[int32]*nullConn{}, buffer: make([]byte, readSize)}
	if err := n.listen(s.Network, s.Address); err != nil {
		return nil, "", err
	}
	return n, n.listener.Addr().String(), nil
}

func (n *null) listen(network, address string) (err error) {
	if n.listener, err = net.Listen(network, address); err != nil {
		return fmt.Errorf("null responder: %w", err)
	}
	file, err := n.listener.(interface {
		SyscallConn() (syscall.RawConn, error)
	}).SyscallConn()
	if err == nil {
		var dup error
		err = file.Control(func(fd uintptr) {
			var own int
			own, dup = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
			n.fd = int32(own)
		})
		if err == nil {
			err = dup
		}
	}
	if err == nil {
		n.poller, err = newPoller()
	}
	if err == nil {
		if errno := n.poller.watch(unix.EPOLL_CTL_ADD, n.fd, n.fd, 0, unix.EPOLLIN); errno != 0 {
			err = errno
		}
	}
	if err != nil {
		n.listener.Close()
		return fmt.Errorf("null responder: %w", err)
	}
	return nil
}

// lookAround bounds how long the responder waits before it sees that it has been stopped.
const lookAround = 20 * time.Millisecond

func (n *null) serve() error {
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	defer n.close()
	for !n.stopped.Load() {
		count, errno := n.poller.poll(lookAround.Nanoseconds())
		if errno != 0 {
			return fmt.Errorf("wait for events: %w", errno)
		}
		for i := range n.poller.events[:count] {
			if fd := n.poller.events[i].Fd; fd == n.fd {
				n.accept()
			} else if c := n.conns[fd]; c != nil {
				n.pump(fd, c)
			}
		}
	}
	return nil
}

func (n *null) close() {
	for fd := range n.conns {
		unix.Close(int(fd))
	}
	unix.Close(int(n.fd))
	unix.Close(n.poller.fd)
	n.listener.Close()
}

// accept takes all connections that wait. Each is watched once, for everything.
func (n *null) accept() {
	for {
		fd, _, err := unix.Accept4(int(n.fd), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		if n.tcp {
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // slower without, not wrong
		}
		c := &nullConn{session: n.server.NewSession()}
		n.conns[int32(fd)] = c
		if n.poller.watch(unix.EPOLL_CTL_ADD, int32(fd), int32(fd), 0, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP) != 0 {
			n.drop(int32(fd))
			continue
		}
		n.step(c)
		n.pump(int32(fd), c)
	}
}

func (n *null) drop(fd int32) {
	delete(n.conns, fd)
	unix.Close(int(fd))
}

// pump sends, reads and steps until the connection would block. What a session may leave unread bounds its input.
func (n *null) pump(fd int32, c *nullConn) {
	for {
		for len(c.x.Out) > 0 {
			sent, errno := send(fd, c.x.Out)
			if errno == unix.EAGAIN {
				return
			} else if errno != 0 {
				n.drop(fd)
				return
			}
			c.x.Out = c.x.Out[:copy(c.x.Out, c.x.Out[sent:])]
		}
		if c.again {
			n.step(c)
			continue
		}
		if c.closing || c.x.EOF || len(c.x.In) > workloads.MaxUnread {
			n.drop(fd)
			return
		}
		got, errno := recv(fd, n.buffer)
		if errno == unix.EAGAIN {
			return
		} else if errno != 0 {
			n.drop(fd)
			return
		}
		c.x.In, c.x.EOF = append(c.x.In, n.buffer[:got]...), got == 0
		n.step(c)
	}
}

// step lets the session go on until it wants to read, has something to send, or is done.
func (n *null) step(c *nullConn) {
	whole := c.x.In
	op := c.session.Step(&c.x)
	for op.Kind == workloads.Burn { // the one op that does not send what is there
		op = c.session.Step(&c.x)
	}
	c.closing = op.Kind == workloads.Close
	c.again = op.Kind != workloads.Read && !c.closing
	c.x.In = whole[:copy(whole, c.x.In)]
}

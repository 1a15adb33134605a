package threads

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/workloads"
)

// asking is one thread's calls: it sends all requests, and then waits for all answers at once, in poll(2).
//
// Note: the other way that threads have is a thread per call. All, first and deadline alike would then need a way to
// interrupt a thread that reads, and a server of n connections with k calls would have n·(k+1) threads. poll(2) is what a
// server with a thread per connection uses for this, and its cost (the kernel looks at every descriptor each time) is part
// of the engine.
type asking struct {
	c       *conn
	calls   *workloads.Calls
	asks    []ask // of the present Call; kept for the next
	polled  []unix.PollFd
	replies []workloads.Reply // memory for those of a Call
	answers int
}

// ask is one request.
type ask struct {
	ticket engine.Ticket[int]
	state  state
	fd     int
	unsent []byte
	in     []byte // of the answer, as far as it has come
}

// state is what a request waits for.
type state uint8

const (
	queued  state = iota // for a ticket
	sending              // for its connection to be made, or to take more of the request
	reading              // for its answer
	over
)

var errEnded = errors.New("the upstream closed the connection")

// call asks the upstreams and reports whether the session goes on.
func (c *conn) call(calls *workloads.Calls) bool {
	if c.asking == nil {
		c.asking = &asking{c: c}
	}
	if !c.needBell() {
		return false
	}
	a := c.asking
	a.calls, a.answers = calls, 0
	c.x.Replies = a.replies[:0]
	if cap(a.asks) < len(calls.Requests) {
		a.asks = make([]ask, len(calls.Requests))
	}
	a.asks = a.asks[:len(calls.Requests)]
	for i := range a.asks {
		a.begin(i)
	}
	whole := a.wait(time.Now().Add(calls.Within))
	a.replies = c.x.Replies
	counts := &c.host.calls
	counts.Calls.Add(int64(len(a.asks)))
	counts.Cancelled.Add(int64(len(a.asks) - len(c.x.Replies)))
	for i := range a.asks {
		a.cancel(i)
	}
	return whole
}

func (a *asking) upstream(i int) *engine.Upstream[int] {
	all := a.c.host.upstreams
	return all[i%len(all)]
}

// begin begins request i, as far as that goes without waiting.
func (a *asking) begin(i int) {
	r := &a.asks[i]
	bell := a.c.bell
	*r = ask{fd: -1, unsent: a.calls.Requests[i], in: r.in[:0]}
	r.ticket.Granted = func() { ring(bell) }
	if a.upstream(i).Get(&r.ticket) {
		a.connect(i)
	}
}

// connect takes a connection that is kept, or begins to make one.
func (a *asking) connect(i int) {
	r, u := &a.asks[i], a.upstream(i)
	r.state = sending
	if fd, ok := u.Idle(); ok {
		r.fd = fd
		a.advance(i)
		return
	}
	fd, err := connectTo(u.Network, u.Address)
	if err != nil {
		a.end(i, fmt.Errorf("connect to the upstream %s: %w", u.Address, err))
		return
	}
	a.c.host.calls.Connects.Add(1)
	r.fd = fd
}

// connectTo begins to connect; the socket can be written to when it is connected, and tells why not if it could not be.
func connectTo(network, address string) (int, error) {
	domain, to, err := resolve(network, address)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if network == "tcp" {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func resolve(network, address string) (domain int, to unix.Sockaddr, err error) {
	if network == "unix" {
		return unix.AF_UNIX, &unix.SockaddrUnix{Name: address}, nil
	}
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return 0, nil, err
	}
	if ip4 := a.IP.To4(); ip4 != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip4)}, nil
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(a.IP.To16())}, nil
}

// wait sees the requests through until the call is over. It reports false when the connection broke.
func (a *asking) wait(end time.Time) bool {
	for a.answers < a.calls.Need && len(a.c.x.Replies) < len(a.asks) {
		left := time.Until(end)
		if left <= 0 {
			return true
		}
		a.watch()
		// A timeout as a timespec: the milliseconds of poll(2) are too coarse for a deadline.
		timeout := unix.NsecToTimespec(int64(left))
		n, err := unix.Ppoll(a.polled, &timeout, nil)
		if err != nil && err != unix.EINTR || a.c.stopped() {
			return false
		}
		if n > 0 && !a.proceed() {
			return false
		}
	}
	return true
}

// watch says what there is to wait for: the peer's connection to break, a ticket, and the upstreams.
func (a *asking) watch() {
	a.polled = append(a.polled[:0], unix.PollFd{Fd: int32(a.c.fd)}, unix.PollFd{Fd: int32(a.c.bell), Events: unix.POLLIN})
	for i := range a.asks {
		p := unix.PollFd{Fd: -1} // which poll passes over
		switch r := &a.asks[i]; r.state {
		case sending:
			p.Fd, p.Events = int32(r.fd), unix.POLLOUT
		case reading:
			p.Fd, p.Events = int32(r.fd), unix.POLLIN
		}
		a.polled = append(a.polled, p)
	}
}

// proceed goes on with the requests that can. It reports false when the peer's connection broke.
func (a *asking) proceed() bool {
	if a.polled[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
		return false
	}
	if a.polled[1].Revents != 0 {
		silence(a.c.bell)
	}
	for i := range a.asks {
		if a.answers == a.calls.Need {
			return true // of answers that are there at once, those that are needed
		}
		switch r := &a.asks[i]; {
		case r.state == queued && a.upstream(i).Holds(&r.ticket):
			a.connect(i)
		case a.polled[i+2].Revents != 0:
			a.advance(i)
		}
	}
	return true
}

// advance sends and reads what can be, without waiting.
func (a *asking) advance(i int) {
	r := &a.asks[i]
	if r.state == sending {
		n, err := unix.Write(r.fd, r.unsent)
		if err == unix.EAGAIN || err == unix.EINTR {
			return
		}
		if err != nil {
			a.end(i, fmt.Errorf("ask the upstream: %w", err))
			return
		}
		if r.unsent = r.unsent[n:]; len(r.unsent) == 0 {
			r.state = reading
		}
		return
	}
	a.read(i)
}

// read reads no more than the answer, first its head.
func (a *asking) read(i int) {
	r := &a.asks[i]
	want := workloads.FrameHeader
	if len(r.in) >= want {
		want += int(binary.BigEndian.Uint32(r.in))
	}
	at := len(r.in)
	r.in = append(r.in, make([]byte, want-at)...)
	n, err := unix.Read(r.fd, r.in[at:])
	r.in = r.in[:at+max(n, 0)]
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err == nil && n == 0:
		err = errEnded
	}
	if err != nil {
		a.end(i, fmt.Errorf("read the upstream's answer: %w", err))
		return
	}
	body, whole, err := workloads.CutFrame(r.in)
	switch {
	case err != nil:
		a.end(i, err)
	case whole > 0:
		a.reply(i, body)
	case len(r.in) == workloads.FrameHeader:
		a.read(i) // the body has most often come with it
	}
}

// reply ends request i with an answer, and keeps its connection.
func (a *asking) reply(i int, body []byte) {
	r := &a.asks[i]
	a.answers++
	a.c.x.Replies = append(a.c.x.Replies, workloads.Reply{Index: i, Data: body})
	a.upstream(i).Keep(r.fd)
	r.fd = -1
	a.cancel(i)
}

// end ends request i with a failure.
func (a *asking) end(i int, err error) {
	a.c.host.calls.Failed.Add(1)
	a.c.x.Replies = append(a.c.x.Replies, workloads.Reply{Index: i, Err: err})
	a.cancel(i)
}

// cancel gives back what request i holds. It does nothing to one that is over.
func (a *asking) cancel(i int) {
	r := &a.asks[i]
	if r.state == over {
		return
	}
	r.state = over
	if r.fd >= 0 {
		_ = unix.Close(r.fd)
	}
	a.upstream(i).Return(&r.ticket)
}

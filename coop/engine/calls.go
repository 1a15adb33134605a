package engine

import (
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/sys/unix"

	"turnlab/coop"
	"turnlab/coop/netio"
	"turnlab/engine"
	"turnlab/workloads"
)

// upstream is a server that sessions call, and a worker's connections to it.
type upstream struct {
	to   unix.Sockaddr
	free *coop.Semaphore // permits to have a connection in use
	idle []*netio.Conn   // open and in nobody's use; at most as many as there are permits
}

// resolve finds the addresses of the upstreams.
func resolve(texts []string) ([]unix.Sockaddr, error) {
	var all []unix.Sockaddr
	for _, text := range texts {
		network, address, err := engine.SplitUpstream(text)
		if err != nil {
			return nil, err
		}
		if network == "unix" {
			all = append(all, &unix.SockaddrUnix{Name: address})
			continue
		}
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("upstream %s: %w", text, err)
		}
		all = append(all, sockaddr(a))
	}
	return all, nil
}

func sockaddr(a *net.TCPAddr) unix.Sockaddr {
	if ip4 := a.IP.To4(); ip4 != nil {
		return &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip4)}
	}
	return &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(a.IP.To16())}
}

// newUpstreams returns a worker's share of the connections that the process may have.
func newUpstreams(addresses []unix.Sockaddr, executors int) []*upstream {
	var all []*upstream
	for _, to := range addresses {
		share := max(1, workloads.UpstreamConns/executors)
		all = append(all, &upstream{to: to, free: coop.NewSemaphore(share)})
	}
	return all
}

// line returns a connection: one that is idle, or a closed one to connect.
func (u *upstream) line() *netio.Conn {
	if n := len(u.idle); n > 0 {
		c := u.idle[n-1]
		u.idle = u.idle[:n-1]
		return c
	}
	return new(netio.Conn)
}

// asked is one request of a Call, as a future: it waits for a connection, connects, sends, and reads the answer.
type asked struct {
	w       *worker
	up      *upstream
	permit  coop.AcquireFuture
	line    *netio.Conn
	connect *netio.ConnectFuture
	request []byte // what has not been sent yet
	answer  []byte
	body    []byte // of the answer
	err     error
	stage   asking
}

type asking uint8

const (
	queues asking = iota
	connects
	sends
	listens
	over
)

// answerKept is the size of an answer's buffer, in bytes, up to which it is kept for the next.
const answerKept = 4 << 10

// begin makes a a request that has not been polled.
func (a *asked) begin(w *worker, up *upstream, request []byte) {
	a.w, a.up, a.request, a.stage = w, up, request, queues
	a.answer, a.body, a.err = a.answer[:0], nil, nil
	if cap(a.answer) > answerKept {
		a.answer = nil
	}
	up.free.AcquireIn(&a.permit, 1)
}

// Poll moves the request on as far as it goes. Each stage is passed once, but for those that send and read piecemeal, which
// the budget bounds.
func (a *asked) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for a.stage != over {
		before := a.stage
		switch a.stage {
		case queues:
			a.dial(cx)
		case connects:
			a.connected(cx)
		case sends:
			a.send(cx)
		case listens:
			a.listen(cx)
		}
		if a.stage == before {
			return coop.Pending[coop.Unit]()
		}
	}
	return coop.Done()
}

// dial takes a connection when the permit for one has come.
func (a *asked) dial(cx *coop.Context) {
	if !a.permit.Poll(cx).IsReady() {
		return
	}
	a.line, a.stage = a.up.line(), sends
	if !a.line.IsOpen() {
		a.w.counts.upstreamConnects++
		a.connect, a.stage = netio.Connect(a.line, a.up.to), connects
	}
}

func (a *asked) connected(cx *coop.Context) {
	r, ok := a.connect.Poll(cx).Get()
	switch {
	case !ok:
	case r.Err != nil:
		a.connect = nil
		a.end(r.Err)
	default:
		a.connect, a.stage = nil, sends
	}
}

func (a *asked) send(cx *coop.Context) {
	for len(a.request) > 0 {
		r, ok := a.line.PollWrite(cx, a.request).Get()
		if !ok {
			return
		}
		if r.Err != nil {
			a.end(r.Err)
			return
		}
		a.request = a.request[r.Value:]
	}
	a.stage = listens
}

// errExcess is the error of an upstream that sends more than it was asked for.
var errExcess = errors.New("the upstream sent more than one answer")

func (a *asked) listen(cx *coop.Context) {
	for {
		r, ok := a.line.PollRead(cx, a.w.answer[:]).Get()
		if !ok {
			return
		}
		if r.Err == io.EOF {
			r.Err = io.ErrUnexpectedEOF
		}
		if r.Err != nil {
			a.end(r.Err)
			return
		}
		a.answer = append(a.answer, a.w.answer[:r.Value]...)
		body, n, err := workloads.CutFrame(a.answer)
		if err == nil && n > 0 && n < len(a.answer) {
			err = errExcess
		}
		if err != nil || n > 0 {
			a.body = body
			a.end(err)
			return
		}
	}
}

// end gives the connection back, or closes it after an error, and lets the next have the permit.
func (a *asked) end(err error) {
	a.err, a.stage = err, over
	if err != nil {
		a.w.counts.callsFailed++
		a.body = nil
		a.line.Close() // answers net.ErrClosed when connecting has failed
	} else {
		a.up.idle = append(a.up.idle, a.line)
	}
	a.line = nil
	a.up.free.Release(1)
}

// Drop cancels a request that is under way: its connection is closed, because the answer may still come.
func (a *asked) Drop(cx *coop.Context) {
	if a.stage == over {
		return
	}
	a.w.counts.callsCancelled++
	if a.stage == queues {
		a.permit.Drop(cx)
	} else {
		if a.connect != nil {
			a.connect.Drop(cx)
			a.connect = nil
		}
		a.line.Close()
		a.line = nil
		a.up.free.Release(1)
	}
	a.stage = over
}

// calling is a Call: a join of its requests that ends early when enough have been answered or the time is up.
//
// Note: it polls each request that is not over whenever its task is woken, and is not a coop.FuturesUnordered, which polls
// only what was woken: with at most 64 requests, most of them waiting for a socket, a poll is a few nanoseconds, while the
// other has slots for 256 tasks per set.
type calling struct {
	requests []asked // of the present Call; kept for the next
	under    int     // requests under way
	missing  int     // answers
	timer    coop.Sleep
	replies  []workloads.Reply
	active   bool
}

func (k *calling) begin(cx *coop.Context, w *worker, calls *workloads.Calls) {
	n := len(calls.Requests)
	if n > cap(k.requests) {
		k.requests = make([]asked, n)
	}
	k.requests, k.replies = k.requests[:n], k.replies[:0]
	for i := range k.requests {
		k.requests[i].begin(w, w.upstreams[i%len(w.upstreams)], calls.Requests[i])
	}
	k.under, k.missing, k.active = n, calls.Need, true
	k.timer.Reset(cx, calls.Within)
	w.counts.calls += int64(n)
}

// Poll answers Ready when the Call is over; then replies are what came of it.
func (k *calling) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for i := 0; i < len(k.requests) && k.missing > 0; i++ {
		a := &k.requests[i]
		if a.stage == over {
			continue
		}
		if !cx.Proceed() {
			return coop.Pending[coop.Unit]()
		}
		if a.Poll(cx).IsReady() {
			k.add(i, a)
		}
	}
	if k.missing > 0 && k.under > 0 && !k.timer.Poll(cx).IsReady() {
		return coop.Pending[coop.Unit]()
	}
	k.Drop(cx)
	return coop.Done()
}

func (k *calling) add(i int, a *asked) {
	k.under--
	if a.err == nil {
		k.missing--
	}
	k.replies = append(k.replies, workloads.Reply{Index: i, Data: a.body, Err: a.err})
}

// Drop cancels what is under way.
func (k *calling) Drop(cx *coop.Context) {
	if !k.active {
		return
	}
	k.active = false
	k.timer.Drop(cx)
	for i := range k.requests {
		k.requests[i].Drop(cx)
	}
}

// call asks upstreams. If the connection breaks meanwhile nobody needs the answers any more.
func (c *conn) call(cx *coop.Context) progress {
	x := c.more()
	if x.calling == nil {
		x.calling = &calling{}
	}
	if !x.calling.active {
		x.calling.begin(cx, c.w, c.op.Calls)
	}
	if !x.calling.Poll(cx).IsReady() {
		if c.sock.PollBroken(cx) {
			return closes
		}
		return waits
	}
	c.w.x.Replies = x.calling.replies
	return done
}

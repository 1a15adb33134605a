package sim

import (
	"errors"
	"io"
	"net"
	"time"

	"turnlab/coop"
	"turnlab/coop/netio"
	"turnlab/coop/reactor"
)

// echo sends back what comes, until the end comes or the connection breaks.
type echo struct {
	sock netio.Conn
	buf  []byte
	rest []byte // read and not sent back yet
}

func (e *echo) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for {
		if len(e.rest) == 0 {
			r, ok := e.sock.PollRead(cx, e.buf).Get()
			if !ok {
				return coop.Pending[coop.Unit]()
			}
			if r.Err != nil {
				return coop.Done()
			}
			e.rest = e.buf[:r.Value]
		}
		r, ok := e.sock.PollWrite(cx, e.rest).Get()
		if !ok {
			return coop.Pending[coop.Unit]()
		}
		if r.Err != nil {
			return coop.Done()
		}
		e.rest = e.rest[r.Value:]
	}
}

func (e *echo) Drop(*coop.Context) {
	if e.sock.IsOpen() {
		e.sock.Close()
	}
}

// server accepts connections and serves them: each by a task, or all in its own, or each for a limited time.
type server struct {
	w        *world
	listener netio.Listener
	style    int
	set      *coop.FuturesUnordered[coop.Unit]
}

const styles = 3

func newServer(w *world, fd int32) *server {
	l, err := netio.Listen(w.reactor, fd)
	if err != nil {
		w.fail("listen: %v", err)
	}
	return &server{w: w, listener: l, style: w.random.IntN(styles), set: coop.NewFuturesUnordered[coop.Unit]()}
}

func (s *server) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for {
		r, ok := s.listener.PollAccept(cx).Get()
		if !ok {
			break
		}
		if r.Err != nil {
			s.w.fail("accept: %v", r.Err)
		}
		s.serve(cx, r.Value)
	}
	for { // of what is in the set
		item, ok := s.set.PollNext(cx).Get()
		if !ok || !item.OK {
			return coop.Pending[coop.Unit]()
		}
	}
}

func (s *server) serve(cx *coop.Context, fd int32) {
	sock, err := netio.Adopt(reactor.Of(cx), fd)
	if err != nil {
		return
	}
	e := track(s.w, "a connection", &echo{sock: sock, buf: make([]byte, 1+s.w.random.IntN(600))})
	switch s.style {
	case 0:
		if cx.Go(e) != nil {
			e.Drop(cx)
		}
	case 1:
		s.set.Push(e)
	default:
		limit := time.Hour
		if !s.w.calm {
			limit = s.w.between(0, 5*time.Millisecond)
		}
		s.set.Push(coop.Map(coop.Timeout[coop.Unit](limit, e), func(coop.Result[coop.Unit]) coop.Unit { return coop.Unit{} }))
	}
}

func (s *server) Drop(cx *coop.Context) {
	s.listener.Close()
	s.set.Drop(cx)
}

// client connects, sends so many bytes, and checks that it gets them back and then the end.
type client struct {
	w       *world
	number  int
	total   int
	sock    netio.Conn
	connect *netio.ConnectFuture
	work    coop.Future[coop.Tuple2[error, error]]
	leaves  bool // closes the connection in the middle
	inStep  bool // sends a part only when everything before it has come back
	sent    int
	got     int
	over    bool // nothing more comes back
}

func newClient(w *world, number int, listener int32) *client {
	c := &client{w: w, number: number, total: w.random.IntN(1 << w.random.IntN(12))}
	c.leaves = !w.calm && w.random.IntN(4) == 0
	c.inStep = w.random.IntN(3) == 0
	c.connect = netio.Connect(&c.sock, Address(listener))
	return c
}

func (c *client) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	if c.work == nil {
		r, ok := c.connect.Poll(cx).Get()
		if !ok {
			return coop.Pending[coop.Unit]()
		}
		if r.Err != nil {
			return c.broken("connect", r.Err)
		}
		c.work = coop.Join2[error, error](track[error](c.w, "a sender", &sender{client: c}),
			track[error](c.w, "a receiver", &receiver{client: c, buf: make([]byte, 1+c.w.random.IntN(300))}))
	}
	r, ok := c.work.Poll(cx).Get()
	if !ok {
		return coop.Pending[coop.Unit]()
	}
	if err := errors.Join(r.First, r.Second); err != nil {
		return c.broken("talk", err)
	}
	c.w.served++
	return coop.Done()
}

// broken ends a client whose connection has failed, which in a calm world none may.
func (c *client) broken(what string, err error) coop.Poll[coop.Unit] {
	if c.w.calm {
		c.w.fail("client %d: %s: %v", c.number, what, err)
	}
	return coop.Done()
}

func (c *client) Drop(cx *coop.Context) {
	if c.work != nil {
		coop.Drop(cx, c.work)
		if c.sock.IsOpen() {
			c.sock.Close()
		}
		return
	}
	c.connect.Drop(cx)
}

// sender sends in parts, sometimes with a rest in between, and ends its side.
type sender struct {
	client *client
	part   []byte
	rest   coop.Sleep
	rests  bool
}

func (s *sender) Poll(cx *coop.Context) coop.Poll[error] {
	c := s.client
	for {
		if s.rests {
			if !s.rest.Poll(cx).IsReady() {
				return coop.Pending[error]()
			}
			s.rests = false
		}
		if len(s.part) == 0 && c.sent == c.total {
			return coop.Ready(c.sock.CloseWrite())
		}
		if len(s.part) == 0 && c.inStep && c.got < c.sent {
			if c.over {
				return coop.Ready[error](io.ErrUnexpectedEOF)
			}
			return coop.Pending[error]() // the receiver wakes the task
		}
		if len(s.part) == 0 {
			s.next()
		}
		r, ok := c.sock.PollWrite(cx, s.part).Get()
		if !ok {
			return coop.Pending[error]()
		}
		if r.Err != nil {
			return coop.Ready(r.Err)
		}
		c.sent, s.part = c.sent+r.Value, s.part[r.Value:]
		if s.rests = c.w.random.IntN(8) == 0; s.rests {
			s.rest.Reset(cx, c.w.between(0, time.Millisecond))
		}
	}
}

// next makes the part to be sent.
func (s *sender) next() {
	n := 1 + s.client.w.random.IntN(s.client.total-s.client.sent)
	for i := range n {
		s.part = append(s.part, byteAt(s.client.number, s.client.sent+i))
	}
}

func (s *sender) Drop(cx *coop.Context) { s.rest.Drop(cx) }

// receiver checks what comes back. Some of its reads are given up and made again, which must lose nothing.
type receiver struct {
	client *client
	buf    []byte
	read   coop.Future[coop.Choice2[coop.Result[int], coop.Unit]]
}

func (r *receiver) Poll(cx *coop.Context) coop.Poll[error] {
	c := r.client
	for {
		if r.read == nil {
			patience := c.w.between(0, 400*time.Microsecond)
			if c.w.random.IntN(2) == 0 {
				patience = time.Hour
			}
			r.read = coop.Select2[coop.Result[int], coop.Unit](c.sock.Read(r.buf), track[coop.Unit](c.w, "patience", coop.SleepFor(patience)))
		}
		choice, ok := r.read.Poll(cx).Get()
		if !ok {
			return coop.Pending[error]()
		}
		r.read = nil
		if choice.Which == 1 {
			continue
		}
		end, err := r.took(choice.First)
		if c.inStep {
			cx.LocalWaker().Wake() // for the sender
		}
		if end {
			c.over = true
			return coop.Ready(err)
		}
	}
}

// took checks what a read has brought.
func (r *receiver) took(result coop.Result[int]) (end bool, err error) {
	c := r.client
	if result.Err == io.EOF {
		if c.got != c.total && c.w.calm {
			c.w.fail("client %d: the end came after %d of %d bytes", c.number, c.got, c.total)
		}
		return true, nil
	}
	if result.Err != nil {
		return true, result.Err
	}
	for i, b := range r.buf[:result.Value] {
		if b != byteAt(c.number, c.got+i) || c.got+i >= c.total {
			c.w.fail("client %d: byte %d is wrong", c.number, c.got+i)
		}
	}
	c.got += result.Value
	if c.leaves && c.got > c.total/2 {
		c.sock.Close()
		return true, net.ErrClosed
	}
	return false, nil
}

func (r *receiver) Drop(cx *coop.Context) {
	if r.read != nil {
		coop.Drop(cx, r.read)
	}
}

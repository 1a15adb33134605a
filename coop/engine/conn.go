package engine

import (
	"io"

	"turnlab/coop"
	"turnlab/coop/netio"
	"turnlab/workloads"
)

// conn is a connection as a future: a state machine whose state is the op that its session asked for last.
//
// An async function in Rust is compiled to just this, an enum of the places where it can wait with what lives across
// them. Here it is written by hand.
type conn struct {
	w       *worker
	session workloads.Session
	sock    netio.Conn
	op      workloads.Op // asked for and not yet carried out
	extra   *extra       // what it needs only at times
	inbox   *inbox       // from its first Receive on
	fd      int32        // until the first poll has registered it; then -1
	eof     bool
}

// extra is what a connection holds only while it needs it: a silent one has none.
type extra struct {
	unread    []byte
	unsent    []byte // from sent on
	sent      int
	timer     coop.Sleep
	waiting   bool // timer runs for the present op
	burning   *coop.OffloadFuture[coop.Unit]
	calling   *calling
	telling   *coop.SendFuture[string] // to the worker whose number is told
	told      int                      // how many other workers the message that is published has been sent to
	lingering int                      // bytes that will still be thrown away
}

// progress is how far an op has come.
type progress uint8

const (
	waits  progress = iota // the waker is where it will be found
	done                   // the session goes on
	closes                 // the connection is at its end
)

// opening is the state before the session's first step: there is nothing to carry out.
var opening = workloads.Op{Kind: workloads.Flush}

// Poll carries out ops until one has to wait.
func (c *conn) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	if c.fd >= 0 && !c.open() {
		return coop.Done()
	}
	c.resume()
	for {
		switch c.carryOut(cx) {
		case done:
			c.step()
		case waits:
			c.pause(cx)
			return coop.Pending[coop.Unit]()
		case closes:
			return coop.Done()
		}
	}
}

// carryOut goes on with the op. Output goes out first, except before computing.
func (c *conn) carryOut(cx *coop.Context) progress {
	if c.expelled() {
		return closes
	}
	if p := c.flush(cx); p != done {
		return p
	}
	return c.perform(cx)
}

// step asks the session what to do next.
func (c *conn) step() {
	x := &c.w.x
	c.op = c.session.Step(x)
	x.Replies, x.Message = nil, ""
}

// flush sends what goes out before the op.
func (c *conn) flush(cx *coop.Context) progress {
	if c.op.Kind == workloads.Burn {
		return done
	}
	return c.send(cx)
}

// perform goes on with the op itself.
func (c *conn) perform(cx *coop.Context) progress {
	switch c.op.Kind {
	case workloads.Read:
		return c.read(cx)
	case workloads.Flush:
		return c.spend(cx)
	case workloads.Sleep:
		return c.sleep(cx)
	case workloads.Burn:
		return c.burn(cx)
	case workloads.Call:
		return c.call(cx)
	case workloads.Publish:
		return c.publish(cx)
	case workloads.Receive:
		return c.receive(cx)
	case workloads.Close:
		if c.op.Linger {
			return c.linger(cx)
		}
	}
	return closes
}

// read takes what the socket has, after what the session has left unread.
func (c *conn) read(cx *coop.Context) progress {
	w := c.w
	kept := copy(w.input[:], w.x.In)
	if c.eof || kept >= workloads.MaxUnread {
		return closes
	}
	w.x.In = w.input[:kept]
	r, ok := c.sock.PollRead(cx, w.input[kept:kept+readBytes]).Get()
	switch {
	case !ok:
		return waits
	case r.Err == io.EOF:
		c.eof, w.x.EOF = true, true
	case r.Err != nil:
		return closes
	}
	w.counts.reads++
	w.x.In = w.input[:kept+r.Value]
	return done
}

// send hands the output to the socket.
func (c *conn) send(cx *coop.Context) progress {
	w := c.w
	for w.sent < len(w.x.Out) {
		r, ok := c.sock.PollWrite(cx, w.x.Out[w.sent:]).Get()
		if !ok {
			return waits
		}
		if r.Err != nil {
			return closes
		}
		w.counts.writes++
		w.sent += r.Value
	}
	w.x.Out, w.sent = w.x.Out[:0], 0
	return done
}

// spend counts a step that no socket operation was counted for, so that a session which never waits gives way all the same.
func (c *conn) spend(cx *coop.Context) progress {
	if !cx.Proceed() {
		return waits
	}
	cx.Spend()
	return done
}

func (c *conn) sleep(cx *coop.Context) progress {
	x := c.more()
	if !x.waiting {
		x.waiting = true
		x.timer.Reset(cx, c.op.Wait)
	}
	if !x.timer.Poll(cx).IsReady() {
		return waits
	}
	x.waiting = false
	return done
}

// linger ends the sending side and throws input away until the peer has ended its own, within the bounds.
func (c *conn) linger(cx *coop.Context) progress {
	x := c.more()
	if !x.waiting {
		x.waiting = true
		x.timer.Reset(cx, workloads.LingerTime)
		x.lingering = workloads.LingerBytes
		c.w.x.In = nil
		if c.sock.CloseWrite() != nil {
			return closes
		}
	}
	if x.timer.Poll(cx).IsReady() {
		return closes
	}
	for x.lingering > 0 {
		r, ok := c.sock.PollRead(cx, c.w.input[:readBytes]).Get()
		if !ok {
			return waits
		}
		if r.Err != nil {
			return closes
		}
		x.lingering -= r.Value
	}
	return closes
}

// open registers the socket with the executor that the connection was given to, and makes its session.
func (c *conn) open() bool {
	fd := c.fd
	c.fd = -1
	sock, err := netio.Adopt(c.w.reactor, fd)
	if err != nil {
		return false // out of memory for one more registration: the peer finds the connection closed
	}
	c.sock, c.session = sock, c.w.engine.srv.NewSession()
	c.w.counts.accepted++
	c.w.counts.open++
	return true
}

// Drop closes the connection.
func (c *conn) Drop(cx *coop.Context) {
	if c.fd >= 0 {
		c.w.reactor.System().CloseFD(c.fd)
	}
	if !c.sock.IsOpen() {
		return
	}
	c.sock.Close()
	c.w.counts.open--
	if x := c.extra; x != nil {
		x.timer.Drop(cx)
		if x.burning != nil {
			x.burning.Drop(cx)
		}
		if x.calling != nil {
			x.calling.Drop(cx)
		}
		if x.telling != nil {
			x.telling.Drop(cx)
		}
	}
	if c.inbox != nil {
		c.w.room.leave(c.inbox)
	}
}

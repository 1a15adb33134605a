package loop

import (
	"time"

	"golang.org/x/sys/unix"

	"turnlab/internal/nonblock"
	"turnlab/workloads"
)

// conn is one connection. Between its turns it holds input and output only if there is any left.
type conn struct {
	fd       int
	session  workloads.Session // nil while lingering
	op       workloads.Op      // asked for and not yet carried out
	unread   []byte
	unsent   []byte
	readable bool // input may be there: an edge has come, and read has not yet said that it is used up
	ended    bool // the peer has ended its side or is gone, so read goes on until it says so
	eof      bool // read has said so
	queued   bool // in Engine.again
	closed   bool
	left     int       // lingering: bytes that will still be thrown away
	deadline time.Time // lingering: when the patience ends
}

// drive carries out what the session asks for until that means to wait, or until its turn is over. Nothing here blocks:
// who has to wait returns to the loop, with what it needs to go on put into c.
func (e *Engine) drive(c *conn) {
	e.resume(c)
	for range turnOps {
		if !e.carryOut(c) {
			e.pause(c)
			return
		}
		c.op = c.session.Step(&e.x)
	}
	e.pause(c)
	c.queued = true
	e.again = append(e.again, c)
}

// carryOut reports whether the op is done; false means that the connection waits, or is closed.
func (e *Engine) carryOut(c *conn) bool {
	if c.op.Kind != workloads.Burn && !e.flush(c) {
		return false
	}
	switch c.op.Kind {
	case workloads.Read:
		return e.read(c)
	case workloads.Burn:
		workloads.Work(c.op.Units)
	case workloads.Close:
		if c.op.Linger {
			e.linger(c)
		} else {
			e.close(c)
		}
		return false
	}
	return true
}

// read takes what the socket has. A read that returns less than it could have has emptied the socket, so the next try
// can wait for the next edge; unless the peer has ended its side, for which no further edge would come.
func (e *Engine) read(c *conn) bool {
	if c.eof || len(e.x.In) >= workloads.MaxUnread {
		e.close(c)
		return false
	}
	if !c.readable {
		return false
	}
	kept := copy(e.input[:], e.x.In)
	n, errno := nonblock.Read(c.fd, e.input[kept:kept+readBytes])
	switch {
	case errno == unix.EAGAIN:
		c.readable, c.ended = false, false
		return false
	case errno != 0:
		e.close(c)
		return false
	case n == 0:
		c.eof, e.x.EOF = true, true
	case n < readBytes:
		c.readable = c.ended
	}
	e.x.In = e.input[:kept+n]
	return true
}

// flush hands the output to the kernel. What it does not take becomes the connection's own, until an edge says that there
// is room again.
func (e *Engine) flush(c *conn) bool {
	for len(e.x.Out) > 0 {
		n, errno := nonblock.Write(c.fd, e.x.Out)
		if errno == unix.EAGAIN {
			return false
		}
		if errno != 0 {
			e.close(c)
			return false
		}
		if n == len(e.x.Out) {
			e.x.Out = e.x.Out[:0]
			return true
		}
		e.x.Out = e.x.Out[n:]
	}
	return true
}

// linger ends our side and throws input away until the peer ends its own, within the bounds.
func (e *Engine) linger(c *conn) {
	nonblock.ShutdownWrite(c.fd)
	e.x.In = nil
	c.session, c.readable = nil, true
	c.left, c.deadline = workloads.LingerBytes, time.Now().Add(workloads.LingerTime)
	e.lingering = append(e.lingering, c)
	e.discard(c)
}

// discard throws away the input of a connection that lingers.
func (e *Engine) discard(c *conn) {
	for {
		n, errno := nonblock.Read(c.fd, e.input[:readBytes])
		if errno == unix.EAGAIN {
			return
		}
		c.left -= n
		if n == 0 || errno != 0 || c.left <= 0 {
			e.close(c)
			return
		}
	}
}

// resume lends the loop's exchange to a connection, with what the connection had left.
func (e *Engine) resume(c *conn) {
	c.queued = false
	e.x.In, e.x.EOF = e.input[:copy(e.input[:], c.unread)], c.eof
	if c.unsent != nil {
		e.x.Out, c.unsent = c.unsent, nil
	}
}

// pause keeps what is left, most often nothing.
func (e *Engine) pause(c *conn) {
	if len(e.x.Out) > 0 && !c.closed {
		c.unsent, e.x.Out = e.x.Out, nil
	}
	if cap(e.x.Out) > keptOut {
		e.x.Out = nil
	}
	e.x.Out = e.x.Out[:0]
	c.unread = nil
	if len(e.x.In) > 0 && !c.closed {
		c.unread = append(c.unread, e.x.In...)
	}
}

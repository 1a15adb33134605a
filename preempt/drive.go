package preempt

import (
	"io"
	"net"
	"sync"
	"time"

	"turnlab/engine"
	"turnlab/workloads"
)

// conn is one connection and its goroutine's hands.
type conn struct {
	net.Conn
	engine *Engine
	input  engine.Input
	x      workloads.Exchange
	out    *[]byte // where x.Out's memory came from, to give it back
	member *member // from its first Receive on
}

// outputs lends memory for output to goroutines that have something to say; a goroutine that waits for input holds none.
var outputs = sync.Pool{New: func() any { return new([]byte) }}

// drive carries out what the session asks for until it is over. It blocks wherever it likes: the runtime runs somebody
// else meanwhile.
func (c *conn) drive(s workloads.Session) {
	c.borrow()
	defer c.giveBack()
	for !c.expelled() {
		op := s.Step(&c.x)
		c.x.Replies, c.x.Message = nil, ""
		if op.Kind != workloads.Burn && !c.flush() {
			return
		}
		switch op.Kind {
		case workloads.Read:
			if !c.read() {
				return
			}
		case workloads.Sleep:
			time.Sleep(op.Wait)
		case workloads.Burn:
			workloads.Work(op.Units)
		case workloads.Call:
			if !c.call(op.Calls) {
				return
			}
		case workloads.Publish:
			c.engine.room.Publish(op.Message)
		case workloads.Receive:
			if !c.receive(op) {
				return
			}
		case workloads.Close:
			if op.Linger {
				c.linger()
			}
			return
		}
	}
}

// read parks the goroutine until there is input, or its end.
func (c *conn) read() bool {
	if c.x.EOF || len(c.x.In) >= workloads.MaxUnread {
		return false
	}
	if c.member != nil {
		return c.receiveInput()
	}
	c.giveBack()
	c.input.Shrink(&c.x)
	n, err := c.Read(c.input.Room(&c.x))
	c.borrow()
	c.input.Got(&c.x, n)
	c.x.EOF = err == io.EOF
	return err == nil || c.x.EOF
}

// flush parks the goroutine until the kernel has taken the output.
func (c *conn) flush() bool {
	if len(c.x.Out) == 0 {
		return true
	}
	_, err := c.Write(c.x.Out)
	c.x.Out = c.x.Out[:0]
	return err == nil
}

// linger ends our side and throws input away until the peer ends its own, within the bounds.
func (c *conn) linger() {
	if c.Conn.(interface{ CloseWrite() error }).CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(workloads.LingerTime))
	_, _ = io.CopyN(io.Discard, c.Conn, workloads.LingerBytes)
}

func (c *conn) borrow() {
	c.out = outputs.Get().(*[]byte)
	c.x.Out = (*c.out)[:0]
}

func (c *conn) giveBack() {
	*c.out, c.x.Out = c.x.Out, nil
	outputs.Put(c.out)
}

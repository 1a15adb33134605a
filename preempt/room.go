package preempt

import (
	"io"

	"turnlab/engine"
	"turnlab/workloads"
)

// member is a connection that subscribes. Its queue is a channel. As a goroutine cannot wait for a channel and for input at
// once, input comes through a channel as well, from a goroutine that reads: the two pumps of every chat server in Go.
//
// The reader reads when it is told to, into memory of its own, because its read goes on while the session takes messages.
// So what an engine may have read ahead is one buffer.
type member struct {
	*conn
	seat   *engine.Seat
	queue  chan string
	want   chan int      // tells the reader to read at most so many bytes; closed at the end
	got    chan input    // what it has read
	broken chan struct{} // closed by the reader when the connection breaks
	reads  bool          // it has been told, and what it got has not been taken
}

// input is the outcome of a read.
type input struct {
	bytes []byte
	err   error
}

// Offer implements engine.Member.
func (m *member) Offer(message string) bool {
	select {
	case m.queue <- message:
		return true
	default:
		return false
	}
}

// Expel implements engine.Member.
func (m *member) Expel() { m.Close() }

// join makes the connection a subscriber.
func (c *conn) join(op workloads.Op) {
	m := &member{
		conn: c, queue: make(chan string, op.Queue), want: make(chan int, 1), got: make(chan input, 1),
		broken: make(chan struct{}),
	}
	c.member = m
	m.seat = c.engine.room.Join(m, op)
	c.engine.running.Add(1)
	go m.readOn(make([]byte, c.engine.bufferBytes))
}

// leave ends the subscription, if there is one. The connection has yet to be closed, which ends a read under way.
func (c *conn) leave() {
	if c.member != nil {
		c.engine.room.Leave(c.member.seat)
		close(c.member.want)
	}
}

func (c *conn) expelled() bool { return c.member != nil && c.member.seat.Expelled() }

// readOn is the reader.
func (m *member) readOn(buf []byte) {
	defer m.engine.running.Done()
	for most := range m.want {
		n, err := m.Conn.Read(buf[:min(most, len(buf))])
		m.got <- input{buf[:n], err}
		if err != nil {
			if err != io.EOF {
				close(m.broken)
			}
			return
		}
	}
}

// receive waits for a message or for input. A message that is there comes first.
func (c *conn) receive(op workloads.Op) bool {
	if c.member == nil {
		c.join(op)
	}
	if c.x.EOF || len(c.x.In) >= workloads.MaxUnread {
		return false
	}
	m := c.member
	select {
	case c.x.Message = <-m.queue:
		c.engine.room.Delivered()
		return true
	default:
	}
	m.read()
	c.giveBack()
	defer c.borrow()
	select {
	case c.x.Message = <-m.queue:
		c.engine.room.Delivered()
		return true
	case in := <-m.got:
		return m.take(in)
	}
}

// receiveInput carries out Read for a subscriber.
func (c *conn) receiveInput() bool {
	c.member.read()
	c.giveBack()
	defer c.borrow()
	return c.member.take(<-c.member.got)
}

// read tells the reader to read, unless it is about it. The session cannot leave more unread until that is taken.
func (m *member) read() {
	if !m.reads {
		m.reads = true
		m.want <- workloads.MaxUnread - len(m.x.In)
	}
}

// take adds input to what the session has left unread.
func (m *member) take(in input) bool {
	m.reads = false
	for b := in.bytes; len(b) > 0; {
		n := copy(m.input.Room(&m.x), b)
		m.input.Got(&m.x, n)
		b = b[n:]
	}
	m.x.EOF = in.err == io.EOF
	return in.err == nil || m.x.EOF
}

// Package sessiontest runs sessions without an engine, for tests and benchmarks.
//
// A [Player] is the simplest engine there can be: it hands a session its input, carries out no wait and no work, and writes
// down what the session asked for. What it returns is therefore the reference that every real engine must match.
//
// It is strict where an engine is patient: a session that neither moves nor asks for input, or that lets its output grow,
// makes it panic. Limits: one session, one thread; no time passes, and no queue of messages ever fills.
package sessiontest

import (
	"fmt"
	"slices"

	"turnlab/workloads"
)

// MaxOut is the most output a session may make in one Step: what FlushAt allows it to have plus one large reply.
const MaxOut = workloads.FlushAt + 1<<21

// A Player plays input to a session.
type Player struct {
	Out    []byte         // everything sent so far
	Ops    []workloads.Op // every op so far
	Closed bool           // the session closed the connection, or was closed
	// Upstream answers a frame that the session's Call sends with a body. No body and no error is an upstream that never
	// answers: the call is cancelled in the end. To be set before the session calls.
	Upstream func(frame []byte) (body []byte, err error)
	// Published is what the session has published. If it has received before, it gets its own messages.
	Published []string

	session    workloads.Session
	exchange   workloads.Exchange
	input      []byte // what In is a part of
	subscribed bool
	waiting    []string // published and not yet received
}

// NewPlayer opens a connection: the session takes its first step without input.
func NewPlayer(s workloads.Session) *Player {
	p := &Player{session: s}
	p.run()
	return p
}

// Play opens a connection, sends it the chunks and returns what came back, whether the connection is closed, and the ops.
func Play(s workloads.Session, chunks ...[]byte) (out []byte, closed bool, ops []workloads.Op) {
	p := NewPlayer(s)
	for _, c := range chunks {
		p.Send(c)
	}
	return p.Out, p.Closed, p.Ops
}

// Send plays a chunk. After Closed it is ignored, as the network would.
func (p *Player) Send(chunk []byte) {
	if p.Closed {
		return
	}
	used := p.input
	p.input = slices.Concat(p.exchange.In, chunk)
	p.exchange.In = p.input
	clear(used) // a session that has kept a part of In finds it spoilt, as it would under an engine
	p.run()
}

// Tell delivers a message that somebody else has published. A session that does not receive gets it when it does.
func (p *Player) Tell(message string) {
	if p.Closed || !p.subscribed {
		return
	}
	p.waiting = append(p.waiting, message)
	if p.lastOp() == workloads.Receive && p.receive() {
		p.run()
	}
}

func (p *Player) lastOp() workloads.Kind { return p.Ops[len(p.Ops)-1].Kind }

// End says that nothing more will come.
func (p *Player) End() {
	if p.Closed {
		return
	}
	p.exchange.EOF = true
	p.run()
	p.Closed = true
}

// Unread returns how much input the session has left for later.
func (p *Player) Unread() int { return len(p.exchange.In) }

// run steps until the session waits for input or a message, or closes.
func (p *Player) run() {
	x := &p.exchange
	for idle := 0; ; idle++ {
		before, heard := len(x.In), x.Message
		op := p.session.Step(x)
		x.Message, x.Replies = "", nil
		p.Ops = append(p.Ops, op)
		if len(x.In) != before || len(x.Out) > 0 || heard != "" {
			idle = 0
		}
		if idle > 2 {
			panic("sessiontest: the session neither moves nor asks for input: " + op.Kind.String())
		}
		p.send(op)
		if p.carryOut(op) {
			return
		}
	}
}

// send takes the output, as every op but Burn wants it.
func (p *Player) send(op workloads.Op) {
	x := &p.exchange
	if len(x.Out) > MaxOut {
		panic(fmt.Sprintf("sessiontest: %d bytes of output in one step", len(x.Out)))
	}
	if op.Kind != workloads.Burn {
		p.Out = append(p.Out, x.Out...)
		x.Out = x.Out[:0]
	}
}

// carryOut does what op asks for, and reports whether the session now waits for its peer or is over.
func (p *Player) carryOut(op workloads.Op) (rests bool) {
	unread := len(p.exchange.In) >= workloads.MaxUnread
	switch op.Kind {
	case workloads.Read:
		p.Closed = unread
		return true
	case workloads.Close:
		p.Closed = true
		return true
	case workloads.Call:
		p.call(op.Calls)
	case workloads.Publish:
		p.publish(op.Message)
	case workloads.Receive:
		if op.Queue < 1 || op.Queue > workloads.QueueMax {
			panic(fmt.Sprintf("sessiontest: a queue for %d messages", op.Queue))
		}
		p.subscribed = true
		p.Closed = unread
		return unread || p.exchange.EOF || !p.receive()
	}
	return false
}

// call asks the upstream one request after the other until enough have been answered.
func (p *Player) call(c *workloads.Calls) {
	if n := len(c.Requests); n < 1 || n > workloads.CallsMax || c.Need < 1 || c.Need > n || c.Within <= 0 {
		panic(fmt.Sprintf("sessiontest: %d calls, %d needed within %v", n, c.Need, c.Within))
	}
	answers := 0
	for i, frame := range c.Requests {
		body, err := p.Upstream(frame)
		if body == nil && err == nil {
			continue
		}
		p.exchange.Replies = append(p.exchange.Replies, workloads.Reply{Index: i, Data: body, Err: err})
		if err != nil {
			continue
		}
		if answers++; answers == c.Need {
			return
		}
	}
}

func (p *Player) publish(message string) {
	if message == "" {
		panic("sessiontest: an empty message")
	}
	p.Published = append(p.Published, message)
	if p.subscribed {
		p.waiting = append(p.waiting, message)
	}
}

// receive hands the session the oldest message that waits, if there is one.
func (p *Player) receive() bool {
	if len(p.waiting) == 0 {
		return false
	}
	p.exchange.Message, p.waiting = p.waiting[0], p.waiting[1:]
	return true
}

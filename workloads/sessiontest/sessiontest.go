// Package sessiontest runs sessions without an engine, for tests and benchmarks.
//
// A [Player] is the simplest engine there can be: it hands a session its input, carries out no wait and no work, and writes
// down what the session asked for. What it returns is therefore the reference that every real engine must match.
//
// It is strict where an engine is patient: a session that neither moves nor asks for input, or that lets its output grow,
// makes it panic. Limits: one session, one thread, no upstreams.
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

	session  workloads.Session
	exchange workloads.Exchange
	input    []byte // what In is a part of
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

// run steps until the session waits for input or closes.
func (p *Player) run() {
	x := &p.exchange
	idle := 0
	for {
		before := len(x.In)
		op := p.session.Step(x)
		p.Ops = append(p.Ops, op)
		moved := len(x.In) != before || len(x.Out) > 0 || op.Kind == workloads.Sleep || op.Kind == workloads.Burn
		if len(x.Out) > MaxOut {
			panic(fmt.Sprintf("sessiontest: %d bytes of output in one step", len(x.Out)))
		}
		if op.Kind != workloads.Burn {
			p.Out = append(p.Out, x.Out...)
			x.Out = x.Out[:0]
		}
		if idle++; moved {
			idle = 0
		}
		if idle > 2 {
			panic("sessiontest: the session neither moves nor asks for input: " + op.Kind.String())
		}
		if p.rests(op) {
			return
		}
	}
}

// rests reports whether op waits for the peer.
func (p *Player) rests(op workloads.Op) bool {
	switch op.Kind {
	case workloads.Read:
		p.Closed = len(p.exchange.In) >= workloads.MaxUnread
		return true
	case workloads.Close:
		p.Closed = true
		return true
	}
	return false
}

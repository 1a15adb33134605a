package conformance

import (
	"bytes"
	"fmt"
	"strings"

	"turnlab/workloads"
)

// roomServer's sessions subscribe, publish each line that they get, and hand on what they hear.
type roomServer struct {
	queue    int32
	overflow workloads.Overflow
}

// NewSession implements workloads.Server.
func (s roomServer) NewSession() workloads.Session { return &roomSession{server: s} }

type roomSession struct {
	server roomServer
	joined bool
}

// Step implements workloads.Session. Nothing is published before the first Receive.
func (s *roomSession) Step(x *workloads.Exchange) workloads.Op {
	x.Out = append(x.Out, x.Message...)
	line, rest, whole := bytes.Cut(x.In, []byte("\n"))
	switch {
	case whole && s.joined:
		x.In = rest
		return workloads.Op{Kind: workloads.Publish, Message: string(line) + "\n"}
	case x.EOF:
		return workloads.Op{Kind: workloads.Close}
	}
	s.joined = true
	return workloads.Op{Kind: workloads.Receive, Queue: s.server.queue, Overflow: s.server.overflow}
}

var rooms = []workloads.Kind{workloads.Publish, workloads.Receive}

var roomScripts = []script{
	{name: "all hear all, in the order of each publisher", server: roomServer{queue: workloads.QueueMax}, ops: rooms, play: hears},
	{name: "a subscriber that is slow loses messages", server: roomServer{queue: 4}, ops: rooms, play: drops},
	{name: "a subscriber that is slow is closed", server: roomServer{4, workloads.CloseSlow}, ops: rooms, play: closesSlow},
}

func init() { scripts = append(scripts, roomScripts...) }

// awaitReceives waits until a connection's session is a subscriber. It has asked to be one; the engine may be about it.
func (c *client) awaitReceives() {
	c.r.Helper()
	c.r.await("the session to receive", func() bool {
		ops := c.session.asked()
		return len(ops) > 0 && ops[len(ops)-1].Kind == workloads.Receive
	})
	c.send([]byte("here\n")) // its own message comes back when it has joined
	c.r.await("its own message", func() bool { return bytes.Contains(c.received(), []byte("here\n")) })
}

func hears(r *rig) {
	clients := []*client{r.dial(), r.dial(), r.dial()}
	for _, c := range clients {
		c.awaitReceives()
	}
	const lines = 200
	for i := range lines {
		for who, c := range clients {
			c.send(fmt.Appendf(nil, "%d says %d\n", who, i))
		}
	}
	for _, c := range clients {
		r.await("all messages", func() bool { return bytes.Count(c.received(), []byte("says")) == len(clients)*lines })
		for who := range clients {
			var got, want strings.Builder
			for line := range strings.Lines(string(c.received())) {
				if strings.HasPrefix(line, fmt.Sprint(who, " says")) {
					got.WriteString(line)
				}
			}
			for i := range lines {
				fmt.Fprintf(&want, "%d says %d\n", who, i)
			}
			r.same("what one publisher said", []byte(got.String()), []byte(want.String()))
		}
	}
	if c := r.engine.Counters(); c["dropped"] != 0 || c["closed_slow"] != 0 || c["published"] != 3*lines+3 {
		r.Errorf("counters %v", c)
	}
}

// flood publishes until the engine has counted that somebody is too slow.
func (r *rig) flood(counter string) {
	r.Helper()
	loud, big := r.dial(), strings.Repeat("x", 30_000)
	loud.awaitReceives()
	said := loud.lines()
	r.await("a slow reader to be noticed", func() bool {
		if r.engine.Counters()[counter] > 0 {
			return true
		}
		loud.send([]byte(big + "\n"))
		said++ // and wait for it, so that the publisher itself is not too slow
		r.await("its own message", func() bool { return loud.lines() >= said })
		return false
	})
}

func drops(r *rig) {
	slow := r.dialDeaf()
	slow.shrink()
	r.await("a subscriber", func() bool { return len(slow.session.asked()) > 0 })
	r.flood("dropped")
	slow.patient() // it has not begun to read
	go slow.gather()
	slow.closeWrite()
	slow.awaitEnd()
	if c := r.engine.Counters(); c["closed_slow"] != 0 {
		r.Errorf("counters %v", c)
	}
}

func closesSlow(r *rig) {
	slow := r.dialDeaf()
	slow.shrink()
	r.await("a subscriber", func() bool { return len(slow.session.asked()) > 0 })
	r.flood("closed_slow")
	r.awaitOpen(1)
	if c := r.engine.Counters(); c["closed_slow"] != 1 || c["dropped"] != 0 {
		r.Errorf("counters %v", c)
	}
}

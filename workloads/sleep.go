package workloads

import (
	"encoding/binary"
	"math/bits"
	"time"

	"turnlab/internal/option"
)

// Sleeper is the workload sleep: it answers after a wait. With many connections it makes as many timers, and a reply's latency beyond its wait is the
// engine's lateness.
//
// Protocol: a request is 16 bytes, the wait in nanoseconds (8 bytes, big-endian) and a tag of 8; the reply is the tag,
// after the wait, in order. The wait is in the request so that it comes from the trial's seed and is the same under every
// engine; a server refuses, by closing, waits above its own delay + spread. Requests of one connection wait one after the
// other.
var Sleeper = &Workload{
	Name:    "sleep",
	Summary: "answers each request after a wait",
	Shows:   "many timers, and how late they are",
	Options: option.Set{
		{Name: "delay", Kind: option.Duration, Default: "10ms", Min: 0, Max: 3600,
			Help: "the least wait; 10ms is far above what a timer costs and short enough for a trial"},
		{Name: "spread", Kind: option.Duration, Default: "0", Min: 0, Max: 3600,
			Help: "the wait is delay plus an even draw from 0 to this; 0 makes every wait the same, so that lateness can be read off"},
	},
	Ops: []Kind{Sleep},
	NewServer: func(v option.Values, _ Env) (Server, error) {
		return &sleepServer{v.Duration("delay") + v.Duration("spread")}, nil
	},
	NewClients: func(v option.Values, seed uint64) (Clients, error) {
		return &sleepClients{seed, v.Duration("delay"), v.Duration("spread")}, nil
	},
}

const (
	sleepRequest = 16 // bytes
	sleepReply   = 8
)

type sleepServer struct{ longest time.Duration }

// NewSession returns the session of a connection.
func (s *sleepServer) NewSession() Session { return &sleepSession{server: s} }

type sleepSession struct {
	server *sleepServer
	tag    [sleepReply]byte // of the request that is waiting
	waits  bool
}

// Step takes one request at a time: it waits, then it answers.
func (s *sleepSession) Step(x *Exchange) Op {
	if s.waits {
		s.waits = false
		x.Out = append(x.Out, s.tag[:]...)
	}
	switch {
	case len(x.Out) >= FlushAt:
		return Op{Kind: Flush}
	case len(x.In) >= sleepRequest:
		return s.wait(x)
	case x.EOF:
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

func (s *sleepSession) wait(x *Exchange) Op {
	wait := binary.BigEndian.Uint64(x.In)
	if wait > uint64(s.server.longest) {
		return Op{Kind: Close, Linger: true}
	}
	s.tag = [sleepReply]byte(x.In[8:])
	x.In = x.In[sleepRequest:]
	s.waits = true
	return Op{Kind: Sleep, Wait: time.Duration(wait)}
}

type sleepClients struct {
	seed          uint64
	delay, spread time.Duration
}

// NewClient returns the client of a connection.
func (s *sleepClients) NewClient(conn int) Client {
	return &sleepClient{shared: s, key: mix(s.seed ^ mix(uint64(conn)))}
}

// sleepClient makes a request again from its number when the reply comes, instead of remembering it.
type sleepClient struct {
	shared   *sleepClients
	key      uint64
	sent     uint32
	received uint32
	checked  uint8 // bytes of the oldest reply that were right
}

func (c *sleepClient) tag(i uint32) uint64 { return mix(c.key + uint64(i)) }

// wait returns the wait of the request with a tag. The high half of a product scales an even draw to the spread without
// the bias that a remainder has.
func (c *sleepClient) wait(tag uint64) time.Duration {
	extra, _ := bits.Mul64(mix(tag), uint64(c.shared.spread)+1)
	return c.shared.delay + time.Duration(extra)
}

// Request appends the next request.
func (c *sleepClient) Request(dst []byte) []byte {
	tag := c.tag(c.sent)
	c.sent++
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.wait(tag)))
	return binary.BigEndian.AppendUint64(dst, tag)
}

// Reply compares what has come of the oldest reply.
func (c *sleepClient) Reply(in []byte) (n int, done bool, err error) {
	if len(in) == 0 {
		return 0, false, nil
	}
	if c.sent == c.received {
		return 0, false, ErrUnasked
	}
	var want [sleepReply]byte
	binary.BigEndian.PutUint64(want[:], c.tag(c.received))
	n, err = matchFrame(in, want[c.checked:], int(c.checked))
	if err != nil {
		return n, false, err
	}
	if c.checked += uint8(n); c.checked < sleepReply {
		return n, false, nil
	}
	c.received++
	c.checked = 0
	return n, true, nil
}

package workloads

import "turnlab/internal/option"

// Echo sends back what it receives. It is the least that a socket server can do, so what is left is the engine: waking,
// switching, reading and writing.
//
// The protocol has no frames: a request is `payload` bytes and so is its reply. A server may therefore answer the first
// half of a request before the second has arrived, and does. RFC 862 describes the same service.
var Echo = &Workload{
	Name:    "echo",
	Summary: "sends back the bytes it gets",
	Shows:   "the cost of switching",
	Options: option.Set{
		{Name: "payload", Kind: option.Size, Default: "64", Min: 1, Max: 1 << 20,
			Help: "bytes of a request and of its reply; 64 is small enough that copying does not count"},
	},
	NewServer: func(option.Values, Env) (Server, error) { return echoServer{}, nil },
	NewClients: func(v option.Values, seed uint64) (Clients, error) {
		return &echoClients{newTape(seed, v.Int("payload"))}, nil
	},
}

// echoServer has nothing to share, and its sessions have nothing to remember: neither takes memory.
type echoServer struct{}

// NewSession returns a session.
func (echoServer) NewSession() Session { return echoSession{} }

type echoSession struct{}

// Step copies the input to the output, FlushAt bytes at a time.
func (echoSession) Step(x *Exchange) Op {
	n := min(len(x.In), FlushAt)
	x.Out = append(x.Out, x.In[:n]...)
	x.In = x.In[n:]
	switch {
	case len(x.In) > 0:
		return Op{Kind: Flush}
	case x.EOF:
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

type echoClients struct{ tape tape }

// NewClient returns the client of a connection.
func (s *echoClients) NewClient(conn int) Client {
	first := s.tape.first(conn)
	return &echoClient{shared: s, sent: first, received: first}
}

// echoClient counts instead of remembering: the bytes of request number i can be looked up again when its reply comes.
type echoClient struct {
	shared   *echoClients
	sent     uint32 // counter of the next request; wraps round
	received uint32 // counter of the oldest request without a full reply
	checked  int32  // bytes of its reply that have come and were right
}

// Request appends the next body.
func (c *echoClient) Request(dst []byte) []byte {
	dst = append(dst, c.shared.tape.body(c.sent)...)
	c.sent++
	return dst
}

// Reply compares what has come of the oldest reply, whole or not, and consumes it.
func (c *echoClient) Reply(in []byte) (n int, done bool, err error) {
	if len(in) == 0 {
		return 0, false, nil
	}
	if c.sent == c.received {
		return 0, false, ErrUnasked
	}
	want := c.shared.tape.body(c.received)[c.checked:]
	n, err = match(in, want, "reply", int(c.checked))
	if err != nil {
		return n, false, err
	}
	if n < len(want) {
		c.checked += int32(n)
		return n, false, nil
	}
	c.received++
	c.checked = 0
	return n, true, nil
}

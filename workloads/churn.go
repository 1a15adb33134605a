package workloads

import "turnlab/internal/option"

// Churn is connections that do not last: connect, a request or a few, close. What a server does once per connection
// (accept, a task or a goroutine or a thread, memory, a place in the poller) is paid for by these few requests.
//
// The protocol is that of [Echo], and the server closes when it has sent the last reply. It has to be the server: who
// closes first keeps the pair of addresses for a minute (TIME_WAIT), which takes a port from a client and nothing that
// counts from a server.
var Churn = &Workload{
	Name:    "churn",
	Summary: "sends back the bytes it gets and closes after a few requests",
	Shows:   "what accepting and setting up cost",
	Options: option.Set{
		{Name: "requests", Kind: option.Int, Default: "1", Min: 1, Max: 1 << 30,
			Help: "requests of a connection before the server closes it; 1 is the worst case, as in HTTP/1.0"},
		{Name: "payload", Kind: option.Size, Default: "64", Min: 1, Max: 1 << 20,
			Help: "bytes of a request and of its reply; 64 is small enough that copying does not count"},
	},
	NewServer: func(v option.Values, _ Env) (Server, error) {
		return &churnServer{int64(v.Int("requests")) * int64(v.Int("payload"))}, nil
	},
	NewClients: func(v option.Values, seed uint64) (Clients, error) {
		return &churnClients{echo: echoClients{newTape(seed, v.Int("payload"))}, requests: v.Int("requests")}, nil
	},
}

type churnServer struct{ perConn int64 } // bytes that a connection sends back in its life

// NewSession returns the session of a connection.
func (s *churnServer) NewSession() Session { return &churnSession{s.perConn} }

type churnSession struct{ left int64 } // bytes to send back before the end

// Step copies the input to the output, FlushAt bytes at a time, until the connection's life is over.
func (s *churnSession) Step(x *Exchange) Op {
	n := int(min(int64(len(x.In)), FlushAt, s.left))
	x.Out = append(x.Out, x.In[:n]...)
	x.In = x.In[n:]
	s.left -= int64(n)
	switch {
	case s.left == 0: // what a peer sends beyond that must not destroy the last reply
		return Op{Kind: Close, Linger: len(x.In) > 0}
	case len(x.In) > 0:
		return Op{Kind: Flush}
	case x.EOF:
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

type churnClients struct {
	echo     echoClients
	requests int
	lives    lives
}

// NewClient returns the client of a connection's next life.
func (s *churnClients) NewClient(conn int) Client {
	first := s.echo.tape.first(conn) + s.lives.next(conn)*uint32(s.requests)
	return &churnClient{echoClient{shared: &s.echo, sent: first, received: first}, s.requests}
}

// churnClient is an echo client with an end.
type churnClient struct {
	echoClient
	left int
}

// Request appends the next body.
func (c *churnClient) Request(dst []byte) []byte {
	c.left--
	return c.echoClient.Request(dst)
}

// Left implements Ending.
func (c *churnClient) Left() int { return c.left }

package workloads

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"turnlab/internal/option"
)

// Broadcast is a room: what one connection says, all hear. One message makes the server wake and write to every
// subscriber, which is where the ways of waking many differ.
//
// Protocol: frames (see [AppendFrame]) both ways. Every connection is a subscriber from the moment it is accepted, and gets
// every frame that any connection sends, its own included: that is a publisher's reply. The order of one publisher's
// messages is kept for each subscriber. A peer that ends its sending side leaves the room.
//
// A subscriber that reads too slowly costs a bounded queue and then its messages (overflow=drop: a gap in the numbers,
// which its client counts) or its connection (overflow=close). Nobody waits for it.
//
// A message's body tells the client all that it must check: who sent it and as number what, when it was due (a stamp of
// the generator's clock), a check of these, and filling from the trial's tape.
var Broadcast = &Workload{
	Name:    "broadcast",
	Summary: "sends each message to every connection",
	Shows:   "waking many",
	Options: option.Set{
		{Name: "publishers", Kind: option.Int, Default: "1", Min: 1, Max: publishersMax,
			Help: "connections that send messages; all others listen. 1 keeps the messages of a trial in one order"},
		{Name: "payload", Kind: option.Size, Default: "64", Min: noteHead, Max: FrameMax,
			Help: "bytes of a message; 64 is small enough that copying does not count"},
		{Name: "queue", Kind: option.Int, Default: "256", Min: 1, Max: QueueMax,
			Help: "messages that may wait for one subscriber; 256 ride out a pause of a quarter second at 1,000 messages a second"},
		{Name: "overflow", Kind: option.Choice, Default: "drop", Choices: []string{"drop", "close"},
			Help: "what happens to a subscriber whose queue is full: the newest message is dropped for it, or it is closed"},
	},
	Ops: []Kind{Publish, Receive},
	NewServer: func(v option.Values, _ Env) (Server, error) {
		s := &broadcastServer{receive: Op{Kind: Receive, Queue: int32(v.Int("queue"))}}
		if v.Text("overflow") == "close" {
			s.receive.Overflow = CloseSlow
		}
		return s, nil
	},
	NewClients: func(v option.Values, seed uint64) (Clients, error) {
		return &broadcastClients{
			seed: seed, publishers: v.Int("publishers"), payload: v.Int("payload"), tape: newTape(seed, v.Int("payload")-noteHead),
		}, nil
	},
}

// publishersMax keeps a client's search for what it knows of a publisher short.
const publishersMax = 64

type broadcastServer struct{ receive Op }

// NewSession returns the session of a connection.
func (s *broadcastServer) NewSession() Session { return &broadcastSession{server: s} }

type broadcastSession struct {
	server    *broadcastServer
	published bool // in the Step before
}

// Step hands on one message to the peer, and then one from the peer. After its own message a session receives before it
// publishes the next: its own queue then grows only by what others say.
func (s *broadcastSession) Step(x *Exchange) Op {
	x.Out = append(x.Out, x.Message...)
	_, n, err := CutFrame(x.In)
	switch {
	case err != nil:
		return Op{Kind: Close, Linger: true}
	case n > 0 && (!s.published || x.EOF):
		s.published = true
		message := string(x.In[:n])
		x.In = x.In[n:]
		return Op{Kind: Publish, Message: message}
	case x.EOF:
		return Op{Kind: Close}
	}
	s.published = false
	return s.server.receive
}

// A note is what stands at the head of a message's body.
type note struct {
	conn  uint32 // who sent it
	life  uint32 // how often that connection was opened before
	index uint32 // of the message in that life, from 0
	stamp int64  // ns
}

const noteHead = 28 // bytes: the fields in order, big-endian, and their check

func (n note) check(seed uint64) uint64 {
	return mix(mix(mix(seed^uint64(n.conn)<<32^uint64(n.life))^uint64(n.index)) ^ uint64(n.stamp))
}

func (n note) append(dst []byte, seed uint64) []byte {
	dst = binary.BigEndian.AppendUint32(dst, n.conn)
	dst = binary.BigEndian.AppendUint32(dst, n.life)
	dst = binary.BigEndian.AppendUint32(dst, n.index)
	dst = binary.BigEndian.AppendUint64(dst, uint64(n.stamp))
	return binary.BigEndian.AppendUint64(dst, n.check(seed))
}

func readNote(body []byte, seed uint64) (note, error) {
	n := note{
		conn: binary.BigEndian.Uint32(body), life: binary.BigEndian.Uint32(body[4:]), index: binary.BigEndian.Uint32(body[8:]),
		stamp: int64(binary.BigEndian.Uint64(body[12:])),
	}
	if n.check(seed) != binary.BigEndian.Uint64(body[20:]) {
		return n, fmt.Errorf("the head of a message is wrong: %x does not fit its check", body[:noteHead])
	}
	return n, nil
}

type broadcastClients struct {
	seed       uint64
	publishers int
	payload    int
	tape       tape
	lives      lives
}

// NewClient returns the client of a connection.
func (s *broadcastClients) NewClient(conn int) Client {
	return &broadcastClient{shared: s, self: note{conn: uint32(conn), life: s.lives.next(conn)}}
}

// Role implements Roles.
func (s *broadcastClients) Role(conn, conns int) Role {
	if spread(conn, s.publishers, conns) {
		return Asks
	}
	return Listens
}

// filling returns the bytes of a message behind its note.
func (s *broadcastClients) filling(n note) []byte {
	return s.tape.body(s.tape.first(int(n.conn)) + n.index)
}

type broadcastClient struct {
	shared   *broadcastClients
	self     note     // of the next message to send
	received uint32   // own messages that have come back
	heard    []source // at most publishersMax
}

// source is what a client has heard of one publisher.
type source struct{ conn, life, next uint32 }

// Stamp implements Listener.
func (c *broadcastClient) Stamp(intendedNS int64) { c.self.stamp = intendedNS }

// Request appends the next message.
func (c *broadcastClient) Request(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.shared.payload))
	dst = c.self.append(dst, c.shared.seed)
	dst = append(dst, c.shared.filling(c.self)...)
	c.self.index++
	return dst
}

// Reply consumes one message; done says that it was the connection's own.
func (c *broadcastClient) Reply(in []byte) (n int, done bool, err error) {
	n, h, err := c.Hear(in)
	return n, h.Answer, err
}

// Hear implements Listener.
func (c *broadcastClient) Hear(in []byte) (int, Heard, error) {
	body, n, err := CutFrame(in)
	if n == 0 || err != nil {
		return 0, Heard{}, err
	}
	if len(body) != c.shared.payload {
		return 0, Heard{}, fmt.Errorf("a message of %d bytes, want %d", len(body), c.shared.payload)
	}
	m, err := readNote(body, c.shared.seed)
	if err != nil {
		return 0, Heard{}, err
	}
	if want := c.shared.filling(m); !bytes.Equal(body[noteHead:], want) {
		_, err := match(body[noteHead:], want, "message", noteHead)
		return 0, Heard{}, err
	}
	lost, err := c.place(m)
	if err != nil {
		return 0, Heard{}, err
	}
	answer, err := c.answers(m)
	if err != nil {
		return 0, Heard{}, err
	}
	return n, Heard{Done: true, Answer: answer, IntendedNS: m.stamp, Lost: lost}, nil
}

// place finds the message's place among those of its publisher, and returns how many before it are missing. What was said
// before the first that this connection heard is not missing: it may have come later.
func (c *broadcastClient) place(m note) (lost int, err error) {
	i := slices.IndexFunc(c.heard, func(s source) bool { return s.conn == m.conn })
	if i < 0 {
		if len(c.heard) == c.shared.publishers {
			return 0, fmt.Errorf("a message of connection %d, beyond the %d publishers", m.conn, c.shared.publishers)
		}
		c.heard = append(c.heard, source{m.conn, m.life, m.index + 1})
		return 0, nil
	}
	s := &c.heard[i]
	if m.life < s.life || m.life == s.life && m.index < s.next {
		return 0, fmt.Errorf("message %d of connection %d out of order: number %d was due", m.index, m.conn, s.next)
	}
	if m.life == s.life {
		lost = int(m.index - s.next)
	}
	s.life, s.next = m.life, m.index+1
	return lost, nil
}

// answers reports whether the message is the reply to the connection's oldest request. A gap before it means that the
// server dropped the publisher's own words, and the request whose reply they were can have none.
func (c *broadcastClient) answers(m note) (bool, error) {
	if m.conn != c.self.conn || m.life != c.self.life {
		return false, nil
	}
	if c.received == c.self.index {
		return false, ErrUnasked
	}
	if m.index != c.received {
		return false, fmt.Errorf("message %d came back to its publisher, number %d did not: its queue was full", m.index, c.received)
	}
	c.received++
	return true, nil
}

package workloads

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// Hog asks the lab's question: what happens to everybody else when one task will not give up the CPU? A share of the
// requests, the hogs, make the server compute for a burst; the others, the innocents, are answered at once. The client
// tells their replies apart, so that their latencies are recorded apart.
//
// Protocol: a request is 8 bytes, 'H' or 'I' and a tag of 7; the reply is the same 8 bytes, in order. How long a hog
// computes is the server's option: no client can ask for more.
//
// A burst is a number of units of [Work], burst/unit, and not a time: every engine of a run does the same work, however
// often it is interrupted. With unit = 1us, which is about right at 3 GHz, a burst is nominal; with unit as [Calibrate]
// measured it, a burst is what an idle machine takes for it.
//
// Who is behind: a connection's replies come in order, so a request that was sent while a hog was under way on the same
// connection waits for it under every engine. That delay is the protocol's and not the engine's; such requests have a
// class of their own and do not count as innocents.
var Hog = &Workload{
	Name:    "hog",
	Summary: "computes for a share of the requests and answers the others at once",
	Shows:   "what one task does to all others",
	Options: option.Set{
		{Name: "share", Kind: option.Float, Default: "1%", Min: 0, Max: 1,
			Help: "share of the requests that are hogs; 1% is rare enough to be overlooked in a mean"},
		{Name: "burst", Kind: option.Duration, Default: "10ms", Min: 1e-6, Max: 60,
			Help: "how long a hog computes, alone on a CPU; 10ms is one time slice of Go's scheduler"},
		{Name: "unit", Kind: option.Duration, Default: "1us", Min: 1e-8, Max: 1e-3,
			Help: "how long a unit of work takes on this machine; a burst is burst/unit units, the same for every engine"},
	},
	Ops:        []Kind{Burn},
	Classes:    []string{classInnocent: "innocent", classHog: "hog", classBehind: "behind"},
	NewServer:  newHogServer,
	NewClients: newHogClients,
}

// Classes of requests, indexes of Hog.Classes.
const (
	classInnocent = iota
	classHog
	classBehind
)

const (
	hogFrame  = 8 // bytes
	isHog     = 'H'
	isNoHog   = 'I'
	hogLetter = 0 // index of the letter in a frame
)

// burstUnits returns the work of a burst.
func burstUnits(burst, unit time.Duration) int64 {
	return max(1, int64((burst+unit/2)/unit))
}

type hogServer struct{ units int64 }

func newHogServer(v option.Values, _ Env) (Server, error) {
	return &hogServer{burstUnits(v.Duration("burst"), v.Duration("unit"))}, nil
}

// NewSession returns the session of a connection.
func (s *hogServer) NewSession() Session { return &hogSession{server: s} }

type hogSession struct {
	server *hogServer
	frame  [hogFrame]byte // of the hog that is under way
	burns  bool
}

// Step answers innocents until it meets a hog.
func (s *hogSession) Step(x *Exchange) Op {
	if s.burns {
		s.burns = false
		x.Out = append(x.Out, s.frame[:]...)
	}
	for len(x.In) >= hogFrame && len(x.Out) < FlushAt {
		switch x.In[hogLetter] {
		case isNoHog:
			x.Out = append(x.Out, x.In[:hogFrame]...)
			x.In = x.In[hogFrame:]
		case isHog:
			return s.burn(x)
		default:
			return Op{Kind: Close, Linger: true}
		}
	}
	switch {
	case len(x.Out) >= FlushAt:
		return Op{Kind: Flush}
	case x.EOF:
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

// burn lets earlier replies out first: Burn alone does not send them, and they must not wait for a hog.
func (s *hogSession) burn(x *Exchange) Op {
	if len(x.Out) > 0 {
		return Op{Kind: Flush}
	}
	s.frame = [hogFrame]byte(x.In)
	x.In = x.In[hogFrame:]
	s.burns = true
	return Op{Kind: Burn, Units: s.server.units}
}

type hogClients struct {
	seed  uint64
	share float64
}

func newHogClients(v option.Values, seed uint64) (Clients, error) {
	if v.Duration("burst") < v.Duration("unit") {
		return nil, misuse.Errorf("hog.burst %v is less than one unit of work, hog.unit %v", v.Duration("burst"), v.Duration("unit"))
	}
	return &hogClients{seed, v.Float("share")}, nil
}

// NewClient returns the client of a connection.
func (s *hogClients) NewClient(conn int) Client {
	return &hogClient{shared: s, key: mix(s.seed ^ mix(uint64(conn)))}
}

// hogClient makes a request again from its number when the reply comes, instead of remembering it.
type hogClient struct {
	shared   *hogClients
	key      uint64
	sent     uint32
	received uint32
	behind   uint32 // requests with numbers below it were sent while a hog was under way
	checked  uint8  // bytes of the oldest reply that were right
	class    uint8  // of the last complete reply
}

// frame returns request number i. Letter and tag come from two different draws, so that one says nothing of the other.
func (c *hogClient) frame(i uint32) (frame [hogFrame]byte) {
	draw := mix(c.key + uint64(i))
	binary.BigEndian.PutUint64(frame[:], draw)
	frame[hogLetter] = isNoHog
	if float64(mix(draw)>>11)/(1<<53) < c.shared.share {
		frame[hogLetter] = isHog
	}
	return frame
}

// Request appends the next request.
func (c *hogClient) Request(dst []byte) []byte {
	frame := c.frame(c.sent)
	c.sent++
	return append(dst, frame[:]...)
}

// Reply compares what has come of the oldest reply.
func (c *hogClient) Reply(in []byte) (n int, done bool, err error) {
	if len(in) == 0 {
		return 0, false, nil
	}
	if c.sent == c.received {
		return 0, false, ErrUnasked
	}
	want := c.frame(c.received)
	n, err = matchFrame(in, want[c.checked:], int(c.checked))
	if err != nil {
		return n, false, err
	}
	if c.checked += uint8(n); c.checked < hogFrame {
		return n, false, nil
	}
	c.finish(want[hogLetter] == isHog)
	return n, true, nil
}

func (c *hogClient) finish(hog bool) {
	switch {
	case hog:
		c.class = classHog
		c.behind = c.sent
	case int32(c.behind-c.received) > 0: // in terms of numbers that wrap round: received < behind
		c.class = classBehind
	default:
		c.class = classInnocent
	}
	c.received++
	c.checked = 0
}

// Class returns the class of the last complete reply.
func (c *hogClient) Class() int { return int(c.class) }

// matchFrame is match for a want on the caller's stack, which it would otherwise move to the heap.
func matchFrame(in, want []byte, base int) (int, error) {
	n := min(len(in), len(want))
	if bytes.Equal(in[:n], want[:n]) {
		return n, nil
	}
	return match(in, slices.Clone(want), "reply", base)
}

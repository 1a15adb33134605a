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
// requests, the hogs, make the server compute for a burst; the others, the innocents, are answered at once, or, if they are
// asked for, after a timer of [TimerWait]. The client tells their replies apart, so that their latencies are recorded apart.
//
// Protocol: a request is 8 bytes, 'H', 'T' or 'I' and a tag of 7; the reply is the same 8 bytes, in order. How long a hog
// computes is the server's option: no client can ask for more.
//
// A burst is a number of units of [Work], burst/unit, and not a time: every engine of a run does the same work, however
// often it is interrupted. With unit = 1us, which is about right at 3 GHz, a burst is nominal; with unit as [Calibrate]
// measured it, a burst is what an idle machine takes for it.
//
// Who is behind: a connection's replies come in order, so a request that was sent while a hog or a timer was under way on
// the same connection waits for it under every engine. That delay is the protocol's and not the engine's; such requests have
// a class of their own and count neither as innocents nor as timers.
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
		{Name: "timers", Kind: option.Float, Default: "0", Min: 0, Max: 1,
			Help: "share of the requests that are answered after a timer of 1ms; what they wait beyond it is the timer's lateness"},
	},
	Ops: []Kind{Burn},
	Also: func(v option.Values) []Kind {
		if v.Float("timers") > 0 {
			return []Kind{Sleep}
		}
		return nil
	},
	Classes:    []string{classInnocent: "innocent", classHog: "hog", classBehind: "behind", classTimer: "timer"},
	NewServer:  newHogServer,
	NewClients: newHogClients,
}

// Classes of requests, indexes of Hog.Classes.
const (
	classInnocent = iota
	classHog
	classBehind
	classTimer
)

// TimerWait is how long a request with a timer waits before it is answered.
const TimerWait = time.Millisecond

const (
	hogFrame  = 8 // bytes
	isHog     = 'H'
	isNoHog   = 'I'
	isTimer   = 'T'
	hogLetter = 0 // index of the letter in a frame
)

// burstUnits returns the work of a burst.
func burstUnits(burst, unit time.Duration) int64 {
	return max(1, int64((burst+unit/2)/unit))
}

type hogServer struct {
	units  int64
	timers bool // it answers 'T'
}

func newHogServer(v option.Values, _ Env) (Server, error) {
	return &hogServer{burstUnits(v.Duration("burst"), v.Duration("unit")), v.Float("timers") > 0}, nil
}

// NewSession returns the session of a connection.
func (s *hogServer) NewSession() Session { return &hogSession{server: s} }

type hogSession struct {
	server *hogServer
	frame  [hogFrame]byte // of the hog or timer that is under way
	busy   bool
}

// Step answers innocents until it meets a hog or a timer.
func (s *hogSession) Step(x *Exchange) Op {
	if s.busy {
		s.busy = false
		x.Out = append(x.Out, s.frame[:]...)
	}
	for len(x.In) >= hogFrame && len(x.Out) < FlushAt {
		switch letter := x.In[hogLetter]; {
		case letter == isNoHog:
			x.Out = append(x.Out, x.In[:hogFrame]...)
			x.In = x.In[hogFrame:]
		case letter == isHog:
			return s.burn(x)
		case letter == isTimer && s.server.timers:
			return s.begin(x, Op{Kind: Sleep, Wait: TimerWait})
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
	return s.begin(x, Op{Kind: Burn, Units: s.server.units})
}

// begin takes a request whose reply comes after op.
func (s *hogSession) begin(x *Exchange, op Op) Op {
	s.frame = [hogFrame]byte(x.In)
	x.In = x.In[hogFrame:]
	s.busy = true
	return op
}

type hogClients struct {
	seed          uint64
	share, timers float64
}

func newHogClients(v option.Values, seed uint64) (Clients, error) {
	if v.Duration("burst") < v.Duration("unit") {
		return nil, misuse.Errorf("hog.burst %v is less than one unit of work, hog.unit %v", v.Duration("burst"), v.Duration("unit"))
	}
	if v.Float("share")+v.Float("timers") > 1 {
		return nil, misuse.Errorf("hog.share %v and hog.timers %v are more than all requests: lower one", v.Float("share"), v.Float("timers"))
	}
	return &hogClients{seed, v.Float("share"), v.Float("timers")}, nil
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
	behind   uint32 // requests with numbers below it were sent while a hog or a timer was under way
	checked  uint8  // bytes of the oldest reply that were right
	class    uint8  // of the last complete reply
}

// frame returns request number i. Letter and tag come from two different draws, so that one says nothing of the other.
func (c *hogClient) frame(i uint32) (frame [hogFrame]byte) {
	draw := mix(c.key + uint64(i))
	binary.BigEndian.PutUint64(frame[:], draw)
	switch u := float64(mix(draw)>>11) / (1 << 53); {
	case u < c.shared.share:
		frame[hogLetter] = isHog
	case u < c.shared.share+c.shared.timers:
		frame[hogLetter] = isTimer
	default:
		frame[hogLetter] = isNoHog
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
	c.finish(want[hogLetter])
	return n, true, nil
}

// finish classes the oldest request. A hog is one even behind another: the innocents' question is what it does to them.
func (c *hogClient) finish(letter byte) {
	switch behind := int32(c.behind-c.received) > 0; { // in terms of numbers that wrap round: received < behind
	case letter == isHog:
		c.class = classHog
	case behind:
		c.class = classBehind
	case letter == isTimer:
		c.class = classTimer
	default:
		c.class = classInnocent
	}
	if letter != isNoHog {
		c.behind = c.sent
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

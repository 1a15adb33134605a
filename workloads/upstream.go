package workloads

import (
	"encoding/binary"
	"time"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// Upstream is the server that [Fanout] calls: it answers each request after the wait that the request names. It is a
// workload like the others, so that the lab runs it as a process of its own under an engine of its own; by itself it
// shows little more than [Sleeper].
//
// Protocol: frames (see [AppendFrame]). A request's body is 16 bytes, the wait in nanoseconds (8 bytes, big-endian) and a
// tag of 8; a reply's body is 8 bytes that follow from the tag and differ from it. Requests of one connection wait one
// after the other. Waits above upstreamLongest are refused by closing.
//
// Two kinds of request, fast ones and a tail of slow ones, are the simplest delays under which a fan-out shows what it is
// known for: of K calls with a share p of slow ones, all are fast with a chance of only (1−p)^K.
var Upstream = &Workload{
	Name:    "upstream",
	Summary: "answers frames after the wait that each names: the servers that fanout calls",
	Shows:   "nothing by itself",
	Options: upstreamDelays,
	Ops:     []Kind{Sleep},
	NewServer: func(option.Values, Env) (Server, error) {
		return upstreamServer{}, nil
	},
	NewClients: func(v option.Values, seed uint64) (Clients, error) {
		d, err := newDelays("upstream", v)
		return &upstreamClients{seed, d}, err
	},
}

const (
	upstreamRequest = 16 // bytes of a body
	upstreamReply   = 8
	upstreamLongest = 10 * time.Second
)

// upstreamDelays are the options of how long upstreams take.
var upstreamDelays = option.Set{
	{Name: "delay", Kind: option.Duration, Default: "1ms", Min: 0, Max: upstreamLongest.Seconds(),
		Help: "how long an upstream takes for most requests; 1ms is a near service that does some work"},
	{Name: "tail", Kind: option.Float, Default: "1%", Min: 0, Max: 1,
		Help: "share of the upstream requests that take longer; of 64 calls with 1% each, one is slow in half of all cases"},
	{Name: "factor", Kind: option.Float, Default: "10", Min: 1, Max: 1e6,
		Help: "how many times longer these take; 10 is what a pause of a collector or a retry makes of a millisecond"},
}

// delays is a distribution of waits with two values.
type delays struct {
	most, slow time.Duration
	tail       float64
}

func newDelays(workload string, v option.Values) (delays, error) {
	d := delays{most: v.Duration("delay"), tail: v.Float("tail")}
	slow := v.Float("factor") * float64(d.most)
	if slow > float64(upstreamLongest) {
		return d, misuse.Errorf("%s.delay %v times %s.factor %v is more than %v, the longest that an upstream waits",
			workload, d.most, workload, v.Get("factor"), upstreamLongest)
	}
	d.slow = time.Duration(slow)
	return d, nil
}

// of returns the wait of the request with a tag.
func (d *delays) of(tag uint64) time.Duration {
	if float64(mix(^tag)>>11)/(1<<53) < d.tail {
		return d.slow
	}
	return d.most
}

// appendRequest appends the frame that asks an upstream about a tag.
func (d *delays) appendRequest(dst []byte, tag uint64) []byte {
	dst = binary.BigEndian.AppendUint32(dst, upstreamRequest)
	dst = binary.BigEndian.AppendUint64(dst, uint64(d.of(tag)))
	return binary.BigEndian.AppendUint64(dst, tag)
}

// upstreamAnswer is what an upstream says to a tag.
func upstreamAnswer(tag uint64) uint64 { return mix(tag) }

type upstreamServer struct{}

// NewSession returns the session of a connection.
func (upstreamServer) NewSession() Session { return new(upstreamSession) }

type upstreamSession struct {
	tag   uint64 // of the request that is waiting
	waits bool
}

// Step takes one request at a time: it waits, then it answers.
func (s *upstreamSession) Step(x *Exchange) Op {
	if s.waits {
		s.waits = false
		x.Out = binary.BigEndian.AppendUint32(x.Out, upstreamReply)
		x.Out = binary.BigEndian.AppendUint64(x.Out, upstreamAnswer(s.tag))
	}
	if len(x.Out) >= FlushAt {
		return Op{Kind: Flush}
	}
	body, n, err := CutFrame(x.In)
	switch {
	case err != nil || n > 0 && len(body) != upstreamRequest:
		return Op{Kind: Close, Linger: true}
	case n > 0:
		return s.wait(x, body, n)
	case x.EOF:
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

func (s *upstreamSession) wait(x *Exchange, body []byte, n int) Op {
	wait := binary.BigEndian.Uint64(body)
	if wait > uint64(upstreamLongest) {
		return Op{Kind: Close, Linger: true}
	}
	s.tag = binary.BigEndian.Uint64(body[8:])
	x.In = x.In[n:]
	s.waits = true
	return Op{Kind: Sleep, Wait: time.Duration(wait)}
}

type upstreamClients struct {
	seed   uint64
	delays delays
}

// NewClient returns the client of a connection.
func (s *upstreamClients) NewClient(conn int) Client {
	return &upstreamClient{shared: s, tags: newTags(s.seed, conn)}
}

type upstreamClient struct {
	shared *upstreamClients
	tags   tags
}

// Request appends the next request.
func (c *upstreamClient) Request(dst []byte) []byte {
	return c.shared.delays.appendRequest(dst, c.tags.send())
}

// Reply compares the oldest reply, once it is whole.
func (c *upstreamClient) Reply(in []byte) (n int, done bool, err error) {
	tag, err := c.tags.oldest(in)
	if err != nil || len(in) < FrameHeader+upstreamReply {
		return 0, false, err
	}
	var want [FrameHeader + upstreamReply]byte
	binary.BigEndian.PutUint32(want[:], upstreamReply)
	binary.BigEndian.PutUint64(want[FrameHeader:], upstreamAnswer(tag))
	if n, err = matchFrame(in, want[:], 0); err != nil {
		return n, false, err
	}
	c.tags.received++
	return n, true, nil
}

// tags are the numbers that make a connection's requests differ. Instead of remembering those under way a client counts:
// request number i always has the same tag.
type tags struct {
	key            uint64
	sent, received uint32
}

func newTags(seed uint64, conn int) tags { return tags{key: mix(seed ^ mix(uint64(conn)))} }

func (t *tags) of(i uint32) uint64 { return mix(t.key + uint64(i)) }

// send returns the tag of the next request.
func (t *tags) send() uint64 {
	t.sent++
	return t.of(t.sent - 1)
}

// oldest returns the tag of the oldest request without a reply; input that no request asked for is an error.
func (t *tags) oldest(in []byte) (uint64, error) {
	if t.sent == t.received && len(in) > 0 {
		return 0, ErrUnasked
	}
	return t.of(t.received), nil
}

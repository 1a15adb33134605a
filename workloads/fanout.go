package workloads

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// Fanout is a server that asks others before it answers, as most do: K calls at once, over connections that are kept. In
// the end it needs all answers (a join), or the first (a race, whose losers are cancelled), or those that come in time.
// How tasks are joined, raced, timed out and cancelled is where the engines differ.
//
// Protocol: a request is a tag of 8 bytes. A reply is four numbers of 8 bytes, big-endian: the tag; which calls were
// answered, as bits; which have failed; and a digest of the answers, in the order of the calls. Tag and calls determine the
// digest, so that the client can check each reply, whichever calls it stands for. A call that failed is an error: it says
// that the upstream or the engine is broken, not that it is slow.
//
// What an upstream takes for a call follows from the tag, and so from the trial's seed: every engine waits for the same
// upstreams. See [Upstream].
var Fanout = &Workload{
	Name:    "fanout",
	Summary: "calls other servers for each request, and answers when enough have answered",
	Shows:   "join, race and cancellation",
	Options: append(option.Set{
		{Name: "calls", Kind: option.Int, Default: "8", Min: 1, Max: CallsMax,
			Help: "upstream calls per request, made at the same time; 8 is a page made of a few services"},
		{Name: "mode", Kind: option.Choice, Default: "all", Choices: []string{"all", "first", "deadline"},
			Help: "wait for all answers, for the first, or for those that come within the deadline"},
		{Name: "within", Kind: option.Duration, Default: defaultWithin, Min: 1e-6, Max: 60,
			Help: "the deadline; 5ms lets the default's fast answers in and cuts its tail off"},
	}, upstreamDelays...),
	Ops:       []Kind{Call},
	NewServer: newFanoutServer,
	NewClients: func(v option.Values, seed uint64) (Clients, error) {
		p, err := newFanoutPlan(v)
		return &fanoutClients{seed, p}, err
	},
}

const (
	defaultWithin = "5ms"

	fanoutRequest = 8 // bytes
	fanoutReply   = 32

	// fanoutLimit bounds the wait where no deadline is asked for: an upstream that is alive has answered long before.
	fanoutLimit = 2 * upstreamLongest
)

// fanoutPlan is what both halves know.
type fanoutPlan struct {
	calls  int
	mode   string
	within time.Duration
	delays delays
}

func newFanoutPlan(v option.Values) (fanoutPlan, error) {
	p := fanoutPlan{calls: v.Int("calls"), mode: v.Text("mode"), within: v.Duration("within")}
	if p.mode != "deadline" {
		if v.Text("within") != defaultWithin {
			return p, misuse.Errorf("fanout.within does nothing with fanout.mode=%s: set fanout.mode=deadline", p.mode)
		}
		p.within = fanoutLimit
	}
	var err error
	p.delays, err = newDelays("fanout", v)
	return p, err
}

// need returns how many answers a request waits for.
func (p *fanoutPlan) need() int {
	if p.mode == "first" {
		return 1
	}
	return p.calls
}

// callTag returns the tag of call k for the request with a tag.
func callTag(tag uint64, k int) uint64 { return mix(tag ^ mix(uint64(k))) }

// digest adds the answer of the next call to what those before it came to. The order counts.
func digest(sum, answer uint64) uint64 { return mix(sum ^ answer) }

type fanoutServer struct{ plan fanoutPlan }

func newFanoutServer(v option.Values, _ Env) (Server, error) {
	p, err := newFanoutPlan(v)
	return &fanoutServer{p}, err
}

// NewSession returns the session of a connection.
func (s *fanoutServer) NewSession() Session { return &fanoutSession{plan: &s.plan} }

type fanoutSession struct {
	plan    *fanoutPlan
	tag     uint64 // of the request under way
	calling *fanoutCalls
	waits   bool
}

// fanoutCalls is the memory for a session's calls, kept from its first request on.
type fanoutCalls struct {
	calls   Calls
	answers [CallsMax]uint64
	frames  []byte
}

// Step takes one request at a time: it calls, then it answers.
func (s *fanoutSession) Step(x *Exchange) Op {
	if s.waits {
		s.waits = false
		x.Out = s.answer(x.Out, x.Replies)
	}
	switch {
	case len(x.Out) >= FlushAt:
		return Op{Kind: Flush}
	case len(x.In) >= fanoutRequest:
		s.tag = binary.BigEndian.Uint64(x.In)
		x.In = x.In[fanoutRequest:]
		s.waits = true
		return Op{Kind: Call, Calls: s.call()}
	case x.EOF:
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

// call makes the upstream requests.
func (s *fanoutSession) call() *Calls {
	if s.calling == nil {
		s.calling = new(fanoutCalls)
	}
	c, p := s.calling, s.plan
	size := FrameHeader + upstreamRequest
	c.frames = slices.Grow(c.frames[:0], size*p.calls) // so that it does not move while requests point into it
	c.calls = Calls{Requests: c.calls.Requests[:0], Need: p.need(), Within: p.within}
	for k := range p.calls {
		c.frames = p.delays.appendRequest(c.frames, callTag(s.tag, k))
		c.calls.Requests = append(c.calls.Requests, c.frames[size*k:size*(k+1)])
	}
	return &c.calls
}

// answer appends the reply. Of a race it takes the winner alone, even when a second answer came at the same moment.
func (s *fanoutSession) answer(dst []byte, replies []Reply) []byte {
	var answered, failed uint64
	for _, r := range replies {
		switch {
		case r.Err != nil || len(r.Data) != upstreamReply:
			failed |= 1 << r.Index
		case bits.OnesCount64(answered) < s.plan.need():
			answered |= 1 << r.Index
			s.calling.answers[r.Index] = binary.BigEndian.Uint64(r.Data)
		}
	}
	sum := s.tag
	for k := range s.plan.calls {
		if answered>>k&1 != 0 {
			sum = digest(sum, s.calling.answers[k])
		}
	}
	dst = binary.BigEndian.AppendUint64(dst, s.tag)
	dst = binary.BigEndian.AppendUint64(dst, answered)
	dst = binary.BigEndian.AppendUint64(dst, failed)
	return binary.BigEndian.AppendUint64(dst, sum)
}

type fanoutClients struct {
	seed uint64
	plan fanoutPlan
}

// NewClient returns the client of a connection.
func (s *fanoutClients) NewClient(conn int) Client {
	return &fanoutClient{plan: &s.plan, tags: newTags(s.seed, conn)}
}

type fanoutClient struct {
	plan *fanoutPlan
	tags tags
}

// Request appends the next request.
func (c *fanoutClient) Request(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(dst, c.tags.send())
}

// Reply checks the oldest reply, once it is whole.
func (c *fanoutClient) Reply(in []byte) (n int, done bool, err error) {
	tag, err := c.tags.oldest(in)
	if err != nil || len(in) < fanoutReply {
		return 0, false, err
	}
	if err := c.check(tag, in); err != nil {
		return 0, false, err
	}
	c.tags.received++
	return fanoutReply, true, nil
}

func (c *fanoutClient) check(tag uint64, in []byte) error {
	got := binary.BigEndian.Uint64(in)
	answered, failed := binary.BigEndian.Uint64(in[8:]), binary.BigEndian.Uint64(in[16:])
	sum := tag
	for k := range c.plan.calls {
		if answered>>k&1 != 0 {
			sum = digest(sum, upstreamAnswer(callTag(tag, k)))
		}
	}
	switch n := bits.OnesCount64(answered); {
	case got != tag:
		return fmt.Errorf("the reply is for the request with tag %x, want %x", got, tag)
	case failed != 0:
		return fmt.Errorf("%d upstream calls failed, the first with index %d", bits.OnesCount64(failed), bits.TrailingZeros64(failed))
	case bits.Len64(answered) > c.plan.calls:
		return fmt.Errorf("call %d was answered, there were only %d", bits.Len64(answered)-1, c.plan.calls)
	case n != c.plan.need() && c.plan.mode != "deadline":
		return fmt.Errorf("%d of %d upstream calls were answered, want %d", n, c.plan.calls, c.plan.need())
	case binary.BigEndian.Uint64(in[24:]) != sum:
		return fmt.Errorf("the digest of %d answers is %x, want %x", n, in[24:32], sum)
	}
	return nil
}

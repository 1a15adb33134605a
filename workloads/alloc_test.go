package workloads_test

import (
	"testing"

	"turnlab/workloads"
)

// pair is a client and a session that talk without an engine and without memory of their own.
type pair struct {
	client   workloads.Client
	session  workloads.Session
	x        workloads.Exchange
	request  []byte
	message  string            // published, not yet received
	upstream workloads.Session // that the session calls
	ux       workloads.Exchange
}

func newPair(t testing.TB, w *workloads.Workload, settings ...string) *pair {
	t.Helper()
	server, clients := resolve(t, w, settings)
	p := &pair{client: clients.NewClient(0), session: server.NewSession(), upstream: upstream().NewSession()}
	p.session.Step(&p.x)
	return p
}

// ask makes a request, carries out the session's ops and checks the reply.
func (p *pair) ask(t testing.TB) {
	p.request = p.client.Request(p.request[:0])
	p.x.In = p.request
	for {
		op := p.session.Step(&p.x)
		p.x.Message, p.x.Replies = "", p.x.Replies[:0]
		if op.Kind != workloads.Burn && p.check(t) {
			return
		}
		switch op.Kind {
		case workloads.Call:
			p.call(op.Calls)
		case workloads.Publish:
			p.message = op.Message
		case workloads.Receive:
			p.x.Message = p.message
		case workloads.Read, workloads.Close:
			t.Fatalf("the session asks for %v before it has answered", op.Kind)
		}
	}
}

// check gives the output to the client, and reports whether the reply is complete.
func (p *pair) check(t testing.TB) (done bool) {
	for out := p.x.Out; len(out) > 0; {
		n, d, err := p.client.Reply(out)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		out, done = out[n:], d
	}
	p.x.Out = p.x.Out[:0]
	return done
}

func (p *pair) call(c *workloads.Calls) {
	for i, frame := range c.Requests {
		p.ux.In = frame
		start := len(p.ux.Out)
		p.upstream.Step(&p.ux)
		p.upstream.Step(&p.ux)
		p.x.Replies = append(p.x.Replies, workloads.Reply{Index: i, Data: p.ux.Out[start+workloads.FrameHeader:]})
	}
	p.ux.Out = p.ux.Out[:0]
}

// What is left over from requests would be collected in the middle of somebody's request: a steady state without garbage
// lets the engines be compared and not the collector.
func TestASteadyStateAllocatesNothing(t *testing.T) {
	for _, c := range []struct {
		workload *workloads.Workload
		settings []string
		allowed  float64
	}{
		{workloads.Echo, nil, 0},
		{workloads.HTTP, nil, 0},
		{workloads.HTTP, []string{"path", "echo"}, 0},
		{workloads.KV, nil, 0},
		{workloads.KV, []string{"reads", "0"}, 0},
		{workloads.Stream, nil, 0},
		{workloads.Stream, []string{"direction", "up", "size", "50k"}, 0},
		{workloads.Stream, []string{"direction", "both", "size", "50k"}, 0},
		{workloads.Hog, []string{"share", "50%"}, 0},
		{workloads.Sleeper, nil, 0},
		{workloads.Fanout, nil, 0},
		{workloads.Fanout, []string{"calls", "64"}, 0},
		{workloads.Upstream, nil, 0},
		{workloads.Idle, nil, 0},
		{workloads.Broadcast, nil, 1}, // the message, which a thousand queues then share
	} {
		p := newPair(t, c.workload, c.settings...)
		for range 1000 { // memory that is kept from then on
			p.ask(t)
		}
		if got := testing.AllocsPerRun(1000, func() { p.ask(t) }); got > c.allowed {
			t.Errorf("%s %v: %v allocations per request, want %v", c.workload.Name, c.settings, got, c.allowed)
		}
	}
}

// BenchmarkRoundTrip measures what a request costs without any I/O, both halves together.
func BenchmarkRoundTrip(b *testing.B) {
	for _, w := range workloads.All {
		if w == workloads.Churn { // its sessions end
			continue
		}
		b.Run(w.Name, func(b *testing.B) {
			var settings []string
			if w == workloads.Hog {
				settings = []string{"share", "0"}
			}
			p := newPair(b, w, settings...)
			b.ReportAllocs()
			for b.Loop() {
				p.ask(b)
			}
		})
	}
}

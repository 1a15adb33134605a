package workloads_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

func TestEchoSendsBackWhatItGets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 1, 100)).Draw(t, "chunks")
		out, closed, _ := sessiontest.Play(newEcho(), chunks...)
		if want := bytes.Join(chunks, nil); !bytes.Equal(out, want) || closed {
			t.Fatalf("closed %v, got %q, want %q", closed, out, want)
		}
	})
}

func newEcho() workloads.Session {
	v, err := workloads.Echo.Options.Resolve(nil)
	if err != nil {
		panic(err)
	}
	server, err := workloads.Echo.NewServer(v, workloads.Env{})
	if err != nil {
		panic(err)
	}
	return server.NewSession()
}

func TestEchoBoundsItsOutput(t *testing.T) {
	s := newEcho()
	x := workloads.Exchange{In: make([]byte, 3*workloads.FlushAt+1)}
	steps := 0
	for s.Step(&x).Kind == workloads.Flush {
		if len(x.Out) > workloads.FlushAt {
			t.Fatalf("%d bytes in one step", len(x.Out))
		}
		x.Out = x.Out[:0]
		steps++
	}
	if steps != 3 || len(x.Out) != 1 {
		t.Fatalf("%d flushes, then %d bytes", steps, len(x.Out))
	}
}

func TestEchoClosesAtTheEndAndSendsTheRestFirst(t *testing.T) {
	server, _ := resolve(t, workloads.Echo, nil)
	if got := play(server, true, []byte("abc")); got.out != "abc" || !got.closed {
		t.Fatal(got)
	}
}

func TestEchoRequestsDifferAndAreTheSameForEveryEngine(t *testing.T) {
	_, clients := resolve(t, workloads.Echo, nil)
	for conn := range 4 {
		seen := map[string]bool{}
		a, b := clients.NewClient(conn), clients.NewClient(conn)
		for range 1000 {
			request := string(a.Request(nil))
			if len(request) != 64 || request != string(b.Request(nil)) {
				t.Fatalf("%q is not 64 bytes or differs in a second client of the connection", request)
			}
			seen[request] = true
		}
		if len(seen) != 1000 {
			t.Fatalf("only %d of 1000 requests of a connection are different", len(seen))
		}
	}
}

func TestEchoRequestsFollowFromTheSeed(t *testing.T) {
	v, err := workloads.Echo.Options.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	request := func(seed uint64) string {
		c, err := workloads.Echo.NewClients(v, seed)
		if err != nil {
			t.Fatal(err)
		}
		return string(c.NewClient(0).Request(nil))
	}
	one, again, two := request(1), request(1), request(2)
	if one != again || one == two {
		t.Fatal("equal seeds must give equal requests, and others different ones")
	}
}

func TestEchoClientTakesTheRightReplyInAnyPieces(t *testing.T) {
	for _, payload := range []string{"1", "64", "64k"} {
		for _, n := range []int{1, 13, 4096, 1 << 20} {
			c := newClient(t, workloads.Echo, "payload", payload)
			requests := c.Request(nil)
			requests = c.Request(requests)
			requests = c.Request(requests)
			if replies, err := deliver(t, c, requests, n); replies != 3 || err != nil {
				t.Fatalf("payload %s, %d bytes at a time: %d replies, %v", payload, n, replies, err)
			}
		}
	}
}

func TestEchoClientNamesTheWrongByte(t *testing.T) {
	for _, at := range []int{0, 7, 63, 64, 100} {
		c := newClient(t, workloads.Echo)
		reply := c.Request(c.Request(nil))
		reply[at] ^= 1
		replies, err := deliver(t, c, reply, 10)
		if err == nil || replies != at/64 || !strings.Contains(err.Error(), fmt.Sprintf("byte %d of the reply is wrong", at%64)) {
			t.Errorf("byte %d: %d replies, error %v", at, replies, err)
		}
	}
}

func TestEchoClientRefusesWhatItDidNotAskFor(t *testing.T) {
	c := newClient(t, workloads.Echo)
	reply := c.Request(nil)
	replies, err := deliver(t, c, append(reply, 'x'), 100)
	if replies != 1 || !errors.Is(err, workloads.ErrUnasked) {
		t.Fatalf("%d replies, error %v", replies, err)
	}
}

func TestEchoClientRefusesTheReplyToAnotherRequest(t *testing.T) {
	c := newClient(t, workloads.Echo)
	first := c.Request(nil)
	second := c.Request(nil)
	if _, err := deliver(t, c, second, 100); err == nil {
		t.Fatalf("%q was taken for %q", second, first)
	}
}

func FuzzEchoSession(f *testing.F) {
	f.Add([]byte("hello"), uint8(2), true)
	f.Fuzz(func(t *testing.T, in []byte, n uint8, end bool) {
		p := sessiontest.NewPlayer(newEcho())
		for _, chunk := range chop(in, int(n)+1) {
			p.Send(chunk)
		}
		if end {
			p.End()
		}
		if !bytes.Equal(p.Out, in) || p.Closed != end {
			t.Fatalf("closed %v, got %q, want %q", p.Closed, p.Out, in)
		}
	})
}

func FuzzEchoClient(f *testing.F) {
	f.Add([]byte("hello"), uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, reply []byte, n, right uint8) {
		c := newClient(t, workloads.Echo)
		request := c.Request(nil)
		// A reply that begins rightly gets further than one of chance.
		deliver(t, c, append(request[:int(right)%65], reply...), int(n)+1)
	})
}

func BenchmarkEchoStep(b *testing.B) {
	for _, payload := range []int{64, 16 << 10} {
		b.Run(fmt.Sprintf("payload=%d", payload), func(b *testing.B) {
			s := newEcho()
			in := make([]byte, payload)
			var x workloads.Exchange
			b.ReportAllocs()
			for b.Loop() {
				x.In, x.Out = in, x.Out[:0]
				if s.Step(&x).Kind != workloads.Read {
					b.Fatal("the session does not ask for more")
				}
			}
		})
	}
}

// benchmarkClient measures one request and the check of its reply.
func benchmarkClient(b *testing.B, w *workloads.Workload, reply []byte, settings ...string) {
	c := newClient(b, w, settings...)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = c.Request(buf[:0])
		in := reply
		if in == nil {
			in = buf
		}
		if _, done, err := c.Reply(in); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}

func BenchmarkEchoClient(b *testing.B) {
	for _, payload := range []string{"64", "16k"} {
		b.Run("payload="+payload, func(b *testing.B) { benchmarkClient(b, workloads.Echo, nil, "payload", payload) })
	}
}

package workloads_test

import (
	"bytes"
	"slices"
	"testing"

	"turnlab/workloads"
)

// conversation is some requests of a workload's client and what a server answered.
type conversation struct {
	workload *workloads.Workload
	settings []string
	in, out  []byte
	requests int
}

// converse has a client ask for a few requests at once.
func converse(t testing.TB, w *workloads.Workload, settings []string) conversation {
	t.Helper()
	server, clients := resolve(t, w, settings)
	c := conversation{workload: w, settings: settings, requests: 5}
	client := clients.NewClient(3)
	for range c.requests {
		c.in = client.Request(c.in)
	}
	p := newPlayer(server)
	p.Send(c.in)
	c.out = p.Out
	return c
}

// variants are settings under which a workload behaves in another way than by default.
var variants = []struct {
	workload *workloads.Workload
	settings []string
}{
	{workloads.Stream, []string{"size", "900", "direction", "up"}},
	{workloads.Stream, []string{"size", "900", "chunk", "100", "direction", "both"}},
	{workloads.Fanout, []string{"calls", "5", "mode", "first"}},
	{workloads.Fanout, []string{"calls", "64", "mode", "deadline", "within", "1ms"}},
	{workloads.KV, []string{"keys", "20", "value", "30", "reads", "0"}},
	{workloads.KV, []string{"keys", "20", "value", "16", "reads", "1"}},
	{workloads.Broadcast, []string{"payload", "28", "overflow", "close"}},
	{workloads.HTTP, []string{"path", "echo"}},
	{workloads.HTTP, []string{"check", "body"}},
}

// forEvery calls f with a conversation of every workload and of every variant.
func forEvery(t *testing.T, f func(t *testing.T, c conversation)) {
	for _, w := range workloads.All {
		t.Run(w.Name, func(t *testing.T) { f(t, converse(t, w, small[w.Name])) })
	}
	for _, v := range variants {
		t.Run(v.workload.Name, func(t *testing.T) { f(t, converse(t, v.workload, v.settings)) })
	}
}

func TestEverySessionAnswersTheSameForEverySplit(t *testing.T) {
	forEvery(t, func(t *testing.T, c conversation) {
		for _, n := range []int{1, 2, 3, 7, 11, 64, 1000} {
			server, _ := resolve(t, c.workload, c.settings)
			if got := play(server, true, chop(c.in, n)...); got.out != string(c.out) || !got.closed {
				t.Fatalf("%d bytes at a time: %v, want %.600q", n, got, c.out)
			}
		}
	})
}

// A client must notice whichever byte is wrong, of long replies a sample: either it says so or it goes on waiting for the right one.
func TestEveryClientNoticesAWrongByteAnywhere(t *testing.T) {
	forEvery(t, func(t *testing.T, c conversation) {
		for at := 0; at < len(c.out); at += 1 + len(c.out)/500 {
			client := newClient(t, c.workload, c.settings...)
			for range c.requests {
				client.Request(nil)
			}
			reply := bytes.Clone(c.out)
			reply[at] ^= 1 << (at % 8)
			replies, err := deliver(t, client, reply, 1+at%50)
			if err == nil && replies == c.requests && !immaterial(c, at) {
				t.Fatalf("byte %d of %.300q does not matter", at, reply)
			}
		}
	})
}

// immaterial reports whether a byte of a conversation may differ: with check=body only status and body count.
func immaterial(c conversation, at int) bool {
	return slices.Contains(c.settings, "check") && !bytes.HasPrefix(c.out[at:], []byte("Hello"))
}

func TestEveryClientRefusesWhatItDidNotAskFor(t *testing.T) {
	forEvery(t, func(t *testing.T, c conversation) {
		client := newClient(t, c.workload, c.settings...)
		for range c.requests - 1 {
			client.Request(nil)
		}
		replies, err := deliver(t, client, c.out, 100)
		if replies != c.requests-1 || err == nil {
			t.Fatalf("%d replies to %d requests, error %v", replies, c.requests-1, err)
		}
	})
}

func TestEveryClientRepeatsItsRequestsAndDiffersFromOthers(t *testing.T) {
	forEvery(t, func(t *testing.T, c conversation) {
		_, clients := resolve(t, c.workload, c.settings)
		ask := func(conn int) (in []byte) {
			client := clients.NewClient(conn)
			for range c.requests {
				in = client.Request(in)
			}
			return in
		}
		if got := ask(3); !bytes.Equal(got, c.in) {
			t.Errorf("equal seeds give different requests: %.100q and %.100q", got, c.in)
		}
		if same := bytes.Equal(ask(4), c.in); same && c.workload != workloads.HTTP {
			t.Error("two connections make the same requests")
		}
	})
}

// pickWorkload lets a fuzzer choose.
func pickWorkload(n uint8) (*workloads.Workload, []string) {
	n %= uint8(len(workloads.All) + len(variants))
	if int(n) < len(workloads.All) {
		w := workloads.All[n]
		return w, small[w.Name]
	}
	v := variants[int(n)-len(workloads.All)]
	return v.workload, v.settings
}

// FuzzSessions plays any input to any workload's session, whole and in pieces. The player panics when the session loops or
// lets its output grow.
func FuzzSessions(f *testing.F) {
	for n := range len(workloads.All) + len(variants) {
		w, settings := pickWorkload(uint8(n))
		f.Add(uint8(n), converse(f, w, settings).in, uint8(3), true)
	}
	// A byte of a stream that goes both ways is wrong.
	both := 1 + len(workloads.All)
	wrong := converse(f, variants[1].workload, variants[1].settings).in
	wrong[200] ^= 1
	f.Add(uint8(both), wrong, uint8(3), false)
	for _, in := range oddInput {
		f.Add(uint8(slices.Index(workloads.All, workloads.KV)), []byte(in), uint8(3), false)
	}
	f.Fuzz(func(t *testing.T, which uint8, in []byte, n uint8, end bool) {
		w, settings := pickWorkload(which)
		one, _ := resolve(t, w, settings)
		other, _ := resolve(t, w, settings)
		whole, split := play(one, end, in), play(other, end, chop(in, int(n)+1)...)
		if len(in) >= workloads.MaxUnread { // a whole that is too long for one piece is refused, in pieces it need not be
			return
		}
		if whole.out != split.out || whole.closed != split.closed {
			t.Fatalf("%s: whole: %v\nin pieces of %d: %v", w.Name, whole, int(n)+1, split)
		}
	})
}

// FuzzClients gives any reply to any workload's client, some of it right at first so that it gets further than by chance.
func FuzzClients(f *testing.F) {
	for n := range len(workloads.All) + len(variants) {
		w, settings := pickWorkload(uint8(n))
		f.Add(uint8(n), converse(f, w, settings).out, uint16(20), uint8(3))
	}
	f.Fuzz(func(t *testing.T, which uint8, reply []byte, right uint16, n uint8) {
		w, settings := pickWorkload(which)
		c := converse(t, w, settings)
		client := newClient(t, w, settings...)
		for range c.requests {
			client.Request(nil)
		}
		begin := c.out[:min(len(c.out), int(right))]
		replies, err := deliver(t, client, slices.Concat(begin, reply), int(n)+1)
		if replies > c.requests || replies == c.requests && err == nil && len(begin)+len(reply) < len(c.out) && w != workloads.HTTP {
			t.Fatalf("%s: %d replies in %d bytes, error %v", w.Name, replies, len(begin)+len(reply), err)
		}
	})
}

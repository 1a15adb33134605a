package workloads_test

import (
	"bytes"
	"testing"

	"turnlab/internal/misuse"
	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

func TestChurnClosesAfterItsLastReply(t *testing.T) {
	server, clients := resolve(t, workloads.Churn, []string{"requests", "3", "payload", "10"})
	c := clients.NewClient(0)
	p := sessiontest.NewPlayer(server.NewSession())
	for left := 3; left > 0; left-- {
		if got := c.(workloads.Ending).Left(); got != left || p.Closed {
			t.Fatalf("%d requests left, want %d; closed %v", got, left, p.Closed)
		}
		p.Send(c.Request(nil))
	}
	replies, err := deliver(t, c, p.Out, 7)
	if replies != 3 || err != nil || !p.Closed || c.(workloads.Ending).Left() != 0 {
		t.Fatalf("%d replies, %v, closed %v", replies, err, p.Closed)
	}
}

func TestChurnDoesNotAnswerBeyondItsLastReply(t *testing.T) {
	server, _ := resolve(t, workloads.Churn, []string{"payload", "3"})
	if got := play(server, false, []byte("abcdef")); got.out != "abc" || !got.closed || !got.linger {
		t.Fatal(got)
	}
	if got := play(server, true, []byte("ab")); got.out != "ab" || !got.closed {
		t.Fatal(got)
	}
}

func TestChurnRequestsOfTheNextLifeAreOthers(t *testing.T) {
	_, clients := resolve(t, workloads.Churn, []string{"requests", "2"})
	seen := map[string]bool{}
	for range 20 {
		c := clients.NewClient(6)
		seen[string(c.Request(nil))] = true
		seen[string(c.Request(nil))] = true
	}
	if len(seen) != 40 {
		t.Fatalf("%d different requests of 40", len(seen))
	}
}

func TestStreamGoesOutInChunks(t *testing.T) {
	for direction, uploads := range map[string]bool{"down": false, "both": true} {
		c := newClient(t, workloads.Stream, "size", "1000", "chunk", "300", "direction", direction)
		s := newSession(t, workloads.Stream, "size", "1000", "chunk", "300", "direction", direction)
		x := workloads.Exchange{In: c.Request(nil)}
		if len(x.In) > 16 != uploads {
			t.Fatalf("%s: a request of %d bytes", direction, len(x.In))
		}
		var sizes []int
		for op := s.Step(&x); op.Kind == workloads.Flush; op = s.Step(&x) {
			sizes = append(sizes, len(x.Out))
			x.Out = x.Out[:0]
		}
		if len(sizes) != 4 || sizes[0] != 300 || sizes[3] != 100 {
			t.Errorf("%s: chunks of %v", direction, sizes)
		}
	}
}

// What is not yet sent must hold back what is read, or a server would have to hold the stream.
func TestStreamBothReadsNoMoreThanItCanSend(t *testing.T) {
	settings := []string{"size", "100k", "direction", "both"}
	c, s := newClient(t, workloads.Stream, settings...), newSession(t, workloads.Stream, settings...)
	x := workloads.Exchange{In: c.Request(nil)}
	had := len(x.In)
	s.Step(&x)
	if took := had - len(x.In); took != 16+16<<10 {
		t.Fatalf("took %d bytes for a chunk of 16k", took)
	}
}

func TestStreamUploadIsCheckedAndAcknowledged(t *testing.T) {
	settings := []string{"size", "200k", "direction", "up"}
	c := newClient(t, workloads.Stream, settings...)
	server, _ := resolve(t, workloads.Stream, settings)
	request := c.Request(nil)
	got := play(server, false, chop(request, 5000)...)
	if got.out != string(request[:16]) || got.closed {
		t.Fatalf("%v, want %q", got, request[:16])
	}
	for _, at := range []int{16, 70000, len(request) - 1} {
		wrong := bytes.Clone(request)
		wrong[at] ^= 1
		if got := play(server, false, chop(wrong, 5000)...); got.out != "" || !got.closed || !got.linger {
			t.Errorf("byte %d wrong: %v", at, got)
		}
	}
	if got := play(server, true, request[:50000]); got.out != "" || !got.closed {
		t.Errorf("an upload that ends early: %v", got)
	}
}

func TestStreamRefusesWhatItDoesNotOffer(t *testing.T) {
	server, _ := resolve(t, workloads.Stream, []string{"size", "1000"})
	for _, head := range []string{"X\x00\x00\x00\x00\x00\x00\x01", "D\x00\x00\x00\x00\x00\x03\xe9", "D\x00\x00\x00\x00\x00\x00\x00", "U\xff\xff\xff\xff\xff\xff\xff"} {
		if got := play(server, false, []byte(head+"12345678")); got.out != "" || !got.closed || !got.linger {
			t.Errorf("%q: %v", head, got)
		}
	}
	if got := play(server, false, []byte("D\x00\x00\x00\x00\x00\x03\xe812345678")); len(got.out) != 1000 || got.closed {
		t.Errorf("the longest it offers: %v", got)
	}
}

// A piece that is lost or comes twice must not look like the stream, whatever its length.
func TestStreamDoesNotRepeatItselfAtUsualLengths(t *testing.T) {
	c := newClient(t, workloads.Stream, "size", "500k")
	server, _ := resolve(t, workloads.Stream, []string{"size", "500k"})
	out := []byte(play(server, false, c.Request(nil)).out)
	for _, n := range []int{1, 512, 1448, 4096, 16384, 32741, 65483, 65536, 131072} {
		if bytes.Equal(out[:1000], out[n:n+1000]) {
			t.Errorf("the stream repeats itself after %d bytes", n)
		}
		client := newClient(t, workloads.Stream, "size", "500k")
		client.Request(nil)
		if _, err := deliver(t, client, append(bytes.Clone(out[:1000]), out[1000+n:]...), 50000); err == nil {
			t.Errorf("%d bytes are missing and nobody notices", n)
		}
	}
}

func TestStreamChunkOfAnUploadIsTheUsersMistake(t *testing.T) {
	v, err := workloads.Stream.Options.Resolve(map[string]string{"chunk": "1k", "direction": "up"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workloads.Stream.NewClients(v, 1); !misuse.Is(err) {
		t.Fatalf("error %v", err)
	}
}

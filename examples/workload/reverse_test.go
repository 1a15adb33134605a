package reverse

import (
	"slices"
	"strings"
	"testing"

	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

func halves(t *testing.T) (workloads.Server, workloads.Client) {
	t.Helper()
	v, err := Workload.Options.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := Workload.NewServer(v, workloads.Env{})
	if err != nil {
		t.Fatal(err)
	}
	clients, err := Workload.NewClients(v, 1)
	if err != nil {
		t.Fatal(err)
	}
	return server, clients.NewClient(3)
}

func TestLinesComeBackTheOtherWayRoundHoweverTheyArrive(t *testing.T) {
	server, _ := halves(t)
	const text, want = "abc\n\nno lemon\n", "cba\n\nnomel on\n"
	for at := range text {
		out, closed, _ := sessiontest.Play(server.NewSession(), []byte(text[:at]), []byte(text[at:]))
		if string(out) != want || closed {
			t.Errorf("cut at %d: %q, closed %v", at, out, closed)
		}
	}
}

func TestOutputIsSentBeforeThereIsTooMuchOfIt(t *testing.T) {
	server, _ := halves(t)
	text := strings.Repeat("a line\n", 50_000)
	out, _, ops := sessiontest.Play(server.NewSession(), []byte(text))
	if len(out) != len(text) || !slices.Contains(ops, workloads.Op{Kind: workloads.Flush}) {
		t.Errorf("%d bytes of %d, ops %v", len(out), len(text), ops)
	}
}

func TestTheSessionEndsWithItsInput(t *testing.T) {
	server, _ := halves(t)
	p := sessiontest.NewPlayer(server.NewSession())
	p.End()
	if last := p.Ops[len(p.Ops)-1].Kind; last != workloads.Close {
		t.Errorf("at the end it asks to %v", last)
	}
}

func TestTheClientTakesRightAnswersAndNoOthers(t *testing.T) {
	server, client := halves(t)
	if _, _, err := client.Reply([]byte("x")); err != workloads.ErrUnasked {
		t.Errorf("an answer to nothing: %v", err)
	}
	requests := client.Request(client.Request(nil))
	out, _, _ := sessiontest.Play(server.NewSession(), requests)
	for range 2 {
		if n, done, err := client.Reply(out[:5]); n != 0 || done || err != nil {
			t.Fatalf("a part of a reply: %d, %v, %v", n, done, err)
		}
		n, done, err := client.Reply(out)
		if !done || err != nil {
			t.Fatalf("%d, %v, %v", n, done, err)
		}
		out = out[n:]
	}
	wrong, _, _ := sessiontest.Play(server.NewSession(), client.Request(nil))
	wrong[7] ^= 1
	if _, _, err := client.Reply(wrong); err == nil {
		t.Error("a wrong byte was taken for a right one")
	}
}

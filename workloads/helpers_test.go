package workloads_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

// settings are option texts, name and value in turn.
func resolve(t testing.TB, w *workloads.Workload, settings []string) (workloads.Server, workloads.Clients) {
	t.Helper()
	given := map[string]string{}
	for i := 0; i < len(settings); i += 2 {
		given[settings[i]] = settings[i+1]
	}
	v, err := w.Options.Resolve(given)
	if err != nil {
		t.Fatal(err)
	}
	server, err := w.NewServer(v, workloads.Env{})
	if err != nil {
		t.Fatal(err)
	}
	clients, err := w.NewClients(v, 1)
	if err != nil {
		t.Fatal(err)
	}
	return server, clients
}

func newSession(t testing.TB, w *workloads.Workload, settings ...string) workloads.Session {
	t.Helper()
	server, _ := resolve(t, w, settings)
	return server.NewSession()
}

func newClient(t testing.TB, w *workloads.Workload, settings ...string) workloads.Client {
	t.Helper()
	_, clients := resolve(t, w, settings)
	return clients.NewClient(3)
}

// transcript is what a peer can see of a session, and how it ended.
type transcript struct {
	out    string
	closed bool
	linger bool
}

func (a transcript) String() string {
	return fmt.Sprintf("closed=%v linger=%v\n%.600q", a.closed, a.linger, a.out)
}

// newPlayer opens a connection to a server, whose upstreams are those of the lab.
func newPlayer(server workloads.Server) *sessiontest.Player {
	p := sessiontest.NewPlayer(server.NewSession())
	p.Upstream = askUpstream
	return p
}

// askUpstream plays a frame to an upstream session.
func askUpstream(frame []byte) ([]byte, error) {
	out, _, _ := sessiontest.Play(upstream().NewSession(), frame)
	body, _, err := workloads.CutFrame(out)
	return body, err
}

var upstream = sync.OnceValue(func() workloads.Server {
	server, err := workloads.Upstream.NewServer(nil, workloads.Env{})
	if err != nil {
		panic(err)
	}
	return server
})

// play runs a fresh session of server over the chunks; end adds the end of input.
func play(server workloads.Server, end bool, chunks ...[]byte) transcript {
	p := newPlayer(server)
	for _, c := range chunks {
		p.Send(c)
	}
	if end {
		p.End()
	}
	last := p.Ops[len(p.Ops)-1]
	return transcript{string(p.Out), p.Closed, last.Linger}
}

// chop cuts in into pieces of n bytes.
func chop(in []byte, n int) [][]byte {
	var chunks [][]byte
	for len(in) > n {
		chunks = append(chunks, in[:n])
		in = in[n:]
	}
	return append(chunks, in)
}

// deliver hands reply to a client in pieces of n bytes, as a generator would, and returns how many replies were complete.
// It fails when the client does not keep its contract.
func deliver(t testing.TB, c workloads.Client, reply []byte, n int) (replies int, err error) {
	t.Helper()
	var unread []byte
	for _, chunk := range chop(reply, n) {
		unread = append(unread, chunk...)
		for {
			m, done, err := c.Reply(unread)
			if m < 0 || m > len(unread) {
				t.Fatalf("the client consumed %d of %d bytes", m, len(unread))
			}
			if err != nil {
				if done {
					t.Fatal("done together with an error")
				}
				return replies, err
			}
			unread = bytes.Clone(unread[m:])
			if done {
				replies++
			}
			if m == 0 {
				break
			}
		}
	}
	return replies, nil
}

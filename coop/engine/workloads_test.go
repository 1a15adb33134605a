package engine

import (
	"io"
	"net"
	"testing"
	"time"

	"turnlab/workloads"
)

// TestServesEchoAndHTTP asks each workload's own client what it thinks of the answers: it checks every byte.
func TestServesEchoAndHTTP(t *testing.T) {
	for _, w := range []*workloads.Workload{workloads.Echo, workloads.HTTP} {
		t.Run(w.Name, func(t *testing.T) {
			v, err := w.Options.Resolve(nil)
			if err != nil {
				t.Fatal(err)
			}
			srv, err := w.NewServer(v, workloads.Env{})
			if err != nil {
				t.Fatal(err)
			}
			clients, err := w.NewClients(v, 1)
			if err != nil {
				t.Fatal(err)
			}
			address, e := start(t, srv, nil)
			for i := range 4 {
				ask(t, dial(t, address), clients.NewClient(i), 50)
			}
			if n := e.Counters()["accepted"]; n != 4 {
				t.Errorf("%d connections accepted, want 4", n)
			}
		})
	}
}

// ask sends requests, three at a time, and checks the replies.
func ask(t *testing.T, c net.Conn, client workloads.Client, rounds int) {
	t.Helper()
	const together = 3
	var in []byte
	buf := make([]byte, 4096)
	for range rounds {
		var out []byte
		for range together {
			out = client.Request(out)
		}
		if _, err := c.Write(out); err != nil {
			t.Fatal(err)
		}
		for left := together; left > 0; {
			n, done, err := client.Reply(in)
			if err != nil {
				t.Fatal(err)
			}
			in = in[n:]
			if done {
				left--
			} else if n == 0 {
				in = append(in, read(t, c, buf)...)
			}
		}
	}
}

func read(t *testing.T, c net.Conn, buf []byte) []byte {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := c.Read(buf)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatal("the connection has ended before its replies")
	}
	return buf[:n]
}

package engine

import (
	"fmt"
	"io"
	"maps"
	"net"
	"sync"
	"testing"
	"time"

	"turnlab/workloads"
)

// variants are the settings under which the tests of this file run.
var variants = []map[string]string{{}, {"variant": "await"}, {"executors": "3"}, {"variant": "await", "executors": "3"}}

// with returns settings with more of them.
func with(settings map[string]string, more ...string) map[string]string {
	all := maps.Clone(settings)
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// halves makes both halves of a workload.
func halves(t *testing.T, w *workloads.Workload, options map[string]string) (workloads.Server, workloads.Clients) {
	t.Helper()
	v, err := w.Options.Resolve(options)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := w.NewServer(v, workloads.Env{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	clients, err := w.NewClients(v, 1)
	if err != nil {
		t.Fatal(err)
	}
	return srv, clients
}

// TestServesWorkloads asks each workload's own client what it thinks of the answers: it checks every byte.
func TestServesWorkloads(t *testing.T) {
	for _, w := range []*workloads.Workload{workloads.Echo, workloads.HTTP, workloads.Hog, workloads.Sleeper, workloads.Upstream} {
		for _, settings := range variants {
			t.Run(fmt.Sprint(w.Name, settings), func(t *testing.T) {
				t.Parallel() // it waits more than it works
				srv, clients := halves(t, w, nil)
				address, e := start(t, srv, settings)
				for i := range 4 {
					ask(t, dial(t, address), clients.NewClient(i), 5)
				}
				awaitCount(t, e, "accepted", 4)
			})
		}
	}
}

// awaitCount waits until a counter has a value; counters are published once per turn of an executor.
func awaitCount(t *testing.T, e *Engine, name string, want int64) {
	t.Helper()
	for range 5000 {
		if e.Counters()[name] == want {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%s is %d, want %d", name, e.Counters()[name], want)
}

func TestCallsAreJoinedRacedAndCutOff(t *testing.T) {
	for _, mode := range []string{"all", "first", "deadline"} {
		for _, settings := range variants {
			t.Run(fmt.Sprint(mode, settings), func(t *testing.T) {
				t.Parallel()
				upstream, _ := halves(t, workloads.Upstream, nil)
				address, _ := start(t, upstream, nil)
				srv, clients := halves(t, workloads.Fanout, map[string]string{"mode": mode, "calls": "40", "tail": "10%"})
				address, e := start(t, srv, with(settings, "upstream", address))
				const conns, requests = 3, 2
				for i := range conns {
					ask(t, dial(t, address), clients.NewClient(i), requests)
				}
				awaitCount(t, e, "calls", conns*requests*3*40)
				c := e.Counters()
				if c["calls_failed"] != 0 || (c["calls_cancelled"] == 0) != (mode == "all") {
					t.Errorf("%d failed, %d cancelled", c["calls_failed"], c["calls_cancelled"])
				}
				if mode == "all" && c["upstream_connects"] > conns*40 {
					t.Errorf("%d connects: connections are not kept", c["upstream_connects"])
				}
			})
		}
	}
}

// callsOnce makes one call of n requests and answers with what came of it.
type callsOnce struct {
	requests int
	asked    bool
}

func (s *callsOnce) NewSession() workloads.Session { return &callsOnce{requests: s.requests} }

func (s *callsOnce) Step(x *workloads.Exchange) workloads.Op {
	if !s.asked {
		s.asked = true
		calls := &workloads.Calls{Need: s.requests, Within: time.Minute}
		for range s.requests {
			calls.Requests = append(calls.Requests, workloads.AppendFrame(nil, []byte("who is there?")))
		}
		return workloads.Op{Kind: workloads.Call, Calls: calls}
	}
	for _, r := range x.Replies {
		x.Out = fmt.Appendf(x.Out, "%s %v\n", r.Data, r.Err != nil)
	}
	return workloads.Op{Kind: workloads.Close}
}

// upstreamThat accepts one connection after another and treats it with serve.
func upstreamThat(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			serve(c)
		}
	}()
	return l.Addr().String()
}

func TestCallsOfABrokenConnectionAreCancelled(t *testing.T) {
	for _, settings := range variants {
		address, e := start(t, &callsOnce{requests: 5}, with(settings, "upstream", upstreamThat(t, func(net.Conn) {})))
		c := dial(t, address)
		c.CloseWrite() // it waits for its reply all the same
		awaitCount(t, e, "upstream_connects", 5)
		if n := e.Counters()["calls_cancelled"]; n != 0 {
			t.Errorf("%d calls cancelled because the peer has ended its sending", n)
		}
		c.SetLinger(0)
		c.Close()
		awaitCount(t, e, "calls_cancelled", 5)
		awaitCount(t, e, "open", 0)
	}
}

func TestCallsThatFailSayWhy(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"an end":        func(c net.Conn) { c.Close() },
		"a long answer": func(c net.Conn) { c.Write([]byte{1, 0, 0, 0}) },
		"two answers":   func(c net.Conn) { c.Write([]byte{0, 0, 0, 1, 'a', 0}) },
	} {
		t.Run(name, func(t *testing.T) {
			address, e := start(t, &callsOnce{requests: 2}, map[string]string{"upstream": upstreamThat(t, serve)})
			got, err := io.ReadAll(dial(t, address))
			if string(got) != " true\n true\n" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			awaitCount(t, e, "calls_failed", 2)
		})
	}
}

// TestEverySubscriberHearsEveryMessage has several publishers in a room, spread over the executors.
func TestEverySubscriberHearsEveryMessage(t *testing.T) {
	for _, settings := range variants {
		t.Run(fmt.Sprint(settings), func(t *testing.T) {
			const conns, publishers, messages = 12, 3, 40
			srv, clients := halves(t, workloads.Broadcast, map[string]string{"publishers": "3", "queue": "4096"})
			address, e := start(t, srv, settings)
			var all sync.WaitGroup
			started := make(chan struct{})
			for i := range conns {
				c, client := dial(t, address), clients.NewClient(i)
				all.Go(func() {
					if <-started; i < publishers {
						var out []byte
						for range messages {
							out = client.Request(out)
						}
						c.Write(out)
					}
					listen(t, c, client.(workloads.Listener), publishers*messages)
				})
			}
			awaitCount(t, e, "accepted", conns)
			time.Sleep(20 * time.Millisecond) // until the last has asked to receive
			close(started)
			all.Wait()
			awaitCount(t, e, "published", publishers*messages)
			awaitCount(t, e, "delivered", conns*publishers*messages)
		})
	}
}

// listen reads n messages and has the client check them.
func listen(t *testing.T, c net.Conn, client workloads.Listener, n int) {
	var in []byte
	buf := make([]byte, 4096)
	for n > 0 {
		used, h, err := client.Hear(in)
		if err != nil || h.Lost > 0 {
			t.Errorf("lost %d, %v", h.Lost, err)
			return
		}
		in = in[used:]
		if h.Done {
			n--
		} else if used == 0 {
			got, err := c.Read(buf)
			if err != nil {
				t.Error(err)
				return
			}
			in = append(in, buf[:got]...)
		}
	}
}

// TestASlowSubscriberLosesMessagesOrItsConnection has one that does not read while another publishes large messages.
func TestASlowSubscriberLosesMessagesOrItsConnection(t *testing.T) {
	for _, settings := range variants {
		for _, overflow := range []string{"drop", "close"} {
			t.Run(fmt.Sprint(overflow, settings), func(t *testing.T) {
				srv, clients := halves(t, workloads.Broadcast, map[string]string{"overflow": overflow, "payload": "32768", "queue": "4"})
				address, e := start(t, srv, settings)
				slow, c := dial(t, address), dial(t, address)
				awaitCount(t, e, "accepted", 2)
				time.Sleep(20 * time.Millisecond)
				client := clients.NewClient(0)
				counter := map[string]string{"drop": "dropped", "close": "closed_slow"}[overflow]
				for range 2000 {
					if e.Counters()[counter] > 0 {
						break
					}
					c.Write(client.Request(nil))
					listen(t, c, client.(workloads.Listener), 1)
				}
				if e.Counters()[counter] == 0 {
					t.Fatalf("nothing was %s although nobody reads", counter)
				}
				if overflow == "close" {
					awaitCount(t, e, "open", 1)
				}
				slow.Close()
			})
		}
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

package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"turnlab/workloads"
)

// served lets sessions of a workload talk, one goroutine for each connection.
func served(t *testing.T, w *workloads.Workload, settings map[string]string) func(*server, net.Conn) {
	t.Helper()
	v, err := w.Options.Resolve(settings)
	if err != nil {
		t.Fatal(err)
	}
	half, err := w.NewServer(v, workloads.Env{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	return func(s *server, c net.Conn) {
		session, x, buffer := half.NewSession(), workloads.Exchange{}, make([]byte, 4096)
		for {
			op := session.Step(&x)
			if _, err := c.Write(x.Out); err != nil {
				return
			}
			x.Out = x.Out[:0]
			switch op.Kind {
			case workloads.Read:
				n, err := c.Read(buffer)
				x.In, x.EOF = append(x.In, buffer[:n]...), err != nil
			case workloads.Close:
				return
			}
		}
	}
}

func TestConnectionsThatEndAreReplacedAndNobodyIsToBlame(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		for _, rate := range []float64{0, 600} {
			for _, depth := range []int{1, 4} {
				settings := map[string]string{"requests": "3", "payload": "64"}
				s := serve(t, network, served(t, workloads.Churn, settings))
				l := s.load()
				l.Workload, l.Settings, l.RateRPS, l.Depth, l.Threads = "churn", settings, rate, depth, 2
				l.TimeoutNS = int64(5 * time.Second)
				r := apart(t, l)
				if failures(r) > 0 || r.Unanswered > 0 {
					t.Errorf("%s, rate %v, depth %d: errors %v: %s", network, rate, depth, r.Errors, r.FirstError)
				}
				if rate > 0 && r.Due != uint64(len(dueTimes(l))) {
					t.Errorf("%d were due, want %d", r.Due, len(dueTimes(l)))
				}
				// Without a warm-up each connect but the first of each connection belongs to the window.
				if n := uint64(s.accepted.Load()); r.Connects != n-4 || r.Connects+4 < r.Requests/3 {
					t.Errorf("%s, rate %v, depth %d: %d connects for %d requests, and the server accepted %d", network, rate, depth,
						r.Connects, r.Requests, n)
				}
			}
		}
	}
}

func TestGeneratorKeepsNoPortOfAConnectionThatEnded(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"requests": "1", "payload": "64"}
	s := serve(t, "tcp", served(t, workloads.Churn, settings))
	l := s.load()
	l.Workload, l.Settings = "churn", settings
	r := apart(t, l)
	if n := timeWait(t, l.Address); n > 0 {
		t.Errorf("%d requests, each on a connection of its own, left %d of the generator's ports in TIME_WAIT", r.Requests, n)
	}
}

// timeWait counts the connections to a server that are in TIME_WAIT on the client's side (proc_net_tcp(5): state 06).
func timeWait(t *testing.T, server string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(server)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skipf("this machine does not list its connections: %v", err)
	}
	n := 0
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasSuffix(f[2], fmt.Sprintf(":%04X", number)) && f[3] == "06" {
			n++
		}
	}
	return n
}

func TestConnectIsPartOfTheRequestThatCausesIt(t *testing.T) {
	t.Parallel()
	// The server is slow to speak after it has accepted, and quick afterwards.
	const slow = 20 * time.Millisecond
	settings := map[string]string{"requests": "1", "payload": "64"}
	s := serve(t, "tcp", func(s *server, c net.Conn) {
		time.Sleep(slow)
		served(t, workloads.Churn, settings)(s, c)
	})
	l := s.load()
	l.Workload, l.Settings, l.WarmupNS = "churn", settings, int64(50*time.Millisecond)
	for _, rate := range []float64{0, 50} {
		l.RateRPS = rate
		r := apart(t, l)
		if p := time.Duration(r.Latency["service"].P50); r.Requests > 0 && p < slow {
			t.Errorf("rate %v: service p50 is %v, but each connection takes %v", rate, p, slow)
		}
	}
}

func TestServerThatDoesNotCloseIsAnError(t *testing.T) {
	s := serve(t, "tcp", echo)
	l := s.load()
	l.Workload, l.Settings = "churn", map[string]string{"requests": "1", "payload": fmt.Sprint(payload)}
	l.TimeoutNS, l.WindowNS = int64(50*time.Millisecond), int64(400*time.Millisecond)
	r, err := Run(context.Background(), l, Hooks{})
	if err != nil || r.Errors["other"] == 0 || r.FirstError == "" {
		t.Errorf("errors %v, first %q, %v", r.Errors, r.FirstError, err)
	}
}

func TestSilentConnectionsAreHeldAndAskedAtTheEnd(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0, 500} {
		s := serve(t, "tcp", echo)
		l := s.load()
		l.Workload, l.Settings = "idle", map[string]string{"active": "3", "payload": fmt.Sprint(payload)}
		l.Conns, l.Threads, l.RateRPS = 700, 2, rate
		l.TimeoutNS = int64(10 * time.Second)
		r := apart(t, l)
		if r.Silent == nil || r.Silent.Connections != 697 || r.Silent.Right != 697 {
			t.Errorf("rate %v: %+v", rate, r.Silent)
		}
		if n := s.accepted.Load(); n != 700 {
			t.Errorf("rate %v: the server accepted %d connections, want 700", rate, n)
		}
		if got := uint64(s.requests.Load()); got != r.Requests+697 {
			t.Errorf("rate %v: the server had %d requests, want %d and one for each silent connection", rate, got, r.Requests)
		}
		if failures(r) > 0 {
			t.Errorf("rate %v: errors %v: %s", rate, r.Errors, r.FirstError)
		}
	}
}

// exceptOne serves the echo, but the first connection that has been silent for a while is given to victim.
func exceptOne(victim func(s *server, c net.Conn)) func(*server, net.Conn) {
	var chosen atomic.Bool
	return func(s *server, c net.Conn) {
		p := make([]byte, payload)
		c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := io.ReadFull(c, p)
		c.SetReadDeadline(time.Time{})
		if err != nil && chosen.CompareAndSwap(false, true) {
			victim(s, c)
			return
		}
		if err == nil {
			c.Write(p)
		}
		echo(s, c)
	}
}

func TestServerThatForgetsSilentConnectionsIsFoundOut(t *testing.T) {
	t.Parallel()
	for kind, victim := range map[string]func(s *server, c net.Conn){
		"closed": func(s *server, c net.Conn) {},
		"wrong": func(s *server, c net.Conn) {
			p := make([]byte, payload)
			s.request(c, p)
			p[5] ^= 1
			c.Write(p)
			c.Read(p)
		},
		"timeout": silent,
	} {
		s := serve(t, "tcp", exceptOne(victim))
		l := s.load()
		l.Workload, l.Settings = "idle", map[string]string{"active": "1", "payload": fmt.Sprint(payload)}
		l.Conns, l.WindowNS, l.TimeoutNS = 8, int64(600*time.Millisecond), int64(time.Second)
		l.Parts = 1
		r, _ := together(t, l, 0)
		if r.Silent.Connections != 7 || r.Silent.Right != 6 || r.Errors[kind] != 1 || failures(r) != 1 || r.FirstError == "" {
			t.Errorf("%s: %+v, errors %v, first %q", kind, r.Silent, r.Errors, r.FirstError)
		}
		if r.Due != r.Requests+r.Unanswered+1 {
			t.Errorf("%s: due %d, right %d: the error is not counted as one", kind, r.Due, r.Requests)
		}
	}
}

// room says to all what one says, except that it drops what drop names.
type room struct {
	mu    sync.Mutex
	conns []net.Conn
	drop  func(message, listener int) bool
	n     int
}

// full waits until n are in the room: who comes late has missed what was said, and that is nobody's fault.
func (r *room) full(n int) Hooks {
	return Hooks{Ready: func() error {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			r.mu.Lock()
			there := len(r.conns)
			r.mu.Unlock()
			if there == n {
				return nil
			}
		}
		return fmt.Errorf("the room never had %d listeners", n)
	}}
}

func (r *room) talk(s *server, c net.Conn) {
	r.mu.Lock()
	r.conns = append(r.conns, c)
	r.mu.Unlock()
	frame := make([]byte, 4+64)
	for s.request(c, frame) {
		r.mu.Lock()
		for i, to := range r.conns {
			if to == c || r.drop == nil || !r.drop(r.n, i) {
				to.Write(frame)
			}
		}
		r.n++
		r.mu.Unlock()
	}
}

func TestDeliveriesAreCountedAndTimedForAllWhoListen(t *testing.T) {
	for _, rate := range []float64{0, 300} {
		for _, publishers := range []string{"1", "3"} {
			all := new(room)
			s := serve(t, "tcp", all.talk)
			l := s.load()
			l.Workload, l.Settings = "broadcast", map[string]string{"publishers": publishers, "payload": "64"}
			l.Conns, l.Threads, l.RateRPS, l.WarmupNS = 9, 2, rate, int64(50*time.Millisecond)
			l.TimeoutNS = int64(10 * time.Second)
			r := mustRun(t, l, all.full(9))
			d := r.Deliveries
			if d == nil || d.Due != r.Requests*9 || d.Received != d.Due || d.Missing+d.Gaps+d.CutOff != 0 {
				t.Fatalf("rate %v, %s publishers: %d right replies, deliveries %+v", rate, publishers, r.Requests, d)
			}
			if n := r.Latency["delivery"].Count; uint64(n) != d.Received {
				t.Errorf("%d latencies of %d deliveries", n, d.Received)
			}
			if r.Requests == 0 || failures(r) > 0 {
				t.Errorf("rate %v: %d right, errors %v: %s", rate, r.Requests, r.Errors, r.FirstError)
			}
		}
	}
}

func TestDroppedMessagesAreMissingAndTheirGapsAreSeen(t *testing.T) {
	dropped := []int{5, 6, 11}
	all := &room{drop: func(message, listener int) bool { return listener > 1 && slices.Contains(dropped, message) }}
	s := serve(t, "tcp", all.talk)
	l := s.load()
	l.Workload, l.Settings = "broadcast", map[string]string{"publishers": "1", "payload": "64"}
	l.Conns, l.RateRPS, l.Arrivals, l.TimeoutNS = 6, 200, Fixed, int64(10*time.Second)
	r := mustRun(t, l, all.full(6))
	d := r.Deliveries
	// The publisher itself gets everything; which number it has at the server does not matter but to tell 4 listeners from 3.
	if d.Due != 20*6 || d.Gaps != d.Missing || d.Missing != 4*3 && d.Missing != 3*3 {
		t.Errorf("%+v", d)
	}
}

func TestFairnessTellsWhoGetsTheReplies(t *testing.T) {
	t.Parallel()
	even := serve(t, "tcp", delayed(2*time.Millisecond))
	var count atomic.Int64
	uneven := serve(t, "tcp", func(s *server, c net.Conn) {
		if count.Add(1) > 1 {
			delayed(80*time.Millisecond)(s, c)
		}
		echo(s, c)
	})
	l := even.load()
	l.WindowNS = int64(300 * time.Millisecond)
	if r := apart(t, l); r.Fairness < 0.9 || r.Fairness > 1 {
		t.Errorf("all connections are served alike, and the index is %v", r.Fairness)
	}
	l = uneven.load()
	l.WindowNS = int64(300 * time.Millisecond)
	if r := apart(t, l); r.Fairness < 0.25 || r.Fairness > 0.5 {
		t.Errorf("one of four connections gets nearly all replies, and the index is %v", r.Fairness)
	}
	l.RateRPS = 100
	if r := apart(t, l); r.Fairness != 0 {
		t.Error("in the open loop connections take turns: an index would say nothing about the server")
	}
}

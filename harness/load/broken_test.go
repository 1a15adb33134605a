package load

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"turnlab/harness/control"
)

// after answers n requests of each connection rightly and then does what end does, with the next request in p.
func after(n int, end func(c net.Conn, p []byte)) func(*server, net.Conn) {
	return func(s *server, c net.Conn) {
		p := make([]byte, payload)
		for range n {
			if !s.request(c, p) {
				return
			}
			if _, err := c.Write(p); err != nil {
				return
			}
		}
		if s.request(c, p) {
			end(c, p)
		}
	}
}

func TestEveryRequestThatFailsIsCountedByKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(c net.Conn, p []byte)
		kind string
		text string
	}{
		"a wrong byte": {func(c net.Conn, p []byte) { p[3] ^= 1; c.Write(p); c.Read(p) }, "wrong", "byte"},
		"a close":      {func(c net.Conn, p []byte) { c.Close() }, "closed", "closed"},
		"half a reply": {func(c net.Conn, p []byte) { c.Write(p[:9]); c.Close() }, "closed", "closed"},
		"a reset":      {func(c net.Conn, p []byte) { c.(*net.TCPConn).SetLinger(0); c.Close() }, "reset", "reset"},
	} {
		for _, rate := range []float64{0, 1000} {
			s := serve(t, "tcp", after(10, c.end))
			l := s.load()
			l.RateRPS = rate
			patiently(t, func(longer int64) error {
				l.WindowNS *= longer
				s.accepted.Store(0)
				r := apart(t, l)
				if failures(r) != r.Errors[c.kind] {
					t.Errorf("%s, rate %v: errors %v, want some of kind %s only", name, rate, r.Errors, c.kind)
				}
				if n := s.accepted.Load(); r.Usage.Counters["reopened"] != n-4 {
					t.Errorf("%s, rate %v: the server accepted %d connections, and %d were opened again", name, rate, n,
						r.Usage.Counters["reopened"])
				}
				if r.Errors[c.kind] == 0 {
					return fmt.Errorf("%s, rate %v: no error in %d requests", name, rate, r.Due)
				}
				if !strings.Contains(r.FirstError, c.text) || !strings.Contains(r.FirstError, s.address) {
					t.Errorf("%s, rate %v: the first error is %q", name, rate, r.FirstError)
				}
				return nil
			})
		}
	}
}

func TestBytesThatNobodyAskedForAreWrong(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", func(s *server, c net.Conn) {
		p := make([]byte, payload, payload+1)
		for s.request(c, p) {
			if _, err := c.Write(p[:payload+1]); err != nil {
				return
			}
		}
	})
	l := s.load()
	patiently(t, func(longer int64) error {
		l.WindowNS *= longer
		if r := apart(t, l); r.Errors["wrong"] == 0 {
			return fmt.Errorf("a byte after each of %d replies went unnoticed: %v", r.Requests, r.Errors)
		}
		return nil
	})
}

func TestConnectionsThatAlwaysBreakAreOpenedAgainOnlySoOften(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", func(s *server, c net.Conn) {})
	for _, rate := range []float64{0, 500} {
		l := s.load()
		l.RateRPS, l.TimeoutNS = rate, int64(200*time.Millisecond)
		s.accepted.Store(0)
		apart(t, l)
		if n, most := s.accepted.Load(), int64(4+4*reopensPerConn+4); n > most {
			t.Errorf("rate %v: the server accepted %d connections, want at most %d", rate, n, most)
		}
	}
}

func TestSilenceIsATimeoutAndHasTheAgeItReached(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", silent)
	for _, rate := range []float64{0, 100} {
		l := s.load()
		l.RateRPS, l.TimeoutNS = rate, int64(100*time.Millisecond)
		patiently(t, func(longer int64) error {
			l.WindowNS *= longer
			r := apart(t, l)
			if r.Requests != 0 {
				t.Errorf("rate %v: %d right replies from a silent server", rate, r.Requests)
			}
			if r.Errors["timeout"] < 4 {
				return fmt.Errorf("rate %v: due %d, errors %v", rate, r.Due, r.Errors)
			}
			name := "response"
			if rate == 0 {
				name = "service"
			}
			if p := time.Duration(r.Latency[name].P50); p < 100*time.Millisecond {
				t.Errorf("rate %v: %s p50 is %v, but each request waited for the timeout of 100ms", rate, name, p)
			}
			return nil
		})
	}
}

func TestBacklogIsGivenUpAfterTheTimeoutAndCounted(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", delayed(50*time.Millisecond))
	l := s.load()
	l.Conns, l.RateRPS, l.WindowNS, l.TimeoutNS = 1, 200, int64(600*time.Millisecond), int64(200*time.Millisecond)
	r := apart(t, l)
	if r.Due != uint64(len(dueTimes(l))) {
		t.Errorf("%d requests were due, want %d", r.Due, len(dueTimes(l)))
	}
	// One connection at 50 ms a request answers at most 16 in the window and its drain; the rest of about 120 cannot be sent.
	if r.Requests > 17 || r.Errors["backlog"] == 0 {
		t.Errorf("%d right, errors %v, %d unanswered", r.Requests, r.Errors, r.Unanswered)
	}
	if r.Waited < r.Requests-2 || r.Waited > r.Due {
		t.Errorf("%d of %d requests waited for the only connection", r.Waited, r.Due)
	}
	if r.Sent >= r.Due/2 {
		t.Errorf("%d of %d were sent, but the only connection was busy", r.Sent, r.Due)
	}
	if p := time.Duration(r.Latency["response"].P99); p < 190*time.Millisecond {
		t.Errorf("response p99 is %v: requests that were given up must count with their age", p)
	}
}

func TestServerThatDiesIsRefusedAndNotForgotten(t *testing.T) {
	for _, rate := range []float64{0, 1000} {
		s := serve(t, "tcp", echo)
		l := s.load()
		l.RateRPS, l.WindowNS, l.TimeoutNS = rate, int64(300*time.Millisecond), int64(100*time.Millisecond)
		r := mustRun(t, l, Hooks{Measuring: func(control.Usage) { time.AfterFunc(50*time.Millisecond, s.stop) }})
		if r.Errors["refused"] == 0 {
			t.Errorf("rate %v: %d right, errors %v", rate, r.Requests, r.Errors)
		}
		if rate > 0 && r.Due != uint64(len(dueTimes(l))) {
			t.Errorf("%d requests were due, want %d", r.Due, len(dueTimes(l)))
		}
	}
}

func TestServerThatComesBackGetsTheLoadAgain(t *testing.T) {
	patiently(t, func(longer int64) error {
		s := serve(t, "unix", echo)
		l := s.load()
		l.WindowNS = longer * int64(500*time.Millisecond)
		var back atomic.Int64
		r := mustRun(t, l, Hooks{Measuring: func(control.Usage) {
			s.stop()
			again, err := net.Listen("unix", s.address)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { again.Close() })
			go func() {
				for {
					c, err := again.Accept()
					if err != nil {
						return
					}
					back.Add(1)
					go func() { defer c.Close(); echo(s, c) }()
				}
			}()
		}})
		if n := r.Usage.Counters["reopened"]; n < 4 || back.Load() < 4 {
			return fmt.Errorf("%d connections were opened again, and %d came", n, back.Load())
		}
		return nil
	})
}

// TestNothingIsLostInChaos lets a server do everything wrong at once. What comes out depends on the machine; that each due
// request has exactly one end must not (mustRun checks it).
func TestNothingIsLostInChaos(t *testing.T) {
	t.Parallel()
	var count atomic.Uint64
	s := serve(t, "tcp", func(s *server, c net.Conn) {
		p := make([]byte, payload)
		for s.request(c, p) {
			switch n := count.Add(1); {
			case n%97 == 0:
				p[n%payload] ^= 1
			case n%89 == 0:
				c.Write(p[:n%payload])
				return
			case n%83 == 0:
				c.(*net.TCPConn).SetLinger(0)
				return
			case n%79 == 0:
				time.Sleep(150 * time.Millisecond)
			case n%73 == 0:
				silent(s, c)
			case n%71 == 0:
				c.Write(p[:7])
				time.Sleep(time.Millisecond)
				p = append(p[:0], p[7:]...)
			}
			if _, err := c.Write(p); err != nil {
				return
			}
			p = p[:payload]
		}
	})
	for i, l := range []control.Load{
		{Conns: 1, Depth: 1, Threads: 1}, {Conns: 20, Depth: 1, Threads: 2}, {Conns: 7, Depth: 9, Threads: 3},
		{Conns: 1, Depth: 1, Threads: 1, RateRPS: 3000}, {Conns: 20, Depth: 3, Threads: 2, RateRPS: 3000},
		{Conns: 90, Depth: 1, Threads: 3, RateRPS: 3000, Arrivals: Fixed},
	} {
		base := s.load()
		l.Workload, l.Settings, l.Network, l.Address = base.Workload, base.Settings, base.Network, base.Address
		l.Seed, l.WarmupNS, l.WindowNS = uint64(i), int64(20*time.Millisecond), int64(100*time.Millisecond)
		l.TimeoutNS = int64(100 * time.Millisecond)
		r := apart(t, l)
		if l.RateRPS > 0 && l.Conns%l.Threads == 0 && r.Due != uint64(len(dueTimes(l))) {
			t.Errorf("load %d: %d requests were due, want %d", i, r.Due, len(dueTimes(l)))
		}
	}
}

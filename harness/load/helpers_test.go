package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"turnlab/harness/control"
	"turnlab/workloads"
)

// payload is the size of the requests and replies of the test servers, which speak the echo workload.
const payload = 64

// server is a small test server: a goroutine for each connection.
type server struct {
	network, address string
	listener         net.Listener
	accepted, open   atomic.Int64
	requests         atomic.Int64
	mu               sync.Mutex
	conns            []net.Conn
}

// serve starts a server that lets talk talk on each connection.
func serve(t *testing.T, network string, talk func(s *server, c net.Conn)) *server {
	t.Helper()
	address := "127.0.0.1:0"
	switch network {
	case "unix":
		address = filepath.Join(t.TempDir(), "s")
	case "tcp6":
		address = "[::1]:0"
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{network: network, address: l.Addr().String(), listener: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			s.open.Add(1)
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			all.Go(func() {
				defer s.open.Add(-1)
				defer c.Close()
				talk(s, c)
			})
		}
	})
	t.Cleanup(func() {
		s.stop()
		all.Wait()
	})
	return s
}

// stop closes the listener and every connection.
func (s *server) stop() {
	s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

// waitOpen waits until the server has n connections: it accepts them a little after they are there.
func (s *server) waitOpen(t *testing.T, n int64) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); s.open.Load() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server has %d connections, want %d", s.open.Load(), n)
		}
	}
}

// request reads one request and counts it.
func (s *server) request(c net.Conn, p []byte) bool {
	if _, err := io.ReadFull(c, p); err != nil {
		return false
	}
	s.requests.Add(1)
	return true
}

// echo answers rightly and at once.
func echo(s *server, c net.Conn) {
	p := make([]byte, payload)
	for s.request(c, p) {
		if _, err := c.Write(p); err != nil {
			return
		}
	}
}

// delayed answers rightly after wait.
func delayed(wait time.Duration) func(*server, net.Conn) {
	return func(s *server, c net.Conn) {
		p := make([]byte, payload)
		for s.request(c, p) {
			time.Sleep(wait)
			if _, err := c.Write(p); err != nil {
				return
			}
		}
	}
}

// silent reads and never answers.
func silent(s *server, c net.Conn) {
	p := make([]byte, payload)
	for s.request(c, p) {
	}
}

// load returns a short closed loop of four connections to s, for tests to change.
func (s *server) load() control.Load {
	return control.Load{
		Workload: "echo", Settings: map[string]string{"payload": fmt.Sprint(payload)},
		Network: s.network, Address: s.address, Conns: 4, Depth: 1, Threads: 1, Arrivals: Poisson, Seed: 1,
		WindowNS: int64(100 * time.Millisecond), TimeoutNS: int64(time.Second),
	}
}

// generatorFor prepares a load that a test may tamper with before it runs. The test closes it.
func generatorFor(t *testing.T, l control.Load) *generator {
	t.Helper()
	w, err := workloads.Find(l.Workload)
	if err != nil {
		t.Fatal(err)
	}
	values, err := w.Options.Resolve(l.Settings)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := w.NewClients(values, l.Seed)
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGenerator(l, clients, w.Classes)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// patiently makes a check up to four times, each with twice the time, until it passes: on a busy machine a short load may
// see too little, or see the machine. What must hold at any speed is checked outside of it.
func patiently(t *testing.T, check func(longer int64) error) {
	t.Helper()
	var err error
	for longer := int64(1); longer <= 8; longer *= 2 {
		if err = check(longer); err == nil || t.Failed() {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// mustRun makes the load, and checks what holds for every result.
func mustRun(t *testing.T, l control.Load, h Hooks) control.LoadResult {
	t.Helper()
	r, err := Run(context.Background(), l, h)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, l, r)
	return r
}

func checkResult(t *testing.T, l control.Load, r control.LoadResult) {
	t.Helper()
	if sum := r.Requests + failures(r) + r.Unanswered; sum != r.Due {
		t.Errorf("%d requests were due, and %d have an end: %+v", r.Due, sum, r)
	}
	if r.Sent > r.Due {
		t.Errorf("%d were sent of %d that were due", r.Sent, r.Due)
	}
	if r.Unrecorded != 0 {
		t.Errorf("%d latencies were not recorded", r.Unrecorded)
	}
	if failures(r) > 0 && r.FirstError == "" {
		t.Error("there are errors and no text of the first")
	}
	// Given up is at least as slow as the slowest; an error is not a latency.
	timed := r.Requests + r.Unanswered + r.Errors["timeout"] + r.Errors["backlog"]
	name := "response"
	if l.RateRPS == 0 {
		name = "service"
	}
	if n := uint64(r.Latency[name].Count); n != timed {
		t.Errorf("%s has %d values, want %d", name, n, timed)
	}
	var received uint64
	for _, w := range r.Windows {
		received += w.Received
	}
	if received < r.Requests {
		t.Errorf("the windows have %d replies, fewer than the %d of the result", received, r.Requests)
	}
}

func failures(r control.LoadResult) (n uint64) {
	for _, k := range r.Errors {
		n += k
	}
	return n
}

// dueTimes returns the intended times of a load's window, drawn as the threads draw them.
func dueTimes(l control.Load) []int64 {
	var times []int64
	for i := range l.Threads {
		s := newSchedule(l, l.RateRPS/float64(l.Threads), i, l.Threads)
		for s.begin(0, l.WarmupNS+l.WindowNS); s.next != never; {
			if at := s.take(); at >= l.WarmupNS {
				times = append(times, at)
			}
		}
	}
	return times
}

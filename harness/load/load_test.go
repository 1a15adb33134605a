package load

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
)

func TestMain(m *testing.M) {
	if os.Getenv(nullChild) != "" {
		os.Exit(NullMain(os.Stdin, os.Stdout))
	}
	if os.Getenv(loadChild) != "" {
		os.Exit(Main(os.Stdin, os.Stdout))
	}
	flag.Parse()
	flag.Set("test.parallel", "8") // tests that run side by side wait, and need no CPU of their own
	goleak.VerifyTestMain(m)
}

func TestClosedLoopCountsWhatTheServerCounts(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		for _, threads := range []int{1, 3} {
			s := serve(t, network, echo)
			l := s.load()
			l.Threads = threads
			r := apart(t, l)
			if r.Requests != r.Due || r.Sent != r.Due || int64(r.Due) != s.requests.Load() {
				t.Errorf("%s, %d threads: due %d, sent %d, right %d; the server had %d", network, threads, r.Due, r.Sent,
					r.Requests, s.requests.Load())
			}
			if s.accepted.Load() != 4 {
				t.Errorf("%s, %d threads: the server accepted %d connections, want 4", network, threads, s.accepted.Load())
			}
			if _, ok := r.Latency["response"]; ok {
				t.Error("a closed loop has no intended times and must not report a response time")
			}
		}
	}
}

func TestBothKindsOfInternetAddressesWork(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6")
	} else {
		l.Close()
	}
	for _, network := range []string{"tcp", "tcp6"} {
		s := serve(t, network, echo)
		s.network = "tcp"
		if r := apart(t, s.load()); failures(r) > 0 {
			t.Errorf("%s: errors %v: %s", network, r.Errors, r.FirstError)
		}
	}
}

func TestOpenLoopSendsItsScheduleAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, arrivals := range []string{Poisson, Fixed} {
		for _, threads := range []int{1, 2} {
			s := serve(t, "tcp", echo)
			l := s.load()
			l.Arrivals, l.Threads, l.RateRPS, l.WarmupNS = arrivals, threads, 2000, int64(100*time.Millisecond)
			r := apart(t, l)
			want := uint64(len(dueTimes(l)))
			if r.Due != want || r.Requests != want {
				t.Errorf("%s, %d threads: due %d, right %d, want %d", arrivals, threads, r.Due, r.Requests, want)
			}
			for _, name := range []string{"response", "service", "slip"} {
				if n := r.Latency[name].Count; uint64(n) != want {
					t.Errorf("%s has %d values, want %d", name, n, want)
				}
			}
		}
	}
}

func TestWindowsCoverTheLoadAndMarkTheMeasuredPart(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", echo)
	l := s.load()
	l.RateRPS, l.WarmupNS, l.WindowNS = 1000, int64(200*time.Millisecond), int64(300*time.Millisecond)
	r := apart(t, l)
	var sent, received, measured uint64
	for i, w := range r.Windows {
		if w.AtMS != int64(i)*100 || w.Measured != (i >= 2 && i < 5) {
			t.Errorf("window %d: %+v", i, w)
		}
		sent += w.Sent
		received += w.Received
		if w.Measured {
			measured++
		}
	}
	if n := uint64(s.requests.Load()); sent != n || received != n || measured != 3 {
		t.Errorf("windows: sent %d, received %d, %d measured; the server had %d requests", sent, received, measured, n)
	}
	if r.WindowNS != l.WindowNS {
		t.Errorf("the window was %d ns, want %d", r.WindowNS, l.WindowNS)
	}
}

func TestHistogramsAreWrittenSoThatOthersCanReadThem(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", echo)
	r := apart(t, s.load())
	h, err := hdrhistogram.Decode([]byte(r.Histograms["service"]))
	if err != nil {
		t.Fatal(err)
	}
	if uint64(h.TotalCount()) != r.Requests || h.ValueAtPercentile(99) != r.Latency["service"].P99 {
		t.Errorf("the histogram has %d values and p99 %d; the result %d and %d", h.TotalCount(), h.ValueAtPercentile(99),
			r.Requests, r.Latency["service"].P99)
	}
}

// A server that freezes for S seconds in a window of W delays each request that was due meanwhile until its end: the delays
// are spread evenly from S to 0, so a part (S − x)/W of all requests takes longer than x, and p99 is S − W/100. In the
// service time only the one request of each connection that was under way shows the freeze, too few for p99 to see.
func TestResponseTimeShowsAFreezeThatServiceTimeHides(t *testing.T) {
	const window, freeze = time.Second, 300 * time.Millisecond
	const want = freeze - window/100
	var from atomic.Int64
	s := serve(t, "tcp", func(s *server, c net.Conn) {
		p := make([]byte, payload)
		for s.request(c, p) {
			if at := from.Load(); at != 0 && time.Now().UnixNano() >= at {
				time.Sleep(time.Until(time.Unix(0, at).Add(freeze)))
			}
			if _, err := c.Write(p); err != nil {
				return
			}
		}
	})
	l := s.load()
	l.RateRPS, l.Arrivals, l.WarmupNS, l.WindowNS = 1000, Fixed, int64(100*time.Millisecond), int64(window)
	patiently(t, func(int64) error {
		from.Store(0)
		r := mustRun(t, l, Hooks{Measuring: func(control.Usage) {
			from.Store(time.Now().Add(200 * time.Millisecond).UnixNano())
		}})
		response, service := r.Latency["response"], r.Latency["service"]
		if got := time.Duration(response.P99); got < want-want/100 {
			return fmt.Errorf("response p99 is %v, want %v", got, want)
		}
		if got := time.Duration(service.Max); got < want {
			return fmt.Errorf("the longest service is %v, want the freeze of %v", got, freeze)
		}
		const slack = 100 * time.Millisecond // to work the backlog off
		if got := time.Duration(response.P99); got > want+slack {
			return fmt.Errorf("response p99 is %v, want %v", got, want)
		}
		if got := time.Duration(service.P99); got > want/2 {
			return fmt.Errorf("service p99 is %v: it should not see the freeze of %v", got, freeze)
		}
		return nil
	})
}

func TestDepthKeepsThatManyRequestsUnderWay(t *testing.T) {
	t.Parallel()
	const depth = 5
	s := serve(t, "tcp", func(s *server, c net.Conn) { // it answers only when it has all of them
		p := make([]byte, depth*payload)
		for {
			if _, err := io.ReadFull(c, p); err != nil {
				return
			}
			s.requests.Add(depth)
			if _, err := c.Write(p); err != nil {
				return
			}
		}
	})
	l := s.load()
	l.Depth = depth
	patiently(t, func(longer int64) error {
		l.WindowNS *= longer
		s.requests.Store(0)
		r := apart(t, l)
		if int64(r.Requests) != s.requests.Load() {
			t.Errorf("%d right replies; the server had %d requests", r.Requests, s.requests.Load())
		}
		if r.Requests < 4*depth {
			return fmt.Errorf("%d right replies, want at least %d", r.Requests, 4*depth)
		}
		return nil
	})
}

func TestOpenLoopLetsConnectionsTakeTurns(t *testing.T) {
	patiently(t, func(int64) error {
		var mu sync.Mutex
		turns := map[net.Conn]int{}
		s := serve(t, "tcp", func(s *server, c net.Conn) {
			p := make([]byte, payload)
			for s.request(c, p) {
				mu.Lock()
				turns[c]++
				mu.Unlock()
				c.Write(p)
			}
		})
		l := s.load()
		// So few requests that each connection has long been free when its turn comes.
		l.Conns, l.Depth, l.RateRPS, l.Arrivals = 5, 2, 500, Fixed
		r := mustRun(t, l, Hooks{})
		if r.Waited > 0 {
			return fmt.Errorf("%d requests found no free connection of 5", r.Waited)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, n := range turns {
			if n != 10 {
				return fmt.Errorf("a connection got %d of 50 requests, want 10 on each of 5", n)
			}
		}
		return nil
	})
}

func TestBigRequestsArriveInPieces(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		s := serve(t, network, func(s *server, c net.Conn) { io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) })
		l := s.load()
		l.Settings = map[string]string{"payload": "1M"}
		l.Depth, l.TimeoutNS = 2, int64(5*time.Second)
		patiently(t, func(longer int64) error {
			l.WindowNS *= longer
			r := apart(t, l)
			if failures(r) > 0 {
				t.Errorf("%s: errors %v: %s", network, r.Errors, r.FirstError)
			}
			if r.Requests < 8 {
				return fmt.Errorf("%s: %d requests of 1 MiB were answered", network, r.Requests)
			}
			return nil
		})
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, rate := range []float64{0, 5000} {
		s := serve(t, "tcp", echo)
		l := s.load()
		patiently(t, func(longer int64) error {
			l.RateRPS, l.WarmupNS, l.WindowNS = rate, int64(100*time.Millisecond), longer*int64(200*time.Millisecond)
			var before, after runtime.MemStats
			r := mustRun(t, l, Hooks{
				Measuring: func(control.Usage) { runtime.ReadMemStats(&before) },
				Measured:  func(control.Usage) { runtime.ReadMemStats(&after) },
			})
			if r.Usage.Counters["gc_cycles"] != 0 {
				t.Errorf("rate %v: the collector ran in the window", rate)
			}
			if n := after.Mallocs - before.Mallocs; n > r.Requests/20 {
				return fmt.Errorf("rate %v: %d allocations in %d requests", rate, n, r.Requests)
			}
			return nil
		})
	}
}

func TestUsageIsThatOfTheWindow(t *testing.T) {
	s := serve(t, "tcp", echo)
	l := s.load()
	l.WarmupNS, l.WindowNS = int64(50*time.Millisecond), int64(200*time.Millisecond)
	var first, second control.Usage
	r := mustRun(t, l, Hooks{
		Measuring: func(u control.Usage) { first = u },
		Measured:  func(u control.Usage) { second = u },
	})
	if got := r.Usage.MonotonicNS; got != second.MonotonicNS-first.MonotonicNS || got <= 0 {
		t.Errorf("usage over %v, want the time between both edges", time.Duration(got))
	}
	if r.Usage.CPUNS <= 0 || r.Usage.CPUNS != second.CPUNS-first.CPUNS {
		t.Errorf("CPU time %v in the window", time.Duration(r.Usage.CPUNS))
	}
	if r.Usage.Memory["go_heap"] == 0 {
		t.Error("the heap was not measured")
	}
}

func TestRunLeavesTheProcessAsItWas(t *testing.T) {
	files := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	s := serve(t, "tcp", echo)
	l := s.load()
	mustRun(t, l, Hooks{})
	s.waitOpen(t, 0) // the server's ends are ours as well
	procs, before := runtime.GOMAXPROCS(0), files()
	l.Threads = 3
	mustRun(t, l, Hooks{})
	s.waitOpen(t, 0)
	if now := files(); now != before {
		t.Errorf("%d file descriptors before, %d after", before, now)
	}
	if now := runtime.GOMAXPROCS(0); now != procs {
		t.Errorf("GOMAXPROCS was %d and is %d", procs, now)
	}
}

func TestCancelEndsTheLoadAndKeepsWhatItHas(t *testing.T) {
	s := serve(t, "tcp", silent)
	l := s.load()
	l.WindowNS, l.Depth, l.TimeoutNS = int64(time.Minute), 3, int64(time.Minute)
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("enough")
	r, err := Run(ctx, l, Hooks{Measuring: func(control.Usage) {
		time.AfterFunc(50*time.Millisecond, func() { cancel(reason) })
	}})
	if !errors.Is(err, reason) {
		t.Errorf("the error is %v, want the reason of the cancellation", err)
	}
	checkResult(t, l, r)
	if r.Unanswered != 12 || r.Due != 12 {
		t.Errorf("%d of %d requests are unanswered, want 12 of 12", r.Unanswered, r.Due)
	}
	if w := time.Duration(r.WindowNS); w < 40*time.Millisecond || w > 30*time.Second {
		t.Errorf("the window was %v, want the 50ms it had", w)
	}
}

func TestHooksCanStopALoadBeforeItBegins(t *testing.T) {
	s := serve(t, "tcp", echo)
	no := errors.New("no")
	_, err := Run(context.Background(), s.load(), Hooks{Ready: func() error { return no }})
	if !errors.Is(err, no) || s.requests.Load() != 0 {
		t.Errorf("error %v, and the server had %d requests", err, s.requests.Load())
	}
}

func TestUserMistakesNameTheMistakeAndTheRemedy(t *testing.T) {
	s := serve(t, "tcp", echo)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	for name, c := range map[string]struct {
		change func(l *control.Load)
		words  []string
	}{
		"target refuses":   {func(l *control.Load) { l.Address = dead.Addr().String() }, []string{dead.Addr().String(), "refused", "start"}},
		"no unix socket":   {func(l *control.Load) { l.Network, l.Address = "unix", "/nowhere/s" }, []string{"/nowhere/s", "start"}},
		"long unix path":   {func(l *control.Load) { l.Network, l.Address = "unix", strings.Repeat("x", 200) }, []string{"107"}},
		"no such address":  {func(l *control.Load) { l.Address = "127.0.0.1" }, []string{"host:port"}},
		"no transport":     {func(l *control.Load) { l.Network = "ipx" }, []string{"ipx", "tcp, unix"}},
		"no workload":      {func(l *control.Load) { l.Workload = "nope" }, []string{"nope", "echo"}},
		"no option":        {func(l *control.Load) { l.Settings = map[string]string{"size": "1"} }, []string{"size", "payload"}},
		"no arrivals":      {func(l *control.Load) { l.Arrivals = "bursts" }, []string{"bursts", Poisson, Fixed}},
		"no connections":   {func(l *control.Load) { l.Conns = 0 }, []string{"connection"}},
		"too many ports":   {func(l *control.Load) { l.Conns = 70000 }, []string{"ephemeral ports", "unix"}},
		"too many files":   {func(l *control.Load) { l.Network, l.Conns = "unix", 1<<21 }, []string{"file descriptors", "ulimit"}},
		"too many flights": {func(l *control.Load) { l.Depth = MaxInFlight }, []string{"depth"}},
		"negative rate":    {func(l *control.Load) { l.RateRPS = -1 }, []string{"rate", "closed loop"}},
		"no window":        {func(l *control.Load) { l.WindowNS = 0 }, []string{"duration"}},
		"negative warm-up": {func(l *control.Load) { l.WarmupNS = -1 }, []string{"warm-up"}},
		"too long":         {func(l *control.Load) { l.WindowNS = int64(2 * time.Hour) }, []string{"1h"}},
		"tiny timeout":     {func(l *control.Load) { l.TimeoutNS = 1 }, []string{"timeout"}},
		"too many threads": {func(l *control.Load) { l.Threads = 1000 }, []string{"threads"}},
	} {
		l := s.load()
		c.change(&l)
		_, err := Run(context.Background(), l, Hooks{})
		if !misuse.Is(err) {
			t.Errorf("%s: the error is %v, want one that the user can mend", name, err)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", name, err, w)
			}
		}
	}
}

// deafSocket returns the path of a unix socket with an accept queue for three connections that nobody accepts.
func deafSocket(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/s"
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 2)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestServerThatDoesNotAcceptEndsTheSetup(t *testing.T) {
	l := (&server{network: "unix", address: deafSocket(t)}).load()
	l.Conns, l.TimeoutNS = 16, int64(200*time.Millisecond)
	_, err := Run(context.Background(), l, Hooks{})
	if err == nil || !strings.Contains(err.Error(), "3 of 16 connections") {
		t.Errorf("the error is %v, want one that says how many connections came up", err)
	}
}

func TestCancelEndsTheSetup(t *testing.T) {
	l := (&server{network: "unix", address: deafSocket(t)}).load()
	l.Conns, l.TimeoutNS = 16, int64(time.Minute)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(20*time.Millisecond, func() { cancel(reason) })
	if _, err := Run(ctx, l, Hooks{}); !errors.Is(err, reason) {
		t.Errorf("the error is %v, want the reason of the cancellation", err)
	}
}

func TestManyConnectionsComeUp(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", echo)
	l := s.load()
	l.Conns, l.Threads = 2000, 2
	r := apart(t, l)
	if s.accepted.Load() != 2000 || failures(r) != 0 {
		t.Errorf("%d of 2000 connections, %d requests, errors %v: %s", s.accepted.Load(), r.Requests, r.Errors, r.FirstError)
	}
}

func TestRequestsAreTheSameForTheSameSeed(t *testing.T) {
	record := func() []byte {
		var got bytes.Buffer
		s := serve(t, "tcp", func(s *server, c net.Conn) {
			p := make([]byte, payload)
			for s.request(c, p) {
				if got.Len() < 10*payload {
					got.Write(p)
				}
				c.Write(p)
			}
		})
		l := s.load()
		l.Conns, l.RateRPS = 1, 1000
		mustRun(t, l, Hooks{})
		s.stop()
		return got.Bytes()[:10*payload]
	}
	if !bytes.Equal(record(), record()) {
		t.Error("the same seed gave other requests")
	}
}

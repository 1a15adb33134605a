package threads

import (
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"turnlab/engine"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// patience bounds every wait.
const patience = 20 * time.Second

// napServer's sessions echo a byte after a sleep.
type napServer struct{ nap time.Duration }

func (s napServer) NewSession() workloads.Session { return &napSession{nap: s.nap} }

type napSession struct {
	nap    time.Duration
	rested bool
}

func (s *napSession) Step(x *workloads.Exchange) workloads.Op {
	switch {
	case len(x.In) > 0 && !s.rested && s.nap > 0:
		s.rested = true
		return workloads.Op{Kind: workloads.Sleep, Wait: s.nap}
	case len(x.In) > 0:
		x.Out, x.In, s.rested = append(x.Out, x.In...), nil, false
	}
	return workloads.Op{Kind: workloads.Read}
}

// start makes an engine with some threads serve until the test ends.
func start(t *testing.T, threads string, srv workloads.Server) (*Engine, string) {
	t.Helper()
	e, address := startSpec(t, Spec, map[string]string{"max": threads, "gogc": "100"}, srv)
	return e.(*Engine), address
}

// startSpec makes either engine serve until the test ends.
func startSpec(t *testing.T, spec *engine.Spec, settings map[string]string, srv workloads.Server) (engine.Engine, string) {
	t.Helper()
	procs := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	options, err := spec.AllOptions().Resolve(settings)
	if err != nil {
		t.Fatal(err)
	}
	config := engine.Config{Options: options}
	spec.SetUp(config)
	e, err := spec.New(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	if err := e.(engine.Preparer).Prepare(l, srv); err != nil {
		t.Fatal(err)
	}
	go func() { done <- e.Serve(l, srv) }()
	t.Cleanup(func() {
		e.Stop()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("Serve did not return after Stop")
		}
	})
	return e, l.Address
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s", what)
		}
	}
}

func bounce(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

func TestMoreConnectionsThanThreadsWaitAndAreCounted(t *testing.T) {
	e, address := start(t, "2", napServer{})
	first, second := dial(t, address), dial(t, address)
	bounce(t, first)
	bounce(t, second)
	third := dial(t, address)
	await(t, "the third connection to wait", func() bool { return e.Counters()["waiting"] == 1 })
	if c := e.Counters(); c["open"] != 2 || c["accepted"] != 2 || c["threads"] != 2 {
		t.Errorf("counters %v", c)
	}
	first.Close()
	bounce(t, third) // the thread that has become free serves it
	if c := e.Counters(); c["accepted"] != 3 || c["waiting"] != 0 {
		t.Errorf("counters %v", c)
	}
}

func TestEachConnectionHasAThreadOfTheKernelsFromTheStart(t *testing.T) {
	count := func() int {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(tasks)
	}
	const threads = 50
	before := count()
	t.Run("serving", func(t *testing.T) {
		start(t, "50", napServer{})
		if n := count(); n < threads {
			t.Errorf("%d threads before the first connection", n)
		}
	})
	await(t, "the threads to end", func() bool { return count() < before+threads/2 })
}

func TestStopWakesSleepingThreads(t *testing.T) {
	e, address := start(t, "2", napServer{nap: time.Hour})
	c := dial(t, address)
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	await(t, "a thread to sleep", func() bool {
		for _, w := range e.workers {
			if w.sleeping.Load() {
				return true
			}
		}
		return false
	})
	e.Stop() // that Serve returns, the test's end checks
}

func TestASignalDoesNotCutASleepShort(t *testing.T) {
	const nap = 100 * time.Millisecond
	e, address := start(t, "1", napServer{nap: nap})
	c := dial(t, address)
	began := time.Now()
	signal := time.AfterFunc(nap/4, func() {
		e.workers[0].mu.Lock()
		defer e.workers[0].mu.Unlock()
		e.workers[0].signalSleep()
	})
	defer signal.Stop()
	bounce(t, c)
	if took := time.Since(began); took < nap {
		t.Errorf("a sleep of %v ended after %v", nap, took)
	}
}

func TestThreadsThatDoNotFitAreTheUsersToMend(t *testing.T) {
	err := checkThreads(1 << 30)
	if !misuse.Is(err) || !strings.Contains(err.Error(), "threads.max") {
		t.Errorf("got %v", err)
	}
	if err := checkThreads(10); err != nil {
		t.Error(err)
	}
}

func TestTheNumberOfThreadsIsWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		max   string
		conns int
		want  int
	}{{"0", 0, 1024}, {"0", 77, 77}, {"5", 77, 5}, {"0", 1 << 20, maxThreads}} {
		options, err := Spec.AllOptions().Resolve(map[string]string{"max": c.max})
		if err != nil {
			t.Fatal(err)
		}
		config := engine.Config{Options: options, Conns: c.conns}
		if n := count(config); n != c.want || Spec.GOMAXPROCS(config) != n+2 {
			t.Errorf("max=%s and %d connections give %d threads, GOMAXPROCS %d", c.max, c.conns, n, Spec.GOMAXPROCS(config))
		}
	}
}

package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"turnlab/engine"
	"turnlab/workloads"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a server whose sessions are functions.
type script func(x *workloads.Exchange) workloads.Op

func (f script) NewSession() workloads.Session           { return f }
func (f script) Step(x *workloads.Exchange) workloads.Op { return f(x) }

type perConn func() script

func (f perConn) NewSession() workloads.Session { return f() }

// echoScript sends back what it gets, and closes when the peer ends.
func echoScript(x *workloads.Exchange) workloads.Op {
	x.Out = append(x.Out, x.In...)
	x.In = nil
	if x.EOF {
		return workloads.Op{Kind: workloads.Close}
	}
	return workloads.Op{Kind: workloads.Read}
}

// start serves srv with the given options until the test ends, and returns the address.
func start(t testing.TB, srv workloads.Server, settings map[string]string) (string, *Engine) {
	t.Helper()
	e := newEngine(t, settings)
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.Serve(l, srv) }()
	t.Cleanup(func() {
		e.Stop()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Serve did not return after Stop")
		}
	})
	return l.Address, e
}

// newEngine makes an engine. Besides options the settings may have "variant", which is await, and "upstream".
func newEngine(t testing.TB, settings map[string]string) *Engine {
	t.Helper()
	spec, options, upstreams := Spec, map[string]string{}, []string(nil)
	for name, value := range settings {
		switch name {
		case "variant":
			spec = Await
		case "upstream":
			upstreams = append(upstreams, "tcp:"+value)
		default:
			options[name] = value
		}
	}
	v, err := spec.AllOptions().Resolve(options)
	if err != nil {
		t.Fatal(err)
	}
	e, err := spec.New(engine.Config{Options: v, Upstreams: upstreams})
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Engine)
}

func dial(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c.(*net.TCPConn)
}

func TestEchoesWhateverTheSettings(t *testing.T) {
	for _, s := range []map[string]string{
		{}, {"executors": "3"}, {"locked": "on"}, {"executors": "2", "locked": "on"}, {"yield": "100us"}, {"offload": "2"},
		{"variant": "await"}, {"variant": "await", "executors": "2", "locked": "on"},
	} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			address, _ := start(t, script(echoScript), s)
			var all sync.WaitGroup
			for i := range 20 {
				all.Add(1)
				go func() {
					defer all.Done()
					echoOnce(t, address, bytes.Repeat([]byte{byte('a' + i)}, 1+i*7919))
				}()
			}
			all.Wait()
		})
	}
}

// echoOnce sends p, ends its side, and expects p back and the end.
func echoOnce(t *testing.T, address string, p []byte) {
	c := dial(t, address)
	go func() {
		c.Write(p)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, p) {
		t.Errorf("sent %d bytes, got %d back, %v", len(p), len(got), err)
	}
}

func TestCarriesOutEveryOp(t *testing.T) {
	steps := 0
	ops := []workloads.Op{
		{Kind: workloads.Flush}, {Kind: workloads.Sleep, Wait: 3 * time.Millisecond}, {Kind: workloads.Burn, Units: 500},
		{Kind: workloads.Sleep}, {Kind: workloads.Burn}, {Kind: workloads.Close},
	}
	for _, settings := range []map[string]string{{}, {"yield": "50us"}, {"offload": "1"}} {
		steps = 0
		began := time.Now()
		address, _ := start(t, script(func(x *workloads.Exchange) workloads.Op {
			x.Out = append(x.Out, byte('0'+steps))
			steps++
			return ops[steps-1]
		}), settings)
		got, err := io.ReadAll(dial(t, address))
		if err != nil || string(got) != "012345" {
			t.Errorf("%v: got %q, %v", settings, got, err)
		}
		if d := time.Since(began); d < 3*time.Millisecond {
			t.Errorf("%v: a sleep of 3 ms ended after %v", settings, d)
		}
	}
}

func TestKeepsUnreadInputAcrossWaits(t *testing.T) {
	// Takes three bytes at a time, sleeps in between, and sends them on.
	address, _ := start(t, perConn(func() script {
		sleep := false
		return func(x *workloads.Exchange) workloads.Op {
			sleep = !sleep
			if sleep {
				return workloads.Op{Kind: workloads.Sleep, Wait: 100 * time.Microsecond}
			}
			n := min(3, len(x.In))
			if n == 0 && x.EOF {
				return workloads.Op{Kind: workloads.Close}
			}
			x.Out = append(x.Out, x.In[:n]...)
			x.In = x.In[n:]
			if len(x.In) < 3 && !x.EOF {
				return workloads.Op{Kind: workloads.Read}
			}
			return workloads.Op{Kind: workloads.Flush}
		}
	}), nil)
	want := []byte("the quick brown fox jumps over the lazy dog")
	c := dial(t, address)
	for _, b := range want {
		c.Write([]byte{b})
		time.Sleep(50 * time.Microsecond)
	}
	c.CloseWrite()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSendsLargeOutputToASlowReader(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB, far more than the socket buffers hold
	address, _ := start(t, perConn(func() script {
		return func(x *workloads.Exchange) workloads.Op {
			x.Out = append(x.Out, want...)
			return workloads.Op{Kind: workloads.Close}
		}
	}), nil)
	var conns []*net.TCPConn
	for range 3 {
		conns = append(conns, dial(t, address))
	}
	time.Sleep(20 * time.Millisecond) // all three are stuck half-way
	for _, c := range conns {
		if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
		}
	}
}

func TestClosesASessionThatReadsAfterTheEnd(t *testing.T) {
	address, _ := start(t, script(func(x *workloads.Exchange) workloads.Op { return workloads.Op{Kind: workloads.Read} }), nil)
	c := dial(t, address)
	c.CloseWrite()
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %d, %v; want EOF", n, err)
	}
}

func TestClosesASessionThatLeavesTooMuchUnread(t *testing.T) {
	address, e := start(t, script(func(x *workloads.Exchange) workloads.Op { return workloads.Op{Kind: workloads.Read} }), nil)
	c := dial(t, address)
	go c.Write(make([]byte, 2*workloads.MaxUnread))
	if _, err := io.Copy(io.Discard, c); err != nil && !isReset(err) {
		t.Errorf("%v; want the end or a reset", err)
	}
	eventually(t, "the connection is closed", func() bool { return e.Counters()["open"] == 0 })
}

func TestLingersSoThatTheReplySurvivesUnreadInput(t *testing.T) {
	address, e := start(t, script(func(x *workloads.Exchange) workloads.Op {
		if len(x.In) == 0 {
			return workloads.Op{Kind: workloads.Read}
		}
		x.Out = append(x.Out, "no"...)
		return workloads.Op{Kind: workloads.Close, Linger: true}
	}), nil)
	c := dial(t, address)
	c.Write(make([]byte, 100<<10))
	time.Sleep(5 * time.Millisecond)
	c.Write(make([]byte, 100<<10))
	if got, err := io.ReadAll(c); err != nil || string(got) != "no" {
		t.Errorf("got %q, %v", got, err)
	}
	c.Close()
	eventually(t, "the connection is closed", func() bool { return e.Counters()["open"] == 0 })
}

func TestLingeringEndsWithAPeerThatNeverCloses(t *testing.T) {
	address, e := start(t, script(func(x *workloads.Exchange) workloads.Op {
		return workloads.Op{Kind: workloads.Close, Linger: true}
	}), nil)
	c := dial(t, address)
	defer c.Close()
	eventually(t, "the connection is closed", func() bool {
		n := e.Counters()
		return n["accepted"] == 1 && n["open"] == 0
	})
}

func TestGivesWayWhileASessionComputes(t *testing.T) {
	for _, settings := range []map[string]string{{"yield": "200us"}, {"offload": "1"}} {
		address, e := start(t, script(func(x *workloads.Exchange) workloads.Op {
			if bytes.Contains(x.In, []byte("hog")) {
				x.In = nil
				return workloads.Op{Kind: workloads.Burn, Units: 500_000}
			}
			return echoScript(x)
		}), settings)
		hog, other := dial(t, address), dial(t, address)
		hog.Write([]byte("hog"))
		time.Sleep(10 * time.Millisecond)
		began := time.Now()
		other.Write([]byte("x"))
		if _, err := io.ReadFull(other, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if settings["yield"] != "" && e.Counters()["yields"] == 0 {
			t.Error("a session that computes for half a second has not yielded")
		}
		t.Logf("%v: an echo beside a hog took %v", settings, time.Since(began))
	}
}

func TestStopBeforeServeServesNothing(t *testing.T) {
	e := newEngine(t, nil)
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.Stop()
	if err := e.Serve(l, script(echoScript)); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", l.Address); err == nil {
		c.Close()
		t.Error("the listener is open after Serve")
	}
}

func TestStopClosesEveryDescriptor(t *testing.T) {
	before := descriptors(t)
	for _, settings := range []map[string]string{{}, {"executors": "2"}, {"offload": "1"}} {
		t.Run(fmt.Sprint(settings), func(t *testing.T) {
			address, e := start(t, perConn(func() script {
				turn := 0
				return func(x *workloads.Exchange) workloads.Op {
					turn++
					return []workloads.Op{{Kind: workloads.Burn, Units: 10}, {Kind: workloads.Sleep, Wait: time.Hour}}[min(turn-1, 1)]
				}
			}), settings)
			for range 10 {
				dial(t, address)
			}
			eventually(t, "ten connections are open", func() bool { return e.Counters()["open"] == 10 })
		})
	}
	eventually(t, "no descriptor is left", func() bool { return descriptors(t) <= before })
}

func TestSteadyEchoAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	address, _ := start(t, script(echoScript), nil)
	c := dial(t, address)
	p := make([]byte, 64)
	round := func() {
		c.Write(p)
		io.ReadFull(c, p)
	}
	for range 100 {
		round()
	}
	if n := testing.AllocsPerRun(1000, round); n > 0.01 {
		t.Errorf("%v allocations per echo", n)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 5000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("not within five seconds: %s", what)
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

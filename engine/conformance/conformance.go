// Package conformance plays the same scripts to an engine that it plays to every other, over real sockets, and demands the
// same bytes.
//
// A benchmark is believed when the work is the same. Sessions are one source for all engines, so what can differ is how an
// engine carries out their ops, and there are many ways to get that wrong: output lost at a partial write, an end of input
// missed at an edge, a reset that destroys a reply, a step too many after the peer has gone. Each script provokes one of
// them and compares with [sessiontest.Player], which has no sockets to be wrong about.
//
// Between the engine and the workload stands an observer, which sees every step. It lets a script wait until the engine
// has read what was sent, so that a split of the input is a split of the reads, without sleeping and hoping; and it holds
// the engine to its side of the contract (see [observer]).
//
// [Run] is all of it for one engine. An engine on the list of engine/all is tested by being there.
//
// Limits: the engine runs in the script's process, which must have the environment that the engine needs; scripts check
// what is done, never how fast.
package conformance

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/workloads"
)

// patience bounds every wait of a script. A machine that is busy with other things makes scripts slow, not wrong.
const patience = 20 * time.Second

// maxConns is the most connections that a script has at once.
const maxConns = 40

// Run plays every script to an engine. The engine sets the Go runtime of this process up, for good.
func Run(t *testing.T, spec *engine.Spec) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			for _, s := range scripts {
				if s.only != "" && s.only != network {
					continue
				}
				if err := spec.CanServe(s.needs()); err != nil {
					t.Logf("%s is left out: %v", s.name, err)
					continue
				}
				t.Run(s.name, func(t *testing.T) { s.play(start(t, spec, network, s.server)) })
			}
		})
	}
}

// rig is an engine that serves, seen from the script.
type rig struct {
	*testing.T
	engine   engine.Engine
	listener *engine.Listener
	upstream *upstream // for calls
	seen     *observer
	done     chan error
}

// start makes an engine serve until the test ends, and then checks that it has left nothing behind.
func start(t *testing.T, spec *engine.Spec, network string, srv workloads.Server) *rig {
	t.Helper()
	address, upstreamAddress := "127.0.0.1:0", "127.0.0.1:0"
	if network == "unix" {
		dir := t.TempDir()
		address, upstreamAddress = filepath.Join(dir, "sock"), filepath.Join(dir, "up")
	}
	others := goleak.IgnoreCurrent()
	up, err := startUpstream(network, upstreamAddress)
	if err != nil {
		t.Fatal(err)
	}
	before := openFiles(t) - 1 // without the upstream, but with what the Go runtime opens for its first socket
	r := &rig{T: t, engine: build(t, spec, up.name()), upstream: up, seen: &observer{inner: srv}, done: make(chan error, 1)}
	if r.listener, err = engine.Listen(network, address); err != nil {
		t.Fatal(err)
	}
	if p, ok := r.engine.(engine.Preparer); ok {
		if err := p.Prepare(r.listener, r.seen); err != nil {
			t.Fatal(err)
		}
	}
	go func() { r.done <- r.engine.Serve(r.listener, r.seen) }()
	t.Cleanup(func() {
		r.stop()
		up.stop()
		r.seen.check(t)
		goleak.VerifyNone(t, others)
		r.await("the files to be closed", func() bool { return openFiles(t) <= before })
	})
	return r
}

// build makes an engine for up to maxConns connections as a server process does.
func build(t testing.TB, spec *engine.Spec, upstreams ...string) engine.Engine {
	t.Helper()
	options, err := spec.AllOptions().Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	config := engine.Config{Options: options, Conns: maxConns, CPUs: runtime.NumCPU(), Upstreams: upstreams}
	spec.SetUp(config)
	e, err := spec.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stop stops the engine, twice because that is allowed, and checks that Serve returns.
func (r *rig) stop() {
	r.Helper()
	r.engine.Stop()
	r.engine.Stop()
	select {
	case err := <-r.done:
		if err != nil {
			r.Errorf("Serve returned %v", err)
		}
		r.done <- nil // for the next who asks
	case <-time.After(patience):
		r.Fatal("Serve did not return after Stop")
	}
}

// await waits until a condition holds.
func (r *rig) await(what string, holds func() bool) {
	r.Helper()
	for end := time.Now().Add(patience); !holds(); {
		if time.Now().After(end) {
			r.Fatalf("waited %v for %s", patience, what)
		}
		// By system call, as the Go runtime's own timers may round to a millisecond, and scripts wait thousands of times.
		pause := unix.NsecToTimespec(int64(20 * time.Microsecond))
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &pause, nil)
	}
}

// awaitOpen waits until the engine has as many connections open.
func (r *rig) awaitOpen(n int64) {
	r.Helper()
	r.await("the right number of open connections", func() bool { return r.engine.Counters()["open"] == n })
}

// openFiles counts this process's descriptors.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

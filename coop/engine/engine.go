// Package engine is the engine coop: connections are tasks of a cooperative executor, and each task decides by itself when
// it gives up the CPU.
//
// A connection is a future written by hand, a state machine: polled, it does what it can without waiting, leaves its waker
// where it has to wait, and answers Pending. What it holds while it waits is a few dozen bytes of state; memory for
// input and output belongs to the executor, and a connection has some of its own only while it has input that it has not
// understood yet or output that the peer has not taken.
//
// Nobody takes the CPU away from a task. A session that computes for a second stops every other connection of its executor
// for a second, unless it gives way: option yield makes it do so now and then, option offload lets other threads compute.
// That is the price of the model, and the lab's experiments show it.
//
// Limits: Linux. With several executors, one accepts and hands the connections out in turn; a connection never moves.
package engine

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/coop"
	"turnlab/engine"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// Spec describes the engine.
var Spec = &engine.Spec{
	Name:    "coop",
	Summary: "the task decides: futures polled by one executor per core, which waits on epoll",
	Options: options,
	Sources: []string{connGo, burnGo, callsGo, roomGo},
	Shared:  shared,
	Procs:   procs,
	New:     New,
}

var options = option.Set{
	{Name: "executors", Kind: option.Int, Default: "1", Min: 1, Max: 1024,
		Help: "executors, each on a thread of its own with the connections it was given; more than one share nothing"},
	{Name: "yield", Kind: option.Duration, Default: "0s", Max: 3600,
		Help: "how long a session computes before it lets others run; 0 means to the end, since nobody makes it stop"},
	{Name: "offload", Kind: option.Int, Default: "0", Max: 1024,
		Help: "goroutines that compute instead of the executors; 0 means that the executors compute themselves"},
	{Name: "locked", Kind: option.Choice, Default: "off", Choices: []string{"off", "on"},
		Help: "bind each executor to an OS thread"},
	{Name: "watchdog", Kind: option.Duration, Default: "0s", Max: 3600,
		Help: "how long a poll may take before the watchdog prints who it is and counts it; 0 means no watchdog, which costs nothing"},
}

// shared says whether sessions run on several threads. One executor takes turns.
func shared(c engine.Config) bool { return c.Options.Int("executors") > 1 }

// procs asks for a P per goroutine that computes, and one more: the garbage collector and the process's control then run
// beside the executors, and an executor whose P was taken while it waited finds another at once.
func procs(c engine.Config) int {
	return c.Options.Int("executors") + c.Options.Int("offload") + 1
}

// Engine serves connections with tasks.
type Engine struct {
	executors int
	offload   int
	locked    bool
	quantum   time.Duration
	watchdog  time.Duration
	await     bool // connections are async functions
	upstreams []unix.Sockaddr

	pool *coop.Pool // nil without offload
	srv  workloads.Server

	complaints complaints
	tracing    engine.PollTrace // nil without Trace

	mu      sync.Mutex // guards the rest
	stopped bool
	workers []*worker
	failure error // of accepting
}

// New makes an engine.
func New(c engine.Config) (engine.Engine, error) {
	e, err := newEngineFor(c)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func newEngineFor(c engine.Config) (*Engine, error) {
	upstreams, err := resolve(c.Upstreams)
	return &Engine{
		executors: c.Options.Int("executors"),
		offload:   c.Options.Int("offload"),
		locked:    c.Options.Text("locked") == "on",
		quantum:   c.Options.Duration("yield"),
		watchdog:  c.Options.Duration("watchdog"),
		upstreams: upstreams,
	}, err
}

// Serve runs the executors until Stop.
func (e *Engine) Serve(l *engine.Listener, srv workloads.Server) error {
	defer l.Close()
	e.srv = srv
	if e.offload > 0 {
		e.pool = coop.NewPool(e.offload)
		defer e.pool.Close()
	}
	workers, err := e.hire()
	if err != nil {
		return err
	}
	if err := e.admit(workers, l); err != nil {
		return err
	}
	return e.run(workers)
}

// hire makes the workers.
func (e *Engine) hire() ([]*worker, error) {
	var workers []*worker
	for number := range e.executors {
		w, err := newWorker(e, number)
		if err != nil {
			dismiss(workers)
			return nil, fmt.Errorf("executor %d: %w", len(workers)+1, err)
		}
		workers = append(workers, w)
	}
	if err := introduce(workers); err != nil {
		dismiss(workers)
		return nil, err
	}
	return workers, nil
}

// dismiss ends workers that have not run.
func dismiss(workers []*worker) {
	for _, w := range workers {
		w.ex.Close()
	}
}

// admit gives the first worker the task that accepts.
//
// Note: one acceptor and round-robin, and not SO_REUSEPORT, because that chooses by hash: with 64 connections on four
// executors some have twice the work of others, and the comparison would measure the hash.
func (e *Engine) admit(workers []*worker, l *engine.Listener) error {
	fd, err := duplicate(l)
	if err == nil {
		err = workers[0].ex.Go(newAcceptor(e, workers, fd))
	}
	if err != nil {
		dismiss(workers)
		return fmt.Errorf("accept on %s: %w", l.Address, err)
	}
	return nil
}

// duplicate returns a descriptor of l that the reactor may own, and has accepted connections send small replies at once,
// which they inherit.
func duplicate(l *engine.Listener) (int32, error) {
	if l.Network == "tcp" {
		if err := unix.SetsockoptInt(l.FD, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return -1, fmt.Errorf("set TCP_NODELAY: %w", err)
		}
	}
	fd, err := unix.FcntlInt(uintptr(l.FD), unix.F_DUPFD_CLOEXEC, 0)
	return int32(fd), err
}

// run lets the workers work until Stop, and returns what went wrong first.
func (e *Engine) run(workers []*worker) error {
	e.mu.Lock()
	e.workers = workers
	stopped := e.stopped
	e.mu.Unlock()
	if stopped {
		e.Stop()
	}
	ended := make(chan error, len(workers))
	for _, w := range workers {
		go func() {
			ended <- w.ex.Run()
			e.Stop() // one alone cannot go on: connections were handed to all
		}()
	}
	var first error
	for range workers {
		if err := <-ended; first == nil {
			first = err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failure != nil {
		return e.failure
	}
	return first
}

// fail stops the engine because accepting failed.
func (e *Engine) fail(err error) {
	e.mu.Lock()
	e.failure = err
	e.mu.Unlock()
	e.Stop()
}

// Stop makes Serve return.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	for _, w := range e.workers {
		w.ex.Stop()
	}
}

// Counters returns the sums over the executors of what they had counted before they last looked for events.
func (e *Engine) Counters() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	var sum counters
	for _, w := range e.workers {
		sum.add(w.snapshot())
	}
	named := sum.byName()
	if e.watchdog > 0 {
		named["stalls"] = sum.stalls
	}
	addTimes(named, e.workers)
	return named
}

// Package preempt is the engine that a Go programmer writes: package net and a goroutine per connection.
//
// The machine decides. A goroutine that waits is parked by the runtime's network poller; one that computes is interrupted
// by the runtime after 10 ms, wherever it is, with a signal. The variant nopreempt runs the same code with that signal
// turned off (GODEBUG=asyncpreemptoff=1), as Go did up to 1.13: a goroutine then gives way only where it calls a function,
// and a loop without calls never does.
//
// Nothing here is tuned, on purpose: this is the baseline people have. What an idle connection holds is its goroutine's
// stack and one buffer for input, because read needs memory before the bytes are there.
//
// Limits: time.Sleep cannot be interrupted, so Serve returns after Stop only when the last sleeping session has woken.
package preempt

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"turnlab/engine"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// Spec describes the engine.
var Spec = &engine.Spec{
	Name:    "preempt",
	Summary: "the runtime decides: a goroutine per connection on package net, interrupted after 10 ms",
	Options: options,
	Sources: []string{driveGo, callGo, roomGo},
	New:     New,
}

// NoPreempt is the variant without asynchronous preemption.
var NoPreempt = &engine.Spec{
	Name:    "preempt",
	Variant: "nopreempt",
	Summary: "the same without the runtime's signal: a goroutine gives way at function calls only",
	Options: options,
	Environ: []string{"GODEBUG=asyncpreemptoff=1"},
	New:     New,
}

var options = option.Set{
	{Name: "buffer", Kind: option.Size, Default: "4k", Min: 512, Max: workloads.MaxUnread,
		Help: "bytes for input that a connection holds while it waits; 4k is what bufio and net/http hold"},
}

// Engine serves each connection with a goroutine.
type Engine struct {
	bufferBytes int
	accepted    atomic.Int64
	running     sync.WaitGroup // the connections' goroutines
	room        engine.Room
	upstreams   []*engine.Upstream[net.Conn]
	calls       engine.CallCounts

	mu       sync.Mutex // guards the rest
	stopped  bool
	listener net.Listener
	conns    map[net.Conn]struct{} // open ones, so that Stop can close them
}

// New makes an engine.
func New(c engine.Config) (engine.Engine, error) {
	upstreams, err := engine.NewUpstreams[net.Conn](c.Upstreams)
	if err != nil {
		return nil, err
	}
	return &Engine{bufferBytes: c.Options.Int("buffer"), upstreams: upstreams, conns: map[net.Conn]struct{}{}}, nil
}

// Serve accepts connections until Stop.
func (e *Engine) Serve(l *engine.Listener, srv workloads.Server) error {
	defer l.Close()
	nl, err := l.Net()
	if err != nil {
		return err
	}
	if e.open(nl) {
		err = e.accept(nl, srv)
	}
	e.Stop()
	e.running.Wait()
	for _, u := range e.upstreams {
		u.Drain(func(nc net.Conn) { nc.Close() })
	}
	return err
}

func (e *Engine) accept(nl net.Listener, srv workloads.Server) error {
	for {
		nc, err := nl.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		e.accepted.Add(1)
		e.running.Add(1)
		go e.serve(nc, srv)
	}
}

func (e *Engine) serve(nc net.Conn, srv workloads.Server) {
	defer e.running.Done()
	defer nc.Close()
	if e.add(nc) {
		c := conn{Conn: nc, engine: e, input: engine.NewInput(e.bufferBytes)}
		c.drive(srv.NewSession())
		c.leave()
		e.remove(nc)
	}
}

// open notes the listener, unless the engine has been stopped.
func (e *Engine) open(nl net.Listener) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listener = nl
	return !e.stopped
}

// add notes a connection, unless the engine has been stopped.
func (e *Engine) add(nc net.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.stopped {
		e.conns[nc] = struct{}{}
	}
	return !e.stopped
}

func (e *Engine) remove(nc net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, nc)
}

// Stop closes the listener and every connection, which ends their goroutines.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	if e.listener != nil {
		e.listener.Close()
	}
	for nc := range e.conns {
		nc.Close()
	}
}

// Counters returns the connections accepted and open, and what the room and the upstreams count.
func (e *Engine) Counters() map[string]int64 {
	e.mu.Lock()
	c := map[string]int64{"accepted": e.accepted.Load(), "open": int64(len(e.conns))}
	e.mu.Unlock()
	e.room.AddTo(c)
	e.calls.AddTo(c)
	return c
}

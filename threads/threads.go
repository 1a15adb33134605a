// Package threads is the engine in which the kernel decides: an OS thread per connection, blocking sockets.
//
// It has to stand for OS threads and not for Go's scheduler, which is not easy from within Go. Go multiplexes goroutines
// onto GOMAXPROCS processors ("Ps"), and a thread that comes back from a blocking read needs one to go on. With fewer Ps
// than threads it waits for the runtime's monitor to take one from somebody else: on two Ps, requests were seen to wait for
// more than a second. So:
//
//   - Each connection's goroutine is locked to its thread, for ever. All threads are made before the first client comes.
//   - GOMAXPROCS is the number of threads plus two. Each thread then keeps its P while it blocks, or finds another free
//     one when it comes back after long, and who runs is decided by the kernel alone, as in a C program.
//   - Sockets are blocking and bare: package net would put a poller and a scheduler in between. System calls that block
//     go through the runtime (never RawSyscall, which would keep the garbage collector waiting for ever).
//   - Each thread blocks in its own accept4 on the one listening socket. The kernel wakes one of them for a connection;
//     no queue of ours hands it over.
//   - Nothing is allocated per request and the garbage collector is off: its pauses visit every P.
//
// What is left of Go in the cost of a request, besides the session: the runtime is told of each read, because reads block
// (about 4 % of the process's CPU time at 64 connections), and its monitor looks at every P now and then (1 to 2 %, and more of
// a process that others keep from its CPU, since it counts time and not requests). The write of a reply is told of only if
// there is no room for it.
//
// The variant threads/pool has fewer threads than connections; see [PoolSpec].
//
// Limits: a P costs about 27 KB and 0.13 ms of start-up, so the memory of this process is that of threads *and* of their
// Ps. With more connections than threads the rest wait in the kernel's accept queue, as long as it has room. What
// connections leave behind (their sessions) is collected only when the heap reaches memlimit.
package threads

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// Spec describes the engine.
var Spec = &engine.Spec{
	Name:    "threads",
	Summary: "the kernel decides: an OS thread per connection on blocking sockets",
	Sources: []string{driveGo, callGo, roomGo},
	Options: option.Set{
		{Name: "max", Kind: option.Int, Default: "0", Min: 0, Max: maxThreads,
			Help: "threads, all made at the start; further connections wait in the accept queue; 0 takes one per expected connection, or 1024"},
		{Name: "buffer", Kind: option.Size, Default: "4k", Min: 512, Max: workloads.MaxUnread,
			Help: "bytes for input that a thread starts with; 4k is what the usual C server has on its stack"},
	},
	Defaults: map[string]string{"gogc": "-1", "memlimit": "2g"},
	Why:      "a collection visits every P, and there is one per thread; memlimit bounds what then piles up",
	Procs:    func(c engine.Config) int { return count(c) + sparePs },
	New:      New,
}

const (
	// maxThreads is what fits into Linux's default pid_max of 32,768.
	maxThreads = 30_000
	// defaultThreads serves when nobody knows how many connections will come.
	defaultThreads = 1024
	// sparePs are for the goroutines that are not connections: Serve and the process's control.
	sparePs = 2
)

// Engine serves each connection with a thread.
type Engine struct {
	life
	workers []*worker

	mu       sync.Mutex // guards the rest
	prepared bool
	closed   bool // the listening socket is gone
}

// New makes an engine. Its threads are made by Prepare.
func New(c engine.Config) (engine.Engine, error) {
	n := count(c)
	if err := checkThreads(n); err != nil {
		return nil, err
	}
	e := &Engine{}
	if err := e.begin(c); err != nil {
		return nil, err
	}
	for range n {
		e.workers = append(e.workers, newWorker(e, c.Options.Int("buffer")))
	}
	return e, nil
}

// count is how many threads an engine made from c has.
func count(c engine.Config) int {
	if n := c.Options.Int("max"); n > 0 {
		return n
	}
	if c.Conns > 0 {
		return min(c.Conns, maxThreads)
	}
	return defaultThreads
}

// Prepare makes the threads and returns when each of them is about to accept.
func (e *Engine) Prepare(l *engine.Listener, srv workloads.Server) error {
	if err := unix.SetNonblock(l.FD, false); err != nil {
		l.Close()
		return fmt.Errorf("make the listening socket blocking: %w", err)
	}
	e.mu.Lock()
	e.listener, e.srv, e.prepared = l, srv, true
	e.mu.Unlock()
	var threads []func(func())
	for _, w := range e.workers {
		threads = append(threads, w.run)
	}
	e.start(threads)
	return nil
}

// Serve serves until Stop, or until a thread cannot accept.
func (e *Engine) Serve(l *engine.Listener, srv workloads.Server) error {
	if e.listener == nil {
		if err := e.Prepare(l, srv); err != nil {
			return err
		}
	}
	err := e.await()
	_ = unix.Shutdown(l.FD, unix.SHUT_RDWR) // wakes those that accept
	var all []*hands
	for _, w := range e.workers {
		all = append(all, &w.hands)
	}
	e.end(all)
	e.closeListener()
	return err
}

func (e *Engine) closeListener() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.listener.Close()
}

// Counters returns the threads, how many of them have a connection, and how many connections wait for one.
func (e *Engine) Counters() map[string]int64 {
	c := e.counters(len(e.workers))
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.prepared || e.closed || e.listener.Network != "tcp" {
		return c // of a unix socket the kernel does not tell how many wait
	}
	// Of a listening socket, "unacknowledged" is the length of the accept queue (see tcp(7) and ss(8), Recv-Q).
	if info, err := unix.GetsockoptTCPInfo(e.listener.FD, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
		c["waiting"] = int64(info.Unacked)
	}
	return c
}

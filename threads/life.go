package threads

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/workloads"
)

// life is how an engine of threads begins and ends, and what both of them count.
type life struct {
	host     *host
	listener *engine.Listener // nil until Prepare
	srv      workloads.Server
	accepted atomic.Int64
	open     atomic.Int64 // connections that a thread or the pool has

	stop     chan struct{} // closed by Stop
	stopping sync.Once
	failed   chan error     // the first thread that could not go on
	running  sync.WaitGroup // the threads
}

// begin makes what the connections of an engine made from c share.
func (e *life) begin(c engine.Config) (err error) {
	e.host, err = newHost(c)
	e.stop, e.failed = make(chan struct{}), make(chan error, 1)
	return err
}

// start starts the threads and returns when each of them is about to wait for its first work.
func (e *life) start(threads []func(ready func())) {
	// The runtime ends a program with 10,000 threads, taking it for a mistake. Here it is the point.
	debug.SetMaxThreads(len(threads) + 10_000)
	var ready sync.WaitGroup
	ready.Add(len(threads))
	e.running.Add(len(threads))
	for _, run := range threads {
		go run(ready.Done)
	}
	ready.Wait()
}

// Stop makes Serve return.
func (e *life) Stop() { e.stopping.Do(func() { close(e.stop) }) }

// stopped reports whether Stop has been called.
func (e *life) stopped() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// fail reports why a thread cannot go on, unless that is because of Stop. Only the first report is of interest.
func (e *life) fail(what string, err error) {
	if e.stopped() {
		return
	}
	select {
	case e.failed <- fmt.Errorf("%s: %w", what, err):
	default:
	}
}

// await returns after Stop, or with the error of a thread that cannot go on.
func (e *life) await() error {
	select {
	case <-e.stop:
		return nil
	case err := <-e.failed:
		e.Stop()
		return err
	}
}

// end gets every thread out of the system call it blocks in and waits for all of them.
func (e *life) end(all []*hands) {
	ended := make(chan struct{})
	go func() { e.running.Wait(); close(ended) }()
	// Again and again, because a thread may have been about to block when it was told; each time finds fewer.
	for again := time.NewTicker(5 * time.Millisecond); ; {
		for _, h := range all {
			h.interrupt()
		}
		select {
		case <-ended:
			again.Stop()
			e.host.close()
			return
		case <-again.C:
		}
	}
}

// counters returns what both engines count.
func (e *life) counters(threads int) map[string]int64 {
	c := map[string]int64{"threads": int64(threads), "accepted": e.accepted.Load(), "open": e.open.Load()}
	e.host.addTo(c)
	return c
}

// hands are a thread's: the connection that it serves, and how to get it out of a system call.
//
// The memory for input and output stays with the thread: with the garbage collector off, what is dropped is lost.
type hands struct {
	conn

	mu     sync.Mutex // guards the rest, against interrupt; the hot path never takes it
	thread int        // thread id; 0 before its start and after its end
	open   int        // the descriptor in whose system calls the thread may block, or -1
}

// interrupt gets the thread out of what it blocks in, after Stop. shutdown(2) wakes a thread that reads or writes, without
// closing a descriptor that another connection could get meanwhile. A sleep ends by a signal: SIGURG, which the runtime
// uses itself and makes nothing of when it did not ask for it.
func (h *hands) interrupt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open >= 0 {
		_ = unix.Shutdown(h.open, unix.SHUT_RDWR)
	}
	h.signalSleep()
}

// signalSleep makes clock_nanosleep return. The caller holds mu, so the thread cannot end meanwhile.
func (h *hands) signalSleep() {
	if h.thread > 0 && h.sleeping.Load() {
		_ = unix.Tgkill(unix.Getpid(), h.thread, unix.SIGURG)
	}
}

func (h *hands) setThread(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.thread = id
}

func (h *hands) setOpen(fd int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = fd
}

// Package loop is the yardstick: a bare edge-triggered epoll loop on one thread, without futures, tasks or timers.
//
// It shows what the system calls of an event loop cost by themselves, so that what the futures of engine coop add can be
// told apart: epoll_wait, and a read and a write per request, just as a C program would make them. Calls that cannot
// block are made directly (RawSyscall), without telling the Go scheduler; only epoll_wait goes through the runtime.
//
// A connection is registered once, for input and output. An event is taken as a hint, "try again": what is true is what
// read and write say. That is why an event for a connection that has been closed, and whose number a new one has got in
// the same batch, does no harm but a read that finds nothing.
//
// Limits: one thread; nothing gives way, so a session that burns stops all others; sessions cannot sleep (Spec.Serves
// refuses workloads that do). Answers that cannot be sent hold back the connection's input, as they should.
package loop

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/internal/nonblock"
	"turnlab/workloads"
)

// Spec describes the engine.
var Spec = &engine.Spec{
	Name:    "loop",
	Summary: "the yardstick: a bare epoll loop on one thread, no futures, nothing gives way",
	Sources: []string{driveGo},
	Serves:  engine.Only("loop", workloads.Burn), // it waits for sockets and for nothing else
	Shared:  func(engine.Config) bool { return false },
	// A second P lets the garbage collector and the process's control run beside the loop, and gives the loop its own P
	// back at once if the runtime took it while epoll_wait blocked.
	Procs: func(engine.Config) int { return 2 },
	New:   New,
}

const (
	batch     = 512                      // events taken at once
	readBytes = 64 << 10                 // most bytes of one read
	turnOps   = 64                       // ops of one connection before the others have their turn
	acceptMax = 64                       // connections accepted before the others have their turn
	keptOut   = workloads.FlushAt + 4096 // output buffers that grew beyond this are not kept
)

// Engine is the loop. Everything without a comment belongs to the thread that runs Serve.
type Engine struct {
	srv       workloads.Server
	listener  *engine.Listener
	poll      int
	conns     []*conn // by descriptor
	x         workloads.Exchange
	input     [workloads.MaxUnread + readBytes]byte
	again     []*conn // used up their turn, with more to do
	lingering []*conn // by deadline, as all linger equally long

	accepted, open atomic.Int64 // for Counters
	waits, events  atomic.Int64 // of epoll_wait

	mu      sync.Mutex // guards the rest
	stopped bool
	wake    int // eventfd that ends epoll_wait; -1 outside of Serve
}

// New makes an engine.
func New(engine.Config) (engine.Engine, error) { return &Engine{wake: -1}, nil }

// Serve runs the loop until Stop.
func (e *Engine) Serve(l *engine.Listener, srv workloads.Server) error {
	defer l.Close()
	e.listener, e.srv = l, srv
	wake, err := e.openPoll()
	if err != nil {
		return err
	}
	defer e.closePoll(wake)
	if !e.arm(wake) {
		return nil
	}
	err = e.run(wake)
	for _, c := range e.conns {
		if c != nil {
			e.close(c)
		}
	}
	return err
}

func (e *Engine) run(wake int) error {
	events := make([]unix.EpollEvent, batch)
	for {
		n, err := unix.EpollWait(e.poll, events, e.patience())
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		e.waits.Add(1)
		e.events.Add(int64(max(n, 0)))
		e.repeat()
		for _, ev := range events[:max(n, 0)] {
			switch int(ev.Fd) {
			case wake:
				return nil
			case e.listener.FD:
				if err := e.accept(); err != nil {
					return err
				}
			default:
				e.ready(int(ev.Fd), ev.Events)
			}
		}
		e.expire()
	}
}

// patience is how long epoll_wait may block, in milliseconds.
func (e *Engine) patience() int {
	switch {
	case len(e.again) > 0:
		return 0
	case len(e.lingering) > 0:
		return max(0, int(time.Until(e.lingering[0].deadline)/time.Millisecond)+1)
	}
	return -1
}

// repeat continues the connections that had used up their turn. An edge is told once, so nobody else would.
func (e *Engine) repeat() {
	turn := e.again
	e.again = nil
	for _, c := range turn {
		if !c.closed {
			e.drive(c)
		}
	}
}

// ready notes what an event says of a connection and lets it go on.
func (e *Engine) ready(fd int, events uint32) {
	c := e.conns[fd]
	if c == nil {
		return // closed earlier in this batch
	}
	const ended = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	c.readable = c.readable || events&(unix.EPOLLIN|ended) != 0
	c.ended = c.ended || events&ended != 0
	if c.session == nil {
		e.discard(c)
	} else if !c.queued {
		e.drive(c)
	}
}

// accept takes connections until there are none, or the others have waited long enough: the listening socket is level-
// triggered and will be told again.
func (e *Engine) accept() error {
	for range acceptMax {
		fd, errno := nonblock.Accept(e.listener.FD, e.listener.Network)
		switch errno {
		case 0:
			if err := e.add(fd); err != nil {
				return err
			}
		case unix.EAGAIN:
			return nil
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return fmt.Errorf("accept: %w", errno)
		}
	}
	return nil
}

// add registers a connection, once and for all, and lets its session begin.
func (e *Engine) add(fd int) error {
	if err := register(e.poll, fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET); err != nil {
		nonblock.Close(fd)
		return err
	}
	for len(e.conns) <= fd {
		e.conns = append(e.conns, nil)
	}
	c := &conn{fd: fd, session: e.srv.NewSession(), op: workloads.Op{Kind: workloads.Flush}}
	e.conns[fd] = c
	e.accepted.Add(1)
	e.open.Add(1)
	e.drive(c)
	return nil
}

// close closes a connection. The kernel takes it off epoll's list.
func (e *Engine) close(c *conn) {
	c.closed = true
	e.conns[c.fd] = nil
	e.open.Add(-1)
	nonblock.Close(c.fd)
}

// expire closes the connections that have lingered long enough.
func (e *Engine) expire() {
	for len(e.lingering) > 0 {
		c := e.lingering[0]
		if !c.closed && time.Now().Before(c.deadline) {
			return
		}
		if !c.closed {
			e.close(c)
		}
		e.lingering = e.lingering[1:]
	}
}

// Counters returns the connections accepted and open, how often the loop waited, and how many events it was told.
func (e *Engine) Counters() map[string]int64 {
	return map[string]int64{
		"accepted": e.accepted.Load(), "open": e.open.Load(), "waits": e.waits.Load(), "events": e.events.Load(),
	}
}

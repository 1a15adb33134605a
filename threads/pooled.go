package threads

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/internal/nonblock"
	"turnlab/workloads"
)

// pooled is a connection of a pool. It belongs to the thread that has taken it. Between its turns it holds input and output
// only if there is any left.
type pooled struct {
	fd       int
	session  workloads.Session // nil while lingering
	op       workloads.Op      // asked for and not yet carried out
	unread   []byte
	unsent   []byte
	eof      bool
	inbox    *inbox      // of a subscriber
	left     int         // lingering: bytes that will still be thrown away
	patience *time.Timer // lingering: ends it

	// mu guards the rest and the registration with epoll. What it says of a connection is what makes the events of others
	// harmless: one that was meant for the connection that had the descriptor before, and one of two when a socket and a
	// publisher both had something to say. The first finds a connection that it may take, which then looks what is true
	// and waits again; the second finds it taken.
	mu     sync.Mutex
	taken  bool // a thread has it
	called bool // a publisher had something for it meanwhile
	listed bool // epoll knows it
	closed bool
}

// take makes the connection the caller's, unless somebody else has it.
func (c *pooled) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken {
		return false
	}
	c.taken = true
	return true
}

// await gives the connection back until one of the events comes. Epoll looks at the socket now, so one that has come
// already is not missed.
func (c *pooled) await(poll int, events uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.called {
		events |= unix.EPOLLOUT
	}
	c.taken, c.called = false, false
	return c.watch(poll, events)
}

// call makes a thread take the connection, whatever its socket says: it can take output, most likely, and if it cannot,
// then a message would be no use to it yet. It is called by publishers.
func (c *pooled) call(poll int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken {
		c.called = true
		return
	}
	_ = c.watch(poll, unix.EPOLLIN|unix.EPOLLOUT) // what epoll knows, it can watch
}

// watch tells epoll what to wait for. Who waits for room for output is not told of the peer's end: that would be told again
// and again. The caller holds mu.
func (c *pooled) watch(poll int, events uint32) error {
	op := unix.EPOLL_CTL_MOD
	if !c.listed {
		op, c.listed = unix.EPOLL_CTL_ADD, true
	}
	if events&unix.EPOLLIN != 0 {
		events |= unix.EPOLLRDHUP
	}
	if errno := nonblock.Control(poll, op, c.fd, events|unix.EPOLLONESHOT); errno != 0 {
		return errno
	}
	return nil
}

// expire ends a connection that has lingered long enough: the thread that is told of it closes it.
func (c *pooled) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		_ = unix.Shutdown(c.fd, unix.SHUT_RDWR)
	}
}

package threads

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/internal/nonblock"
	"turnlab/workloads"
)

// pooled is a connection of a pool. It belongs to the thread that has taken it. Between its turns it holds input and output
// only if there is any left.
type pooled struct {
	fd       int
	tag      int32             // tells its events from those of another connection that had the same descriptor
	session  workloads.Session // nil while lingering
	op       workloads.Op      // asked for and not yet carried out
	unread   []byte
	unsent   []byte
	eof      bool
	listed   bool        // epoll knows it
	inbox    *inbox      // of a subscriber
	left     int         // lingering: bytes that will still be thrown away
	patience *time.Timer // lingering: ends it

	taken atomic.Bool // a thread has it

	// An event belongs to one thread, and so does its connection. Of a subscriber there may be two, as both its socket and a
	// publisher may have something to say. So a subscriber is given back, called and closed under mu, and who gets the
	// second event finds it taken. If it has been given back again by then, to take it once more does no harm: every wait
	// begins with a look at what is true.
	mu     sync.Mutex // guards the rest
	called bool       // a publisher had something for it while it was taken
	closed bool
}

// newPooled returns a connection that its maker has.
func newPooled(fd int, tag int32, s workloads.Session) *pooled {
	c := &pooled{fd: fd, tag: tag, session: s, op: workloads.Op{Kind: workloads.Flush}}
	c.taken.Store(true)
	return c
}

// take makes the connection the caller's, unless somebody else has it.
func (c *pooled) take() bool {
	if !c.taken.CompareAndSwap(false, true) {
		return false
	}
	if c.inbox != nil {
		c.settle()
	}
	return true
}

// settle waits for those who gave the connection back, or called it, and may still be telling epoll.
func (c *pooled) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

// await gives the connection back until one of the events comes. Epoll looks at the socket now, so one that has come
// already is not missed. Once it is given back, the connection may be gone.
func (c *pooled) await(poll int, events uint32) error {
	op := unix.EPOLL_CTL_MOD
	if !c.listed {
		op, c.listed = unix.EPOLL_CTL_ADD, true
	}
	if c.inbox != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.called {
			events |= unix.EPOLLOUT
		}
		c.called = false
	}
	c.taken.Store(false)
	return c.watch(poll, op, events)
}

// call makes a thread take a subscriber, whatever its socket says: it can take output, most likely, and if it cannot, then
// a message would be no use to it yet. It is called by publishers.
func (c *pooled) call(poll int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken.Load() {
		c.called = true
		return
	}
	_ = c.watch(poll, unix.EPOLL_CTL_MOD, unix.EPOLLIN|unix.EPOLLOUT) // what epoll knows, it can watch
}

// watch tells epoll what to wait for. Who waits for room for output is not told of the peer's end: that would be told again
// and again.
func (c *pooled) watch(poll, op int, events uint32) error {
	if events&unix.EPOLLIN != 0 {
		events |= unix.EPOLLRDHUP
	}
	if errno := nonblock.Control(poll, op, c.fd, events|unix.EPOLLONESHOT, c.tag); errno != 0 {
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

func (c *pooled) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	nonblock.Close(c.fd)
}

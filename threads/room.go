package threads

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/workloads"
)

// A thread can wait for a condition variable or for a socket, not for both. What joins them is a bell: an eventfd that
// whoever has something for the thread writes to, and that the thread polls beside its socket.

// newBell makes one.
func newBell() (int, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1, fmt.Errorf("eventfd: %w", err)
	}
	return fd, nil
}

// ring wakes the thread that polls the bell, or makes its next poll return at once.
func ring(bell int) { _, _ = unix.Write(bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// silence makes the bell wait for the next ring.
func silence(bell int) {
	var count [8]byte
	_, _ = unix.Read(bell, count[:])
}

// inbox is a subscriber's queue: a ring of messages behind a mutex.
type inbox struct {
	seat   *engine.Seat
	wake   func() // somebody waits; called with mu held, so that it cannot come too late
	expel  func()
	mu     sync.Mutex // guards the rest
	queue  []string
	first  int
	length int
	max    int
	waits  bool // wake is to be called for the next message
}

// inboxStart is how many messages a queue has room for at first. It doubles up to its bound.
const inboxStart = 16

// Offer implements engine.Member.
func (b *inbox) Offer(message string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.length == b.max {
		return false
	}
	if b.length == len(b.queue) {
		b.grow()
	}
	b.queue[(b.first+b.length)%len(b.queue)] = message
	b.length++
	if b.waits {
		b.waits = false
		b.wake()
	}
	return true
}

// Expel implements engine.Member.
func (b *inbox) Expel() { b.expel() }

func (b *inbox) grow() {
	bigger := make([]string, min(max(inboxStart, 2*len(b.queue)), b.max))
	for i := range b.length {
		bigger[i] = b.queue[(b.first+i)%len(b.queue)]
	}
	b.queue, b.first = bigger, 0
}

// take returns the oldest message. Without one it returns "" and sees to it that wake is called for the next: both under
// one lock, or a message between them would wake nobody.
func (b *inbox) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waits = b.length == 0
	if b.waits {
		return ""
	}
	m := b.queue[b.first]
	b.queue[b.first] = ""
	b.first = (b.first + 1) % len(b.queue)
	b.length--
	return m
}

// receive blocks the thread until there is a message or input. A message that is there comes first.
func (c *conn) receive(op workloads.Op) bool {
	if !c.needBell() {
		return false
	}
	if c.inbox == nil {
		bell := c.bell
		c.join(op, func() { ring(bell) })
	}
	if c.x.EOF || len(c.x.In) >= workloads.MaxUnread {
		return false
	}
	for !c.stopped() && !c.inbox.seat.Expelled() {
		if c.took() {
			return true
		}
		p := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}, {Fd: int32(c.bell), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err != nil && err != unix.EINTR {
			return false
		}
		if p[1].Revents != 0 {
			silence(c.bell)
		}
		if p[0].Revents != 0 {
			return c.took() || c.read()
		}
	}
	return false
}

// took takes a message, if there is one.
func (c *conn) took() bool {
	c.x.Message = c.inbox.take()
	if c.x.Message == "" {
		return false
	}
	c.host.room.Delivered()
	return true
}

// join makes the connection a subscriber. Its socket is shut down, not closed, when it is too slow: that wakes the thread
// that reads or writes, which then closes it.
func (c *conn) join(op workloads.Op, wake func()) {
	fd := c.fd
	c.inbox = &inbox{max: int(op.Queue), wake: wake, expel: func() { _ = unix.Shutdown(fd, unix.SHUT_RDWR) }}
	c.inbox.seat = c.host.room.Join(c.inbox, op)
}

// leave ends the subscription, if there is one; the socket is still open, so that its number means nobody else.
func (c *conn) leave() {
	if c.inbox != nil {
		c.host.room.Leave(c.inbox.seat)
		c.inbox = nil
	}
}

func (c *conn) expelled() bool { return c.inbox != nil && c.inbox.seat.Expelled() }

// needBell makes the thread's bell when it first needs one.
func (c *conn) needBell() bool {
	if c.bell != 0 {
		return true
	}
	bell, err := newBell()
	if err != nil {
		return false
	}
	c.bell = bell
	return true
}

func (c *conn) closeBell() {
	if c.bell != 0 {
		_ = unix.Close(c.bell)
	}
}

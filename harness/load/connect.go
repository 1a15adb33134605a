package load

import (
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/workloads"
)

// Connections are opened as fast as the server takes them in, over all threads connectBatch at a time and with a bound on
// handshakes under way. On the loopback a handshake is over before the server has accepted, and an accept queue that overflows
// costs a second, the time after which TCP tries again: so the queue is looked at before each batch, and never more than half
// of it is filled. Where it cannot be seen, a batch is sent every connectTick, 8,000 connections a second.
const (
	connectBatch  = 64
	connectTick   = 8 * time.Millisecond
	connectLook   = time.Millisecond // between two looks at a queue that is full
	connectFlying = 256
	// acceptTime bounds the wait for a server that has stopped to accept. Its load will show what became of the connections.
	acceptTime = 100 * time.Millisecond
)

// Connections that break during the load are opened again at once, and after a failed attempt at most every retryGap, so
// that the load stays what was asked. reopensPerConn bounds that, over all connections of a thread, because a server that
// closes each connection at once would otherwise turn the load into one of connects.
const (
	reopensPerConn = 8
	retryGap       = 100 * time.Millisecond
)

// errStopped says that a thread gave up because of another, or because the load was cancelled.
var errStopped = errors.New("stopped while connecting")

// connect opens all connections of the thread, and waits until the server has accepted them.
func (w *worker) connect() error {
	batch := max(1, connectBatch/w.threads)
	limit := w.timeout + int64(len(w.conns)/batch+1)*2*connectTick.Nanoseconds()
	q := watchQueue(w.address)
	defer q.close()
	began, next := w.tick(), int64(0)
	for w.opened < len(w.conns) {
		if w.now >= next {
			next = w.now + w.dialNext(q, batch).Nanoseconds()
		}
		if err := w.turn(next - w.tick()); err != nil {
			return err
		}
		switch {
		case w.unreachable != nil:
			return w.unreachable
		case w.cut.Load():
			return errStopped
		case w.opened < len(w.conns) && w.tick()-began > limit:
			return fmt.Errorf("connect to %s: %d of %d connections came up in %v: is the server accepting, and is its "+
				"listen backlog large enough?", w.address.text, w.opened, len(w.conns), time.Duration(w.now-began).Round(time.Millisecond))
		}
	}
	return w.awaitAccepts(q)
}

// dialNext starts to open as many connections as the server's accept queue has room for, and returns when to look again.
func (w *worker) dialNext(q *queue, batch int) (pause time.Duration) {
	waiting, room, ok := q.look()
	if !ok {
		w.dialSome(batch)
		return connectTick
	}
	free := max(1, room/2) - waiting - w.dialing
	if free <= 0 || w.dialSome(min(batch, free)) == 0 {
		return connectLook
	}
	return 0
}

// awaitAccepts waits until no connection waits for the server any more, or until it has accepted none for a while.
func (w *worker) awaitAccepts(q *queue) error {
	least, since := math.MaxInt, w.tick()
	for w.now-since < acceptTime.Nanoseconds() && !w.cut.Load() {
		waiting, _, ok := q.look()
		if !ok || waiting == 0 {
			return nil
		}
		if waiting < least {
			least, since = waiting, w.now
		}
		if err := w.turn(connectLook.Nanoseconds()); err != nil {
			return err
		}
		w.tick()
	}
	return nil
}

// dialSome starts to open connections that are down, and returns how many it started.
func (w *worker) dialSome(most int) (started int) {
	free := min(most, max(1, connectFlying/w.threads)-w.dialing)
	for i := range w.conns {
		if started >= free || w.unreachable != nil {
			return started
		}
		if c := &w.conns[i]; c.state == down {
			w.dial(int32(i), c)
			started++
		}
	}
	return started
}

// dial starts to open a connection that is down.
func (w *worker) dial(index int32, c *conn) {
	fd, errno := w.address.socket()
	c.generation++
	c.since = w.now
	switch errno {
	case 0, unix.EINPROGRESS:
	case unix.EAGAIN: // a unix socket whose accept queue is full
		c.since = w.now + retryGap.Nanoseconds()
		return
	default:
		w.dialFailed(index, c, errno)
		return
	}
	c.fd, c.state = fd, connecting
	w.dialing++
	// The end of the handshake makes the socket writable, a unix socket is so at once.
	if errno := w.poller.watch(unix.EPOLL_CTL_ADD, fd, index, c.generation, unix.EPOLLOUT); errno != 0 {
		w.hangUp(c)
		w.dialFailed(index, c, errno)
	}
}

// dialed handles the end of a handshake.
func (w *worker) dialed(index int32, c *conn) {
	code, _ := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	errno := unix.Errno(code)
	if errno == 0 {
		errno = w.watch(index, c, 0)
	}
	if errno != 0 {
		w.hangUp(c)
		w.dialFailed(index, c, errno)
		return
	}
	w.dialing--
	w.opened++
	c.state = open
	if c.flying > 0 {
		w.sendHeld(index, c)
	} else {
		w.introduce(index, c)
	}
	if w.running && c.state == open {
		w.unpark(index, c, w.depth)
		w.refill(index, c)
	}
}

// introduce gives an open connection its client, which says what kinds of clients this load has: all are of the same.
func (w *worker) introduce(index int32, c *conn) {
	c.client = w.newClient(w.firstConn + int(index))
	_, w.ending = c.client.(workloads.Ending)
	_, w.listening = c.client.(workloads.Listener)
}

// dialFailed puts a failed attempt to open a connection down to the load: before the load it ends everything, and later
// the connection is tried again. In a closed loop it is also a request that could not be made.
func (w *worker) dialFailed(index int32, c *conn, errno unix.Errno) {
	err := fmt.Errorf("connect to %s: %w", w.address.text, errno)
	c.since = w.now + retryGap.Nanoseconds()
	if !w.running {
		w.unreachable = advise(w.address, errno, err)
		return
	}
	w.lastFailure = kindOf(errno)
	w.tally.note(w.now, err.Error())
	if c.flying > 0 { // see revive
		w.failAll(index, c, w.lastFailure)
		return
	}
	if !w.openLoop && c.role == workloads.Asks && w.measured(w.now) {
		w.tally.due++
		w.tally.errors[w.lastFailure]++
	}
}

// watch sets the events of an open connection: input and its end, and writable only while output waits. Unix sockets
// signal writable each time that the peer reads, so to ask for it always would double the events.
func (w *worker) watch(index int32, c *conn, more uint32) unix.Errno {
	return w.poller.watch(unix.EPOLL_CTL_MOD, c.fd, index, c.generation, unix.EPOLLIN|unix.EPOLLRDHUP|more)
}

// hangUp closes the socket. Closing takes it out of the poller.
func (w *worker) hangUp(c *conn) {
	switch c.state {
	case open:
		w.opened--
	case connecting:
		w.dialing--
	}
	unix.Close(int(c.fd))
	c.state = down
	c.since = w.now
}

// hangUpAll closes all sockets.
func (w *worker) hangUpAll() {
	for i := range w.conns {
		if c := &w.conns[i]; c.up() {
			w.hangUp(c)
		}
	}
}

// lose ends a connection that broke. Its requests fail; when a reply was wrong only the oldest is to blame, the others
// lost their connection.
func (w *worker) lose(index int32, c *conn, k kind, err error) {
	if c.flying > 0 || c.role == workloads.Silent {
		w.tally.note(w.now, fmt.Sprintf("connection %d to %s: %v", w.firstConn+int(index), w.address.text, err))
	}
	w.lastFailure = k
	w.failAll(index, c, k)
	w.loseRole(c, k)
	if c.up() {
		w.abandon(c)
	}
	w.reopen(index, c)
}

// failAll ends the requests of a connection that has nothing more to say, and what is left of its bytes.
func (w *worker) failAll(index int32, c *conn, k kind) {
	for c.flying > 0 {
		w.failed(w.oldest(c), k)
		w.land(index, c)
		if k == wrong {
			k = closed
		}
	}
	if c.spill != nil {
		*c.spill = spill{in: c.spill.in[:0], out: c.spill.out[:0]}
		w.returnSpill(c)
	}
}

// reopen opens a connection again, if the load still needs it and the budget allows it.
func (w *worker) reopen(index int32, c *conn) {
	switch {
	case !w.running: // connect does it
	case c.role == workloads.Silent: // a server that lost it has not held it
	case w.now >= w.t1 && w.schedule.next == never:
	case w.reopened < reopensPerConn*len(w.conns):
		w.reopened++
		w.dial(index, c)
	}
}

package threads

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"turnlab/internal/nonblock"
	"turnlab/workloads"
)

// poolWorker is one thread of a pool. Its hands are those of the engine with a thread per connection, for the ops in which
// it blocks as they do; what it reads and writes goes through sockets that do not block.
type poolWorker struct {
	hands
	pool  *Pool
	has   *pooled // the connection
	ready bool    // input may be there: an event has come, and read has not yet said that it is used up
	ended bool    // the peer has ended its side or is gone, so read goes on until it says so
	buf   [workloads.MaxUnread + readBytes]byte
	turns atomic.Int64
}

func newPoolWorker(p *Pool) *poolWorker {
	w := &poolWorker{pool: p}
	w.open = -1
	w.host, w.stopped = p.host, p.stopped
	return w
}

// run is the life of the thread.
func (w *poolWorker) run(ready func()) {
	runtime.LockOSThread()
	w.setThread(unix.Gettid())
	ready()
	defer w.pool.running.Done()
	defer w.setThread(0)
	defer w.closeBell()
	for {
		ev, err := w.wait()
		switch fd := int(ev.Fd); {
		case w.stopped():
			return
		case err == unix.EINTR:
		case err != nil:
			w.pool.fail("epoll_wait", err)
			return
		case fd == w.pool.listener.FD:
			w.accept()
		default:
			if c := w.pool.find(ev); c != nil && c.take() {
				w.turn(c, ev.Events)
			}
		}
	}
}

// wait blocks the thread until a connection has something to do.
func (w *poolWorker) wait() (ev unix.EpollEvent, err error) {
	_, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(w.pool.poll), uintptr(unsafe.Pointer(&ev)), 1, ^uintptr(0), 0, 0)
	if errno != 0 {
		return ev, errno
	}
	return ev, nil
}

// accept takes one connection, gives the listening socket back, so that another thread can take the next, and then serves.
func (w *poolWorker) accept() {
	l := w.pool.listener
	fd, errno := nonblock.Accept(l.FD, l.Network)
	again := nonblock.Control(w.pool.poll, unix.EPOLL_CTL_MOD, l.FD, unix.EPOLLIN|unix.EPOLLONESHOT, 0)
	switch {
	case again != 0:
		w.pool.fail("epoll_ctl", again)
	case errno == 0:
		w.pool.open.Add(1)
		c := newPooled(fd, int32(w.pool.accepted.Add(1)), w.pool.srv.NewSession())
		w.pool.add(c)
		w.turn(c, 0)
	case errno != unix.EAGAIN && errno != unix.EINTR && errno != unix.ECONNABORTED:
		w.pool.fail("accept", errno)
	}
}

// turn carries out what the session asks for until it would have to wait for its socket, or has had its turn.
func (w *poolWorker) turn(c *pooled, events uint32) {
	w.turns.Add(1)
	w.resume(c, events)
	if c.session == nil {
		w.discard()
		return
	}
	for range turnOps {
		if w.expelled() {
			w.close()
			return
		}
		if !w.carryOut() {
			return
		}
		c.op = c.session.Step(&w.x)
		w.x.Replies, w.x.Message = nil, ""
	}
	// Epoll tells of it at once, and after those that are ready already.
	w.await(unix.EPOLLIN | unix.EPOLLOUT)
}

// carryOut reports whether the op is done; false means that the connection has been given back, or is closed.
func (w *poolWorker) carryOut() bool {
	op := &w.has.op
	if op.Kind != workloads.Burn && !w.flush() {
		return false
	}
	switch op.Kind {
	case workloads.Read:
		return w.read()
	case workloads.Receive:
		return w.receive(*op)
	case workloads.Burn:
		workloads.Work(op.Units)
	case workloads.Publish:
		w.host.room.Publish(op.Message)
	case workloads.Sleep, workloads.Call:
		return w.block(*op)
	case workloads.Close:
		if op.Linger {
			w.linger()
		} else {
			w.close()
		}
		return false
	}
	return true
}

// read takes what the socket has. A read that returns less than it could have has emptied the socket.
func (w *poolWorker) read() bool {
	if w.x.EOF || len(w.x.In) >= workloads.MaxUnread {
		w.close()
		return false
	}
	if !w.ready {
		w.await(unix.EPOLLIN)
		return false
	}
	kept := copy(w.buf[:], w.x.In)
	n, errno := nonblock.Read(w.fd, w.buf[kept:kept+readBytes])
	switch {
	case errno == unix.EAGAIN:
		w.await(unix.EPOLLIN)
		return false
	case errno != 0:
		w.close()
		return false
	case n == 0:
		w.x.EOF = true
	case n < readBytes:
		w.ready = w.ended
	}
	w.x.In = w.buf[:kept+n]
	return true
}

// flush hands the output to the kernel. What it does not take waits until there is room again, with the connection.
func (w *poolWorker) flush() bool {
	for len(w.x.Out) > 0 {
		n, errno := nonblock.Write(w.fd, w.x.Out)
		if errno == unix.EAGAIN {
			w.await(unix.EPOLLOUT)
			return false
		}
		if errno != 0 {
			w.close()
			return false
		}
		if n == len(w.x.Out) {
			w.x.Out = w.x.Out[:0]
			return true
		}
		w.x.Out = w.x.Out[n:]
	}
	return true
}

// receive takes a message or, without one, input.
func (w *poolWorker) receive(op workloads.Op) bool {
	if w.inbox == nil {
		c, poll := w.has, w.pool.poll
		w.join(op, func() { c.call(poll) })
	}
	if w.x.EOF || len(w.x.In) >= workloads.MaxUnread {
		w.close()
		return false
	}
	return w.took() || w.read()
}

// block carries out an op in which the thread waits, and nobody else has it.
func (w *poolWorker) block(op workloads.Op) bool {
	w.setOpen(w.fd)
	goesOn := false
	if op.Kind == workloads.Sleep {
		goesOn = w.sleep(op.Wait)
	} else {
		goesOn = w.call(op.Calls)
	}
	w.setOpen(-1)
	if !goesOn {
		w.close()
	}
	return goesOn
}

// linger ends our side and throws input away until the peer ends its own, within the bounds.
func (w *poolWorker) linger() {
	nonblock.ShutdownWrite(w.fd)
	w.x.In = nil
	w.has.session, w.has.left = nil, workloads.LingerBytes
	w.has.patience = time.AfterFunc(workloads.LingerTime, w.has.expire)
	w.discard()
}

// discard throws away the input of a connection that lingers.
func (w *poolWorker) discard() {
	for {
		n, errno := nonblock.Read(w.fd, w.buf[:readBytes])
		if errno == unix.EAGAIN {
			w.await(unix.EPOLLIN)
			return
		}
		w.has.left -= n
		if n == 0 || errno != 0 || w.has.left <= 0 {
			w.close()
			return
		}
	}
}

// resume puts a connection into the thread's hands, with what it had left.
func (w *poolWorker) resume(c *pooled, events uint32) {
	w.has, w.fd, w.inbox = c, c.fd, c.inbox
	w.ended = events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
	w.ready = w.ended || events&unix.EPOLLIN != 0
	w.x.In, w.x.EOF = w.buf[:copy(w.buf[:], c.unread)], c.eof
	if c.unread = nil; c.unsent != nil {
		w.x.Out, c.unsent = c.unsent, nil
	}
}

// await gives the connection back until one of the events comes. What it has left, most often nothing, goes with it.
func (w *poolWorker) await(events uint32) {
	c := w.has
	c.eof, c.inbox = w.x.EOF, w.inbox
	if len(w.x.In) > 0 {
		c.unread = append(c.unread, w.x.In...)
	}
	if len(w.x.Out) > 0 {
		c.unsent, w.x.Out = w.x.Out, nil
	}
	w.forget()
	if err := c.await(w.pool.poll, events); err != nil {
		w.pool.fail("epoll_ctl", err)
	}
}

// close ends the connection.
func (w *poolWorker) close() {
	w.has.inbox = w.inbox
	w.pool.close(w.has)
	w.forget()
}

// forget leaves the hands empty for the next connection.
func (w *poolWorker) forget() {
	w.has, w.inbox = nil, nil
	if cap(w.x.Out) > keptOut {
		w.x.Out = nil
	}
	w.x.Out = w.x.Out[:0]
}

package threads

import (
	"runtime"

	"golang.org/x/sys/unix"

	"turnlab/engine"
)

// worker is one thread. It serves one connection after another.
type worker struct {
	hands
	engine *Engine
}

func newWorker(e *Engine, bufferBytes int) *worker {
	w := &worker{engine: e}
	w.open = -1
	w.input, w.host, w.stopped = engine.NewInput(bufferBytes), e.host, e.stopped
	return w
}

// run is the life of the thread. It never unlocks, so the thread ends with it.
func (w *worker) run(ready func()) {
	runtime.LockOSThread()
	w.setThread(unix.Gettid())
	ready()
	defer w.engine.running.Done()
	defer w.setThread(0)
	defer w.closeBell()
	for !w.engine.stopped() {
		fd, err := accept(w.engine.listener)
		switch {
		case err == nil:
			w.serve(fd)
		case err == unix.EINTR || err == unix.ECONNABORTED:
		default:
			w.engine.fail("accept", err)
			return
		}
	}
}

// accept blocks until there is a connection. It does not ask for the peer's address, which nobody needs and which would
// be an allocation.
func accept(l *engine.Listener) (fd int, err error) {
	n, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(l.FD), 0, 0, unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	if l.Network == "tcp" {
		_ = unix.SetsockoptInt(int(n), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	return int(n), nil
}

func (w *worker) serve(fd int) {
	w.engine.accepted.Add(1)
	w.engine.open.Add(1)
	w.setOpen(fd)
	w.fd = fd
	w.drive(w.engine.srv.NewSession())
	w.setOpen(-1) // before the close: afterwards the number may be somebody else's
	_ = unix.Close(fd)
	w.engine.open.Add(-1)
}

package threads

import (
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"turnlab/engine"
)

// worker is one thread. It serves one connection after another.
//
// Its memory for input and output stays with the thread: with the garbage collector off, what is dropped is lost.
type worker struct {
	conn

	engine *Engine
	mu     sync.Mutex // guards the rest, against interrupt; the hot path never takes it
	thread int        // thread id; 0 before its start and after its end
	open   int        // the connection's descriptor, or -1
}

func newWorker(e *Engine, bufferBytes int) *worker {
	return &worker{engine: e, open: -1, conn: conn{input: engine.NewInput(bufferBytes), host: e.host, stopped: e.stopped}}
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
			w.fail(err)
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
	w.engine.busy.Add(1)
	w.setOpen(fd)
	w.fd = fd
	w.drive(w.engine.srv.NewSession())
	w.setOpen(-1) // before the close: afterwards the number may be somebody else's
	_ = unix.Close(fd)
	w.engine.busy.Add(-1)
}

// fail reports why this thread cannot accept, unless that is because of Stop. Only the first report is of interest.
func (w *worker) fail(err error) {
	if w.engine.stopped() {
		return
	}
	select {
	case w.engine.failed <- fmt.Errorf("accept: %w", err):
	default:
	}
}

// interrupt gets the thread out of what it blocks in, after Stop. A sleep ends by a signal: SIGURG, which the runtime
// uses itself and makes nothing of when it did not ask for it.
func (w *worker) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open >= 0 {
		_ = unix.Shutdown(w.open, unix.SHUT_RDWR)
	}
	w.signalSleep()
}

// signalSleep makes clock_nanosleep return. The caller holds mu, so the thread cannot end meanwhile.
func (w *worker) signalSleep() {
	if w.thread > 0 && w.sleeping.Load() {
		_ = unix.Tgkill(unix.Getpid(), w.thread, unix.SIGURG)
	}
}

func (w *worker) setThread(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.thread = id
}

func (w *worker) setOpen(fd int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = fd
}

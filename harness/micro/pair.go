package micro

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"turnlab/internal/nonblock"
)

// errEnded is what take returns when the other end is closed.
var errEnded = errors.New("the other end is closed")

// An end is one party's end of a hand-over: give wakes the other party, take waits to be woken. What take calls may block, so
// it is announced to Go's scheduler: without that a collection would wait for the thread. What give calls never does, so it
// is not, and a thread is as near to C's as Go lets it be.
type end interface {
	give() error
	take() error
	close() error
}

// threadPair is two threads that wake each other in turn: one is the caller's, the other is made here.
type threadPair struct {
	mine  end
	ended chan error // of the other thread
}

// newThreadPair locks the calling goroutine to its thread, until Close.
func newThreadPair(mine, theirs end) *threadPair {
	p := &threadPair{mine: mine, ended: make(chan error, 1)}
	runtime.LockOSThread()
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		close(ready)
		p.ended <- answer(theirs)
	}()
	<-ready
	return p
}

// answer gives back whatever it is given until the other end is closed.
func answer(e end) error {
	for {
		if err := e.take(); err != nil {
			return errors.Join(notEnded(err), e.close())
		}
		if err := e.give(); err != nil {
			return errors.Join(err, e.close())
		}
	}
}

func notEnded(err error) error {
	if err == errEnded {
		return nil
	}
	return err
}

// Run hands over n times: each round is there and back.
func (p *threadPair) Run(n int) error {
	for range n / 2 {
		if err := p.mine.give(); err != nil {
			return err
		}
		if err := p.mine.take(); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the other thread.
func (p *threadPair) Close() error {
	defer runtime.UnlockOSThread()
	return errors.Join(p.mine.close(), <-p.ended)
}

// A futex is a word that threads wait on (see futex(2)): the least that the kernel has to say who may go on.
type futex struct{ word atomic.Uint32 }

// What the word says.
const (
	ours uint32 = iota
	others
	nobodys // the end
)

// wake wakes whoever waits.
func (f *futex) wake() unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&f.word)), futexWake|futexPrivate, 1, 0, 0, 0)
	return errno
}

// wait waits if the word is what it is thought to be.
func (f *futex) wait(is uint32) unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&f.word)), futexWait|futexPrivate, uintptr(is), 0, 0, 0)
	return errno
}

// Of linux/futex.h, which package unix does not have.
const (
	futexWait    = 0
	futexWake    = 1
	futexPrivate = 128
)

// futexEnd is one thread's side of a futex.
type futexEnd struct {
	*futex
	me, other uint32
}

func newFutexEnds() (a, b end) {
	f := &futex{}
	return futexEnd{f, ours, others}, futexEnd{f, others, ours}
}

func (e futexEnd) give() error {
	e.word.CompareAndSwap(e.me, e.other)
	if errno := e.wake(); errno != 0 {
		return fmt.Errorf("wake a thread by a futex: %w", errno)
	}
	return nil
}

// take waits. The word may have changed before the kernel looks (EAGAIN), and a signal may interrupt (EINTR): the word says
// what is so.
func (e futexEnd) take() error {
	for {
		switch e.word.Load() {
		case e.me:
			return nil
		case nobodys:
			return errEnded
		}
		if errno := e.wait(e.other); errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			return fmt.Errorf("wait for a futex: %w", errno)
		}
	}
}

func (e futexEnd) close() error {
	e.word.Store(nobodys)
	_ = e.wake()
	return nil
}

// byteEnd hands a byte over: by a pair of pipes, or by a pair of sockets, whose two descriptors are one.
type byteEnd struct{ read, write int }

func (e byteEnd) give() error {
	var b [1]byte
	for {
		switch _, errno := nonblock.Write(e.write, b[:]); errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return fmt.Errorf("write a byte: %w", errno)
		}
	}
}

func (e byteEnd) take() error {
	var b [1]byte
	for {
		switch n, err := unix.Read(e.read, b[:]); {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("read a byte: %w", err)
		case n == 0:
			return errEnded
		default:
			return nil
		}
	}
}

func (e byteEnd) close() error {
	if e.read == e.write {
		return unix.Close(e.read)
	}
	return errors.Join(unix.Close(e.read), unix.Close(e.write))
}

// newPipeEnds makes two pipes, one for each direction.
func newPipeEnds() (a, b end, err error) {
	var there, back [2]int
	if err := unix.Pipe2(there[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("make a pipe: %w", err)
	}
	if err := unix.Pipe2(back[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a pipe: %w", err), unix.Close(there[0]), unix.Close(there[1]))
	}
	return byteEnd{read: back[0], write: there[1]}, byteEnd{read: there[0], write: back[1]}, nil
}

// newSockets makes two stream sockets that are connected with each other.
func newSockets(flags int) (fds [2]int, err error) {
	fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|flags, 0)
	if err != nil {
		return fds, fmt.Errorf("make a pair of sockets: %w", err)
	}
	return fds, nil
}

package reactor

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Epoll is the System of Linux.
//
// Go announces every system call to its scheduler, in case it takes long. The calls on non-blocking sockets never do, so they
// are made raw, without the announcement; only a wait that may block is announced.
type Epoll struct {
	fd     int
	began  time.Time
	coarse bool // the kernel has no epoll_pwait2 (before Linux 5.11): waits end on whole milliseconds

	mu    sync.Mutex // keeps Wake away from a descriptor that Close has closed and somebody else may have been given
	bell  int        // eventfd; -1 when closed
	batch [eventsPerWait]unix.EpollEvent
}

// bellToken is the token of the eventfd. No source has it, because generations begin with 1.
const bellToken = 0

// NewEpoll opens an epoll instance and an eventfd to wake it with.
func NewEpoll() (*Epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("eventfd", err)
	}
	e := &Epoll{fd: fd, bell: bell, began: time.Now()}
	if errno := e.Add(int32(bell), bellToken); errno != 0 {
		return nil, errors.Join(os.NewSyscallError("epoll_ctl", errno), e.Close())
	}
	return e, nil
}

// Add implements System.
func (e *Epoll) Add(fd int32, token uint64) syscall.Errno {
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     int32(token),
		Pad:    int32(token >> 32),
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(e.fd), unix.EPOLL_CTL_ADD, uintptr(fd),
		uintptr(unsafe.Pointer(&event)), 0, 0)
	return errno
}

// Wait implements System.
func (e *Epoll) Wait(events []Event, timeout time.Duration) (int, syscall.Errno) {
	n, errno := e.wait(min(len(events), len(e.batch)), timeout)
	if errno != 0 {
		return 0, errno
	}
	kept := 0
	for i := range e.batch[:n] {
		b := &e.batch[i]
		token := uint64(uint32(b.Fd)) | uint64(uint32(b.Pad))<<32
		if token == bellToken {
			continue // never read: edge-triggered, so each ring is a new event and there is nothing to reset
		}
		events[kept] = Event{Token: token, Flags: Flags(b.Events)}
		kept++
	}
	return kept, 0
}

// wait makes the raw call if it does not wait, and the announced one if it may.
func (e *Epoll) wait(room int, timeout time.Duration) (int, syscall.Errno) {
	if timeout == 0 {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.batch)),
			uintptr(room), 0, 0, 0)
		return int(n), errno
	}
	if timeout < 0 || e.coarse {
		n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.batch)),
			uintptr(room), uintptr(milliseconds(timeout)), 0, 0)
		return int(n), errno
	}
	limit := unix.NsecToTimespec(int64(timeout))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(e.fd), uintptr(unsafe.Pointer(&e.batch)),
		uintptr(room), uintptr(unsafe.Pointer(&limit)), 0, 0)
	if errno == unix.ENOSYS {
		e.coarse = true
		return e.wait(room, timeout)
	}
	return int(n), errno
}

// milliseconds rounds up, because a wait that ends before its timer is due would only be followed by another; -1 stands for
// no limit.
func milliseconds(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int(min((d+time.Millisecond-1)/time.Millisecond, 1<<30))
}

// Wake implements System. The counter of the eventfd would have to reach 2^64-2 before a write could fail.
func (e *Epoll) Wake() {
	one := uint64(1)
	e.mu.Lock()
	if e.bell >= 0 {
		unix.RawSyscall(unix.SYS_WRITE, uintptr(e.bell), uintptr(unsafe.Pointer(&one)), 8)
	}
	e.mu.Unlock()
}

// Now implements System.
func (e *Epoll) Now() int64 { return int64(time.Since(e.began)) }

// Close implements System.
func (e *Epoll) Close() error {
	e.mu.Lock()
	bell := e.bell
	e.bell = -1
	e.mu.Unlock()
	if bell < 0 {
		return os.ErrClosed
	}
	return errors.Join(unix.Close(bell), unix.Close(e.fd))
}

// Accept implements System.
func (e *Epoll) Accept(fd int32) (int32, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int32(n), errno
}

// Connect implements System.
func (e *Epoll) Connect(to unix.Sockaddr) (int32, syscall.Errno) {
	fd, err := unix.Socket(family(to), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, number(err)
	}
	err = unix.Connect(fd, to)
	if err != nil && err != unix.EINPROGRESS && err != unix.EINTR { // interrupted, it goes on all the same
		unix.Close(fd)
		return -1, number(err)
	}
	return int32(fd), 0
}

// ConnectError implements System.
func (e *Epoll) ConnectError(fd int32) syscall.Errno {
	code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return number(err)
	}
	return syscall.Errno(code)
}

func family(to unix.Sockaddr) int {
	switch to.(type) {
	case *unix.SockaddrInet4:
		return unix.AF_INET
	case *unix.SockaddrInet6:
		return unix.AF_INET6
	default:
		return unix.AF_UNIX
	}
}

// number returns the error number in err, which package unix has wrapped for nothing else than to be an error.
func number(err error) syscall.Errno {
	var errno syscall.Errno
	if err == nil || errors.As(err, &errno) {
		return errno
	}
	return syscall.EINVAL // an address that cannot be expressed
}

// CloseWrite implements System.
func (e *Epoll) CloseWrite(fd int32) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
	return errno
}

// CloseFD implements System. The sockets do not linger in close, so it does not block.
func (e *Epoll) CloseFD(fd int32) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return errno
}

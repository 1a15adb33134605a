package loop

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"turnlab/engine"
)

// The system calls of the hot path cannot block, as the sockets do not. So they are made without telling the scheduler,
// which is what RawSyscall leaves out, and their errors stay numbers, which cost nothing.

func accept(l *engine.Listener) (fd int, errno unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(l.FD), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno == 0 && l.Network == "tcp" {
		one := int32(1)
		_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, n, unix.IPPROTO_TCP, unix.TCP_NODELAY, uintptr(unsafe.Pointer(&one)), 4, 0)
	}
	return int(n), errno
}

// read reads into p, which must not be empty.
func read(fd int, p []byte) (n int, errno unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// write writes p, which must not be empty.
func write(fd int, p []byte) (n int, errno unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

func closeFD(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

func shutdownWrite(fd int) {
	_, _, _ = unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
}

// register puts a descriptor on epoll's list.
func register(poll, fd int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd)}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(poll), unix.EPOLL_CTL_ADD, uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("epoll_ctl: %w", errno)
	}
	return nil
}

// openPoll opens the epoll descriptor with the listener and an eventfd on its list.
func (e *Engine) openPoll() (wake int, err error) {
	if e.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return -1, fmt.Errorf("epoll_create1: %w", err)
	}
	wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(e.poll)
		return -1, fmt.Errorf("eventfd: %w", err)
	}
	err = register(e.poll, wake, unix.EPOLLIN)
	if err == nil {
		err = register(e.poll, e.listener.FD, unix.EPOLLIN)
	}
	if err != nil {
		e.closePoll(wake)
	}
	return wake, err
}

// closePoll closes what openPoll opened, after which Stop has nobody to wake.
func (e *Engine) closePoll(wake int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wake = -1
	_ = unix.Close(wake)
	_ = unix.Close(e.poll)
}

// arm tells Stop whom to wake. It reports false when Stop has been called already.
func (e *Engine) arm(wake int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wake = wake
	return !e.stopped
}

// Stop wakes the loop for the last time.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	if e.wake >= 0 {
		_, _ = unix.Write(e.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

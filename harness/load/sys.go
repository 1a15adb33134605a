package load

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// A raw system call does not tell Go's scheduler that the thread may be gone for a while, which saves a tenth of the cost
// of a short one. It is allowed only where the kernel cannot sleep: on non-blocking sockets and with a timeout of zero.

// recv reads what has arrived. It never blocks.
func recv(fd int32, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
		uintptr(len(p)), 0, 0, 0)
	return int(n), errno
}

// send writes what the kernel will take. It never blocks, and a broken connection is an error and not a signal.
func send(fd int32, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
		uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// poller is an epoll instance with room for a batch of events. The events of a batch are handled one by one, and the
// schedule is looked at between any two of them.
type poller struct {
	fd      int
	events  [256]unix.EpollEvent
	wait    unix.Timespec   // this and control are here so that the kernel can be given their addresses without an
	control unix.EpollEvent // allocation
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create an epoll instance: %w", err)
	}
	p := &poller{fd: fd}
	if _, errno := p.poll(0); errno != 0 {
		unix.Close(fd)
		return nil, misuse.Errorf("epoll_pwait2: %w: the load generator needs Linux 5.11 or newer, because with timeouts "+
			"in milliseconds no request could be sent on time", errno)
	}
	return p, nil
}

// poll waits up to ns nanoseconds for events and returns their number.
//
// Note: asking once without waiting before each real wait, as servers do, was no gain here: a generator that finds nothing
// to do has to wait for the server anyway.
func (p *poller) poll(ns int64) (int, unix.Errno) {
	p.wait = unix.NsecToTimespec(max(ns, 0))
	var n uintptr
	var errno unix.Errno
	if ns <= 0 {
		n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
			uintptr(len(p.events)), uintptr(unsafe.Pointer(&p.wait)), 0, 0)
	} else {
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
			uintptr(len(p.events)), uintptr(unsafe.Pointer(&p.wait)), 0, 0)
	}
	switch errno {
	case 0:
		return int(n), 0
	case unix.EINTR: // a signal of Go's scheduler; the caller will wait again
		return 0, 0
	}
	return 0, errno
}

// watch sets which events of a descriptor wake the poller, edge-triggered. An event carries the pair (index, generation),
// by which those of a connection that has been replaced in the meantime are told apart.
func (p *poller) watch(op int, fd, index, generation int32, events uint32) unix.Errno {
	p.control = unix.EpollEvent{Events: events | unix.EPOLLET, Fd: index, Pad: generation}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), uintptr(op), uintptr(fd),
		uintptr(unsafe.Pointer(&p.control)), 0, 0)
	return errno
}

package load

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// All calls here are raw: they do not tell Go's scheduler that the thread may be gone for a while. That is right where the
// kernel cannot sleep, and where the sleep is short and a signal ends it (see poll).

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

// poll waits up to ns nanoseconds for events and returns their number. The caller must wait less than a second at a time:
// the wait is a raw system call too, so the scheduler believes that this thread is computing. It sends a signal when it
// wants the thread (every 10 ms, or to stop the world), which ends the wait early; should signals be off, the wait ends
// by itself.
//
// Note: a system call that tells the scheduler was tried. Its monitor thread then suspects that the thread is stuck, takes
// its P away every 10 ms and wakes 2,400 times a second to watch for more, each time on the CPU that the generator is
// pinned to. Raw, it wakes 180 times, and a request of the open loop costs a sixth less CPU (22 instead of 27 µs at 20,000
// per second, medians of three). The price is a P per thread that other goroutines cannot use, for which there is one more.
func (p *poller) poll(ns int64) (int, unix.Errno) {
	p.wait = unix.NsecToTimespec(max(ns, 0))
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
		uintptr(len(p.events)), uintptr(unsafe.Pointer(&p.wait)), 0, 0)
	switch errno {
	case 0:
		return int(n), 0
	case unix.EINTR:
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

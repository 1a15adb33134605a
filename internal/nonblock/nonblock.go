// Package nonblock makes the system calls of an event loop: on sockets that do not block, without telling the Go scheduler.
//
// What cannot block need not be announced, which is what RawSyscall leaves out; and errors stay numbers, which cost nothing.
// Two engines share these calls, so that what differs between them is not how they call the kernel.
//
// Limits: with a blocking descriptor these calls, Send aside, keep a P and the garbage collector waiting. Slices must not be empty.
package nonblock

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Accept takes a connection from a listening socket; it will not block, and closes with an exec. On tcp it sends at once
// what it is given (TCP_NODELAY). Nobody needs the peer's address, and it would be an allocation.
func Accept(listener int, network string) (fd int, errno unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno == 0 && network == "tcp" {
		one := int32(1)
		_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, n, unix.IPPROTO_TCP, unix.TCP_NODELAY, uintptr(unsafe.Pointer(&one)), 4, 0)
	}
	return int(n), errno
}

// Read reads into p.
func Read(fd int, p []byte) (n int, errno unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// Write writes p, or the part of it for which there is room.
func Write(fd int, p []byte) (n int, errno unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// Send writes p to a socket that may block, or the part of it for which there is room now.
func Send(fd int, p []byte) (n int, errno unix.Errno) {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	r, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// Close closes a descriptor.
func Close(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// ShutdownWrite ends our side of a connection.
func ShutdownWrite(fd int) {
	_, _, _ = unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
}

// Control puts a descriptor on an epoll's list (EPOLL_CTL_ADD) or changes what it waits for (EPOLL_CTL_MOD). An event
// carries the descriptor, and the tag as its Pad.
func Control(poll, op, fd int, events uint32, tag int32) unix.Errno {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: tag}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(poll), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	return errno
}

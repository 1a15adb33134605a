//go:build !race

package reactor

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read implements System. Receiving takes a shorter way through the kernel than reading, which also serves files.
func (e *Epoll) Read(fd int32, p []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
		uintptr(len(p)), 0, 0, 0)
	return int(n), errno
}

// Write implements System. MSG_NOSIGNAL spares the process a SIGPIPE for each peer that has gone.
func (e *Epoll) Write(fd int32, p []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
		uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

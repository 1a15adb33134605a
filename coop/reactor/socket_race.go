//go:build race

package reactor

import "syscall"

// Read implements System. The race detector does not see raw calls, and would take what a client hands to a server through
// a socket for a race. Package syscall tells it.
func (e *Epoll) Read(fd int32, p []byte) (int, syscall.Errno) {
	n, err := syscall.Read(int(fd), p)
	return n, number(err)
}

// Write implements System.
func (e *Epoll) Write(fd int32, p []byte) (int, syscall.Errno) {
	n, err := syscall.Write(int(fd), p)
	return n, number(err)
}

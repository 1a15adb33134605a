package engine

import (
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Backlog is the length of the accept queue that Listen asks for; the kernel caps it at net.core.somaxconn.
const Backlog = 4096

// Listener is a listening socket as a bare file descriptor, because the engines need it in different forms: package net
// wants a file, an epoll loop a non-blocking descriptor, a blocking thread a blocking one. It starts out non-blocking and
// close-on-exec.
type Listener struct {
	FD      int
	Network string // "tcp" or "unix"
	Address string // with the port that the kernel chose, if 0 was asked for
}

// Listen opens a listening socket. The network is "tcp" (IPv4, IPv6 or a host name, with a port) or "unix" (a path, which
// must not exist). Errors name the address and say what to do.
func Listen(network, address string) (*Listener, error) {
	switch network {
	case "tcp":
		return listenTCP(address)
	case "unix":
		return listenUnix(address)
	default:
		return nil, fmt.Errorf("no transport %q; there are: tcp, unix", network)
	}
}

func listenTCP(address string) (*Listener, error) {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	domain, sa := sockaddr(a)
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, os.NewSyscallError("socket", err))
	}
	l := &Listener{FD: fd, Network: "tcp"}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := l.bind(sa); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listen on %s: %w", address, os.NewSyscallError("getsockname", err))
	}
	l.Address = net.JoinHostPort(a.IP.String(), strconv.Itoa(port(bound)))
	return l, nil
}

func listenUnix(path string) (*Listener, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, os.NewSyscallError("socket", err))
	}
	l := &Listener{FD: fd, Network: "unix", Address: path}
	if err := l.bind(&unix.SockaddrUnix{Name: path}); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return l, nil
}

// bind binds and listens, and closes the socket when it cannot.
func (l *Listener) bind(sa unix.Sockaddr) error {
	err := unix.Bind(l.FD, sa)
	if err == nil {
		err = unix.Listen(l.FD, Backlog)
	}
	if err == nil {
		return nil
	}
	unix.Close(l.FD)
	if err == unix.EADDRINUSE {
		return fmt.Errorf("%w: stop the other server, or choose another address (port 0 takes a free one)", err)
	}
	return err
}

// Net makes a net.Listener, for an engine on package net. net.FileListener works on a duplicate, and os.NewFile would close
// the descriptor it is given some day, so it is given a duplicate as well: l stays whole, and with it the removal of a unix
// socket's path, which a listener made from a file leaves alone.
func (l *Listener) Net() (net.Listener, error) {
	fd, err := unix.FcntlInt(uintptr(l.FD), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the listening socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), l.Address)
	defer file.Close()
	nl, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.Address, err)
	}
	return nl, nil
}

// Close closes the socket and removes a unix socket's path.
func (l *Listener) Close() error {
	err := unix.Close(l.FD)
	if l.Network == "unix" {
		os.Remove(l.Address)
	}
	return os.NewSyscallError("close", err)
}

func sockaddr(a *net.TCPAddr) (domain int, sa unix.Sockaddr) {
	if ip4 := a.IP.To4(); ip4 != nil || len(a.IP) == 0 {
		sa4 := &unix.SockaddrInet4{Port: a.Port}
		copy(sa4.Addr[:], ip4)
		return unix.AF_INET, sa4
	}
	sa6 := &unix.SockaddrInet6{Port: a.Port}
	copy(sa6.Addr[:], a.IP.To16())
	return unix.AF_INET6, sa6
}

func port(sa unix.Sockaddr) int {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return a.Port
	case *unix.SockaddrInet6:
		return a.Port
	}
	return 0
}

package load

import (
	"net"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// address is where the connections go. Each thread has its own, because package unix writes to a sockaddr when it is used.
type address struct {
	network  string
	text     string
	domain   int
	sockaddr unix.Sockaddr
}

// maxPath is what the kernel allows for the path of a unix socket.
const maxPath = 107

func resolve(network, text string) (address, error) {
	a := address{network: network, text: text}
	switch network {
	case "unix":
		if len(text) > maxPath {
			return a, misuse.Errorf("target %s: a unix socket's path has at most %d bytes", text, maxPath)
		}
		a.domain, a.sockaddr = unix.AF_UNIX, &unix.SockaddrUnix{Name: text}
		return a, nil
	case "tcp":
		tcp, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			return a, misuse.Errorf("target %s: %w: write host:port", text, err)
		}
		a.domain, a.sockaddr = sockaddrOf(tcp)
		return a, nil
	}
	return a, misuse.Errorf("no transport %q; there are: tcp, unix", network)
}

// own returns a copy for another thread.
func (a address) own() address {
	switch s := a.sockaddr.(type) {
	case *unix.SockaddrInet4:
		a.sockaddr = &unix.SockaddrInet4{Port: s.Port, Addr: s.Addr}
	case *unix.SockaddrInet6:
		a.sockaddr = &unix.SockaddrInet6{Port: s.Port, Addr: s.Addr}
	case *unix.SockaddrUnix:
		a.sockaddr = &unix.SockaddrUnix{Name: s.Name}
	}
	return a
}

func sockaddrOf(a *net.TCPAddr) (int, unix.Sockaddr) {
	if len(a.IP) == 0 { // ":8080"
		return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte{127, 0, 0, 1}}
	}
	if ip4 := a.IP.To4(); ip4 != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip4)}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(a.IP.To16())}
}

// socket returns a new socket on its way to the address. The error is an errno, or EINPROGRESS when the handshake is under
// way.
func (a *address) socket() (int32, unix.Errno) {
	fd, err := unix.Socket(a.domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err == nil && a.network == "tcp" {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = unix.Connect(fd, a.sockaddr)
	}
	errno, _ := err.(unix.Errno) // package unix returns nothing else
	if errno != 0 && errno != unix.EINPROGRESS && fd >= 0 {
		unix.Close(fd)
	}
	return int32(fd), errno
}

// advise says what to do about a target that cannot be reached.
func advise(a address, errno unix.Errno, err error) error {
	switch errno {
	case unix.ECONNREFUSED, unix.ENOENT:
		return misuse.Errorf("%w: nothing listens there: start the server first, or correct the address", err)
	case unix.EADDRNOTAVAIL:
		return misuse.Errorf("%w: no ephemeral port is free: use fewer connections, wait a minute, or widen "+
			"net.ipv4.ip_local_port_range", err)
	case unix.EMFILE, unix.ENFILE:
		return misuse.Errorf("%w: raise the limit on file descriptors (ulimit -n, fs.file-max)", err)
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ETIMEDOUT, unix.EACCES, unix.EPERM:
		return misuse.Errorf("%w: correct the address, or the network on the way there", err)
	}
	return err
}

package load

import (
	"encoding/binary"
	"net"

	"golang.org/x/sys/unix"
)

// queue shows how many connections wait for a server to accept them. The kernel tells that to any process on the server's
// machine: a query over netlink (sock_diag(7)) finds the listening socket by its address and takes some 10 µs.
//
// Limits: TCP on the loopback only. Elsewhere the socket that listens there is another machine's, and a unix socket refuses a
// connection that its queue has no room for, so that nothing is lost by trying.
type queue struct {
	fd      int // -1: cannot be seen
	request [netlinkHeader + diagRequest]byte
}

// Sizes of the messages, and the places of what is read in an answer (linux/netlink.h, linux/inet_diag.h).
const (
	netlinkHeader = 16
	diagRequest   = 56
	diagAnswer    = 72
	diagState     = netlinkHeader + 1
	diagWaiting   = netlinkHeader + 56 // idiag_rqueue, which of a listening socket is the length of its accept queue
	diagRoom      = netlinkHeader + 60 // idiag_wqueue, likewise its bound
	tcpListen     = 10
)

// watchQueue begins to look at the accept queue of an address. The caller closes it.
func watchQueue(a address) *queue {
	q := &queue{fd: -1}
	var family byte
	var port int
	var ip net.IP
	switch s := a.sockaddr.(type) {
	case *unix.SockaddrInet4:
		family, port, ip = unix.AF_INET, s.Port, s.Addr[:]
	case *unix.SockaddrInet6:
		family, port, ip = unix.AF_INET6, s.Port, s.Addr[:]
	}
	if !ip.IsLoopback() {
		return q
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return q // a kernel or a container without it: connections are then opened at a fixed pace
	}
	q.fd = fd
	r, order := q.request[:], binary.NativeEndian
	order.PutUint32(r[0:], uint32(len(r)))
	order.PutUint16(r[4:], unix.SOCK_DIAG_BY_FAMILY)
	order.PutUint16(r[6:], unix.NLM_F_REQUEST)
	r = r[netlinkHeader:]
	r[0], r[1] = family, unix.IPPROTO_TCP
	order.PutUint32(r[4:], ^uint32(0))              // in any state
	binary.BigEndian.PutUint16(r[8:], uint16(port)) // of the socket itself; whom it is connected to stays zero
	copy(r[12:28], ip)                              // likewise
	order.PutUint64(r[diagRequest-8:], ^uint64(0))  // whatever its cookie
	return q
}

// look returns how many connections wait, and for how many there is room in all. ok is false when that cannot be seen.
func (q *queue) look() (waiting, room int, ok bool) {
	if q.fd < 0 || unix.Sendto(q.fd, q.request[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return 0, 0, false
	}
	var answer [1024]byte
	n, err := unix.Read(q.fd, answer[:]) // it is there when the send returns
	order := binary.NativeEndian
	if err != nil || n < netlinkHeader+diagAnswer || order.Uint16(answer[4:]) != unix.SOCK_DIAG_BY_FAMILY || answer[diagState] != tcpListen {
		return 0, 0, false
	}
	return int(order.Uint32(answer[diagWaiting:])), int(order.Uint32(answer[diagRoom:])), true
}

func (q *queue) close() {
	if q.fd >= 0 {
		unix.Close(q.fd)
	}
}

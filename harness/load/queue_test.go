package load

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// narrow returns a listener whose accept queue has room for so many, and what shows that queue.
func narrow(t *testing.T, room int) (net.Listener, *queue) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, room)); err != nil {
		t.Fatal(err)
	}
	l, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := resolve("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	q := watchQueue(a)
	t.Cleanup(func() { l.Close(); q.close() })
	if _, _, ok := q.look(); !ok {
		t.Skip("this machine does not show its accept queues")
	}
	return l, q
}

// holds waits until so many wait in a queue: the kernel may put them there a little after they have been told.
func holds(t *testing.T, q *queue, want int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		waiting, room, ok := q.look()
		if ok && waiting == want && room == 8 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d wait, seen %v; want %d of 8", waiting, room, ok, want)
		}
	}
}

func TestTheAcceptQueueOfAServerIsSeen(t *testing.T) {
	l, q := narrow(t, 8)
	holds(t, q, 0)
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	holds(t, q, 3)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	holds(t, q, 2)
	l.Close()
	if waiting, _, ok := q.look(); ok {
		t.Errorf("%d wait for a server that is gone", waiting)
	}
}

func TestAnAcceptQueueThatCannotBeSeenIsNotGuessed(t *testing.T) {
	for network, text := range map[string]string{"unix": t.TempDir() + "/s", "tcp": "192.0.2.1:80"} {
		a, err := resolve(network, text)
		if err != nil {
			t.Fatal(err)
		}
		q := watchQueue(a)
		if _, _, ok := q.look(); ok {
			t.Errorf("%s: seen", text)
		}
		q.close()
	}
}

func TestConnectionsFillHalfOfAnAcceptQueueAndAreAllAcceptedBeforeTheLoad(t *testing.T) {
	const conns, room = 60, 16
	l, q := narrow(t, room)
	var accepted, most atomic.Int64
	go func() {
		for {
			if waiting, _, _ := q.look(); int64(waiting) > most.Load() {
				most.Store(int64(waiting))
			}
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			accepted.Add(1)
			time.Sleep(200 * time.Microsecond)
		}
	}()
	load := (&server{network: "tcp", address: l.Addr().String()}).load()
	load.Conns = conns
	a, err := resolve(load.Network, load.Address)
	if err != nil {
		t.Fatal(err)
	}
	seen := watchQueue(a)
	defer seen.close()
	enough, left := errors.New("enough"), -1
	_, err = Run(t.Context(), load, Hooks{Ready: func() error {
		left, _, _ = seen.look()
		return enough
	}})
	if !errors.Is(err, enough) || left != 0 {
		t.Errorf("%v; when all connections were open, %d waited to be accepted", err, left)
	}
	if n := accepted.Load(); n < conns-1 || most.Load() > room/2 || most.Load() == 0 { // the last one may not be counted yet
		t.Errorf("%d of %d accepted, %d of %d in the queue at most", n, conns, most.Load(), room)
	}
}

func TestAServerThatAcceptsNobodyIsNotWaitedFor(t *testing.T) {
	l, _ := narrow(t, 64)
	load := (&server{network: "tcp", address: l.Addr().String()}).load()
	load.TimeoutNS = int64(50 * time.Millisecond)
	if r := mustRun(t, load, Hooks{}); r.Requests > 0 || r.Errors["timeout"]+r.Unanswered == 0 {
		t.Errorf("%d answers, errors %v, %d unanswered", r.Requests, r.Errors, r.Unanswered)
	}
}

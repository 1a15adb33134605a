package netio

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"turnlab/coop"
	"turnlab/coop/reactor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newExecutor returns an executor on epoll, and its reactor.
func newExecutor(t testing.TB) (*coop.Executor, *reactor.Reactor) {
	t.Helper()
	r, err := reactor.New()
	if err != nil {
		t.Fatal(err)
	}
	ex := coop.New(coop.Config{Driver: r})
	t.Cleanup(func() {
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		if n := r.Sources(); n != 0 {
			t.Errorf("%d sources are left after Close", n)
		}
	})
	return ex, r
}

// pair returns two ends of a connection, as a Conn and as a plain descriptor in non-blocking mode.
func pair(t testing.TB, r *reactor.Reactor) (*Conn, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Adopt(r, int32(fds[0]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[1]) })
	return &c, fds[1]
}

func block[T any](t testing.TB, ex *coop.Executor, f coop.Future[T]) T {
	t.Helper()
	v, err := coop.BlockOn(ex, coop.Timeout(10*time.Second, f))
	if err == nil {
		err = v.Err
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.Value
}

// script is a future that runs steps, each until it says that it is done.
type script []func(cx *coop.Context) bool

func (s *script) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for len(*s) > 0 {
		if !(*s)[0](cx) {
			return coop.Pending[coop.Unit]()
		}
		*s = (*s)[1:]
	}
	return coop.Done()
}

// readAll reads to the end of the stream.
type readAll struct {
	conn *Conn
	got  bytes.Buffer
	err  error
	buf  [1000]byte
}

func (a *readAll) Poll(cx *coop.Context) coop.Poll[string] {
	for {
		r, ok := a.conn.PollRead(cx, a.buf[:]).Get()
		if !ok {
			return coop.Pending[string]()
		}
		if r.Err != nil {
			a.err = r.Err
			return coop.Ready(a.got.String())
		}
		a.got.Write(a.buf[:r.Value])
	}
}

func TestConnectAcceptReadAndWrite(t *testing.T) {
	ex, r := newExecutor(t)
	fd, to := listening(t)
	l, err := Listen(r, fd)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("all of this comes back. ", 50_000) // more than the sockets' buffers hold
	ex.Go(&echoServer{listener: &l})
	var client Conn
	if r := block[coop.Result[coop.Unit]](t, ex, Connect(&client, to)); r.Err != nil {
		t.Fatal(r.Err)
	}
	in := &readAll{conn: &client}
	both := coop.Join2[coop.Unit, string](coop.Map[coop.Result[int]](client.WriteAll([]byte(want)), func(r coop.Result[int]) coop.Unit {
		if r.Value != len(want) || r.Err != nil {
			t.Errorf("wrote %d, %v", r.Value, r.Err)
		}
		if err := client.CloseWrite(); err != nil {
			t.Error(err)
		}
		return coop.Unit{}
	}), in)
	if got := block[coop.Tuple2[coop.Unit, string]](t, ex, both).Second; got != want || in.err != io.EOF {
		t.Errorf("got %d bytes, %v; want %d", len(got), in.err, len(want))
	}
	client.Close()
}

func listening(t *testing.T) (int32, unix.Sockaddr) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, 16)
	}
	to, nameErr := unix.Getsockname(fd)
	if err = errors.Join(err, nameErr); err != nil {
		t.Fatal(err)
	}
	return int32(fd), to
}

// echoServer serves one connection with the futures of this package.
type echoServer struct {
	listener *Listener
	conn     Conn
	buf      [4096]byte
	out      *WriteAllFuture
	accept   *AcceptFuture
}

func (s *echoServer) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	for {
		switch {
		case s.accept == nil:
			s.accept = s.listener.Accept()
		case !s.conn.IsOpen():
			fd, ok := s.accept.Poll(cx).Get()
			if !ok {
				return coop.Pending[coop.Unit]()
			}
			s.conn, _ = Adopt(reactor.Of(cx), fd.Value)
		case s.out != nil:
			if !s.out.Poll(cx).IsReady() {
				return coop.Pending[coop.Unit]()
			}
			s.out = nil
		default:
			r, ok := s.conn.Read(s.buf[:]).Poll(cx).Get()
			if !ok {
				return coop.Pending[coop.Unit]()
			}
			if r.Err != nil {
				return coop.Done()
			}
			s.out = s.conn.WriteAll(s.buf[:r.Value])
		}
	}
}

func (s *echoServer) Drop(*coop.Context) {
	s.listener.Close()
	if s.conn.IsOpen() {
		s.conn.Close()
	}
}

func TestARefusedConnectionIsAnError(t *testing.T) {
	ex, r := newExecutor(t)
	fd, to := listening(t)
	unix.Close(int(fd))
	var c Conn
	got := block[coop.Result[coop.Unit]](t, ex, Connect(&c, to))
	if !errors.Is(got.Err, syscall.ECONNREFUSED) || c.IsOpen() || r.Sources() != 0 {
		t.Errorf("got %v; open: %v; %d sources", got.Err, c.IsOpen(), r.Sources())
	}
	if r := block[coop.Result[coop.Unit]](t, ex, Connect(&c, &unix.SockaddrUnix{Name: "/nonexistent/socket"})); r.Err == nil {
		t.Error("connected to nothing")
	}
}

func TestAnAbandonedConnectClosesItsSocket(t *testing.T) {
	ex, r := newExecutor(t)
	fd, to := listening(t)
	defer unix.Close(int(fd))
	var c Conn
	f := Connect(&c, to)
	block[coop.Unit](t, ex, &script{func(cx *coop.Context) bool {
		f.Poll(cx)
		coop.Drop(cx, f)
		return true
	}})
	if c.IsOpen() || r.Sources() != 0 {
		t.Error("the socket is open")
	}
}

// TestTheEndIsSeenHoweverItComes plays every way to split data and the end, because a short read taken for "empty" and an
// end announced together with data must not hide the end.
func TestTheEndIsSeenHoweverItComes(t *testing.T) {
	for _, data := range []int{0, 1, 999, 1000, 1001, 2000, 3500} { // the reader takes 1000 at a time
		for _, together := range []bool{true, false} {
			ex, r := newExecutor(t)
			c, peer := pair(t, r)
			all := &readAll{conn: c}
			h := coop.Spawn[string](ex, all)
			if !together {
				block(t, ex, coop.SleepFor(time.Millisecond))
			}
			unix.Write(peer, make([]byte, data))
			if !together {
				block(t, ex, coop.SleepFor(time.Millisecond))
			}
			unix.Shutdown(peer, unix.SHUT_WR)
			got := block(t, ex, h).Value
			if len(got) != data || all.err != io.EOF {
				t.Errorf("%d bytes, together %v: got %d, %v", data, together, len(got), all.err)
			}
			c.Close()
		}
	}
}

func TestAHalfClosedPeerDoesNotMakeAFullSocketWritable(t *testing.T) {
	ex, r := newExecutor(t)
	c, peer := pair(t, r)
	unix.Shutdown(peer, unix.SHUT_WR) // the peer sends nothing more, and does not read
	write := c.WriteAll(make([]byte, 8<<20))
	counted := 0
	h := coop.Spawn[coop.Result[int]](ex, coop.PollFn[coop.Result[int]](func(cx *coop.Context) coop.Poll[coop.Result[int]] {
		counted++
		return write.Poll(cx)
	}))
	block(t, ex, coop.SleepFor(50*time.Millisecond))
	if counted > 10 {
		t.Errorf("a writer with a full socket was polled %d times for nothing", counted)
	}
	h.Abort()
	block(t, ex, h)
	c.Close()
}

func TestAClosedSocketAnswers(t *testing.T) {
	ex, r := newExecutor(t)
	c, _ := pair(t, r)
	waiting := coop.Spawn[coop.Result[int]](ex, c.Read(make([]byte, 10)))
	block(t, ex, coop.Yield())
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := block(t, ex, waiting).Value.Err; got != net.ErrClosed {
		t.Errorf("who waited got %v, want net.ErrClosed", got)
	}
	for what, err := range map[string]error{
		"a second Close":  c.Close(),
		"CloseWrite":      c.CloseWrite(),
		"Read":            block[coop.Result[int]](t, ex, c.Read(make([]byte, 1))).Err,
		"Write":           block[coop.Result[int]](t, ex, c.Write(make([]byte, 1))).Err,
		"a zero Conn":     new(Conn).Close(),
		"a zero Listener": new(Listener).Close(),
		"Accept":          block[coop.Result[int32]](t, ex, new(Listener).Accept()).Err,
	} {
		if err != net.ErrClosed {
			t.Errorf("%s: %v, want net.ErrClosed", what, err)
		}
	}
}

func TestWritingToAPeerThatHasGoneIsAnError(t *testing.T) {
	ex, r := newExecutor(t)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := Adopt(r, int32(fds[0]))
	unix.Close(fds[1])
	if got := block[coop.Result[int]](t, ex, c.WriteAll([]byte("hello"))); !errors.Is(got.Err, syscall.EPIPE) {
		t.Errorf("got %v, want EPIPE", got)
	}
	c.Close()
}

func TestADroppedReadLosesNothing(t *testing.T) {
	ex, r := newExecutor(t)
	c, peer := pair(t, r)
	for range 100 {
		aborted := coop.Spawn[coop.Result[int]](ex, c.Read(make([]byte, 10)))
		block(t, ex, coop.Yield())
		aborted.Abort()
		block(t, ex, aborted)
		unix.Write(peer, []byte("x"))
		if got := block[coop.Result[int]](t, ex, c.Read(make([]byte, 10))); got.Value != 1 {
			t.Fatalf("got %v", got)
		}
	}
	c.Close()
}

func TestAnEndlessStreamUsesUpTheBudget(t *testing.T) {
	ex, r := newExecutor(t)
	c, peer := pair(t, r)
	unix.Write(peer, make([]byte, 2*coop.OpsPerPoll))
	var one [1]byte
	reads := 0
	block[coop.Unit](t, ex, &script{func(cx *coop.Context) bool {
		for c.PollRead(cx, one[:]).IsReady() {
			reads++
		}
		return reads > 0
	}})
	if reads != coop.OpsPerPoll {
		t.Errorf("%d reads in one poll, want %d", reads, coop.OpsPerPoll)
	}
	c.Close()
}

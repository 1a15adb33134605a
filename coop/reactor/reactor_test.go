package reactor

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"turnlab/coop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// staged is a System whose events the test stages.
type staged struct {
	System
	events []Event
	tokens map[int32]uint64
	closed []int32
	refuse syscall.Errno
}

func (s *staged) Add(fd int32, token uint64) syscall.Errno {
	if s.refuse == 0 {
		s.tokens[fd] = token
	}
	return s.refuse
}

func (s *staged) Wait(events []Event, _ time.Duration) (int, syscall.Errno) {
	n := copy(events, s.events)
	s.events = s.events[n:]
	return n, 0
}

func (s *staged) CloseFD(fd int32) syscall.Errno {
	s.closed = append(s.closed, fd)
	return 0
}

func (s *staged) Close() error { return nil }

func newStaged() (*staged, *Reactor) {
	s := &staged{tokens: map[int32]uint64{}}
	return s, On(s)
}

// woken counts the wakes of one waker.
type woken struct{ n int }

func (w *woken) Wake(coop.TaskID)                { w.n++ }
func (w *woken) WakeLocal(coop.TaskID)           { w.n++ }
func (w *woken) Clone(id coop.TaskID) coop.Waker { return coop.NewWaker(w, id) }
func (w *woken) Drop(coop.TaskID)                {}
func (w *woken) context() *coop.Context          { return coop.NewContext(coop.NewWaker(w, 1)) }

func TestAnEventWakesWhoWaitsForItAndNobodyElse(t *testing.T) {
	for _, tc := range []struct {
		flags       Flags
		read, write bool
	}{
		{In, true, false}, {Out, false, true}, {In | Out, true, true},
		{RdHup, true, false}, {In | RdHup, true, false}, {Hup, true, true}, {Err, true, true},
	} {
		t.Run(fmt.Sprintf("%#x", uint32(tc.flags)), func(t *testing.T) {
			sys, r := newStaged()
			s, _ := r.Register(5)
			s.Exhausted(ToWrite)
			reader, writer := &woken{}, &woken{}
			if s.PollReady(reader.context(), ToRead) || s.PollReady(writer.context(), ToWrite) {
				t.Fatal("ready before any event")
			}
			sys.events = []Event{{sys.tokens[5], tc.flags}, {sys.tokens[5], tc.flags}}
			r.Wait(0)
			if reader.n == 1 != tc.read || writer.n == 1 != tc.write || reader.n > 1 || writer.n > 1 {
				t.Errorf("woken %d and %d times", reader.n, writer.n)
			}
			if s.PollReady(reader.context(), ToRead) != tc.read || s.PollReady(writer.context(), ToWrite) != tc.write {
				t.Error("what the event said is not remembered")
			}
		})
	}
}

func TestTheEndStaysKnownAfterAShortRead(t *testing.T) {
	sys, r := newStaged()
	s, _ := r.Register(5)
	sys.events = []Event{{sys.tokens[5], In | RdHup}}
	r.Wait(0)
	s.Exhausted(ToRead)
	if !s.PollReady((&woken{}).context(), ToRead) {
		t.Error("a short read has hidden the end")
	}
	s.Blocked(ToRead)
	if s.PollReady((&woken{}).context(), ToRead) {
		t.Error("the source is ready although the system has said that it is not")
	}
}

func TestAnEventOfTheDeadTouchesNobody(t *testing.T) {
	sys, r := newStaged()
	old, _ := r.Register(5)
	token := sys.tokens[5]
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ := r.Register(5) // the same descriptor and the same slot
	waiter := &woken{}
	s.PollReady(waiter.context(), ToRead)
	sys.events = []Event{{token, In}}
	r.Wait(0)
	if waiter.n != 0 || r.Stats().Stale != 1 {
		t.Errorf("woken %d times, %d stale events; want 0 and 1", waiter.n, r.Stats().Stale)
	}
}

func TestClosingWakesWhoWaits(t *testing.T) {
	sys, r := newStaged()
	s, _ := r.Register(5)
	waiter := &woken{}
	s.PollReady(waiter.context(), ToRead)
	s.Close()
	if waiter.n != 1 || len(sys.closed) != 1 || sys.closed[0] != 5 {
		t.Errorf("woken %d times, closed %v", waiter.n, sys.closed)
	}
}

func TestARefusedRegistrationClosesTheDescriptor(t *testing.T) {
	sys, r := newStaged()
	sys.refuse = syscall.ENOSPC
	if _, err := r.Register(7); err == nil || !strings.Contains(err.Error(), "register") {
		t.Errorf("got %v", err)
	}
	if len(sys.closed) != 1 || r.Sources() != 0 {
		t.Errorf("closed %v, %d sources", sys.closed, r.Sources())
	}
}

func TestCloseClosesEverySource(t *testing.T) {
	sys, r := newStaged()
	for fd := range int32(600) {
		r.Register(fd)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if len(sys.closed) != 600 || r.Sources() != 0 {
		t.Errorf("closed %d, %d sources left", len(sys.closed), r.Sources())
	}
}

func TestAFutureOnTheWrongDriverIsAnswered(t *testing.T) {
	ex := coop.New(coop.Config{})
	defer ex.Close()
	_, err := coop.BlockOn[coop.Unit](ex, coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
		Of(cx)
		return coop.Done()
	}))
	if err == nil || !strings.Contains(err.Error(), "Config.Driver is a reactor") {
		t.Errorf("got %v", err)
	}
}

func TestEpollWakesFromAnyThreadAndOnlyOnce(t *testing.T) {
	e, err := NewEpoll()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	events := make([]Event, 8)
	e.Wait(events, 0) // the eventfd is writable, which is said once
	for range 100 {
		go e.Wake()
		if n, errno := e.Wait(events, -1); n != 0 || errno != 0 && errno != syscall.EINTR {
			t.Fatalf("%d events, %v", n, errno)
		}
	}
	began := e.Now()
	if n, _ := e.Wait(events, 2*time.Millisecond); n != 0 || e.Now()-began < int64(2*time.Millisecond) {
		t.Errorf("%d events, after %v", n, time.Duration(e.Now()-began))
	}
}

func TestEpollWithoutNanosecondsWaitsLongEnough(t *testing.T) {
	e, err := NewEpoll()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.coarse = true
	events := make([]Event, 8)
	e.Wait(events, 0)
	for _, d := range []time.Duration{1, 100 * time.Microsecond, 1500 * time.Microsecond} {
		began := e.Now()
		if _, errno := e.Wait(events, d); errno != 0 || e.Now()-began < int64(d) {
			t.Errorf("a wait of %v: %v after %v", d, errno, time.Duration(e.Now()-began))
		}
	}
}

func TestAWakeAfterCloseIsHarmless(t *testing.T) {
	e, err := NewEpoll()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e.Wake()
	if e.Close() == nil {
		t.Error("a second Close finds something to close")
	}
}

func TestEpollReportsBothDirectionsOnce(t *testing.T) {
	e, err := NewEpoll()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	const token = 1<<63 | 77
	if errno := e.Add(int32(fds[0]), token); errno != 0 {
		t.Fatal(errno)
	}
	unix.Write(fds[1], []byte("x"))
	events := make([]Event, 8)
	if n, _ := e.Wait(events, 0); n != 1 || events[0] != (Event{token, In | Out}) {
		t.Errorf("got %v", events[:n])
	}
	if n, _ := e.Wait(events, 0); n != 0 {
		t.Errorf("an edge was reported again: %v", events[:n])
	}
	var p [10]byte
	if n, errno := e.Read(int32(fds[0]), p[:]); n != 1 || errno != 0 {
		t.Errorf("read %d, %v", n, errno)
	}
	if _, errno := e.Read(int32(fds[0]), p[:]); errno != syscall.EAGAIN {
		t.Errorf("read from an empty socket: %v", errno)
	}
}

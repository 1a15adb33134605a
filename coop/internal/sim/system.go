package sim

import (
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/coop/reactor"
)

// Chances say how many of a thousand times something unpleasant happens.
type Chances struct {
	Interrupt int // a call answers EINTR
	Early     int // a wait ends for no reason
	Spurious  int // a wait reports something that is not so
	Stale     int // a wait reports something about a socket that is gone
	Held      int // an event is held back until the next wait
	Refuse    int // a connection attempt or a registration fails
	Reset     int // a piece of data brings a reset in its place
}

// System implements reactor.System.
type System struct {
	// Fail is called when the run has failed. It must not return.
	Fail func(format string, args ...any)
	// OnIdle is called when the executor would sleep for ever. It reports whether it has done something about it. Without
	// it that is a failure: a wake-up was lost.
	OnIdle func() bool

	Ops      int64 // reads, writes and accepts that have succeeded
	Calls    int64
	Digest   uint64 // of everything that has happened, to compare runs
	Timeouts int    // waits with a limit: a timer was set

	chances  Chances
	random   *rand.Rand
	now      int64
	files    []*file // by descriptor; nil where it is free
	announce []*file // with something to report
	flights  []flight
	rung     bool
	gone     []uint64 // tokens of closed descriptors
	closed   bool
}

// flight is something that will happen.
type flight struct {
	at int64
	do func()
}

// Bounds of the simulation.
const (
	callNS    = 2_000   // the most that a call takes
	lateNS    = 50_000  // the most that a wait is late
	travelNS  = 300_000 // the most that a piece of data takes
	sleepNS   = 1e9     // no program sleeps that long: if nothing else happens, a wake-up was lost
	callsMax  = 1e6     // of a run; one that makes more goes round in circles
	goneKept  = 64
	piecesMax = 3 // of what one write sends
)

// New returns the system of a seed.
func New(seed uint64, chances Chances) *System {
	return &System{random: rand.New(rand.NewPCG(seed, 3)), chances: chances}
}

// Open returns how many descriptors are open.
func (s *System) Open() (n int) {
	for _, f := range s.files {
		if f != nil {
			n++
		}
	}
	return n
}

// happens reports whether something with so many chances in a thousand happens now.
func (s *System) happens(chance int) bool { return chance > 0 && s.random.IntN(1000) < chance }

// call accounts for a system call.
func (s *System) call(what, fd int32) {
	if s.Calls++; s.Calls > callsMax {
		s.Fail("no end after %d calls", s.Calls)
	}
	s.now += s.random.Int64N(callNS)
	s.Digest = (s.Digest ^ uint64(what)<<32 ^ uint64(uint32(fd)) ^ uint64(s.now)) * 0x9e3779b97f4a7c15
}

// after has something happen within a time, and not before what is already to happen at notBefore.
func (s *System) after(within, notBefore int64, do func()) (at int64) {
	at = max(s.now+1+s.random.Int64N(within), notBefore)
	i, _ := slices.BinarySearchFunc(s.flights, at+1, func(f flight, at int64) int { return int(f.at - at) })
	s.flights = slices.Insert(s.flights, i, flight{at, do})
	return at
}

// arrive does what is due.
func (s *System) arrive() {
	for len(s.flights) > 0 && s.flights[0].at <= s.now {
		do := s.flights[0].do
		s.flights = slices.Delete(s.flights, 0, 1)
		do()
	}
}

// get returns an open descriptor. To use another one is a mistake of the library, not a case for EBADF.
func (s *System) get(fd int32) *file {
	if fd < 0 || int(fd) >= len(s.files) || s.files[fd] == nil {
		s.Fail("a call for descriptor %d, which is closed", fd)
	}
	return s.files[fd]
}

// number gives f the lowest free descriptor, as Unix does, so that numbers come back as soon as possible.
func (s *System) number(f *file) int32 {
	i := slices.Index(s.files, nil)
	if i < 0 {
		i = len(s.files)
		s.files = append(s.files, nil)
	}
	s.files[i] = f
	return int32(i)
}

// edge has the next wait report the state of f.
func (s *System) edge(f *file) {
	if f.token != 0 && !f.announced && !f.closed {
		f.announced = true
		s.announce = append(s.announce, f)
	}
}

// Add implements reactor.System.
func (s *System) Add(fd int32, token uint64) syscall.Errno {
	s.call(1, fd)
	f := s.get(fd)
	if f.token != 0 {
		s.Fail("descriptor %d is registered a second time", fd)
	}
	if s.happens(s.chances.Refuse) && f.queue == nil {
		return syscall.ENOSPC
	}
	f.token = token
	s.edge(f)
	return 0
}

// Wait implements reactor.System.
func (s *System) Wait(events []reactor.Event, timeout time.Duration) (int, syscall.Errno) {
	s.call(2, int32(min(timeout, 1<<20)))
	if s.closed {
		s.Fail("a wait after Close")
	}
	if timeout > 0 {
		s.Timeouts++
	}
	if s.happens(s.chances.Interrupt) {
		return 0, syscall.EINTR
	}
	if timeout != 0 && !s.happens(s.chances.Early) {
		s.pass(timeout)
	}
	s.arrive()
	s.rung = false
	n := s.report(events)
	n = s.lie(events, n)
	s.random.Shuffle(n, func(i, j int) { events[i], events[j] = events[j], events[i] })
	return n, 0
}

// pass lets time pass until there is something to report or the limit is reached.
func (s *System) pass(limit time.Duration) {
	deadline := s.now + int64(limit)
	for s.arrive(); !s.rung && len(s.announce) == 0; s.arrive() {
		switch {
		case len(s.flights) > 0 && (limit < 0 || s.flights[0].at < deadline):
			s.now = max(s.now, s.flights[0].at)
		case limit > sleepNS:
			s.Fail("the executor sleeps for %v, although nobody meant to: a wake-up was lost", limit)
		case limit >= 0:
			s.now = max(s.now, deadline) + s.random.Int64N(lateNS)
			return
		case s.OnIdle == nil || !s.OnIdle():
			s.Fail("the executor sleeps for ever, and somebody waits: a wake-up was lost")
		}
	}
}

// report takes what is announced, but for what it holds back.
func (s *System) report(events []reactor.Event) (n int) {
	var held []*file
	for _, f := range s.announce {
		switch flags := f.flags(); {
		case f.closed:
		case n == len(events) || s.happens(s.chances.Held):
			held = append(held, f)
		default:
			f.announced = false
			if flags != 0 {
				events[n] = reactor.Event{Token: f.token, Flags: flags}
				n++
			}
		}
	}
	s.announce = held
	return n
}

// lie adds events that mean nothing: of sockets that are gone, which must touch nobody, and of live ones, which must at
// most cost a call that answers "would block".
func (s *System) lie(events []reactor.Event, n int) int {
	if n < len(events) && len(s.gone) > 0 && s.happens(s.chances.Stale) {
		all := reactor.In | reactor.Out | reactor.RdHup | reactor.Hup | reactor.Err
		events[n] = reactor.Event{Token: s.gone[s.random.IntN(len(s.gone))], Flags: all}
		n++
	}
	if n < len(events) && len(s.files) > 0 && s.happens(s.chances.Spurious) {
		if f := s.files[s.random.IntN(len(s.files))]; f != nil && f.token != 0 && !f.connecting {
			events[n] = reactor.Event{Token: f.token, Flags: reactor.In | reactor.Out}
			n++
		}
	}
	return n
}

// Wake implements reactor.System.
func (s *System) Wake() { s.rung = true }

// Now implements reactor.System.
func (s *System) Now() int64 { return s.now }

// Close implements reactor.System.
func (s *System) Close() error {
	if s.closed {
		return errors.New("closed twice")
	}
	s.closed = true
	return nil
}

// CloseFD implements reactor.System.
func (s *System) CloseFD(fd int32) syscall.Errno {
	s.call(3, fd)
	f := s.get(fd)
	s.files[fd] = nil
	if f.token != 0 {
		s.gone = append(s.gone, f.token)
		s.gone = s.gone[max(0, len(s.gone)-goneKept):]
	}
	s.end(f)
	return 0
}

var _ reactor.System = (*System)(nil)

// port returns which listener an address means.
func port(to unix.Sockaddr) int { return to.(*unix.SockaddrInet4).Port }

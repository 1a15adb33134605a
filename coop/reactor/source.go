package reactor

import (
	"os"
	"syscall"

	"turnlab/coop"
	"turnlab/coop/internal/slab"
)

// ready is what is known to be possible on a source.
type ready uint8

const (
	readable ready = 1 << iota
	writable
	ended // the peer will send nothing more, so that reading will never again have to wait
)

// readiness translates an event. The end of the peer's sending makes a source readable, since there is an end to be read,
// and not writable: taking it for a hang-up makes a writer with a full buffer try again and again. A hang-up or an error
// makes everything possible: the next operation reports it.
func readiness(f Flags) (r ready) {
	if f&In != 0 {
		r |= readable
	}
	if f&Out != 0 {
		r |= writable
	}
	if f&RdHup != 0 {
		r |= readable | ended
	}
	if f&(Hup|Err) != 0 {
		r |= readable | writable | ended
	}
	return r
}

// Direction is one of the two things to wait for.
type Direction uint8

// The directions.
const (
	ToRead  = Direction(readable)
	ToWrite = Direction(writable)
)

// Source is a registered descriptor and what is known about it. A reactor keeps sources in a slab, so a pointer to one is
// good until Close and must not be used afterwards.
type Source struct {
	reactor *Reactor
	handle  slab.Handle
	reader  coop.LocalWaker // who waits to read, if awaited says so; kept afterwards, since it is likely to be the next too
	writer  coop.LocalWaker
	fd      int32
	ready   ready
	awaited ready
}

// FD returns the descriptor.
func (s *Source) FD() int32 { return s.fd }

// System returns what the source's reactor stands on.
func (s *Source) System() System { return s.reactor.sys }

// PollReady reports whether d is possible as far as anybody knows. If not, the task that polls is woken when it becomes
// so. One task may wait in each direction; a second one takes the place of the first.
func (s *Source) PollReady(cx *coop.Context, d Direction) bool {
	if s.ready&ready(d) != 0 {
		return true
	}
	s.awaited |= ready(d)
	if d == ToRead {
		s.reader.Register(cx)
	} else {
		s.writer.Register(cx)
	}
	return false
}

// Exhausted records that d is not possible now: an operation would have had to wait. The caller may conclude that from a
// short count too. A stream that gave less than there was room for is empty, and one that took less than it was given is
// full; asking again just to be told so would be a system call for nothing. Once the peer has ended, reading never waits,
// and the record stays as it is: nobody would announce the end a second time.
func (s *Source) Exhausted(d Direction) {
	if d == ToRead && s.ready&ended != 0 {
		return
	}
	s.ready &^= ready(d)
}

// Blocked records that d answered "would block", which settles the matter even if the peer seems to have ended.
func (s *Source) Blocked(d Direction) { s.ready &^= ready(d) }

// became adds what an event has made possible and wakes who waits for it.
func (s *Source) became(r ready) {
	s.ready |= r
	woken := s.awaited & r
	s.awaited &^= woken
	if woken&readable != 0 {
		s.reader.Wake()
	}
	if woken&writable != 0 {
		s.writer.Wake()
	}
}

// Close closes the descriptor and forgets the source. Whoever waits for it is woken, to find it gone. The kernel forgets
// the registration with the descriptor, so that needs no call.
func (s *Source) Close() error {
	s.became(readable | writable)
	s.reader.Clear()
	s.writer.Clear()
	r, fd := s.reactor, s.fd
	if !r.sources.Remove(s.handle) {
		return os.ErrClosed
	}
	if errno := r.sys.CloseFD(fd); errno != 0 && errno != syscall.EINTR { // interrupted, it is closed all the same
		return os.NewSyscallError("close", errno)
	}
	return nil
}

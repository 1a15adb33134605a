package load

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"turnlab/harness/control"
)

// Arrival processes, as in control.Load.Arrivals.
const (
	Poisson = "poisson" // gaps are exponential: users who do not know of each other
	Fixed   = "fixed"   // gaps are equal
)

// never is later than every time.
const never = math.MaxInt64

// schedule is one thread's share of an open loop's intended times. It is absolute: each time is the one before plus a gap,
// whatever has happened since, so a late generator does not shift what follows, and lateness becomes slip. It is drawn
// from the seed alone, so that each engine of a block gets the same requests at the same times.
//
// The schedule is also the backlog: a request that is due and has no free connection is simply not taken yet, so its
// intended time is kept without any memory, however long the backlog grows.
//
// Note: limiters such as token buckets forgive lateness: after a stall they drop the times that have passed. That is
// coordinated omission with another name.
type schedule struct {
	next   int64      // intended time of the oldest request that has not been taken; never when there are no more
	origin int64      // when the load began
	end    int64      // no request is due at or after this time
	at     float64    // next − origin, in ns; a float64 keeps fractions of ns for hours
	gap    float64    // mean, in ns
	rand   *rand.Rand // nil: gaps are equal
}

// newSchedule returns the share of a thread with rate requests per second, of threads threads in all. Independent Poisson
// processes add up to a Poisson process; fixed ones are shifted against each other so that they add up to even gaps when
// their rates are equal. A rate that is not above 0 is a programmer's mistake: gaps without end, or backwards in time.
func newSchedule(l control.Load, rate float64, thread, threads int) schedule {
	if !(rate > 0) {
		panic(fmt.Sprintf("load: a schedule of %v requests per second", rate))
	}
	s := schedule{next: never, gap: 1e9 / rate}
	if l.Arrivals == Fixed {
		s.at = s.gap * (float64(thread) + 0.5) / float64(threads)
		return s
	}
	// A key for each pair of seed and thread gives streams that have nothing to do with each other.
	key := [32]byte([]byte("turnlab arrivals: seed ........ "))
	binary.LittleEndian.PutUint64(key[16:], l.Seed)
	binary.LittleEndian.PutUint64(key[24:], uint64(thread))
	s.rand = rand.New(rand.NewChaCha8(key))
	s.at = s.draw()
	return s
}

// begin starts the schedule at origin and ends it before end.
func (s *schedule) begin(origin, end int64) {
	s.origin, s.end = origin, end
	s.set()
}

// extend moves the end.
func (s *schedule) extend(end int64) {
	if s.gap > 0 {
		s.end = end
		s.set()
	}
}

// take returns the oldest intended time that has not been taken.
func (s *schedule) take() int64 {
	intended := s.next
	s.at += s.draw()
	s.set()
	return intended
}

func (s *schedule) set() {
	s.next = s.origin + int64(s.at)
	if s.next >= s.end {
		s.next = never
	}
}

func (s *schedule) draw() float64 {
	if s.rand == nil {
		return s.gap
	}
	return s.gap * s.rand.ExpFloat64()
}

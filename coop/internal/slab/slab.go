// Package slab keeps many small values in few large pieces of memory and names them by handles that go stale.
//
// Why: tasks, timers and sockets come and go by the million, and the kernel, wakers and timers remember them for longer
// than they live. A handle is a number, so it can be given to the kernel and costs the garbage collector nothing; and it
// carries a generation, so that a memory of what used to be in a place cannot touch what is there now. Values never move:
// a pointer to one stays good until its Remove.
//
// Limits: not safe for concurrent use. A place that has been reused 2^31 times starts its generations anew, so a handle
// that old could be mistaken for a fresh one; at a million reuses of one place per second that is 35 minutes, and nothing
// here keeps a handle across more than one turn of an event loop or one timer.
package slab

// chunkLen is how many values share one piece of memory.
const chunkLen = 256

// Handle names a value: the generation in the upper half, the place in the lower. The zero Handle names nothing.
type Handle uint64

// cell is a place for a value. Its generation is odd while it is taken, even while it is free.
type cell[T any] struct {
	value T
	gen   uint32
	next  uint32 // the next free place plus one, while this one is free
}

// Slab holds values of type T. The zero Slab is empty and ready for use.
type Slab[T any] struct {
	chunks []*[chunkLen]cell[T]
	free   uint32 // the first free place plus one; 0 when there is none
	used   uint32 // how many places have ever been taken
	live   int
}

// Len returns how many values there are.
func (s *Slab[T]) Len() int { return s.live }

// Insert takes a place and returns its handle and the zero value in it.
func (s *Slab[T]) Insert() (Handle, *T) {
	place := s.place()
	c := s.cell(place)
	c.gen++
	s.live++
	return Handle(c.gen)<<32 | Handle(place), &c.value
}

// place returns a free place, from a new chunk when no place is left.
func (s *Slab[T]) place() uint32 {
	if s.free != 0 {
		place := s.free - 1
		s.free = s.cell(place).next
		return place
	}
	if int(s.used) == len(s.chunks)*chunkLen {
		s.chunks = append(s.chunks, new([chunkLen]cell[T]))
	}
	s.used++
	return s.used - 1
}

// Get returns the value that h names, or nil when it has been removed.
func (s *Slab[T]) Get(h Handle) *T {
	place := uint32(h)
	if place >= s.used {
		return nil
	}
	c := s.cell(place)
	if c.gen != uint32(h>>32) || c.gen&1 == 0 {
		return nil
	}
	return &c.value
}

// Remove clears the value that h names and makes its handle stale. It reports whether there was one.
func (s *Slab[T]) Remove(h Handle) bool {
	if s.Get(h) == nil {
		return false
	}
	place := uint32(h)
	c := s.cell(place)
	var zero T
	c.value = zero
	c.gen++
	c.next, s.free = s.free, place+1
	s.live--
	return true
}

// All calls yield with every value and its handle, until yield returns false. Values may be removed meanwhile.
func (s *Slab[T]) All(yield func(Handle, *T) bool) {
	for place := uint32(0); place < s.used; place++ {
		c := s.cell(place)
		if c.gen&1 == 1 && !yield(Handle(c.gen)<<32|Handle(place), &c.value) {
			return
		}
	}
}

// At returns the value in a place that is known to be taken: one that a list inside T links to.
func (s *Slab[T]) At(place uint32) *T { return &s.cell(place).value }

// Place returns the place part of h, for links inside T.
func (h Handle) Place() uint32 { return uint32(h) }

func (s *Slab[T]) cell(place uint32) *cell[T] {
	return &s.chunks[place/chunkLen][place%chunkLen]
}

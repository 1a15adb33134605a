// Package wheel is a timer wheel: insert, cancel and fire in constant time, whatever the number of timers.
//
// Time is cut into ticks of 2^16 ns (65.5 µs; a power of two, so that rounding is a shift). A tick number is read as eight
// digits of six bits, and each digit has a ring of 64 slots. A timer sits in the ring of the highest digit in which it
// differs from the present: soon to fire means a low ring, far away a high one. When the present reaches a slot of a
// higher ring, its timers move down; each timer moves at most seven times in its life. One 64-bit word per ring says which
// slots are occupied, so that the next thing to do is found with a bit scan and nobody walks over empty slots. Eight
// digits cover every time that an int64 of nanoseconds can hold, so there is no overflow list.
//
// A timer never fires early: deadlines are rounded up to a tick and the present down. It fires at most one tick late, plus
// however long the caller takes to call Pop.
//
// Timers live in a slab and are named by handles, so that cancelling a timer that has fired, even if its place has been
// given to another, is harmless. Limits: not safe for concurrent use; there is one wheel per executor, which is what saves
// it from a lock.
package wheel

import (
	"math/bits"

	"turnlab/coop/internal/slab"
)

const (
	tickShift = 16
	digitBits = 6
	slots     = 1 << digitBits
	rings     = 8
	due       = rings * slots // the list of timers whose time has come
	nowhere   = ^uint32(0)
	lastTick  = 1<<(63-tickShift) - 1 // in the year 2262; later ones would overflow when turned into nanoseconds
)

// Tick is the resolution in nanoseconds.
const Tick = 1 << tickShift

// Handle names a timer. The zero Handle names none.
type Handle = slab.Handle

// timer is an entry of one list.
type timer[V any] struct {
	value      V
	tick       int64  // when it fires
	prev, next uint32 // neighbours in its list, or nowhere
	list       uint32 // which list: ring*slots + slot, or due
	self       Handle
}

// Wheel holds timers with a value each. Use New.
type Wheel[V any] struct {
	timers   slab.Slab[timer[V]]
	now      int64 // the present tick; what was due by then is in the list due
	occupied [rings]uint64
	heads    [rings*slots + 1]uint32
}

// New returns an empty wheel whose present is now, in nanoseconds.
func New[V any](now int64) *Wheel[V] {
	w := &Wheel[V]{now: now >> tickShift}
	for i := range w.heads {
		w.heads[i] = nowhere
	}
	return w
}

// Len returns how many timers wait.
func (w *Wheel[V]) Len() int { return w.timers.Len() }

// Insert adds a timer that fires at deadline, in nanoseconds, or with the next Pop if that has passed.
func (w *Wheel[V]) Insert(deadline int64, v V) Handle {
	h, t := w.timers.Insert()
	t.value, t.self = v, h
	t.tick = roundUp(deadline)
	w.place(t)
	return h
}

// roundUp returns the first tick that does not begin before the deadline.
func roundUp(deadline int64) int64 {
	tick := deadline >> tickShift
	if deadline&(Tick-1) != 0 && tick < lastTick {
		tick++
	}
	return tick
}

// Cancel removes a timer and returns its value. It reports false when the timer has fired or been cancelled before.
func (w *Wheel[V]) Cancel(h Handle) (v V, ok bool) {
	t := w.timers.Get(h)
	if t == nil {
		return v, false
	}
	v = t.value
	w.unlink(t)
	w.timers.Remove(h)
	return v, true
}

// Pop removes one timer that is due at now, in nanoseconds, and returns its value; false when there is none. Timers of
// different ticks come in the order of their ticks.
func (w *Wheel[V]) Pop(now int64) (v V, ok bool) {
	for w.heads[due] == nowhere {
		if !w.turn(now >> tickShift) {
			return v, false
		}
	}
	t := w.timers.At(w.heads[due])
	v = t.value
	w.unlink(t)
	w.timers.Remove(t.self)
	return v, true
}

// Next returns a time in nanoseconds before which Pop has nothing to return; false when there is no timer. It may be
// earlier than the next timer, when timers have to move down a ring first.
func (w *Wheel[V]) Next() (deadline int64, ok bool) {
	if w.heads[due] != nowhere {
		return w.now << tickShift, true
	}
	_, tick, ok := w.nextSlot()
	return tick << tickShift, ok
}

// turn moves the present to the next occupied slot, if that is not after now, and empties the slot into lower rings.
func (w *Wheel[V]) turn(now int64) bool {
	list, tick, ok := w.nextSlot()
	if !ok || tick > now {
		w.now = max(w.now, now)
		return false
	}
	w.now = max(w.now, tick)
	for w.heads[list] != nowhere { // each goes to a lower ring, so this ends
		t := w.timers.At(w.heads[list])
		w.unlink(t)
		w.place(t)
	}
	return true
}

// nextSlot returns the occupied slot that comes first and the tick at which it begins. The lowest ring with a timer has
// it: its timers share all higher digits with the present, those of higher rings do not.
func (w *Wheel[V]) nextSlot() (list uint32, tick int64, ok bool) {
	for ring, word := range w.occupied {
		if word == 0 {
			continue
		}
		slot := bits.TrailingZeros64(word)
		shift := ring * digitBits
		above := w.now >> (shift + digitBits) << digitBits
		return uint32(ring*slots + slot), (above | int64(slot)) << shift, true
	}
	return 0, 0, false
}

// place links t into the list where it belongs at present.
func (w *Wheel[V]) place(t *timer[V]) {
	list := uint32(due)
	if t.tick > w.now {
		ring := (bits.Len64(uint64(t.tick^w.now)) - 1) / digitBits
		slot := t.tick >> (ring * digitBits) & (slots - 1)
		list = uint32(ring*slots) + uint32(slot)
		w.occupied[ring] |= 1 << slot
	}
	head := w.heads[list]
	t.list, t.prev, t.next = list, nowhere, head
	if head != nowhere {
		w.timers.At(head).prev = t.self.Place()
	}
	w.heads[list] = t.self.Place()
}

func (w *Wheel[V]) unlink(t *timer[V]) {
	if t.next != nowhere {
		w.timers.At(t.next).prev = t.prev
	}
	if t.prev != nowhere {
		w.timers.At(t.prev).next = t.next
		return
	}
	w.heads[t.list] = t.next
	if t.next == nowhere && t.list != due {
		w.occupied[t.list/slots] &^= 1 << (t.list % slots)
	}
}

package coop

// Pinned is a value that stays where it is.
//
// A future may point into itself, or a list may point into it: a timer, a slot of a sub-executor, the two views of a
// spawned task. Copied, it is two futures that share what only one may own, and the pointers lead to the old one. Rust
// makes moving such a value impossible with Pin. Go cannot, so here Pinned has only two constructors, both of which leave
// exactly one place for the value: [Pin] and [PinLocal]. Copying a Pinned copies the address and not the value.
//
// What Go gives for free is the other half: an address stays good for as long as somebody has it, since the heap does not
// move and pointers into a stack that moves are mended.
type Pinned[T any] struct {
	value *T
}

// Pin moves v to the heap, once, and returns its place there; Rust's Box::pin. Give it a value that has not been polled, best
// one that is made in the call: the copy that the caller keeps must not be used again, and `go vet` complains about one.
func Pin[T any](v T) Pinned[T] { return Pinned[T]{&v} }

// PinLocal takes the caller's variable for the place, Rust's pin! macro. From here on it may only be used through the
// Pinned: Rust hides the variable, here `go vet` reports copies of what contains a lock or a future that must not move.
// Whether the variable is on the stack is the compiler's decision: as soon as it is used as a Future it is on the heap.
func PinLocal[T any](v *T) Pinned[T] {
	if v == nil {
		panic("coop: PinLocal needs the address of a variable")
	}
	return Pinned[T]{v}
}

// Get returns the value, in its place.
func (p Pinned[T]) Get() *T {
	if p.value == nil {
		panic("coop: the zero Pinned holds nothing; make one with Pin or PinLocal")
	}
	return p.value
}

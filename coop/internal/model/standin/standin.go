// Package standin stands in for sync and sync/atomic in code that is being model checked.
//
// The checker does not read the futures library with its atomics replaced by hand: it compiles the very source, with the
// two imports pointing here. Each operation first asks the checker who runs next, so that every order in which threads
// could perform them can be tried. An operation that writes asks once more afterwards, because plain memory that it has
// just handed over may be touched by somebody else from then on, and code that touches it too late is to be found out.
//
// Go's atomics are sequentially consistent: all threads see all of them in one order. So trying every interleaving of the
// operations is complete, as far as plain memory is not raced for; that is what the race detector looks for.
package standin

import "sync"

// Scheduler decides who runs. It is nil outside of an execution, when operations simply happen.
type Scheduler interface {
	// Point lets other threads run.
	Point(op string)
	// Block lets other threads run until ready says so.
	Block(op string, ready func() bool)
}

// Running is the scheduler of the execution in progress. One goroutine at a time runs in a checker.
var Running Scheduler

// Mutant names the planted mistake that is active; none if empty.
var Mutant string

// Mutated reports whether the planted mistake of that name is active.
func Mutated(name string) bool { return Mutant == name }

func point(op string) {
	if Running != nil {
		Running.Point(op)
	}
}

// Bool stands in for atomic.Bool.
type Bool struct{ v bool }

// Load is a scheduling point.
func (x *Bool) Load() bool { point("load"); return x.v }

// Store is a scheduling point before and after.
func (x *Bool) Store(v bool) { point("store"); x.v = v; point("stored") }

// Swap is a scheduling point before and after.
func (x *Bool) Swap(v bool) bool { return write(&x.v, "swap", func(bool) bool { return v }) }

// CompareAndSwap is a scheduling point before and after.
func (x *Bool) CompareAndSwap(old, v bool) bool { return swapIf(&x.v, old, v) }

// Int64 stands in for atomic.Int64.
type Int64 struct{ v int64 }

// Load is a scheduling point.
func (x *Int64) Load() int64 { point("load"); return x.v }

// Store is a scheduling point before and after.
func (x *Int64) Store(v int64) { point("store"); x.v = v; point("stored") }

// Add is a scheduling point before and after.
func (x *Int64) Add(d int64) int64 {
	return write(&x.v, "add", func(v int64) int64 { return v + d }) + d
}

// CompareAndSwap is a scheduling point before and after.
func (x *Int64) CompareAndSwap(old, v int64) bool { return swapIf(&x.v, old, v) }

// Uint64 stands in for atomic.Uint64.
type Uint64 struct{ v uint64 }

// Load is a scheduling point.
func (x *Uint64) Load() uint64 { point("load"); return x.v }

// Store is a scheduling point before and after.
func (x *Uint64) Store(v uint64) { point("store"); x.v = v; point("stored") }

// And is a scheduling point before and after.
func (x *Uint64) And(mask uint64) uint64 {
	return write(&x.v, "and", func(v uint64) uint64 { return v & mask })
}

// Or is a scheduling point before and after.
func (x *Uint64) Or(mask uint64) uint64 {
	return write(&x.v, "or", func(v uint64) uint64 { return v | mask })
}

// CompareAndSwap is a scheduling point before and after.
func (x *Uint64) CompareAndSwap(old, v uint64) bool { return swapIf(&x.v, old, v) }

// Pointer stands in for atomic.Pointer.
type Pointer[T any] struct{ v *T }

// Load is a scheduling point.
func (x *Pointer[T]) Load() *T { point("load"); return x.v }

// Store is a scheduling point before and after.
func (x *Pointer[T]) Store(v *T) { point("store"); x.v = v; point("stored") }

// Swap is a scheduling point before and after.
func (x *Pointer[T]) Swap(v *T) *T { return write(&x.v, "swap", func(*T) *T { return v }) }

// CompareAndSwap is a scheduling point before and after.
func (x *Pointer[T]) CompareAndSwap(old, v *T) bool { return swapIf(&x.v, old, v) }

// write changes *p in one step and returns what was there before.
func write[T any](p *T, op string, change func(T) T) T {
	point(op)
	old := *p
	*p = change(old)
	point(op + " done")
	return old
}

func swapIf[T comparable](p *T, old, v T) bool {
	point("compare and swap")
	if *p != old {
		return false
	}
	*p = v
	point("swapped")
	return true
}

// Mutex stands in for sync.Mutex: a thread that finds it locked does not run until it is not.
type Mutex struct{ locked bool }

// Lock is a scheduling point.
func (m *Mutex) Lock() {
	if Running != nil {
		Running.Block("lock", func() bool { return !m.locked })
	}
	m.locked = true
}

// TryLock is a scheduling point.
func (m *Mutex) TryLock() bool { return swapIf(&m.locked, false, true) }

// Unlock is a scheduling point afterwards.
func (m *Mutex) Unlock() {
	if !m.locked {
		panic("unlock of an unlocked mutex")
	}
	m.locked = false
	point("unlocked")
}

// What the models do not run (async functions, pools of goroutines) is passed on, so that the files which mention it compile.
type (
	WaitGroup = sync.WaitGroup
	Cond      = sync.Cond
	Once      = sync.Once
	Map       = sync.Map
	Pool      = sync.Pool
	RWMutex   = sync.RWMutex
	Locker    = sync.Locker
)

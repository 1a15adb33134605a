package coop

// TaskID names a task of an executor or of a sub-executor: its slot in the lower half, its generation in the upper. It is
// a number and not a pointer, so that whoever remembers it for longer than the task lives keeps nothing alive and, since
// the generation has moved on, wakes nobody.
type TaskID uint64

func (id TaskID) gen() uint32 { return uint32(id >> 32) }

// WakerVTable is what an executor does when a waker is used.
//
// Rust builds its wakers by hand from a data pointer and a table of functions. A Go interface value is exactly that pair,
// so here the table is an interface; the executor is the data and id its argument. Implement it to bring a foreign
// executor; make it a pointer type, since wakers are compared with ==.
type WakerVTable interface {
	// Wake schedules the task. It may be called from any thread, during a poll of that very task, and after its end.
	Wake(id TaskID)
	// WakeLocal does the same and is only called from the thread that polls the task.
	WakeLocal(id TaskID)
	// Clone returns a waker for the same task, and Drop gives one back. The executors of this package need neither,
	// because Go collects garbage, but code that keeps wakers pairs them, so that a vtable that counts references works.
	Clone(id TaskID) Waker
	Drop(id TaskID)
}

// Waker makes a task runnable again, from any thread.
//
// The name is a misnomer. The task does not sleep: it is a data structure that nobody polls at the moment, or it is being
// polled right now. What a waker tells the executor is: poll this task once more, because since you began your last poll of
// it something has happened. Wakes that come before that poll are one wake.
type Waker struct {
	vt WakerVTable
	id TaskID
}

// NewWaker returns the waker that calls vt with id.
func NewWaker(vt WakerVTable, id TaskID) Waker { return Waker{vt, id} }

// Wake makes the task runnable.
func (w Waker) Wake() { w.vt.Wake(w.id) }

// Clone returns another waker for the same task. The caller drops it when it is done.
func (w Waker) Clone() Waker { return w.vt.Clone(w.id) }

// Drop gives a cloned waker back. Dropping the zero Waker does nothing.
func (w Waker) Drop() {
	if w.vt != nil {
		w.vt.Drop(w.id)
	}
}

// WillWake reports whether w and other wake the same task, so that a stored waker need not be replaced.
func (w Waker) WillWake(other Waker) bool { return w == other }

// IsZero reports whether w is the zero Waker, which wakes nothing.
func (w Waker) IsZero() bool { return w.vt == nil }

// LocalWaker is a Waker that is only used on the thread that polls the task. It saves the atomic operations: what a
// reactor or a timer wheel does between polls needs none. Go cannot cheaply ask "which thread am I?", so the difference is
// a type.
type LocalWaker struct {
	vt WakerVTable
	id TaskID
}

// Wake makes the task runnable.
func (w LocalWaker) Wake() { w.vt.WakeLocal(w.id) }

// Waker returns the form that any thread may use.
func (w LocalWaker) Waker() Waker { return Waker(w) }

// Clone returns another waker for the same task. The caller drops it when it is done.
func (w LocalWaker) Clone() LocalWaker { return LocalWaker(w.vt.Clone(w.id)) }

// Drop gives a cloned waker back. Dropping the zero LocalWaker does nothing.
func (w LocalWaker) Drop() { Waker(w).Drop() }

// WillWake reports whether w and other wake the same task.
func (w LocalWaker) WillWake(other LocalWaker) bool { return w == other }

// IsZero reports whether w is the zero LocalWaker, which wakes nothing.
func (w LocalWaker) IsZero() bool { return w.vt == nil }

// Register stores the waker of the poll that runs in the place where an event will look for it. Most polls of a task come
// from the same executor, so the waker is usually there already and nothing is written.
func (w *LocalWaker) Register(cx *Context) {
	if *w == cx.waker {
		return
	}
	w.Drop()
	*w = cx.waker.Clone()
}

// Clear drops the stored waker.
func (w *LocalWaker) Clear() {
	w.Drop()
	*w = LocalWaker{}
}

// NoopWaker returns a waker that wakes nobody, for polling a future by hand.
func NoopWaker() Waker { return Waker{&noop{}, 0} }

type noop struct{ _ byte }

func (*noop) Wake(TaskID)             {}
func (*noop) WakeLocal(TaskID)        {}
func (n *noop) Clone(id TaskID) Waker { return Waker{n, id} }
func (*noop) Drop(TaskID)             {}

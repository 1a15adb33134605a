package coop

// MapFuture applies a function to the value of a future; see Map.
type MapFuture[T, U any] struct {
	child child[T]
	f     func(T) U
	over  over
}

// Map returns a future of f applied to the value of fut.
func Map[T, U any](fut Future[T], f func(T) U) *MapFuture[T, U] {
	return &MapFuture[T, U]{child: child[T]{fut: fut}, f: f}
}

// Poll polls the future inside.
func (m *MapFuture[T, U]) Poll(cx *Context) Poll[U] {
	m.over.check("Map")
	if !m.child.poll(cx) {
		return Pending[U]()
	}
	m.over = true
	return Ready(m.f(m.child.value))
}

// Drop drops the future inside.
func (m *MapFuture[T, U]) Drop(cx *Context) {
	m.over = true
	m.child.drop(cx)
}

// ThenFuture runs one future after another; see Then.
type ThenFuture[T, U any] struct {
	first  child[T]
	next   func(T) Future[U]
	second child[U]
	over   over
}

// Then returns a future that runs first, makes a second future of its value, and runs that.
func Then[T, U any](first Future[T], next func(T) Future[U]) *ThenFuture[T, U] {
	return &ThenFuture[T, U]{first: child[T]{fut: first}, next: next}
}

// Poll polls the one of the two that is due.
func (t *ThenFuture[T, U]) Poll(cx *Context) Poll[U] {
	t.over.check("Then")
	if t.next != nil {
		if !t.first.poll(cx) {
			return Pending[U]()
		}
		next := t.next
		t.next = nil
		t.second.fut = next(t.first.value)
	}
	if !t.second.poll(cx) {
		return Pending[U]()
	}
	t.over = true
	return Ready(t.second.value)
}

// Drop drops the one that is due.
func (t *ThenFuture[T, U]) Drop(cx *Context) {
	t.over = true
	t.second.drop(cx)
	t.first.drop(cx)
}

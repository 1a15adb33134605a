package coop

// joinAllLinear is up to how many futures JoinAll polls each at every poll; beyond that it keeps track of who was woken.
// The number is that of Rust's futures crate.
const joinAllLinear = 30

// JoinAll returns a future that runs all of futures at the same time and is ready with their values, in their order.
func JoinAll[T any](futures []Future[T]) Future[[]T] {
	if len(futures) > joinAllLinear {
		return joinMany(futures)
	}
	j := &joinFew[T]{children: make([]child[T], len(futures))}
	for i, f := range futures {
		j.children[i].fut = f
	}
	return j
}

// joinFew polls all children that are not done.
type joinFew[T any] struct {
	children []child[T]
	next     int // where to begin: after the child whose turn was the last when the budget ran out
	over     over
}

func (j *joinFew[T]) Poll(cx *Context) Poll[[]T] {
	j.over.check("JoinAll")
	done := true
	for range j.children {
		if !cx.Proceed() {
			return Pending[[]T]()
		}
		i := j.next
		j.next = (j.next + 1) % len(j.children)
		done = j.children[i].poll(cx) && done
	}
	if !done {
		return Pending[[]T]()
	}
	j.over = true
	values := make([]T, len(j.children))
	for i := range j.children {
		values[i] = j.children[i].value
	}
	return Ready(values)
}

func (j *joinFew[T]) Drop(cx *Context) {
	j.over = true
	for i := len(j.children) - 1; i >= 0; i-- {
		j.children[i].drop(cx)
	}
}

// joinLots polls the children that were woken.
type joinLots[T any] struct {
	set    *FuturesUnordered[numbered[T]]
	values []T
	over   over
}

type numbered[T any] struct {
	number int
	value  T
}

func joinMany[T any](futures []Future[T]) *joinLots[T] {
	j := &joinLots[T]{set: NewFuturesUnordered[numbered[T]](), values: make([]T, len(futures))}
	for i, f := range futures {
		j.set.Push(Map(f, func(v T) numbered[T] { return numbered[T]{i, v} }))
	}
	return j
}

func (j *joinLots[T]) Poll(cx *Context) Poll[[]T] {
	j.over.check("JoinAll")
	for {
		item, ok := j.set.PollNext(cx).Get()
		if !ok {
			return Pending[[]T]()
		}
		if !item.OK {
			j.over = true
			return Ready(j.values)
		}
		j.values[item.Value.number] = item.Value.value
	}
}

func (j *joinLots[T]) Drop(cx *Context) {
	j.over = true
	j.set.Drop(cx)
}

// Selected is the value of one of several futures.
type Selected[T any] struct {
	Index int
	Value T
}

// SelectAllFuture runs several futures until one is ready; see SelectAll.
type SelectAllFuture[T any] struct {
	children []child[T]
	biased   bool
	over     over
}

// SelectAll returns a future that is ready with the first of futures that is. It drops the others. It polls all of them at
// every poll; FuturesUnordered is for many. With no futures at all it is never ready.
func SelectAll[T any](futures []Future[T]) *SelectAllFuture[T] {
	s := &SelectAllFuture[T]{children: make([]child[T], len(futures))}
	for i, f := range futures {
		s.children[i].fut = f
	}
	return s
}

// Biased makes s poll in the order of its arguments, and returns it.
func (s *SelectAllFuture[T]) Biased() *SelectAllFuture[T] {
	s.biased = true
	return s
}

// Poll polls one after the other until one is ready.
func (s *SelectAllFuture[T]) Poll(cx *Context) Poll[Selected[T]] {
	s.over.check("SelectAll")
	begin := start(cx, len(s.children), s.biased)
	for i := range s.children {
		if !cx.Proceed() {
			break
		}
		which := (begin + i) % len(s.children)
		if c := &s.children[which]; c.poll(cx) {
			s.Drop(cx)
			return Ready(Selected[T]{which, c.value})
		}
	}
	return Pending[Selected[T]]()
}

// Drop drops all, the last one first.
func (s *SelectAllFuture[T]) Drop(cx *Context) {
	s.over = true
	for i := len(s.children) - 1; i >= 0; i-- {
		s.children[i].drop(cx)
	}
}

package coop

// The selects are ready with the first of their futures that is, and drop the others before they answer: a loser is not left
// half done while somebody acts on the winner. What a future has done by then is done, so losers had better be cancel-safe:
// dropping one and making it anew must lose nothing. Reading is, writing everything is not.
//
// Polling begins with one chosen by chance, so that a future which is always ready does not shut out those after it. Biased
// begins with the first, for when the order is meant: "stop" before "go on".

// Choice2 is the value of one of two futures, that with the number Which, counted from 0. The others are zero.
type Choice2[A, B any] struct {
	Which int
	Tuple2[A, B]
}

// SelectFuture2 runs two futures until one is ready; see Select2.
type SelectFuture2[A, B any] struct {
	a      child[A]
	b      child[B]
	biased bool
	over   over
}

// Select2 returns a future that is ready with the first of two that is.
func Select2[A, B any](a Future[A], b Future[B]) *SelectFuture2[A, B] {
	return &SelectFuture2[A, B]{a: child[A]{fut: a}, b: child[B]{fut: b}}
}

// Biased makes s poll in the order of its arguments, and returns it.
func (s *SelectFuture2[A, B]) Biased() *SelectFuture2[A, B] {
	s.biased = true
	return s
}

// Poll polls one after the other until one is ready.
func (s *SelectFuture2[A, B]) Poll(cx *Context) Poll[Choice2[A, B]] {
	s.over.check("Select2")
	begin := start(cx, 2, s.biased)
	for i := range 2 {
		which := (begin + i) % 2
		if s.pollOne(cx, which) {
			s.Drop(cx)
			return Ready(Choice2[A, B]{which, Tuple2[A, B]{s.a.value, s.b.value}})
		}
	}
	return Pending[Choice2[A, B]]()
}

func (s *SelectFuture2[A, B]) pollOne(cx *Context, which int) bool {
	switch which {
	case 0:
		return s.a.poll(cx)
	default:
		return s.b.poll(cx)
	}
}

// Drop drops all, the last one first.
func (s *SelectFuture2[A, B]) Drop(cx *Context) {
	s.over = true
	s.b.drop(cx)
	s.a.drop(cx)
}

// Choice3 is the value of one of three futures, that with the number Which, counted from 0. The others are zero.
type Choice3[A, B, C any] struct {
	Which int
	Tuple3[A, B, C]
}

// SelectFuture3 runs three futures until one is ready; see Select3.
type SelectFuture3[A, B, C any] struct {
	a      child[A]
	b      child[B]
	c      child[C]
	biased bool
	over   over
}

// Select3 returns a future that is ready with the first of three that is.
func Select3[A, B, C any](a Future[A], b Future[B], c Future[C]) *SelectFuture3[A, B, C] {
	return &SelectFuture3[A, B, C]{a: child[A]{fut: a}, b: child[B]{fut: b}, c: child[C]{fut: c}}
}

// Biased makes s poll in the order of its arguments, and returns it.
func (s *SelectFuture3[A, B, C]) Biased() *SelectFuture3[A, B, C] {
	s.biased = true
	return s
}

// Poll polls one after the other until one is ready.
func (s *SelectFuture3[A, B, C]) Poll(cx *Context) Poll[Choice3[A, B, C]] {
	s.over.check("Select3")
	begin := start(cx, 3, s.biased)
	for i := range 3 {
		which := (begin + i) % 3
		if s.pollOne(cx, which) {
			s.Drop(cx)
			return Ready(Choice3[A, B, C]{which, Tuple3[A, B, C]{s.a.value, s.b.value, s.c.value}})
		}
	}
	return Pending[Choice3[A, B, C]]()
}

func (s *SelectFuture3[A, B, C]) pollOne(cx *Context, which int) bool {
	switch which {
	case 0:
		return s.a.poll(cx)
	case 1:
		return s.b.poll(cx)
	default:
		return s.c.poll(cx)
	}
}

// Drop drops all, the last one first.
func (s *SelectFuture3[A, B, C]) Drop(cx *Context) {
	s.over = true
	s.c.drop(cx)
	s.b.drop(cx)
	s.a.drop(cx)
}

// Choice4 is the value of one of four futures, that with the number Which, counted from 0. The others are zero.
type Choice4[A, B, C, D any] struct {
	Which int
	Tuple4[A, B, C, D]
}

// SelectFuture4 runs four futures until one is ready; see Select4.
type SelectFuture4[A, B, C, D any] struct {
	a      child[A]
	b      child[B]
	c      child[C]
	d      child[D]
	biased bool
	over   over
}

// Select4 returns a future that is ready with the first of four that is.
func Select4[A, B, C, D any](a Future[A], b Future[B], c Future[C], d Future[D]) *SelectFuture4[A, B, C, D] {
	return &SelectFuture4[A, B, C, D]{a: child[A]{fut: a}, b: child[B]{fut: b}, c: child[C]{fut: c}, d: child[D]{fut: d}}
}

// Biased makes s poll in the order of its arguments, and returns it.
func (s *SelectFuture4[A, B, C, D]) Biased() *SelectFuture4[A, B, C, D] {
	s.biased = true
	return s
}

// Poll polls one after the other until one is ready.
func (s *SelectFuture4[A, B, C, D]) Poll(cx *Context) Poll[Choice4[A, B, C, D]] {
	s.over.check("Select4")
	begin := start(cx, 4, s.biased)
	for i := range 4 {
		which := (begin + i) % 4
		if s.pollOne(cx, which) {
			s.Drop(cx)
			return Ready(Choice4[A, B, C, D]{which, Tuple4[A, B, C, D]{s.a.value, s.b.value, s.c.value, s.d.value}})
		}
	}
	return Pending[Choice4[A, B, C, D]]()
}

func (s *SelectFuture4[A, B, C, D]) pollOne(cx *Context, which int) bool {
	switch which {
	case 0:
		return s.a.poll(cx)
	case 1:
		return s.b.poll(cx)
	case 2:
		return s.c.poll(cx)
	default:
		return s.d.poll(cx)
	}
}

// Drop drops all, the last one first.
func (s *SelectFuture4[A, B, C, D]) Drop(cx *Context) {
	s.over = true
	s.d.drop(cx)
	s.c.drop(cx)
	s.b.drop(cx)
	s.a.drop(cx)
}

// start returns where a select over n futures begins.
func start(cx *Context, n int, biased bool) int {
	if biased || n < 2 {
		return 0
	}
	return cx.chance(n)
}

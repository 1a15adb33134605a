package coop

// The joins poll each of their futures at every poll, unless it is done: each may have been the one that was woken, and
// asking costs less than finding out. For more than a handful use JoinAll or FuturesUnordered, which know who was woken.

// Tuple2 is two values.
type Tuple2[A, B any] struct {
	First  A
	Second B
}

// JoinFuture2 runs two futures at the same time; see Join2.
type JoinFuture2[A, B any] struct {
	a    child[A]
	b    child[B]
	over over
}

// Join2 returns a future that runs all two and is ready when all are.
func Join2[A, B any](a Future[A], b Future[B]) *JoinFuture2[A, B] {
	return &JoinFuture2[A, B]{a: child[A]{fut: a}, b: child[B]{fut: b}}
}

// Poll polls those that are not done.
func (j *JoinFuture2[A, B]) Poll(cx *Context) Poll[Tuple2[A, B]] {
	j.over.check("Join2")
	done := j.a.poll(cx)
	done = j.b.poll(cx) && done
	if !done {
		return Pending[Tuple2[A, B]]()
	}
	j.over = true
	return Ready(Tuple2[A, B]{j.a.value, j.b.value})
}

// Drop drops those that are not done, the last one first.
func (j *JoinFuture2[A, B]) Drop(cx *Context) {
	j.over = true
	j.b.drop(cx)
	j.a.drop(cx)
}

// Tuple3 is three values.
type Tuple3[A, B, C any] struct {
	First  A
	Second B
	Third  C
}

// JoinFuture3 runs three futures at the same time; see Join3.
type JoinFuture3[A, B, C any] struct {
	a    child[A]
	b    child[B]
	c    child[C]
	over over
}

// Join3 returns a future that runs all three and is ready when all are.
func Join3[A, B, C any](a Future[A], b Future[B], c Future[C]) *JoinFuture3[A, B, C] {
	return &JoinFuture3[A, B, C]{a: child[A]{fut: a}, b: child[B]{fut: b}, c: child[C]{fut: c}}
}

// Poll polls those that are not done.
func (j *JoinFuture3[A, B, C]) Poll(cx *Context) Poll[Tuple3[A, B, C]] {
	j.over.check("Join3")
	done := j.a.poll(cx)
	done = j.b.poll(cx) && done
	done = j.c.poll(cx) && done
	if !done {
		return Pending[Tuple3[A, B, C]]()
	}
	j.over = true
	return Ready(Tuple3[A, B, C]{j.a.value, j.b.value, j.c.value})
}

// Drop drops those that are not done, the last one first.
func (j *JoinFuture3[A, B, C]) Drop(cx *Context) {
	j.over = true
	j.c.drop(cx)
	j.b.drop(cx)
	j.a.drop(cx)
}

// Tuple4 is four values.
type Tuple4[A, B, C, D any] struct {
	First  A
	Second B
	Third  C
	Fourth D
}

// JoinFuture4 runs four futures at the same time; see Join4.
type JoinFuture4[A, B, C, D any] struct {
	a    child[A]
	b    child[B]
	c    child[C]
	d    child[D]
	over over
}

// Join4 returns a future that runs all four and is ready when all are.
func Join4[A, B, C, D any](a Future[A], b Future[B], c Future[C], d Future[D]) *JoinFuture4[A, B, C, D] {
	return &JoinFuture4[A, B, C, D]{a: child[A]{fut: a}, b: child[B]{fut: b}, c: child[C]{fut: c}, d: child[D]{fut: d}}
}

// Poll polls those that are not done.
func (j *JoinFuture4[A, B, C, D]) Poll(cx *Context) Poll[Tuple4[A, B, C, D]] {
	j.over.check("Join4")
	done := j.a.poll(cx)
	done = j.b.poll(cx) && done
	done = j.c.poll(cx) && done
	done = j.d.poll(cx) && done
	if !done {
		return Pending[Tuple4[A, B, C, D]]()
	}
	j.over = true
	return Ready(Tuple4[A, B, C, D]{j.a.value, j.b.value, j.c.value, j.d.value})
}

// Drop drops those that are not done, the last one first.
func (j *JoinFuture4[A, B, C, D]) Drop(cx *Context) {
	j.over = true
	j.d.drop(cx)
	j.c.drop(cx)
	j.b.drop(cx)
	j.a.drop(cx)
}

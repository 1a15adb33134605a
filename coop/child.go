package coop

// child is a future inside another one, with its value once it has come. It is dropped as soon as it is ready, so that
// what it holds is not held until its siblings are.
type child[T any] struct {
	fut   Future[T] // nil when it has been dropped
	value T
}

// poll moves the child on, if it is not done, and reports whether it is.
func (c *child[T]) poll(cx *Context) bool {
	if c.fut == nil {
		return true
	}
	p := c.fut.Poll(cx)
	if !p.ready {
		return false
	}
	c.value = p.value
	c.drop(cx)
	return true
}

// drop ends the child, once.
func (c *child[T]) drop(cx *Context) {
	if f := c.fut; f != nil {
		c.fut = nil
		Drop(cx, f)
	}
}

// over says that a future has answered Ready or has been dropped, after which it must not be polled.
type over bool

func (o over) check(name string) {
	if o {
		panic("coop: " + name + " was polled after Ready or Drop; wrap it in Fuse if that may happen")
	}
}

package coop

// YieldFuture answers Pending once; see Yield.
type YieldFuture struct{ yielded bool }

// Yield returns a future that lets every other runnable task go first, and the reactor look for events, and is then ready.
// It is how a cooperative task that computes for long gives up the CPU: nobody can take it away.
func Yield() *YieldFuture { return &YieldFuture{} }

// Poll answers Pending the first time.
func (y *YieldFuture) Poll(cx *Context) Poll[Unit] {
	if y.yielded {
		return Done()
	}
	y.yielded = true
	cx.Defer()
	return Pending[Unit]()
}

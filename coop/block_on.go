package coop

// BlockOn runs ex on the calling goroutine until f is ready, and returns its value. Other tasks of ex are polled meanwhile
// and stay where they are afterwards; Close ends them. The error is ErrStopped if ex has been stopped, or a *JoinError if f
// panicked. It panics inside a task of ex, where it could never return.
func BlockOn[T any](ex *Executor, f Future[T]) (T, error) {
	h := Spawn(ex, f)
	err := ex.runUntil(func() bool { return h.Finished() || ex.stopping.Load() }, false)
	if err == nil && !h.Finished() { // stopped: shut down, which settles the handle
		err = ex.Close()
	}
	if err != nil && err != ErrStopped {
		var zero T
		return zero, err // the driver failed
	}
	return h.Wait()
}

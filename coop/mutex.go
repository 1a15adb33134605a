package coop

// Mutex lets one task at a time in, also across awaits and across executors. Tasks get it in the order in which they
// asked. What is only touched between two awaits of tasks of one executor needs no lock at all: nobody interrupts a task.
// What is held for a moment and never across an await is better off with sync.Mutex.
type Mutex struct {
	semaphore Semaphore
}

// NewMutex returns a mutex that nobody holds.
func NewMutex() *Mutex {
	m := &Mutex{}
	m.semaphore.size, m.semaphore.permits.free = 1, 1
	return m
}

// Lock returns a future that is ready when the caller holds m. It is cancel-safe, but to drop it gives up its place in the
// queue. A future that has answered Ready has handed the lock over: dropping it does not unlock.
func (m *Mutex) Lock() *AcquireFuture { return m.semaphore.Acquire(1) }

// TryLock takes the lock if nobody holds it or waits for it.
func (m *Mutex) TryLock() bool { return m.semaphore.TryAcquire(1) }

// Unlock lets the next one in. It panics when nobody holds m.
func (m *Mutex) Unlock() { m.semaphore.Release(1) }

// Package coop is cooperative multitasking for Go: futures, tasks and an executor, modelled on Rust's.
//
// # Who decides
//
// A computer that does several things at a time takes turns, and somebody decides when a turn ends. If the machine does,
// it interrupts whoever runs and saves its state: preemptive multitasking, as with threads and goroutines. If the task does,
// by returning when it would have to wait, it is cooperative: nothing is interrupted, nothing has to be saved but what the
// task itself keeps, and every task needs to cooperate, otherwise it won't work. This package is the second kind.
//
// # Futures
//
// A [Future] is a value that may not be there yet. Polling it moves it on: it does what it can do without waiting and
// answers [Ready] with the value, or [Pending]. So a future is a state machine, and a task that waits is a small data
// structure, not a stack.
//
//	type Future[T any] interface {
//		Poll(cx *Context) Poll[T]
//	}
//
// A future that answers Pending makes a promise, the poll contract: it has arranged to be woken. One that waits for another
// future has kept it when that one has. At the bottom is a leaf future, which waits for something real, a socket or a
// timer: it stores the [Waker] that the [Context] carries where the event will find it.
//
// # Sleeping and waking
//
// An [Executor] does not ask its futures again and again. It polls a task once and forgets it until its waker is used; when
// nobody is to be polled it goes to sleep in its [Driver], which waits for all events at once.
//
// "Waking" is a misnomer. A task does not sleep, and it may be running at the very moment it is woken. To wake a task is to
// tell its executor: poll it once more, for since you began your last poll something has happened. Two rules follow, and
// breaking either is the lost wake-up, a task that waits for ever for what has already come:
//
//   - The executor forgets that a task was woken before it polls it, not after. A wake during the poll may concern
//     something that the poll has already looked at.
//   - Whoever goes to sleep says so first and then looks once more; whoever brings something puts it down first and then
//     looks whether anybody sleeps. In the other order both can look at the wrong moment and miss each other.
//
// # Tasks
//
// A future that is spawned becomes a task: [Spawn], [SpawnLocal], [Executor.Go]. Its [JoinHandle] is a future of the result.
// Go cannot destroy a value when its last user is gone, so ending the use of a future is a contract: its owner calls [Drop]
// on it once, which gives back what it holds.
//
// A task that never answers Pending would starve the others. It cannot be stopped, but it can be bounded: leaf futures
// stop being ready when the task has completed [OpsPerPoll] operations in one poll, and the executor looks for events after
// [PollsPerTurn] polls.
//
// # Limits
//
// An executor is one goroutine; programs that need several cores run several executors, and a task stays where it was
// spawned. A task must not block: not on a channel, a mutex that is held for long, or a connection of package net. Such
// work belongs in a [Pool] ([Offload]).
package coop

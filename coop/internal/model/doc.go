// Package model is a model checker for the futures library: it runs a program with threads in every order, or in many.
//
// A mistake in a protocol between threads shows in one order of their steps out of thousands, and tests with real threads
// hardly ever meet that order. Here the threads are virtual: coroutines, of which one runs at a time. Before each step
// that others can see, an atomic operation, a lock, a sleep, it asks a scheduler who goes on. So a scheduler can try all
// orders with up to a few preemptions ([Exhaustive]), or draw them ([PCT], [Random]), and an order that fails is written
// down as a seed and can be repeated, step by step ([Replay]).
//
// What is checked is the library's own source. The test compiles it with sync and sync/atomic replaced by package standin,
// by means of the go command's overlay: nothing in the library knows about the checker, and what users run is not changed
// for its sake. The protocols are in package protocols. Mistakes are planted in the same way, as edits of the text, and
// each has to be found: a checker that finds nothing might as well be broken.
//
// Note: the usual way is to write the library against atomics of one's own, which a build tag turns into scheduling points.
// It would have put a second vocabulary and the switches of all planted mistakes into the files that most need to be read.
//
// # Properties
//
// Checked here, in every order that is tried: no wake-up is lost (an execution in which nobody can run any more fails);
// one thread polls a task, one poll at a time; nothing is polled after its end; a task is polled at most once more than it
// was woken; a stale waker touches nobody; what is dropped is dropped once, by its owner, and before anybody learns of the
// end; a stopped executor keeps nothing; what is sent is received once and in order, and a lock that is handed to somebody
// who gives up goes to the next. What depends on sockets and on time is checked by package sim.
//
// # Limits
//
// Steps on plain memory are not scheduling points. The order of operations is what is explored, and races on plain memory
// are left to the race detector. Async functions are coroutines themselves and are not run here.
package model

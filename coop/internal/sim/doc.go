// Package sim is an operating system for tests: it stands in for epoll and the sockets under a reactor, and does by chance
// everything that a real one does seldom.
//
// Bytes arrive in pieces and late, calls are interrupted, writes take a part, connections are refused, reset and
// half-closed, events come in any order, for nothing, and for sockets that have been closed; descriptors are used again at
// once. The clock is virtual: it moves a little with every call and jumps when there is nothing to do. All chance comes
// from one seed, so that a run which fails can be repeated as often as it takes to understand it, and thousands of runs
// take seconds.
//
// The system does nothing that Linux would not do. A read that returns less than was asked for has emptied the socket, and
// what comes later is announced by a new event; likewise a write that took a part. The reactor relies on that, to save a
// system call per request. The end of a stream is announced only when it has come.
//
// # Properties
//
// The programs in this package's tests check, for each seed: no wake-up is lost (the executor never sleeps for ever while
// somebody waits); nothing is polled after its end; what is dropped is dropped once, and then no descriptor, source, timer
// or task is left, also when the executor is stopped in the middle; a task is polled within the length of the queue plus
// one turn after it was woken; a poll completes at most [coop.OpsPerPoll] operations, also in nested sub-executors; an event
// of a socket that is gone touches nobody; timers are never early and late by a tick and the work in hand at most; the end
// is seen after all the bytes, however both are cut into pieces; a select begins with each of its futures equally often.
// Wakes between threads are checked by package model.
//
// # Limits
//
// One machine with streams between its own sockets. There is one thread.
package sim

package engine

import (
	"turnlab/coop"
	"turnlab/engine"
)

// Await describes the variant coop/await: the same executor, reactor, sockets and operations, but a connection is an async
// function. What differs is only who keeps the place where a connection waits: a field of a state machine, or a stack. So
// the difference between the two engines is the price of that stack.
var Await = &engine.Spec{
	Name:    "coop",
	Variant: "await",
	Summary: "the task decides: async functions with await, each on a coroutine of 2 KiB, otherwise as coop",
	Options: options,
	Sources: []string{awaitedGo, connGo, burnGo, callsGo, roomGo},
	Shared:  shared,
	Procs:   procs,
	New: func(c engine.Config) (engine.Engine, error) {
		e, err := newEngineFor(c)
		if err != nil {
			return nil, err
		}
		e.await = true
		return e, nil
	},
}

// awaited is a connection as an async function.
type awaited struct {
	conn
	async coop.AsyncFuture[coop.Unit]
	do    func(*conn, *coop.Context) progress // the operation that is awaited
	away  bool                                // waits, without the exchange
}

func newAwaited(w *worker, fd int32) *awaited {
	a := &awaited{conn: conn{w: w, fd: fd, op: opening}}
	coop.AsyncIn(&a.async, a.serve)
	return a
}

// serve is the connection, written as if it blocked.
func (a *awaited) serve(co *coop.Co) coop.Unit {
	if !a.open() {
		return coop.Unit{}
	}
	a.resume()
	for a.await(co, (*conn).flush) && a.await(co, (*conn).perform) {
		a.step()
	}
	return coop.Unit{}
}

// await waits until an operation is done, and reports whether the session goes on.
func (a *awaited) await(co *coop.Co, do func(*conn, *coop.Context) progress) bool {
	a.do = do
	return coop.Await(co, coop.Future[progress](operation{a})) == done
}

// operation is the future of the operation that a connection awaits. It is a pointer, so that to await takes no memory, and
// has no Drop: what an operation holds belongs to the connection.
type operation struct{ of *awaited }

// Poll carries the operation on, and lends the exchange to others while it waits.
func (o operation) Poll(cx *coop.Context) coop.Poll[progress] {
	a := o.of
	if a.away {
		a.away = false
		a.resume()
	}
	if a.expelled() {
		return coop.Ready(closes)
	}
	p := a.do(&a.conn, cx)
	if p == waits {
		a.away = true
		a.pause(cx)
		return coop.Pending[progress]()
	}
	return coop.Ready(p)
}

// Poll runs the function.
func (a *awaited) Poll(cx *coop.Context) coop.Poll[coop.Unit] { return a.async.Poll(cx) }

// Drop unwinds the function and closes the connection.
func (a *awaited) Drop(cx *coop.Context) {
	a.async.Drop(cx)
	a.conn.Drop(cx)
}

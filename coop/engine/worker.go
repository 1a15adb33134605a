package engine

import (
	"sync"

	"turnlab/coop"
	"turnlab/coop/netio"
	"turnlab/coop/reactor"
	"turnlab/workloads"
)

const (
	readBytes  = 64 << 10 // most bytes of one read
	outKept    = 1 << 20  // an output buffer that grew beyond this is not kept
	sparesKept = 64       // how many output buffers, and how many extras, a worker keeps for later
	acceptMax  = 16       // connections accepted before the others have their turn
)

// worker is an executor and what its connections share. It belongs to the executor's goroutine but for snapshot.
type worker struct {
	engine  *Engine
	ex      *coop.Executor
	reactor *reactor.Reactor
	counts  counters

	room      room
	peers     []*worker             // the others
	mail      *coop.Channel[string] // what they publish; nil when there are none
	upstreams []*upstream

	// Lent to the connection that is polled.
	x     workloads.Exchange
	sent  int   // how much of x.Out has been sent
	began int64 // when the poll began to compute, by the executor's clock; 0 before that
	input [workloads.MaxUnread + readBytes]byte

	answer [workloads.FrameHeader + workloads.FrameMax]byte // of an upstream, as it is read

	outs   [][]byte // output buffers nobody uses
	extras []*extra

	mu        sync.Mutex
	published counters
	times     times
}

func newWorker(e *Engine, number int) (*worker, error) {
	r, err := reactor.New()
	if err != nil {
		return nil, err
	}
	w := &worker{engine: e, reactor: r, upstreams: newUpstreams(e.upstreams, e.executors)}
	w.room.counts = &w.counts
	w.ex = coop.New(coop.Config{Driver: r, Locked: e.locked, AfterTurn: w.publish, Watch: e.watch(), Trace: e.trace(number)})
	return w, nil
}

// publish makes the counters visible to other goroutines. It runs once per turn, however many requests that served.
func (w *worker) publish() {
	x, r := w.ex.Stats(), w.reactor.Stats()
	c := &w.counts
	c.polls, c.wakes, c.turns, c.sleeps, c.deferred, c.timers = x.Polls, x.Wakes, x.Turns, x.Sleeps, x.Deferred, x.Fired
	c.stalls = x.Stalls
	c.waits, c.events, c.stale = r.Waits, r.Events, r.Stale
	w.mu.Lock()
	w.published = w.counts
	w.times.update(w.ex)
	w.mu.Unlock()
}

func (w *worker) snapshot() counters {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.published
}

// acceptor is the task that accepts connections and hands them out in turn.
type acceptor struct {
	engine   *Engine
	workers  []*worker
	fd       int32 // until the first poll has registered it
	listener netio.Listener
	next     int
}

func newAcceptor(e *Engine, workers []*worker, fd int32) *acceptor {
	return &acceptor{engine: e, workers: workers, fd: fd}
}

// Poll accepts what is there. After some it lets the connections have their turn: those that wait in the queue have been
// answered by the kernel and can wait.
func (a *acceptor) Poll(cx *coop.Context) coop.Poll[coop.Unit] {
	if err := a.listen(cx); err != nil {
		a.engine.fail(err)
		return coop.Done()
	}
	for range acceptMax {
		r, ok := a.listener.PollAccept(cx).Get()
		if !ok {
			return coop.Pending[coop.Unit]()
		}
		if r.Err != nil {
			a.engine.fail(r.Err)
			return coop.Done()
		}
		a.handOut(cx, r.Value)
	}
	cx.Defer()
	return coop.Pending[coop.Unit]()
}

func (a *acceptor) listen(cx *coop.Context) (err error) {
	if a.fd >= 0 {
		a.listener, err = netio.Listen(reactor.Of(cx), a.fd)
		a.fd = -1
	}
	return err
}

// handOut gives a connection to the next worker: itself, or one that has to be told.
func (a *acceptor) handOut(cx *coop.Context, fd int32) {
	w := a.workers[a.next]
	a.next = (a.next + 1) % len(a.workers)
	c := w.connection(fd)
	var err error
	if w.ex == cx.Executor() {
		err = cx.Go(c)
	} else {
		err = w.ex.Go(c)
	}
	if err != nil { // the executor is stopping, or full
		a.workers[0].reactor.System().CloseFD(fd)
	}
}

// connection returns the task of a connection.
func (w *worker) connection(fd int32) coop.Future[coop.Unit] {
	if w.engine.await {
		return newAwaited(w, fd)
	}
	return &conn{w: w, fd: fd, op: opening}
}

// Drop closes the listening socket.
func (a *acceptor) Drop(cx *coop.Context) {
	if a.fd >= 0 {
		reactor.Of(cx).System().CloseFD(a.fd)
		return
	}
	a.listener.Close()
}

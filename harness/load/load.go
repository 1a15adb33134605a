package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// Hooks are called in the order in which they stand here, from the goroutine that called Run. Any may be nil.
type Hooks struct {
	// Ready: all connections are open. The load begins when it returns; an error ends Run.
	Ready func() error
	// Start says when the load begins, as a time of CLOCK_MONOTONIC, and is asked after Ready; 0 is at once.
	Start func() int64
	// Measuring: the window has begun. The usage is the generator's own since it started, taken at that moment.
	Measuring func(control.Usage)
	// Measured: the window has ended.
	Measured func(control.Usage)
	// Drained: the result is complete. The connections are there until it returns.
	Drained func(control.LoadResult)
}

// Run makes the load that l describes and returns what it measured. When ctx ends before the load does, the load stops, and
// Run returns what it has together with the cause; a window that was cut is as long as WindowNS says.
//
// Run takes the process over: GOMAXPROCS and the collector are set for the load, and set back afterwards.
func Run(ctx context.Context, l control.Load, h Hooks) (control.LoadResult, error) {
	w, err := workloads.Find(l.Workload)
	if err != nil {
		return control.LoadResult{}, misuse.Errorf("%w", err)
	}
	values, err := w.Options.Resolve(l.Settings)
	if err != nil {
		return control.LoadResult{}, misuse.Errorf("workload %s: %w", w.Name, err)
	}
	clients, err := w.NewClients(values, l.Seed)
	if err != nil {
		return control.LoadResult{}, misuse.Errorf("workload %s: %w", w.Name, err)
	}
	return run(ctx, l, clients, w.Classes, h)
}

// generator is what the threads of one load share. Its fields do not change once the threads run, and the times not once
// started is closed.
type generator struct {
	load    control.Load
	threads int
	workers []*worker
	base    time.Time // times are ns since then

	start  int64  // of the load
	phases phases // when what begins and ends

	started   chan struct{}      // closed: the load begins
	hold      chan struct{}      // closed: the connections may be closed
	marks     chan control.Usage // the edges of the window
	drained   sync.WaitGroup     // threads whose load has not ended
	asking    atomic.Int64       // threads whose requests have not all ended
	published atomic.Int64       // requests of the window that were made, when their clients listen
	spun      atomic.Int64       // ns spent awake, waiting; of all threads
	spin      int64              // the longest such stretch; 0 in the closed loop
	cut       atomic.Bool        // stop before the time
	wasCut    bool               // it did
	bell      int                // an eventfd that wakes all threads

	mu      sync.Mutex // for clients, which say nothing about threads
	clients workloads.Clients
	roles   []workloads.Role // of each connection of the whole load
	classes []string         // names, when the clients are Classed
}

func run(ctx context.Context, l control.Load, clients workloads.Clients, classes []string, h Hooks) (control.LoadResult, error) {
	g, err := newGenerator(l, clients, classes)
	if err != nil {
		return control.LoadResult{}, err
	}
	defer g.close()
	defer tune(g.threads)()
	defer context.AfterFunc(ctx, g.stop)()
	result, err := g.run(h)
	if err == nil && g.wasCut || errors.Is(err, errStopped) {
		err = context.Cause(ctx)
	}
	return result, err
}

func newGenerator(l control.Load, clients workloads.Clients, classes []string) (*generator, error) {
	l, err := resolveLoad(l)
	if err != nil {
		return nil, err
	}
	g := &generator{
		load: l, clients: clients, classes: classes, roles: rolesOf(clients, l.Conns), threads: l.Threads, base: time.Now(),
		started: make(chan struct{}), hold: make(chan struct{}), marks: make(chan control.Usage, 2),
	}
	if l.RateRPS > 0 {
		g.spin = l.SpinNS
	}
	target, err := resolve(l.Network, l.Address)
	if err != nil {
		return nil, err
	}
	if g.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create an eventfd: %w", err)
	}
	for i := range g.threads {
		w, err := g.newWorker(i, target.own())
		if err != nil {
			g.close()
			return nil, err
		}
		g.workers = append(g.workers, w)
	}
	return g, nil
}

// newWorker makes thread number i of this generator. Connections are dealt out evenly and in order, and the rate in
// proportion to those of them that ask.
func (g *generator) newWorker(i int, target address) (*worker, error) {
	l := g.load
	from, to := share(l, i)
	conns, all := to-from, l.Parts*l.Threads
	w := &worker{
		generator: g, number: i, address: target, firstConn: from,
		depth: int32(l.Depth), timeout: l.TimeoutNS, openLoop: l.RateRPS > 0,
		conns: make([]conn, conns), flights: make([]flight, conns*l.Depth), schedule: schedule{next: never},
		in: make([]byte, workloads.MaxUnread+readSize), lastFailure: closed, alarm: never,
		tally: newThreadTally(l, g.classes), classed: len(g.classes) > 0,
	}
	if askers := asks(g.roles[from:to]); w.openLoop && askers > 0 {
		rate := l.RateRPS * float64(askers) / float64(asks(g.roles))
		w.schedule = newSchedule(l, rate, l.Part*l.Threads+i, all)
		w.idle = newIdle(askers * l.Depth)
		_, longest := Longest(l)
		w.spacing = newSpacing(l, w.schedule.gap, int64(longest))
	}
	for j := range w.conns {
		c := &w.conns[j]
		*c = conn{first: int32(j * l.Depth), role: g.roles[from+j]}
		if c.role == workloads.Asks {
			c.parked = int32(l.Depth)
		}
	}
	var err error
	if w.poller, err = newPoller(); err != nil {
		return nil, err
	}
	if errno := w.poller.watch(unix.EPOLL_CTL_ADD, int32(g.bell), bellIndex, 0, unix.EPOLLIN); errno != 0 {
		unix.Close(w.poller.fd)
		return nil, fmt.Errorf("watch an eventfd: %w", errno)
	}
	return w, nil
}

// share returns which connections of the whole load are those of thread i of this generator. All threads of all generators
// stand in one row.
func share(l control.Load, i int) (from, to int) {
	at, all := l.Part*l.Threads+i, l.Parts*l.Threads
	return l.Conns * at / all, l.Conns * (at + 1) / all
}

// own returns the roles of this generator's connections.
func (g *generator) own() []workloads.Role {
	from, _ := share(g.load, 0)
	_, to := share(g.load, g.threads-1)
	return g.roles[from:to]
}

// bellIndex stands for the eventfd where an event's index of a connection would be.
const bellIndex = -1

// close gives back what newGenerator took.
func (g *generator) close() {
	unix.Close(g.bell)
	for _, w := range g.workers {
		unix.Close(w.poller.fd)
	}
}

// newClient makes the requesting half of a connection. It is rare: once for each, and again for one that broke.
func (g *generator) newClient(conn int) workloads.Client {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clients.NewClient(conn)
}

// stop ends the load before its time. Nobody reads the eventfd, so each thread hears it once, whenever it next waits.
func (g *generator) stop() {
	g.cut.Store(true)
	_, _ = unix.Write(g.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// run goes through the phases of a load.
func (g *generator) run(h Hooks) (control.LoadResult, error) {
	var threads, loads sync.WaitGroup
	defer threads.Wait()
	defer close(g.hold)
	loads.Add(g.threads)
	g.drained.Add(g.threads)
	g.asking.Store(int64(g.threads))
	connected := make(chan error, g.threads)
	for _, w := range g.workers {
		threads.Go(func() { w.live(connected, loads.Done) })
	}
	err := g.connect(connected)
	if err == nil && h.Ready != nil {
		err = h.Ready()
	}
	if err != nil {
		g.stop()
		close(g.started)
		return control.LoadResult{}, err
	}
	g.plan(h.Start)
	close(g.started)
	go func() { loads.Wait(); close(g.marks) }()
	window, err := g.watchWindow(h)
	if err != nil {
		return control.LoadResult{}, err
	}
	result, err := g.result(window)
	if err == nil && h.Drained != nil {
		h.Drained(result)
	}
	return result, err
}

// connect waits until all threads have opened their connections. When one cannot, the others are stopped too.
func (g *generator) connect(connected chan error) error {
	var first error
	for range g.workers {
		if err := <-connected; err != nil && (first == nil || errors.Is(first, errStopped)) {
			first = err
			g.stop()
		}
	}
	return first
}

// plan sets the times. The start lies a little ahead so that all threads are there. A time that was asked for and has
// passed, or that lies so far ahead that it must be another machine's clock, is not kept.
func (g *generator) plan(start func() int64) {
	now, ahead := int64(time.Since(g.base)), startAhead.Nanoseconds()
	if start != nil {
		if asked := start() - clockNS(unix.CLOCK_MONOTONIC); asked > ahead && asked < startFar.Nanoseconds() {
			ahead = asked
		}
	}
	g.start = now + ahead
	g.phases.plan(g.load, g.start, g.threads)
}

const (
	startAhead = 2 * time.Millisecond
	startFar   = time.Second
)

// watchWindow calls the hooks at the edges of the window and returns what the generator used between them. It returns when
// all threads have ended their load.
func (g *generator) watchWindow(h Hooks) (window control.Usage, err error) {
	if first, ok := <-g.marks; ok {
		before := collections()
		call(h.Measuring, first)
		if second, ok := <-g.marks; ok {
			window = used(first, second)
			window.Counters = map[string]int64{"gc_cycles": collections() - before}
			call(h.Measured, second)
			window.Memory = memory()
		}
	}
	for range g.marks { // until the threads have ended
	}
	for _, w := range g.workers {
		err = errors.Join(err, w.broken)
		if window.Counters != nil {
			window.Counters["reopened"] += int64(w.reopened)
		}
	}
	return window, err
}

func call(hook func(control.Usage), u control.Usage) {
	if hook != nil {
		hook(u)
	}
}

// result adds up what the threads have counted.
func (g *generator) result(window control.Usage) (control.LoadResult, error) {
	total, end := newThreadTally(g.load, g.classes), g.workers[0].t1
	for _, w := range g.workers {
		total.add(w.tally)
		if w.now < end { // stopped before the time
			end, g.wasCut = w.now, true
		}
	}
	r, err := total.result()
	g.addRoles(&r, total)
	t0 := g.workers[0].t0
	r.WindowNS, r.WarmupNS = max(0, end-t0), min(t0, end)-g.start
	r.Steady, r.Extended = g.phases.verdict(g.load), g.phases.extended
	r.Windows = windows(g.workers, t0-g.start, end-g.start)
	r.Usage, r.Arrivals = window, g.arrivals()
	return r, err
}

package threads

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/internal/nonblock"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// PoolSpec describes the variant with fewer threads than connections.
//
// A fixed number of threads wait in one epoll for whichever connection has something to do next, as in most servers that
// have threads and many connections. Each connection is registered with EPOLLONESHOT: one event, to one thread, which
// then has the connection until it gives it back. So a session never runs on two threads at once, and no queue of ours
// hands connections over; the kernel's list of ready ones is the queue.
//
// Sockets do not block here: a thread never waits for one connection's input or for a slow reader. It does wait, as the
// threads of pools do, while a session sleeps or calls, and that is what a pool costs: with as many sessions asleep as it
// has threads, nobody is served. Who burns is preempted by the kernel, but its thread is not free meanwhile.
//
// A request costs four system calls: epoll_wait, read, write, and epoll_ctl to give the connection back.
//
// Note: to take several events at once would save calls and make connections wait behind others in one thread's hands
// while another thread is idle. To try a read before giving the connection back would cost every request a call to save
// one for those that are pipelined.
var PoolSpec = &engine.Spec{
	Name:    "threads",
	Variant: "pool",
	Summary: "the kernel decides: a fixed number of OS threads share all connections",
	Options: option.Set{
		{Name: "size", Kind: option.Int, Default: "0", Min: 0, Max: maxThreads,
			Help: "threads; 0 takes 4 per CPU of the server: a thread that sleeps or calls is lost to the others meanwhile, so a pool has more threads than CPUs"},
	},
	Procs:   func(c engine.Config) int { return poolSize(c) + sparePs },
	Sources: []string{poolGo, driveGo, callGo, roomGo}, // a sleep is that of drive.go
	New:     NewPool,
}

const (
	// threadsPerCPU is the default size: with three threads of four asleep the CPU still has work.
	threadsPerCPU = 4
	// turnOps is how many ops of one connection a thread carries out before the others that are ready have their turn.
	turnOps = 64
	// readBytes is the most bytes of one read.
	readBytes = 64 << 10
	// keptOut is the size up to which a thread keeps its memory for output.
	keptOut = workloads.FlushAt + 4096
)

// Pool serves all connections with a fixed number of threads.
type Pool struct {
	life
	workers []*poolWorker
	poll    int // epoll
	bell    int // eventfd on it, which every thread hears once it is rung

	mu    sync.RWMutex // guards the rest
	conns []*pooled    // by descriptor
}

// NewPool makes an engine. Its threads are made by Prepare.
func NewPool(c engine.Config) (engine.Engine, error) {
	n := poolSize(c)
	if err := checkThreads(n); err != nil {
		return nil, err
	}
	p := &Pool{}
	if err := p.begin(c); err != nil {
		return nil, err
	}
	for range n {
		p.workers = append(p.workers, newPoolWorker(p))
	}
	return p, nil
}

func poolSize(c engine.Config) int {
	if n := c.Options.Int("size"); n > 0 {
		return n
	}
	return threadsPerCPU * max(1, c.CPUs)
}

// Prepare opens the epoll and makes the threads.
func (p *Pool) Prepare(l *engine.Listener, srv workloads.Server) error {
	p.srv = srv
	if err := p.openPoll(l); err != nil {
		l.Close()
		return err
	}
	p.listener = l
	var threads []func(func())
	for _, w := range p.workers {
		threads = append(threads, w.run)
	}
	p.start(threads)
	return nil
}

// openPoll opens the epoll descriptor with the listener, one thread at a time, and the bell on its list.
func (p *Pool) openPoll(l *engine.Listener) (err error) {
	if p.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create1: %w", err)
	}
	if p.bell, err = newBell(); err != nil {
		_ = unix.Close(p.poll)
		return err
	}
	errno := nonblock.Control(p.poll, unix.EPOLL_CTL_ADD, p.bell, unix.EPOLLIN, 0)
	if errno == 0 {
		errno = nonblock.Control(p.poll, unix.EPOLL_CTL_ADD, l.FD, unix.EPOLLIN|unix.EPOLLONESHOT, 0)
	}
	if errno != 0 {
		p.closePoll()
		return fmt.Errorf("epoll_ctl: %w", errno)
	}
	return nil
}

func (p *Pool) closePoll() {
	_ = unix.Close(p.bell)
	_ = unix.Close(p.poll)
}

// Serve serves until Stop, or until a thread cannot go on.
func (p *Pool) Serve(l *engine.Listener, srv workloads.Server) error {
	if p.listener == nil {
		if err := p.Prepare(l, srv); err != nil {
			return err
		}
	}
	err := p.await()
	ring(p.bell) // and nobody silences it
	var all []*hands
	for _, w := range p.workers {
		all = append(all, &w.hands)
	}
	p.end(all)
	for _, c := range p.conns { // those that no thread had
		if c != nil {
			p.close(c)
		}
	}
	p.closePoll()
	l.Close()
	return err
}

// add makes room for a connection in the list.
func (p *Pool) add(c *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.conns) <= c.fd {
		p.conns = append(p.conns, nil)
	}
	p.conns[c.fd] = c
}

// find returns the connection that an event is for; nil when it has been closed, even if another one has its descriptor.
func (p *Pool) find(ev unix.EpollEvent) *pooled {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if c := p.conns[ev.Fd]; c != nil && c.tag == ev.Pad {
		return c
	}
	return nil
}

// close closes a connection that the caller has. The kernel takes it off epoll's list. It stays taken, so that whoever
// still knows it leaves its descriptor alone, which may soon be somebody else's.
func (p *Pool) close(c *pooled) {
	if c.inbox != nil {
		p.host.room.Leave(c.inbox.seat)
	}
	if c.patience != nil {
		c.patience.Stop()
	}
	p.mu.Lock()
	p.conns[c.fd] = nil
	p.mu.Unlock()
	c.close()
	p.open.Add(-1)
}

// Counters returns the threads, the connections, how often a thread was given one, and what rooms and calls count.
func (p *Pool) Counters() map[string]int64 {
	c := p.counters(len(p.workers))
	for _, w := range p.workers {
		c["turns"] += w.turns.Load()
	}
	return c
}

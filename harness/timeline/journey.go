package timeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// journey is the client's side of a traced trial: connections, and all requests with their times. Times are of
// CLOCK_MONOTONIC, which the server's process reads too.
type journey struct {
	callers     []*caller
	timeout     time.Duration
	from, to    int64         // the span that is drawn
	first, last control.Usage // of the server, at both ends of it
	pids        []int
	lateNS      int64 // how late a request of the span was sent, or a usage read, at most
}

// caller is one connection of the client.
type caller struct {
	net.Conn
	classes []string
	failed  chan error // the first thing that went wrong

	mu       sync.Mutex // guards the rest
	client   workloads.Client
	requests []record.Request // with absolute times; in their order
	answered int
}

// due is a request to be: when, and on which connection.
type due struct {
	at   int64
	conn int
}

// travel makes the load of a trial and returns what became of it. The connections are still open then.
func travel(ctx context.Context, w *workloads.Workload, job plan.Job, ready *control.Event) (*journey, error) {
	clients, err := clientsOf(w, job)
	if err != nil {
		return nil, err
	}
	j := &journey{timeout: job.Point.Duration("timeout"), pids: ready.PIDs}
	err = j.open(ctx, clients, w.Classes, job.Point, ready.Address)
	if err == nil {
		err = j.load(ctx, job)
	}
	if err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

// clientsOf makes the requesting half, and refuses what is more than asking and being answered.
func clientsOf(w *workloads.Workload, job plan.Job) (workloads.Clients, error) {
	values, err := w.Options.Resolve(job.Point.Options(w.Name))
	if err != nil {
		return nil, misuse.Errorf("workload %s: %w", w.Name, err)
	}
	clients, err := w.NewClients(values, job.Seed)
	if err != nil {
		return nil, misuse.Errorf("workload %s: %w", w.Name, err)
	}
	_, roles := clients.(workloads.Roles)
	client := clients.NewClient(0)
	_, ends := client.(workloads.Ending)
	_, listens := client.(workloads.Listener)
	if roles || ends || listens {
		return nil, misuse.Errorf("a timeline cannot show workload %s: it takes one in which every connection asks and is answered", w.Name)
	}
	return clients, nil
}

// open opens the connections one after the other, with an answered request on each: in this order the server numbers them.
func (j *journey) open(ctx context.Context, clients workloads.Clients, classes []string, point record.Point, address string) error {
	for i := range int(point.Number("conns")) {
		conn, err := net.DialTimeout(point.Text("transport"), address, j.timeout)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		c := &caller{Conn: conn, classes: classes, client: clients.NewClient(i), failed: make(chan error, 1)}
		j.callers = append(j.callers, c)
		go c.listen()
		if err := c.send(j.timeout); err != nil {
			return err
		}
		if err := j.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// await waits until all requests are answered. Those that are not within the timeout stay without a reply.
func (j *journey) await(ctx context.Context) error {
	for end := time.Now().Add(j.timeout); time.Now().Before(end); time.Sleep(50 * time.Microsecond) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		waiting := false
		for _, c := range j.callers {
			select {
			case err := <-c.failed:
				return err
			default:
			}
			waiting = waiting || c.waiting()
		}
		if !waiting {
			return nil
		}
	}
	return nil
}

// load sends what is due, reads the server's CPU time at both ends of the span, and waits for the last replies.
func (j *journey) load(ctx context.Context, job plan.Job) error {
	// A thread of its own can sleep until a moment, to within some tens of microseconds; Go's timers cannot.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := monotonic() + int64(5*time.Millisecond)
	j.from = start + int64(job.Point.Duration("warmup"))
	j.to = j.from + int64(job.Point.Duration("duration"))
	due, err := schedule(job, start, j.to, len(j.callers))
	if err != nil {
		return err
	}
	for _, d := range due {
		if err := j.edges(ctx, d.at); err != nil {
			return err
		}
		sleepUntil(ctx, d.at)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if d.at >= j.from {
			j.lateNS = max(j.lateNS, monotonic()-d.at)
		}
		if err := j.callers[d.conn].send(j.timeout); err != nil {
			return err
		}
	}
	if err := j.edges(ctx, j.to+1); err != nil {
		return err
	}
	return j.await(ctx)
}

// edges reads the server's CPU time at those edges of the span that come before a time.
func (j *journey) edges(ctx context.Context, before int64) error {
	for _, edge := range []struct {
		at   int64
		read *control.Usage
	}{{j.from, &j.first}, {j.to, &j.last}} {
		if edge.at >= before || edge.read.MonotonicNS != 0 {
			continue
		}
		sleepUntil(ctx, edge.at)
		u, err := proc.Times(j.pids)
		if err != nil {
			return err
		}
		*edge.read = u
		j.lateNS = max(j.lateNS, u.MonotonicNS-edge.at)
	}
	return nil
}

// cpuNS is the CPU time that the server used in the span. The readings at its ends come a little late, so it is what was used
// between these, in proportion.
func (j *journey) cpuNS() int64 {
	elapsed := j.last.MonotonicNS - j.first.MonotonicNS
	if elapsed <= 0 {
		return 0
	}
	return int64(float64(j.last.CPUNS-j.first.CPUNS) * float64(j.to-j.from) / float64(elapsed))
}

// schedule draws when requests are due and on which connection, from the seed alone. Connections take turns, in an order that
// is shuffled anew for each round, so that few requests come while the one before is under way. A rate that is not
// above 0 has no schedule: all requests would be due at once, or none, and the list would have no end.
func schedule(job plan.Job, from, to int64, conns int) ([]due, error) {
	random := rand.New(rand.NewPCG(job.Seed, 1))
	rate := job.Point.Number("rate")
	if !(rate > 0) {
		return nil, misuse.Errorf("rate %v: a schedule takes one above 0", rate)
	}
	gap := 1e9 / rate
	draw := random.ExpFloat64
	if job.Point.Text("arrivals") == "fixed" {
		draw = func() float64 { return 1 }
	}
	var all []due
	var round []int
	for at := draw() * gap; from+int64(at) < to; at += draw() * gap {
		if len(round) == 0 {
			round = random.Perm(conns)
		}
		all = append(all, due{from + int64(at), round[0]})
		round = round[1:]
	}
	return all, nil
}

// close closes the connections, which ends those who listen.
func (j *journey) close() {
	for _, c := range j.callers {
		c.Close()
	}
}

// requests lists what was sent by connection and time, for those that were under way in the span. Times count from its start.
func (j *journey) requests() []record.Request {
	var all []record.Request
	for i, c := range j.callers {
		c.mu.Lock()
		for _, r := range c.requests {
			if r.ArrivedNS >= j.to || r.RepliedNS != 0 && r.RepliedNS <= j.from {
				continue
			}
			r.Task, r.ArrivedNS = i, r.ArrivedNS-j.from
			if r.RepliedNS != 0 {
				r.RepliedNS -= j.from
			}
			all = append(all, r)
		}
		c.mu.Unlock()
	}
	slices.SortStableFunc(all, func(a, b record.Request) int { return int(a.ArrivedNS - b.ArrivedNS) })
	return all
}

// send makes the next request. Its time is taken before the call: the server may run before it returns.
func (c *caller) send(timeout time.Duration) error {
	c.mu.Lock()
	text := c.client.Request(nil)
	c.requests = append(c.requests, record.Request{ArrivedNS: monotonic()})
	c.mu.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	if _, err := c.Write(text); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	return nil
}

func (c *caller) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered < len(c.requests)
}

// listen checks replies and writes down when they came, until the connection is closed.
func (c *caller) listen() {
	buffer := make([]byte, 2*workloads.MaxUnread)
	kept := 0
	for {
		n, err := c.Read(buffer[kept:])
		at := monotonic()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				c.failed <- fmt.Errorf("read a reply: %w", err)
			}
			return
		}
		rest, err := c.check(buffer[:kept+n], at)
		if err == nil && len(rest) == len(buffer) {
			err = fmt.Errorf("%d bytes that are no reply", len(rest))
		}
		if err != nil {
			c.failed <- fmt.Errorf("check a reply: %w", err)
			return
		}
		kept = copy(buffer, rest)
	}
}

// check gives what has come to the client and returns what is left.
func (c *caller) check(in []byte, at int64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(in) > 0 && c.answered < len(c.requests) {
		n, done, err := c.client.Reply(in)
		if err != nil {
			return nil, err
		}
		in = in[n:]
		if done {
			r := &c.requests[c.answered]
			r.RepliedNS = at
			if classed, ok := c.client.(workloads.Classed); ok {
				r.Class = c.classes[classed.Class()]
			}
			c.answered++
		} else if n == 0 {
			break
		}
	}
	return in, nil
}

// monotonic reads the clock that all processes of the machine share.
func monotonic() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic("timeline: a Linux without CLOCK_MONOTONIC: " + err.Error())
	}
	return now.Nano()
}

// sleepUntil sleeps until a moment, or until ctx ends, for which it looks now and then.
func sleepUntil(ctx context.Context, at int64) {
	const look = int64(50 * time.Millisecond)
	for now := monotonic(); now < at && ctx.Err() == nil; now = monotonic() {
		end := unix.NsecToTimespec(min(at, now+look))
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &end, nil) // whatever wakes it, the loop looks again
	}
}

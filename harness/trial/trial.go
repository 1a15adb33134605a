// Package trial measures one point once.
//
// A trial is two fresh processes: the server on its CPUs, the load generator on others, and this process, which tells them
// when and sleeps otherwise. Fresh, because a process that has run before differs from one that has not (heap size, thread
// pools, memory layout), and runs of one process agree with each other better than runs of two, which makes any
// difference look significant.
//
//	start server -> ready -> start generator, which connects -> ready -> go -> warm-up
//	-> measuring: sample the server -> measured: sample it again -> result -> stop both
//
// Every wait has a deadline that follows from the point. A trial that fails leaves a record that says why.
//
// Limits: both processes are on this machine.
package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/flags"
	"turnlab/harness/load"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// DefaultGrace is how much longer than planned a step of a trial may take: processes start, thousands of threads are made.
const DefaultGrace = 20 * time.Second

// A Lab is what the trials of a run have in common.
type Lab struct {
	Run          string               // id of the run
	Catalog      plan.Catalog         // to find the engine's environment and command
	Program      string               // the binary of the children; empty means this one
	Calibrations []record.Calibration // of the generator, as far as the run has any
	Grace        time.Duration
}

// errServerEnded ends the generator of a trial whose server is gone.
var errServerEnded = errors.New("the server has ended")

// Measure carries out a trial. The error is nil even when the trial failed, which its record then says; it is not nil when
// the user asked for something that cannot be (see package misuse) or when ctx has ended, and then there is no record.
func (l *Lab) Measure(ctx context.Context, j plan.Job) (*record.Trial, error) {
	began := time.Now()
	t := &record.Trial{
		Schema: record.Schema, Run: l.Run, Block: j.Block, Trial: j.Trial, Point: j.Point, Seed: j.Seed, Repeat: j.Repeat,
		StartedUnix: began.UnixNano(),
	}
	measure := l.measure
	switch t.Mode {
	case record.Primitive:
		measure = l.measureMicro
	case record.Open:
		if rps, known := GenMax(t.Point, l.Calibrations); known {
			t.GenMaxRPS = rps
		}
	}
	err := measure(ctx, t)
	if err == nil {
		coolDown(ctx, t.Point)
		t.TookSeconds = time.Since(began).Seconds()
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case misuse.Is(err):
		return nil, fmt.Errorf("%s %s: %w", t.Label(), t.Workload, err)
	case err != nil:
		t.Failed = err.Error()
	default:
		flags.Judge(t)
	}
	return t, nil
}

func (l *Lab) measure(ctx context.Context, t *record.Trial) error {
	address, cleanUp, err := control.ListenAddress(t.Text("transport"))
	if err != nil {
		return err
	}
	defer cleanUp()
	up, err := l.startUpstream(ctx, t)
	if err != nil {
		return err
	}
	defer up.end()
	sockets := proc.SocketMemory()
	server, ready, err := l.startServer(ctx, t, address, up.names)
	if err != nil {
		return err
	}
	defer server.Kill()
	// A server that dies leaves the generator with a timeout for each request. The trial is lost, so it ends at once.
	loadCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var over atomic.Bool // the load is: now the server may end
	go func() {
		select {
		case <-server.Gone():
			if !over.Load() {
				cancel(errServerEnded)
			}
		case <-loadCtx.Done():
		}
	}()
	g, err := l.load(ctx, loadCtx, t, server, watched{ready, up.pids}, sockets)
	if errors.Is(err, errServerEnded) {
		// Why is the server's to say: in an event that nobody has heard yet, or in its last words.
		_, err = server.Await(ctx, "anything more", l.grace())
	}
	if err != nil {
		return err
	}
	defer g.Kill()
	// The server is told first: eight thousand of its threads would wake for every connection that the generator closes. Then
	// the kernel takes both processes back side by side.
	over.Store(true)
	if err := server.Dismiss(ctx, l.grace()); err != nil {
		return err
	}
	if err := g.Stop(ctx, l.grace()); err != nil {
		return err
	}
	return server.Ended(ctx, l.grace())
}

func (l *Lab) grace() time.Duration {
	if l.Grace > 0 {
		return l.Grace
	}
	return DefaultGrace
}

// startServer starts the server and waits until clients may connect.
func (l *Lab) startServer(ctx context.Context, t *record.Trial, address string, upstreams []string) (*control.Child, *control.Event, error) {
	spec, err := l.Catalog.Engine(t.Label())
	if err != nil {
		return nil, nil, err
	}
	child, err := control.Spawn(ctx, control.Command{
		Name: "server", Args: []string{"child", "serve"}, Program: l.Program,
		Environ: append([]string{padding(t.Seed, t.Trial)}, spec.Environ...), Start: pinned(t.Text("server-cpus")),
	})
	if err != nil {
		return nil, nil, err
	}
	ready, err := child.Ask(ctx, control.Request{Do: control.Start, Server: &control.Server{
		Engine: t.Label(), Workload: t.Workload, Network: t.Text("transport"), Address: address,
		Options: t.Options(t.Engine), Settings: t.Options(t.Workload), Conns: int(t.Number("conns")), Command: spec.Command,
		Upstreams: upstreams,
	}}, control.Ready, l.grace())
	return child, ready, err
}

// padding lengthens the environment by a different amount in every trial. The environment lies above the stack, so its
// length moves the stack, and with it what shares a cache line or a page: one layout measured ten times would be measured
// precisely and still be one layout (Mytkowicz et al., "Producing wrong data without doing anything obviously wrong!").
func padding(seed uint64, trial int) string {
	n := rand.New(rand.NewPCG(seed, uint64(trial))).IntN(4096)
	return "TURNLAB_PADDING=" + strings.Repeat("x", n)
}

// pinned returns a starter that puts the child on the given CPUs from its first instruction.
func pinned(cpus string) func(*exec.Cmd) error {
	return func(cmd *exec.Cmd) error {
		set, err := proc.ParseCPUs(cpus)
		if err != nil {
			return err
		}
		return proc.Start(cmd, set)
	}
}

// load starts the generators, sees them through their phases and writes down what was measured. They live in ctx, which
// ends with the server; the server is spoken to in the trial's own, or its last words would be cut off.
func (l *Lab) load(
	trial, ctx context.Context, t *record.Trial, server *control.Child, w watched, sockets map[string]uint64,
) (g *generators, err error) {
	if g, err = l.startGenerators(ctx, t, w.ready.Address); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.Kill()
		}
	}()
	idle, err := l.memory(trial, server, sockets)
	if err != nil {
		return g, err
	}
	edges, err := l.window(trial, ctx, t, g, server, w)
	if err != nil {
		return g, err
	}
	if edges.memory, err = l.memory(trial, server, sockets); err != nil {
		return g, err
	}
	result, err := g.result(ctx, 2*t.Duration("timeout")+l.grace()) // for late replies and for silent connections
	if err != nil {
		return g, err
	}
	Record(t, result)
	t.IdleMemory = idle
	t.ApartNS = g.apartNS
	edges.addTo(t)
	return g, nil
}

// LoadOf returns the load that a trial asks for, on a server that listens at address.
func LoadOf(t *record.Trial, address string) control.Load {
	return control.Load{
		Workload: t.Workload, Settings: t.Options(t.Workload), Network: t.Text("transport"), Address: address,
		Conns: int(t.Number("conns")), Depth: int(t.Number("depth")), Threads: int(t.Number("threads")),
		RateRPS: t.Number("rate"), Arrivals: t.Text("arrivals"), Seed: t.Seed, WarmupNS: int64(t.Duration("warmup")),
		WindowNS: int64(t.Duration("duration")), TimeoutNS: int64(t.Duration("timeout")),
		Settle: t.Text("settle") == "on", Extend: percentile(t.Text("extend")), Parts: int(t.Number("generators")),
		SpinNS: int64(t.Duration("spin")),
	}
}

// percentile is what the window is to be extended for, if anything.
func percentile(extend string) string {
	if extend == "off" {
		return ""
	}
	return extend
}

// watched is which processes are looked at, besides the generator's: the server, as it said when it was ready, and what it
// calls.
type watched struct {
	ready    *control.Event
	upstream []int
}

// edges is what was seen at both ends of the measured window.
type edges struct {
	opened, closed edge
	calls          callCount      // of the warm-up; empty where they cannot be counted
	began          *control.Event // the window
	memory         map[string]uint64
	cpus           []int   // the trial's, as far as they can be watched
	was, is        cpuTime // theirs
	lateNS         int64   // how long after its edge the later of the two samples was taken; 0 where that cannot be known
}

// edge is the server at one end of the window.
type edge struct {
	times    *control.Usage // CPU time, and when it was read: from outside if it says which processes are its, or else its sample's
	upstream *control.Usage // the same of the server that it calls; nil without one
	accounts accounts
	sample   *control.Usage // what it told of itself, which may be some time later
}

// window samples the server and the CPUs at both edges of the measured window. Memory is slow to read and would disturb
// inside it. It is read before the load and again after the window, while the connections are still open.
func (l *Lab) window(trial, ctx context.Context, t *record.Trial, g *generators, server *control.Child, w watched) (e edges, err error) {
	warmup, duration := load.Longest(LoadOf(t, ""))
	calls := countCalls(ctx, w.ready.PIDs, g.pids(), t.Duration("warmup"))
	opened, err := g.begin(ctx, warmup+l.grace())
	if err != nil {
		return e, err
	}
	e.calls, e.began = <-calls, opened
	if e.opened, err = l.look(trial, server, g, w); err != nil {
		return e, err
	}
	var seen, seenAgain bool
	e.cpus = flags.CPUs(t)
	e.was, seen = readCPUs(e.cpus)
	closed, err := g.edge(ctx, control.Measured, duration+l.grace())
	if err != nil {
		return e, err
	}
	if e.closed, err = l.look(trial, server, g, w); err != nil {
		return e, err
	}
	if e.is, seenAgain = readCPUs(e.cpus); !seen || !seenAgain {
		e.cpus = nil
	}
	e.lateNS = max(behind(opened, e.opened), behind(closed, e.closed))
	return e, nil
}

// memory reads the server's memory, and by how much the kernel's for sockets has grown since before it started.
func (l *Lab) memory(ctx context.Context, server *control.Child, sockets map[string]uint64) (map[string]uint64, error) {
	full, err := l.sample(ctx, server, true)
	if err != nil {
		return nil, err
	}
	if full.Memory != nil {
		maps.Copy(full.Memory, proc.Grown(sockets, proc.SocketMemory()))
	}
	return full.Memory, nil
}

// look reads the server's times, then what the kernel has counted of both processes, and then asks the server for its
// counters, which may take long.
func (l *Lab) look(ctx context.Context, server *control.Child, g *generators, w watched) (edge, error) {
	var e edge
	pids := w.ready.PIDs
	if len(pids) > 0 {
		times, err := proc.Times(pids)
		if err != nil {
			return e, err
		}
		e.times = &times
	}
	if len(w.upstream) > 0 {
		times, err := proc.Times(w.upstream)
		if err != nil {
			return e, err
		}
		e.upstream = &times
	}
	e.accounts = takeAccounts(pids, g.pids())
	var err error
	if e.sample, err = l.sample(ctx, server, false); err == nil && e.times == nil {
		e.times = e.sample
	}
	return e, err
}

// behind returns how long after an edge of the window the server took its sample. The clock is the machine's, so all
// processes read the same.
func behind(event *control.Event, e edge) int64 {
	if event.Usage == nil {
		return 0
	}
	return e.sample.MonotonicNS - event.Usage.MonotonicNS
}

func (e edges) addTo(t *record.Trial) {
	t.Memory, t.SampleLateNS = e.memory, e.lateNS
	addTimes(t, e.opened.times, e.closed.times)
	if late := float64(e.lateNS) / 1e9; late > flags.LateMax*t.WindowSeconds {
		t.Switches = nil // of another time than the window's
	} else {
		addCounts(t, e.opened.sample, e.closed.sample)
	}
	addAccounts(t, e.opened.accounts, e.closed.accounts)
	e.calls.since(e.began, time.Duration(t.WarmupSeconds*1e9)).addTo(t)
	addUpstream(t, e.opened.upstream, e.closed.upstream)
	if len(e.cpus) > 0 {
		addMachine(t, len(e.cpus), e.was, e.is)
	}
}

func (l *Lab) sample(ctx context.Context, server *control.Child, memory bool) (*control.Usage, error) {
	event, err := server.Ask(ctx, control.Request{Do: control.Sample, Memory: memory}, control.Sampled, l.grace())
	if err != nil {
		return nil, err
	}
	if event.Usage == nil {
		return nil, errors.New("the server's sample is empty")
	}
	return event.Usage, nil
}

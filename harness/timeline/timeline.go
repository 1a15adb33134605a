// Package timeline shows who ran when.
//
// A figure says that an innocent request waited 20 ms; a timeline shows for whom. One short trial per engine is traced from
// within the server (see package tracer): a small load comes in at times that are the same for every engine, and what runs
// is told by whoever decides it, a cooperative executor, Go's runtime or the kernel. The result is a [record.Timeline] for
// each, drawn by package reports, and a file for trace viewers.
//
// The load is not that of package load: it is a few hundred requests, whose every time is kept, and a connection gets the
// same requests under every engine, however late the replies, so that the rows of two pictures can be laid side by side.
// Connections are opened one after the other, with a request on each, so that client and server number them alike.
//
// A request arrives when it is sent: on one machine the bytes are in the server's socket before the call returns. So a
// task whose request has come and that does not run is ready, whether its scheduler has noticed or not; that it has not is
// part of what the picture shows.
//
// Limits: this machine only, because clocks of two do not agree; engines with a task per connection; workloads in which a
// client asks and is answered. Tracing slows the server down (about a microsecond for each request), so nothing here
// is a measurement.
package timeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/timeline/tracer"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// Bounds of what is drawn. A picture of more would show less.
const (
	ConnsMax    = 256
	DurationMax = 2 * time.Second
	RequestsMax = 20_000
)

// Sweep returns the points of the picture that belongs to the question of the hogs: a few of them among innocents, at less
// than half of one CPU, long enough for a scheduler's time slice to end within. Of engine coop there are two: to the end,
// and giving way.
//
// The seed is chosen for the picture, among those in which hogs come alone and two at a time and the last has ended before
// the span does. As long as nobody takes a picture for a measurement that is no cheating: all engines meet the same requests.
func Sweep(engines []string) plan.Sweep {
	s := plan.Sweep{Engines: engines, Workloads: []string{"hog"}, Blocks: 1, Seed: 2249, Axes: []plan.Axis{
		{Name: "conns", Values: "12"}, {Name: "rate", Values: "500"},
		{Name: "warmup", Values: "50ms"}, {Name: "duration", Values: "200ms"},
		{Name: "hog.share", Values: "4%"}, {Name: "hog.burst", Values: "20ms"},
	}}
	for _, label := range engines {
		if label == "coop" {
			s.Axes = append(s.Axes, plan.Axis{Name: "coop.yield", Values: "0s,100us"})
		}
	}
	return s
}

// Make makes those timelines that belong to the question of the hogs and that the run in dir does not have yet, on the CPUs that
// the run's servers and generators had.
func Make(ctx context.Context, c plan.Catalog, engines []string, of *record.Run, dir string) error {
	p, have, err := forRun(c, engines, of, dir)
	if err != nil {
		return err
	}
	_, err = Record(ctx, p, Options{Dir: dir, have: have})
	return err
}

// Missing lists the timelines that Make would make, by name.
func Missing(c plan.Catalog, engines []string, of *record.Run, dir string) ([]string, error) {
	if len(engines) == 0 {
		return nil, nil
	}
	p, have, err := forRun(c, engines, of, dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, point := range p.Points {
		if name := nameOf(p, point); !have[name] {
			names = append(names, name)
		}
	}
	return names, nil
}

// forRun plans the timelines of a run, and tells which of them it has, by name.
func forRun(c plan.Catalog, engines []string, of *record.Run, dir string) (p *plan.Plan, have map[string]bool, err error) {
	s := Sweep(engines)
	s.ServerCPUs, s.ClientCPUs = of.Host.ServerCPUs, of.Host.ClientCPUs
	if p, err = s.Resolve(c, proc.Allowed()); err != nil {
		return nil, nil, err
	}
	made, err := record.LoadTimelines(dir)
	have = map[string]bool{}
	for _, t := range made {
		have[t.Name] = true
	}
	return p, have, err
}

// Options say how timelines are recorded.
type Options struct {
	Dir     string                     // of the run
	Program string                     // the binary of the server child; empty means this one
	Told    func(*record.Timeline)     // is told of each timeline when it is there; may be nil
	Grace   time.Duration              // how much longer than planned a step may take; 0 is 20 s
	have    map[string]bool            // timelines that are there already, by name; they are not made again
	raw     func(tracer.Raw, *journey) // for tests
}

const defaultGrace = 20 * time.Second

// Record carries out traced trials of each point of a plan, in their order, and keeps a timeline of each in the run's folder.
// The plan's blocks do not matter: a picture is of one trial.
func Record(ctx context.Context, p *plan.Plan, o Options) ([]record.Timeline, error) {
	if err := Check(p); err != nil {
		return nil, err
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	back, err := stepAside(p.ClientCPUs)
	if err != nil {
		return nil, err
	}
	defer back()
	var made []record.Timeline
	for i, point := range p.Points {
		if o.have[nameOf(p, point)] {
			continue
		}
		t, err := o.quietest(ctx, p, point)
		if err != nil {
			return made, fmt.Errorf("timeline of %s: %w", nameOf(p, point), err)
		}
		if err := o.keep(i, t); err != nil {
			return made, err
		}
		made = append(made, *t)
		if o.Told != nil {
			o.Told(t)
		}
	}
	return made, nil
}

// triesMax bounds the trials of a point.
const triesMax = 5

// quietest carries out traced trials of a point until one is not disturbed by other processes, or there were enough, and
// returns the one that was disturbed least. What the engine did has no part in that choice.
func (o Options) quietest(ctx context.Context, p *plan.Plan, point record.Point) (best *record.Timeline, err error) {
	for range triesMax {
		t, err := o.take(ctx, p, point)
		if err != nil {
			return nil, err
		}
		if best == nil || t.DisturbedNS() < best.DisturbedNS() {
			best = t
		}
		if !best.Disturbed() {
			break
		}
	}
	return best, nil
}

// stepAside keeps this process, which is the client, off the server's CPUs, and returns what undoes that.
func stepAside(cpus proc.CPUSet) (back func(), err error) {
	before := proc.Allowed()
	if err := proc.PinSelf(cpus); err != nil {
		return nil, err
	}
	return func() { _ = proc.PinSelf(before) }, nil
}

// keep writes a timeline and its form for trace viewers. The number keeps files in the order of the plan.
func (o Options) keep(number int, t *record.Timeline) error {
	name := fmt.Sprintf("%02d-%s", number+1, fileName(t.Name))
	if err := record.SaveTimeline(o.Dir, name, t); err != nil {
		return err
	}
	text, err := json.Marshal(chromeTrace(t))
	if err != nil {
		return fmt.Errorf("encode the trace of %s: %w", t.Name, err)
	}
	path := filepath.Join(o.Dir, record.TimelineDir, name+record.TraceSuffix)
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write a trace: %w", err)
	}
	return nil
}

// fileName makes a name for a file of one for people.
func fileName(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "µ", "u")
	words := strings.FieldsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.'
	})
	return strings.Join(words, "-")
}

// nameOf names a point by its engine and by what tells it from the others of its engine.
func nameOf(p *plan.Plan, point record.Point) string {
	var same []record.Point
	for _, other := range p.Points {
		if other.Label() == point.Label() {
			same = append(same, other)
		}
	}
	name := point.Label()
	for _, param := range record.Varying(same) {
		if text := point.Text(param); text != "" {
			name += ", " + strings.TrimPrefix(param, point.Engine+".") + " " + text
		}
	}
	return name
}

// methods says who tells what runs, by engine.
var methods = map[string]string{
	"coop": tracer.Polls, "coop/await": tracer.Polls,
	"preempt": tracer.Runtime, "preempt/nopreempt": tracer.Runtime,
	"threads": tracer.Switches,
}

// Check finds what cannot be drawn, before anything is made.
func Check(p *plan.Plan) error {
	for _, point := range p.Points {
		if err := check(p.Catalog, point); err != nil {
			return err
		}
	}
	return nil
}

func check(c plan.Catalog, point record.Point) error {
	if methods[point.Label()] == "" {
		return misuse.Errorf("a timeline cannot show engine %s, which has no task for each connection; there are: "+
			"coop, coop/await, preempt, preempt/nopreempt, threads", point.Label())
	}
	if point.Mode != record.Open || !(point.Number("rate") > 0) { // a share of what a closed loop does is no rate yet
		return misuse.Errorf("a timeline needs a rate: requests come at times that do not depend on the replies, such as --rate 500")
	}
	if n := point.Number("conns"); n > ConnsMax {
		return misuse.Errorf("%v connections: a timeline shows at most %d", n, ConnsMax)
	}
	all := point.Duration("warmup") + point.Duration("duration")
	if all > DurationMax {
		return misuse.Errorf("%v of warm-up and duration: a timeline takes at most %v", all, DurationMax)
	}
	if n := point.Number("rate") * all.Seconds(); n > RequestsMax {
		return misuse.Errorf("%.0f requests: a timeline shows at most %d; lower the rate or the duration", n, RequestsMax)
	}
	w, err := c.Workload(point.Workload)
	if err != nil {
		return err
	}
	for _, op := range []workloads.Kind{workloads.Call, workloads.Publish, workloads.Receive} {
		if w.Uses(op) {
			return misuse.Errorf("a timeline cannot show workload %s: its sessions %s", w.Name, op)
		}
	}
	_, err = clientsOf(w, plan.Job{Point: point})
	return err
}

// take carries out one traced trial. The plan's seed is the trial's, whatever the point: all engines meet the same requests.
func (o Options) take(ctx context.Context, p *plan.Plan, point record.Point) (*record.Timeline, error) {
	t := &record.Timeline{
		Schema: record.Schema, Name: nameOf(p, point), Point: point, SpanNS: int64(point.Duration("duration")),
	}
	w, err := p.Catalog.Workload(point.Workload)
	if err != nil {
		return nil, err
	}
	address, cleanUp, err := control.ListenAddress(point.Text("transport"))
	if err != nil {
		return nil, err
	}
	defer cleanUp()
	server, ready, err := o.startServer(ctx, p.Catalog, point, address)
	if err != nil {
		return nil, err
	}
	defer server.Kill()
	j, err := travel(ctx, w, plan.Job{Point: point, Seed: p.Seed}, ready)
	if err != nil {
		return nil, err
	}
	defer j.close()
	event, err := server.Ask(ctx, control.Request{Do: control.Trace}, control.Traced, o.Grace)
	if err != nil {
		return nil, err
	}
	var raw tracer.Raw
	if err := json.Unmarshal(event.Trace, &raw); err != nil {
		return nil, fmt.Errorf("read the server's trace: %w", err)
	}
	if o.raw != nil {
		o.raw(raw, j)
	}
	if err := convert(t, w, raw, j); err != nil {
		return nil, err
	}
	j.close()
	return t, server.Stop(ctx, o.Grace)
}

// startServer starts a server that is traced and waits until clients may connect.
func (o Options) startServer(ctx context.Context, c plan.Catalog, point record.Point, address string) (*control.Child, *control.Event, error) {
	spec, err := c.Engine(point.Label())
	if err != nil {
		return nil, nil, err
	}
	child, err := control.Spawn(ctx, control.Command{
		Name: "server", Args: []string{"child", "serve"}, Program: o.Program, Environ: spec.Environ,
		Start: func(cmd *exec.Cmd) error {
			cpus, err := proc.ParseCPUs(point.Text("server-cpus"))
			if err != nil {
				return err
			}
			return proc.Start(cmd, cpus)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	ready, err := child.Ask(ctx, control.Request{Do: control.Start, Server: &control.Server{
		Engine: point.Label(), Workload: point.Workload, Network: point.Text("transport"), Address: address,
		Options: point.Options(point.Engine), Settings: point.Options(point.Workload), Conns: int(point.Number("conns")),
		Trace: methods[point.Label()],
	}}, control.Ready, o.Grace)
	if err == nil && len(ready.PIDs) == 0 {
		err = errors.New("the server did not say which process it is")
		child.Kill()
	}
	return child, ready, err
}

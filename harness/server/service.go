package server

import (
	"fmt"
	"os"
	"strings"
	"time"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/exec"
	"turnlab/harness/control"
	"turnlab/harness/proc"
	"turnlab/harness/timeline/tracer"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// Resolved is what a server really runs with: every default filled in, as the ready event reports it.
type Resolved struct {
	engine.Setup
	CPUs     string            `json:"cpus"`
	Options  map[string]string `json:"options,omitempty"`  // of the engine, common ones included
	Settings map[string]string `json:"settings,omitempty"` // of the workload
	Environ  []string          `json:"environ,omitempty"`  // what the engine needed in the environment, and has
	Shared   bool              `json:"shared"`             // sessions run on more than one thread
}

// service is an engine that listens and is about to serve.
type service struct {
	engine   engine.Engine
	listener *engine.Listener
	server   workloads.Server
	resolved Resolved
	tracer   *tracer.Tracer // nil unless the server is traced
	done     chan error     // what Serve returned
}

// open resolves what was asked for, sets the process up, listens, and makes the engine ready. When it returns without an
// error, clients may connect.
func open(s control.Server) (*service, error) {
	spec, err := findEngine(s)
	if err != nil {
		return nil, err
	}
	if missing := missingEnviron(spec); len(missing) > 0 {
		return nil, fmt.Errorf("engine %s needs %s in the environment from the start: put `env %s` in front of the command",
			spec.Label(), strings.Join(missing, " "), strings.Join(missing, " "))
	}
	if err := proc.NeedFiles(s.Conns); err != nil {
		return nil, err
	}
	cpus := proc.Allowed()
	config := engine.Config{Conns: s.Conns, CPUs: cpus.Len(), Upstreams: s.Upstreams}
	if config.Options, err = spec.AllOptions().Resolve(s.Options); err != nil {
		return nil, misuse.Errorf("engine %s: %w", spec.Label(), err)
	}
	sv := &service{done: make(chan error, 1), resolved: Resolved{
		CPUs: cpus.String(), Options: config.Options.Texts(), Environ: spec.Environ, Shared: spec.IsShared(config),
	}}
	if err := sv.makeServer(spec, s); err != nil {
		return nil, err
	}
	if sv.tracer, err = tracer.New(s.Trace); err != nil {
		return nil, err
	}
	sv.server = sv.tracer.Wrap(sv.server)
	if err := sv.makeEngine(spec, config, s); err != nil {
		return nil, err
	}
	return sv, sv.tracer.Begin(sv.engine)
}

func findEngine(s control.Server) (*engine.Spec, error) {
	if name, ok := strings.CutPrefix(s.Engine, exec.Name+"/"); ok {
		return exec.NewSpec(name, s.Command)
	}
	spec, err := all.Find(s.Engine)
	if err != nil {
		return nil, misuse.Errorf("%w", err)
	}
	return spec, nil
}

// makeServer makes the workload's server half.
func (sv *service) makeServer(spec *engine.Spec, s control.Server) error {
	w, err := workloads.Find(s.Workload)
	if err != nil {
		return misuse.Errorf("%w", err)
	}
	var settings option.Values
	if settings, err = w.Options.Resolve(s.Settings); err != nil {
		return misuse.Errorf("workload %s: %w", w.Name, err)
	}
	if err := spec.CanServe(w.For(settings)); err != nil {
		return misuse.Errorf("%w", err)
	}
	sv.resolved.Settings = settings.Texts()
	if err := checkUpstreams(w, s.Upstreams); err != nil {
		return err
	}
	began := time.Now()
	sv.server, err = w.NewServer(settings, workloads.Env{
		Shared: sv.resolved.Shared, Now: func() time.Duration { return time.Since(began) },
	})
	if err != nil {
		return fmt.Errorf("workload %s: %w", w.Name, err)
	}
	return nil
}

// checkUpstreams makes sure that a workload that calls has somebody to call.
func checkUpstreams(w *workloads.Workload, upstreams []string) error {
	if w.Uses(workloads.Call) && len(upstreams) == 0 {
		return misuse.Errorf("workload %s calls other servers: say which, as tcp:HOST:PORT or unix:PATH", w.Name)
	}
	for _, u := range upstreams {
		if _, _, err := engine.SplitUpstream(u); err != nil {
			return err
		}
	}
	return nil
}

// makeEngine sets the process up, and only then makes the engine.
func (sv *service) makeEngine(spec *engine.Spec, config engine.Config, s control.Server) (err error) {
	sv.resolved.Setup = spec.SetUp(config)
	if sv.engine, err = spec.New(config); err != nil {
		return fmt.Errorf("engine %s: %w", spec.Label(), err)
	}
	if sv.listener, err = engine.Listen(s.Network, s.Address); err != nil {
		return misuse.Errorf("%w", err)
	}
	if p, ok := sv.engine.(engine.Preparer); ok {
		if err := p.Prepare(sv.listener, sv.server); err != nil {
			return fmt.Errorf("engine %s: %w", spec.Label(), err)
		}
	}
	if _, ok := sv.engine.(engine.Process); ok {
		return stepAside()
	}
	return nil
}

// stepAside lets this process run on every CPU once a foreign server has been started on its own. What is left to do here
// is to sample that server, and behind a thousand busy threads on one CPU a sample would wait until they are done.
func stepAside() error {
	text, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil // no such file in this container: stay where we are
	}
	online, err := proc.ParseCPUs(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("read the list of CPUs: %w", err)
	}
	return proc.PinSelf(online)
}

// pids lists the processes that serve: this one, or those of a foreign server.
func (sv *service) pids() ([]int, error) {
	if p, ok := sv.engine.(engine.Process); ok {
		return proc.GroupMembers(p.PID())
	}
	return []int{os.Getpid()}, nil
}

// start begins to serve; done tells the end.
func (sv *service) start() {
	go func() { sv.done <- sv.engine.Serve(sv.listener, sv.server) }()
}

// stopTime bounds the wait for an engine to stop. One whose sessions sleep, and cannot be woken, is left to the end of the
// process.
const stopTime = 3 * time.Second

// stop ends the engine and returns what Serve returned.
func (sv *service) stop() error {
	sv.engine.Stop()
	select {
	case err := <-sv.done:
		return err
	case <-time.After(stopTime):
		return nil
	}
}

// leave ends what would outlive this process: a foreign server, the path of a unix socket. An engine of ours on TCP ends
// with the process. The kernel takes back eight thousand threads and their sockets several times faster than they end one
// by one, and every trial would pay.
func (sv *service) leave() error {
	if _, ok := sv.engine.(engine.Process); ok || sv.listener.Network == "unix" {
		return sv.stop()
	}
	return nil
}

// sample returns what the process that serves has used since it began: this one, or the foreign server's.
func (sv *service) sample(memory bool) (u control.Usage, err error) {
	if p, ok := sv.engine.(engine.Process); ok {
		u, err = proc.Group(p.PID(), memory)
	} else {
		u, err = proc.Self(memory)
	}
	u.Counters = sv.engine.Counters()
	return u, err
}

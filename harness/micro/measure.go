package micro

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/harness/control"
	"turnlab/harness/proc"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

const (
	// batchTime is how long a batch of operations should take: a reading of the clock, and what a task of an executor needs to
	// begin and to end, are then nothing beside it.
	batchTime = 5 * time.Millisecond
	// batchMax bounds a batch, for operations that take no time at all.
	batchMax = 1 << 22
)

// A job is an operation that is ready to be measured.
type job struct {
	ask      control.Micro
	op       *Operation
	options  option.Values
	runner   Runner
	batch    int
	collects bool              // the collector is on
	before   map[string]uint64 // memory, of an operation that is held
}

// open finds the operation, sets the process up, and makes what takes part.
func open(ask control.Micro) (*job, error) {
	j := &job{ask: ask, batch: 2}
	spec, err := all.Find(ask.Engine)
	if err != nil {
		return nil, misuse.Errorf("%w", err)
	}
	if j.op, err = Find(ask.Operation); err != nil {
		return nil, err
	}
	way, err := j.op.Way(ask.Engine)
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	common, err := resolve(spec, way, ask.Options, given)
	if err != nil {
		return nil, err
	}
	for name, text := range ask.Settings {
		given[name] = text
	}
	if j.options, err = j.op.all(way).Resolve(given); err != nil {
		return nil, misuse.Errorf("%s: %w", ask.Operation, err)
	}
	(&engine.Spec{Procs: func(engine.Config) int { return way.Procs(j.options, proc.Allowed().Len()) }}).
		SetUp(engine.Config{Options: common})
	if j.op.Holds {
		debug.SetMaxThreads(j.options.Int("tasks") + 10_000) // the runtime's own bound is there to find mistakes
	}
	j.collects = common.Int("gogc") >= 0
	if j.runner, err = way.Make(j.options); err != nil {
		return nil, err
	}
	return j, nil
}

// resolve takes the engine's common options out of what was given, and leaves the rest, which are the way's.
func resolve(spec *engine.Spec, way Way, options, rest map[string]string) (option.Values, error) {
	common := map[string]string{}
	for name, text := range options {
		switch _, own := way.Options.Find(name); {
		case own:
			rest[name] = text
		default:
			common[name] = text
		}
	}
	values, err := CommonOptions(spec).Resolve(common)
	if err != nil {
		return nil, misuse.Errorf("engine %s: %w", spec.Label(), err)
	}
	return values, nil
}

// CommonOptions returns the options of every engine, with the defaults that spec has for them. What else an engine can be
// told is for its servers.
func CommonOptions(spec *engine.Spec) option.Set { return spec.AllOptions()[:len(engine.Common)] }

// warmUp does the operation for some time and finds out how many make a batch. A held operation is done only once: there the
// memory is read from which it begins.
func (j *job) warmUp() (err error) {
	if j.op.Holds {
		j.before, err = j.memory()
		return err
	}
	for start := time.Now(); ; {
		began := time.Now()
		if err := j.runner.Run(j.batch); err != nil {
			return err
		}
		took := time.Since(began)
		if took < batchTime && j.batch < batchMax {
			j.batch *= 2
			continue
		}
		if time.Since(start) >= time.Duration(j.ask.WarmupNS) {
			return nil
		}
	}
}

// measure does the operation for the length of the window, or as often as it is to be held.
func (j *job) measure() (*control.MicroResult, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	was, err := look()
	if err != nil {
		return nil, err
	}
	n, err := j.window()
	if err != nil {
		return nil, err
	}
	is, err := look()
	if err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&after)
	return &control.MicroResult{
		Operations: uint64(n), Allocs: after.Mallocs - before.Mallocs, AllocBytes: after.TotalAlloc - before.TotalAlloc,
		Used: control.Usage{
			MonotonicNS: is.MonotonicNS - was.MonotonicNS, CPUNS: is.CPUNS - was.CPUNS,
			Voluntary: is.Voluntary - was.Voluntary, Involuntary: is.Involuntary - was.Involuntary,
		},
	}, nil
}

// window does batches until the time is over.
func (j *job) window() (n int, err error) {
	if j.op.Holds {
		n = j.options.Int("tasks")
		return n, j.runner.Run(n)
	}
	for start := time.Now(); time.Since(start) < time.Duration(j.ask.WindowNS); n += j.batch {
		if err := j.runner.Run(j.batch); err != nil {
			return n, err
		}
	}
	return n, nil
}

// rest adds what needs no hurry.
func (j *job) rest(r *control.MicroResult) (err error) {
	if j.op.Holds {
		time.Sleep(settleTime)
		r.Before = j.before
		if r.Used.Memory, err = j.memory(); err != nil {
			return err
		}
		if err := j.runner.(holder).Held(); err != nil {
			return err
		}
	}
	u, err := proc.Self(false)
	r.Used.Runtime = u.Runtime
	return err
}

// holder is a runner of an operation that holds what it makes. Held says whether all of it is still there.
type holder interface{ Held() error }

// settleTime is how long the last one that was counted may need to be really asleep.
const settleTime = 20 * time.Millisecond

// memory reads what this process holds, garbage left out: what was thrown away on the way has no part in what a task needs
// to stand. Where the collector is off it stays off: to run once it would make a goroutine for every P, and threads for a
// quarter of them.
func (j *job) memory() (map[string]uint64, error) {
	if j.collects {
		debug.FreeOSMemory()
	}
	u, err := proc.Self(true)
	return u.Memory, err
}

// look reads the clocks and the switches, all in some microseconds.
func look() (control.Usage, error) {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		return control.Usage{}, fmt.Errorf("read this process's switches: %w", err)
	}
	u, err := proc.Times([]int{os.Getpid()})
	u.Voluntary, u.Involuntary = ru.Nvcsw, ru.Nivcsw
	return u, err
}

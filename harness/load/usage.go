package load

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/harness/proc"
)

// usage reads what this process has used since it began. A generator thread calls it at the very edges of the window, so it
// must be quick: three system calls, and no word from Go's runtime, which proc.Self adds.
func usage() control.Usage {
	var self unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &self) // cannot fail with these arguments
	return control.Usage{
		MonotonicNS: clockNS(unix.CLOCK_MONOTONIC),
		CPUNS:       clockNS(unix.CLOCK_PROCESS_CPUTIME_ID),
		Voluntary:   self.Nvcsw,
		Involuntary: self.Nivcsw,
	}
}

// usage adds what this generator spent awake without work.
func (g *generator) usage() control.Usage {
	u := usage()
	u.SpinNS = g.spun.Load()
	return u
}

func clockNS(clock int32) int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(clock, &t)
	return t.Nano()
}

// used returns what was used between two readings.
func used(from, to control.Usage) control.Usage {
	return control.Usage{
		MonotonicNS: to.MonotonicNS - from.MonotonicNS,
		CPUNS:       to.CPUNS - from.CPUNS,
		SpinNS:      to.SpinNS - from.SpinNS,
		Voluntary:   to.Voluntary - from.Voluntary,
		Involuntary: to.Involuntary - from.Involuntary,
	}
}

// heapLimit is where the collector starts although it is off: far more than a load needs, far less than a machine has.
const heapLimit = 1 << 30

// tune prepares the process for a load with some threads and returns what undoes it.
//
// One P more than threads: the other goroutines (control, the collector) find an idle P and need not take one from a thread,
// and a thread that comes back from a wait finds its own still free. The collector is off, for its pauses would be
// latencies of the server; the request path allocates nothing, and heapLimit keeps a mistake from eating the machine.
func tune(threads int) (undo func()) {
	procs := runtime.GOMAXPROCS(threads + 1)
	percent := debug.SetGCPercent(-1)
	limit := debug.SetMemoryLimit(heapLimit)
	return func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// collections returns how often the collector has run.
func collections() int64 {
	s := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// memory returns the generator's own memory by kind, or nothing where it cannot be measured. That the load itself was
// measured is not worth less then.
func memory() map[string]uint64 {
	u, err := proc.Self(true)
	if err != nil {
		return nil
	}
	return u.Memory
}

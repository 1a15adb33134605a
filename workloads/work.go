package workloads

import (
	"sync/atomic"
	"time"
)

// roundsPerUnit makes a unit about a microsecond at 3 GHz: a round is six operations, each of which needs the one before.
// It never changes with the machine: a unit is work, not time.
const roundsPerUnit = 500

// Work computes for a number of units. Every engine burns by calling it, whole or in parts, so that all of them execute
// the same instructions; it is not inlined so that there is one copy of them.
//
// It is fixed work because a spin "until the clock says so" does less work when others have the CPU meanwhile, which is
// just when it matters. Each round needs the result of the one before, so that a wide CPU cannot run them side by side,
// and the loop calls nothing, not even the check for a larger stack that a call would bring and at which Go's scheduler
// may step in: only a timer interrupt or the end can take the CPU away from it.
//
//go:noinline
func Work(units int64) {
	x := uint64(88172645463325252)
	for i := int64(0); i < units*roundsPerUnit; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	if x == 0 { // it never is, but the compiler does not know that and has to compute it
		workSink.Store(x)
	}
}

var workSink atomic.Uint64

// Calibrate returns how long a unit of work takes on this machine, by a clock that only moves forward. It works for some
// 20 ms and takes the fastest of 20 measurements: whatever disturbs one makes it slower, never faster.
//
// The lab calibrates once per run, to say how long a burst really is here, and never once per trial: an engine that shares its
// CPU at that moment would be given less work (see [Hog]).
func Calibrate(now func() time.Duration) time.Duration {
	const units, times = 1000, 20
	best := time.Duration(1<<63 - 1)
	for range times {
		start := now()
		Work(units)
		best = min(best, now()-start)
	}
	return max(1, best/units)
}

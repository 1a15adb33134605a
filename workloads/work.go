package workloads

import "sync/atomic"

// roundsPerUnit makes a unit about a microsecond on the machines of the day. It never changes with the machine: a unit is
// work, not time.
const roundsPerUnit = 1000

// Work computes for a number of units. Every engine burns by calling it, whole or in parts, so that all of them execute
// the same instructions.
//
// It is fixed work because a spin "until the clock says so" does less work when others have the CPU meanwhile, which is
// just when it matters. Each round needs the result of the one before, so that a wide CPU cannot run them side by side,
// and the loop calls nothing, so that only a timer interrupt or the end can take the CPU away from it.
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

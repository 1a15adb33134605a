package engine

import (
	"math"
	"runtime"
	"runtime/debug"
	"time"
)

// A Setup is what the Go runtime of a server process was told.
type Setup struct {
	GOMAXPROCS    int   `json:"gomaxprocs"`
	GOGC          int   `json:"gogc"`
	MemLimitBytes int64 `json:"memlimit_bytes"`        // 0: none
	GCEveryNS     int64 `json:"gc_every_ns,omitempty"` // 0: only when the heap asks
}

// SetUp prepares the process for an engine made from c, as it must be before New. Everything is said explicitly: that is
// what turns off the runtime's own rules, of which some change while the program runs.
func (s *Spec) SetUp(c Config) Setup {
	set := Setup{
		GOMAXPROCS:    s.GOMAXPROCS(c),
		GOGC:          c.Options.Int("gogc"),
		MemLimitBytes: int64(c.Options.Int("memlimit")),
		GCEveryNS:     c.Options.Duration("gc-every").Nanoseconds(),
	}
	limit := set.MemLimitBytes
	if limit == 0 {
		limit = math.MaxInt64
	}
	debug.SetGCPercent(set.GOGC)
	debug.SetMemoryLimit(limit)
	runtime.GOMAXPROCS(set.GOMAXPROCS)
	if set.GCEveryNS > 0 {
		go collect(time.Duration(set.GCEveryNS), nil) // until the process ends
	}
	return set
}

// collect makes the runtime collect garbage again and again until done is closed. The servers here allocate next to
// nothing, and real ones do: what a collection does to everybody, above all the wait until every thread has stopped for it,
// would not be seen otherwise. It begins a pause after the last one has ended, so collections never queue.
func collect(every time.Duration, done <-chan struct{}) {
	for {
		select {
		case <-time.After(every):
			runtime.GC()
		case <-done:
			return
		}
	}
}

package engine

import (
	"math"
	"runtime"
	"runtime/debug"
)

// A Setup is what the Go runtime of a server process was told.
type Setup struct {
	GOMAXPROCS    int   `json:"gomaxprocs"`
	GOGC          int   `json:"gogc"`
	MemLimitBytes int64 `json:"memlimit_bytes"` // 0: none
}

// SetUp prepares the process for an engine made from c, as it must be before New. Everything is said explicitly: that is
// what turns off the runtime's own rules, of which some change while the program runs.
func (s *Spec) SetUp(c Config) Setup {
	set := Setup{
		GOMAXPROCS:    s.GOMAXPROCS(c),
		GOGC:          c.Options.Int("gogc"),
		MemLimitBytes: int64(c.Options.Int("memlimit")),
	}
	limit := set.MemLimitBytes
	if limit == 0 {
		limit = math.MaxInt64
	}
	debug.SetGCPercent(set.GOGC)
	debug.SetMemoryLimit(limit)
	runtime.GOMAXPROCS(set.GOMAXPROCS)
	return set
}

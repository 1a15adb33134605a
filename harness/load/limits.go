package load

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// Bounds of a load. MaxTime keeps the slices of progress in memory and in one line of the control protocol; MaxInFlight
// keeps the requests under way within 64 MiB; MaxRate is above what any generator reaches.
const (
	MaxTime        = time.Hour // warm-up and window
	MaxInFlight    = 1 << 22   // connections × depth
	MaxThreads     = 256       // of a generator
	MaxParts       = 16        // generators
	MaxRate        = 1e8
	DefaultTimeout = 5 * time.Second
)

// spareFiles are the file descriptors that the process needs besides its connections.
const spareFiles = 64

// resolveLoad fills in what l leaves open (one thread, one request per connection, Poisson arrivals, DefaultTimeout) and
// checks the rest against what is possible, here and on this machine.
func resolveLoad(l control.Load) (control.Load, error) {
	l.Threads, l.Parts = max(l.Threads, 1), max(l.Parts, 1)
	l.Depth = max(l.Depth, 1)
	if l.TimeoutNS == 0 {
		l.TimeoutNS = DefaultTimeout.Nanoseconds()
	}
	if l.Arrivals == "" {
		l.Arrivals = Poisson
	}
	if err := checkLoad(l); err != nil {
		return l, err
	}
	l.Threads = min(l.Threads, l.Conns/l.Parts)
	if err := checkPorts(l); err != nil {
		return l, err
	}
	return l, allowFiles(l.Conns/l.Parts + spareFiles)
}

func checkLoad(l control.Load) error {
	warmup, window, limit := time.Duration(l.WarmupNS), time.Duration(l.WindowNS), time.Duration(l.TimeoutNS)
	switch {
	case l.Conns < 1:
		return misuse.Errorf("%d connections: a load needs at least one", l.Conns)
	case l.Depth > MaxInFlight/l.Conns:
		return misuse.Errorf("%d connections × depth %d: at most %d requests can be under way", l.Conns, l.Depth, MaxInFlight)
	case l.Threads > MaxThreads:
		return misuse.Errorf("%d generator threads: at most %d make sense", l.Threads, MaxThreads)
	case !(l.RateRPS >= 0 && l.RateRPS <= MaxRate):
		return misuse.Errorf("rate %v: it takes 0 (the closed loop) to %.0f requests per second", l.RateRPS, MaxRate)
	case l.Arrivals != Poisson && l.Arrivals != Fixed:
		return misuse.Errorf("no arrivals %q; there are: %s, %s", l.Arrivals, Poisson, Fixed)
	case l.Extend != "" && enough[l.Extend] == 0:
		return misuse.Errorf("no percentile %q to extend the window for; there are: p90, p99, p999, p9999", l.Extend)
	case window <= 0:
		return misuse.Errorf("duration %v: it must be above 0", window)
	case warmup < 0 || warmup > MaxTime || window > MaxTime-warmup:
		return misuse.Errorf("warm-up %v and duration %v: together at most %v, and neither below 0", warmup, window, MaxTime)
	case limit < time.Millisecond || limit > MaxTime:
		return misuse.Errorf("timeout %v: it takes 1ms to %v", limit, MaxTime)
	}
	return checkParts(l)
}

// checkParts makes sure that several generators can share a load without a word between them.
func checkParts(l control.Load) error {
	w, err := workloads.Find(l.Workload)
	switch {
	case l.Parts == 1 && l.Part == 0:
		return nil
	case l.Parts < 1 || l.Parts > MaxParts || l.Part < 0 || l.Part >= l.Parts:
		return misuse.Errorf("part %d of %d: a load has 1 to %d generators", l.Part, l.Parts, MaxParts)
	case l.Parts > l.Conns:
		return misuse.Errorf("%d generators for %d connections: each needs one", l.Parts, l.Conns)
	case l.Settle || l.Extend != "":
		return misuse.Errorf("%d generators open and close their windows at fixed times: leave --settle and --extend off", l.Parts)
	case err == nil && w.Uses(workloads.Publish):
		return misuse.Errorf("%s takes one generator: it must know of every message that a connection is to hear", l.Workload)
	}
	return nil
}

// checkPorts makes sure that the kernel has a local port for each connection: to one address each needs its own.
func checkPorts(l control.Load) error {
	if l.Network != "tcp" {
		return nil
	}
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return nil // not known here; a connect that finds no port will say so
	}
	var first, last int
	if _, err := fmt.Sscan(string(text), &first, &last); err != nil {
		return nil
	}
	if ports := last - first + 1; l.Conns > ports {
		return misuse.Errorf("%d connections to one address, but there are %d ephemeral ports: use fewer connections, widen "+
			"net.ipv4.ip_local_port_range, or use unix sockets", l.Conns, ports)
	}
	return nil
}

// allowFiles raises the soft limit on file descriptors to n, which the hard limit may forbid.
func allowFiles(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit on file descriptors: %w", err)
	}
	if limit.Max < uint64(n) {
		return misuse.Errorf("%d connections need %d file descriptors, and the hard limit is %d: use fewer connections or "+
			"raise it (ulimit -Hn, or LimitNOFILE= in a systemd unit)", n-spareFiles, n, limit.Max)
	}
	if limit.Cur < uint64(n) {
		limit.Cur = limit.Max
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return fmt.Errorf("raise the limit on file descriptors to %d: %w", limit.Max, err)
		}
	}
	return nil
}

package threads

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// spareThreads is room for the Go runtime's own threads and for the rest of the machine's processes.
const spareThreads = 500

// checkThreads says now what would otherwise be the runtime's last words: "failed to create new OS thread".
func checkThreads(n int) error {
	limits := map[string]uint64{
		"/proc/sys/kernel/pid_max":     number("/proc/sys/kernel/pid_max"),
		"/proc/sys/kernel/threads-max": number("/proc/sys/kernel/threads-max"),
	}
	var r unix.Rlimit
	if os.Geteuid() != 0 && unix.Getrlimit(unix.RLIMIT_NPROC, &r) == nil { // root is exempt from this one
		limits["ulimit -u"] = r.Cur
	}
	for name, limit := range limits {
		if limit > 0 && uint64(n+spareThreads) > limit {
			return misuse.Errorf("%d threads need a limit of at least %d, and %s is %d: raise it, or use fewer connections or threads.max",
				n, n+spareThreads, name, limit)
		}
	}
	return nil
}

// number reads a file that holds one number; 0 means that it does not.
func number(path string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

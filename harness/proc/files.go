package proc

import (
	"fmt"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// spareFiles is for what a process has open besides its connections: standard streams, epoll, the listener, /proc.
const spareFiles = 64

// NeedFiles makes sure that this process can hold conns connections at once. It raises the soft limit of open files as
// far as the hard one, and where that is not enough says so now, not when the load is half up.
func NeedFiles(conns int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	need := uint64(conns + spareFiles)
	if need <= limit.Cur {
		return nil
	}
	if need > limit.Max {
		return misuse.Errorf("%d connections need %d open files, and the limit is %d: use fewer connections, or raise the limit (ulimit -Hn %d, as root)",
			conns, need, limit.Max, need)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w", limit.Max, err)
	}
	return nil
}

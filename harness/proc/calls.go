package proc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mostCounted bounds the threads whose system calls are counted, because each takes a file descriptor and some 50 µs to begin.
// It has room for a thousand connections with a thread each.
const mostCounted = 1100

// A CallCounter counts the system calls of processes, those of threads that they start later included. The kernel counts
// them by a tracepoint, which slows every call of every process on the machine by some tenths of a microsecond for as long
// as a counter is open: outside of a measured window, please.
type CallCounter struct{ fds []int }

// CountCalls begins to count. It takes a kernel with tracepoints and the right to use them, which mostly is root's.
func CountCalls(pids []int) (*CallCounter, error) {
	id, err := tracepoint("raw_syscalls/sys_enter")
	if err != nil {
		return nil, err
	}
	c := &CallCounter{}
	for _, pid := range pids {
		if err := c.add(pid, id); err != nil {
			c.Close()
			return nil, fmt.Errorf("count the system calls of process %d: %w", pid, err)
		}
	}
	if len(c.fds) == 0 {
		return nil, errors.New("count system calls: there is no thread")
	}
	return c, nil
}

// tracepoint returns the number of a tracepoint.
func tracepoint(name string) (uint64, error) {
	var first error
	for _, root := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		text, err := os.ReadFile(root + "/events/" + name + "/id")
		if err == nil {
			return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		}
		if first == nil {
			first = err
		}
	}
	return 0, fmt.Errorf("find the tracepoint %s: %w", name, first)
}

// add opens a counter for each thread of a process. The kernel hands it on to the threads that one starts (inherit); one
// that is started between the list and its counter is missed.
func (c *CallCounter) add(pid int, id uint64) error {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	defer dir.Close()
	tids, err := dir.Readdirnames(mostCounted + 1)
	if err != nil {
		return err
	}
	if len(c.fds)+len(tids) > mostCounted {
		return fmt.Errorf("more than %d threads", mostCounted)
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Bits: unix.PerfBitInherit}
	attr.Size = unix.PERF_ATTR_SIZE_VER0
	for _, text := range tids {
		tid, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		fd, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return err
		}
		c.fds = append(c.fds, fd)
	}
	return nil
}

// Total returns the calls since the counter was made.
func (c *CallCounter) Total() (int64, error) {
	var sum int64
	for _, fd := range c.fds {
		var buffer [8]byte
		n, err := unix.Read(fd, buffer[:])
		if err == nil && n != len(buffer) {
			err = fmt.Errorf("%d bytes instead of %d", n, len(buffer))
		}
		if err != nil {
			return 0, fmt.Errorf("read a counter of system calls: %w", err)
		}
		sum += int64(binary.NativeEndian.Uint64(buffer[:]))
	}
	return sum, nil
}

// Close ends counting.
func (c *CallCounter) Close() {
	for _, fd := range c.fds {
		unix.Close(fd)
	}
	c.fds = nil
}

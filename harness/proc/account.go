package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// mostThreads bounds the threads whose waits are read one by one. A thread takes some ten microseconds, and what is read at
// the edge of a window should not take a hundredth of it. Beyond the bound the waits are absent.
const mostThreads = 1024

// An Account is what the kernel has counted of processes so far, as anybody may read it from outside.
type Account struct {
	AtNS int64 // CLOCK_MONOTONIC
	// Waits is how long each live thread could have run and had no CPU, in nanoseconds, by its id; nil where that is not known.
	Waits map[int]int64
}

// TakeAccount reads the account of processes. What cannot be read is absent from it: other users' processes, kernels that do
// not count, more than mostThreads threads.
//
// Note: /proc/PID/io counts reads and writes, but recv(2) and send(2) are neither, nor is waiting for events: engines that
// call the kernel equally often would look different. So it is not used.
func TakeAccount(pids []int) Account {
	a := Account{}
	if len(pids) > 0 {
		a.Waits = map[int]int64{}
	}
	for _, pid := range pids {
		a.addWaits(pid)
	}
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil {
		a.AtNS = now.Nano()
	}
	return a
}

// addWaits adds the second number of each thread's schedstat. That of the process would be its first thread's alone.
func (a *Account) addWaits(pid int) {
	if a.Waits == nil {
		return
	}
	path := fmt.Sprintf("/proc/%d/task", pid)
	dir, err := os.Open(path)
	if err != nil {
		a.Waits = nil
		return
	}
	defer dir.Close()
	tids, err := dir.Readdirnames(mostThreads + 1)
	if err != nil || len(a.Waits)+len(tids) > mostThreads {
		a.Waits = nil
		return
	}
	for _, tid := range tids {
		id, err := strconv.Atoi(tid)
		if ns, ok := readWait(path + "/" + tid + "/schedstat"); ok && err == nil {
			a.Waits[id] = ns
		}
	}
	if len(a.Waits) == 0 { // this kernel does not count
		a.Waits = nil
	}
}

// readWait reads a thread's wait; ok is false when it has ended. It does so with three system calls, where os.ReadFile makes
// more: there may be a thousand threads.
func readWait(path string) (ns int64, ok bool) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	var text [64]byte // three numbers of at most twenty digits
	n, err := unix.Read(fd, text[:])
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(text[:n])
	if len(fields) < 2 {
		return 0, false
	}
	ns, err = strconv.ParseInt(string(fields[1]), 10, 64)
	return ns, err == nil
}

// WaitedSince returns how long the threads of a have waited for a CPU since before. Threads that have ended in between took
// their waits with them.
func (a Account) WaitedSince(before Account) (ns int64, ok bool) {
	if a.Waits == nil || before.Waits == nil {
		return 0, false
	}
	for id, now := range a.Waits {
		ns += max(0, now-before.Waits[id]) // below 0 for another thread that got the same id
	}
	return ns, true
}

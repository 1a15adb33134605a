package proc

import (
	"fmt"
	"os"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"turnlab/harness/control"
)

// Self returns what this process has used since it began, and the Go runtime's own account. With memory it also walks the
// page tables, which takes milliseconds in a process of thousands of threads: outside of a measured window, please.
func Self(memory bool) (control.Usage, error) {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		return control.Usage{}, fmt.Errorf("read this process's switches: %w", err)
	}
	u := control.Usage{Voluntary: ru.Nvcsw, Involuntary: ru.Nivcsw, Runtime: runtimeFigures()}
	if memory {
		m, err := memoryOf(os.Getpid())
		if err != nil {
			return control.Usage{}, err
		}
		addGoMemory(m)
		u.Memory = m
	}
	return u, stamp(&u, []int{os.Getpid()})
}

// Group returns what the live processes of a process group have used: a server with worker processes is all of them.
//
// Limits: what a process had used that ended before the call is not in it, nor are the switches of threads that ended.
func Group(pgid int, memory bool) (control.Usage, error) {
	pids, err := GroupMembers(pgid)
	if err != nil {
		return control.Usage{}, err
	}
	var u control.Usage
	if memory {
		u.Memory = map[string]uint64{}
	}
	for _, pid := range pids {
		if err := addProcess(&u, pid); err != nil {
			return control.Usage{}, err
		}
	}
	return u, stamp(&u, pids)
}

// CPUTime returns the CPU time that all threads of a process have used, in nanoseconds, those that have ended included.
func CPUTime(pid int) (int64, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(cpuClock(pid), &ts); err != nil {
		return 0, fmt.Errorf("read the CPU clock of process %d: %w", pid, err)
	}
	return ts.Nano(), nil
}

// cpuClock names the CPU clock of a whole process, as clock_getcpuclockid(3) does: the complement of the PID, and 2 for
// the scheduler's nanoseconds.
func cpuClock(pid int) int32 { return ^int32(pid)<<3 | 2 }

// Times returns the CPU time that processes have used so far and the moment at which that was. It takes two system calls and
// one more for each process, so it can be read at an edge of the window to the microsecond, from outside: a process on a
// busy CPU cannot be asked for its own times without waiting for its turn.
func Times(pids []int) (control.Usage, error) {
	var u control.Usage
	return u, stamp(&u, pids)
}

// stamp adds the times, all of them at once and last, so that they include what it took to read the rest.
func stamp(u *control.Usage, pids []int) error {
	for _, pid := range pids {
		ns, err := CPUTime(pid)
		if err != nil {
			return err
		}
		u.CPUNS += ns
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	u.MonotonicNS = now.Nano()
	return nil
}

// GroupMembers lists the live processes of a process group.
func GroupMembers(pgid int) ([]int, error) {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, p := range all {
		stat, err := p.Stat()
		if err == nil && stat.PGRP == pgid && stat.State != "Z" {
			pids = append(pids, p.PID)
		}
	}
	if len(pids) == 0 {
		return nil, fmt.Errorf("process group %d has no process: the server has ended", pgid)
	}
	return pids, nil
}

// addProcess adds one process's switches, and its memory if u has a place for it.
func addProcess(u *control.Usage, pid int) error {
	threads, err := procfs.AllThreads(pid)
	if err != nil {
		return fmt.Errorf("list the threads of process %d: %w", pid, err)
	}
	for _, t := range threads {
		status, err := t.NewStatus()
		if err != nil {
			continue // it ended between the two reads
		}
		u.Voluntary += int64(status.VoluntaryCtxtSwitches)
		u.Involuntary += int64(status.NonVoluntaryCtxtSwitches)
	}
	if u.Memory == nil {
		return nil
	}
	m, err := memoryOf(pid)
	for kind, n := range m {
		u.Memory[kind] += n
	}
	return err
}

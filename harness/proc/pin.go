package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// pinning makes the functions that read or change affinities take turns: while Start has the calling thread on the
// child's CPUs, that thread's mask is nobody's business.
var pinning sync.Mutex

// Start starts cmd on the given CPUs. The child inherits the mask from the thread that forks it, so it is there from its
// first instruction: its Go runtime sees the right number of CPUs and no thread of it has ever run elsewhere.
//
// Note: `taskset` in front of the command would do the same, but it is not installed everywhere, and the process would be
// taskset until that has replaced itself.
func Start(cmd *exec.Cmd, cpus CPUSet) error {
	if err := check(cpus); err != nil {
		return err
	}
	pinning.Lock()
	defer pinning.Unlock()
	// A locked goroutine's thread is never the parent of a new thread of this process (the runtime has a template thread
	// for that), so the child's mask cannot leak into our own threads.
	runtime.LockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("read this thread's CPUs: %w", err)
	}
	if err := unix.SchedSetaffinity(0, &cpus.mask); err != nil {
		runtime.UnlockOSThread()
		return cannotPin(cpus, err)
	}
	err := cmd.Start()
	if back := unix.SchedSetaffinity(0, &before); back != nil {
		// Still locked: the runtime throws the thread away, with its wrong mask, when this goroutine ends.
		return errors.Join(err, fmt.Errorf("give this thread its CPUs back: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}

// pinPasses bounds PinSelf. Two passes are enough unless threads are being born meanwhile.
const pinPasses = 100

// PinSelf puts every thread of this process, and every later one, on the given CPUs.
//
// A new thread inherits the mask of the thread that made it. So PinSelf sets the threads it finds and looks again, until a
// look finds none that it has not set: from then on every parent has the mask, and so have all children. GOMAXPROCS
// does not follow; the caller sets it.
//
// Note: starting the program anew under the mask would give it a runtime that has seen the right number of CPUs from the
// start, but would lose what has been read from standard input; the lab sets all that depends on it explicitly instead.
func PinSelf(cpus CPUSet) error {
	if err := check(cpus); err != nil {
		return err
	}
	pinning.Lock()
	defer pinning.Unlock()
	done := map[int]bool{}
	for range pinPasses {
		found, err := pinNew(cpus, done)
		if err != nil || !found {
			return err
		}
	}
	return fmt.Errorf("pin to CPUs %s: new threads kept appearing", cpus)
}

// pinNew pins the threads that are not done yet and reports whether there were any.
func pinNew(cpus CPUSet, done map[int]bool) (found bool, err error) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false, fmt.Errorf("list this process's threads: %w", err)
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil || done[tid] {
			continue
		}
		err = unix.SchedSetaffinity(tid, &cpus.mask)
		if err != nil && err != unix.ESRCH { // a thread that has ended needs no CPUs
			return false, cannotPin(cpus, err)
		}
		done[tid], found = true, true
	}
	return found, nil
}

func check(cpus CPUSet) error {
	if cpus.Len() == 0 {
		return misuse.Errorf("no CPUs to run on: name at least one, such as 0")
	}
	return nil
}

func cannotPin(cpus CPUSet, err error) error {
	if err == unix.EINVAL {
		return misuse.Errorf("CPUs %s: none of them is here, or this container may not use them; see /proc/self/status, Cpus_allowed_list", cpus)
	}
	return fmt.Errorf("pin to CPUs %s: %w", cpus, err)
}

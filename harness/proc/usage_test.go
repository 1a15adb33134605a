package proc

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// threadCPU returns the CPU time of the calling thread.
func threadCPU(t *testing.T) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

func TestCPUTimeKeepsWhatEndedThreadsHadUsed(t *testing.T) {
	before, err := Self(false)
	if err != nil {
		t.Fatal(err)
	}
	const work = 30 * time.Millisecond
	done := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		for start := threadCPU(t); threadCPU(t)-start < work; {
		}
		close(done)
	}()
	<-done
	after, err := Self(false)
	if err != nil {
		t.Fatal(err)
	}
	if used := after.CPUNS - before.CPUNS; used < int64(work) {
		t.Errorf("%v of CPU time seen, the thread alone used %v", time.Duration(used), work)
	}
	if after.MonotonicNS <= before.MonotonicNS {
		t.Error("the clock did not go on")
	}
}

func TestTheCPUClockOfAProcessIsItsOwn(t *testing.T) {
	mine, err := CPUTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	if gap := math.Abs(float64(ts.Nano() - mine)); gap > float64(100*time.Millisecond) {
		t.Errorf("by PID %d ns, by name %d ns", mine, ts.Nano())
	}
}

func TestSelfAccountsForMemoryOfEveryKind(t *testing.T) {
	u, err := Self(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds {
		if _, ok := u.Memory[k.Name]; !ok {
			t.Errorf("%s is missing", k.Name)
		}
	}
	if len(u.Memory) != len(Kinds) {
		t.Errorf("%d kinds measured, %d described", len(u.Memory), len(Kinds))
	}
	m := u.Memory
	if m["pss"] == 0 || m["pss"] > m["rss"] || m["private"] > m["pss"] || m["go_heap"] == 0 || m["page_tables"] == 0 {
		t.Errorf("memory does not add up: %v", m)
	}
	if u.Runtime["goroutines"] < 1 || u.Runtime["threads"] < 1 || u.Runtime["gomaxprocs"] < 1 {
		t.Errorf("runtime figures: %v", u.Runtime)
	}
}

func TestSwitchesAreCounted(t *testing.T) {
	before, _ := Self(false)
	for range 20 {
		ts := unix.NsecToTimespec(int64(time.Millisecond))
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil)
	}
	after, _ := Self(false)
	if n := after.Voluntary - before.Voluntary; n < 10 {
		t.Errorf("20 sleeps and %d voluntary switches", n)
	}
}

// startGroup runs a shell command in a process group of its own until the test ends.
func startGroup(t *testing.T, command string) int {
	cmd := exec.Command("sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func TestAGroupIsTheSumOfItsProcesses(t *testing.T) {
	one := startGroup(t, "read x </dev/tty || exec sleep 60")
	many := startGroup(t, "sleep 60 & sleep 60 & sleep 60 & sleep 60 & wait")
	deadline := time.Now().Add(5 * time.Second)
	for len(members(t, many)) < 5 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	small, err1 := Group(one, true)
	big, err2 := Group(many, true)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if small.Memory["rss"] == 0 || big.Memory["rss"] < 2*small.Memory["rss"] {
		t.Errorf("rss of one process %d, of five %d", small.Memory["rss"], big.Memory["rss"])
	}
	if big.CPUNS == 0 || big.Voluntary == 0 || big.Memory["kernel_stacks"] != 5*kernelStackBytes {
		t.Errorf("five processes: %+v", big)
	}
}

func members(t *testing.T, pgid int) []int {
	pids, err := GroupMembers(pgid)
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

func TestAGroupThatHasEndedIsAnError(t *testing.T) {
	if _, err := Group(1<<22+1, false); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("got %v", err)
	}
}

func TestMoreConnectionsThanFilesIsTheUsersToMend(t *testing.T) {
	if err := NeedFiles(1); err != nil {
		t.Error(err)
	}
	err := NeedFiles(1 << 40)
	if !misuse.Is(err) || !strings.Contains(err.Error(), "ulimit") {
		t.Errorf("got %v", err)
	}
}

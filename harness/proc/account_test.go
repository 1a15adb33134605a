package proc

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"turnlab/engine"
)

// burnTwice starts two processes on one CPU that work for as long as the test runs, and returns their ids.
func burnTwice(t *testing.T) []int {
	t.Helper()
	var pids []int
	cpu, err := ParseCPUs(fmt.Sprint(Allowed().List()[0]))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		if err := Start(cmd, cpu); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		pids = append(pids, cmd.Process.Pid)
	}
	return pids
}

func TestTwoProcessesOnACPUWaitForEachOther(t *testing.T) {
	pids := burnTwice(t)
	before := TakeAccount(pids)
	if before.Waits == nil {
		t.Skip("this kernel does not count waits")
	}
	time.Sleep(300 * time.Millisecond)
	after := TakeAccount(pids)
	waited, ok := after.WaitedSince(before)
	// One of the two waits at any moment; on a busy machine both may.
	share := float64(waited) / float64(after.AtNS-before.AtNS)
	if !ok || share < 0.8 || share > 2.2 {
		t.Errorf("%.2f threads waited, %v", share, ok)
	}
}

func TestAProcessThatSleepsWaitsForNoCPU(t *testing.T) {
	pid := startGroup(t, "exec sleep 60")
	time.Sleep(50 * time.Millisecond) // it starts
	before := TakeAccount([]int{pid})
	time.Sleep(100 * time.Millisecond)
	if waited, ok := TakeAccount([]int{pid}).WaitedSince(before); ok && waited != 0 {
		t.Errorf("%v", time.Duration(waited))
	}
}

func TestMoreThreadsThanCanBeAskedHaveNoWaits(t *testing.T) {
	full := Account{Waits: map[int]int64{}}
	for i := range mostThreads {
		full.Waits[-i-1] = 0
	}
	if full.addWaits(os.Getpid()); full.Waits != nil {
		t.Error("one thread more than the bound was read")
	}
	if _, ok := (Account{}).WaitedSince(Account{Waits: map[int]int64{1: 1}}); ok {
		t.Error("waits that nobody read have a difference")
	}
}

func TestAnAccountOfAProcessThatIsGoneIsAbsent(t *testing.T) {
	if a := TakeAccount([]int{1<<22 + 1}); a.Waits != nil {
		t.Errorf("%+v", a)
	}
}

func TestAThreadThatEndedTakesItsWaitWithIt(t *testing.T) {
	before := Account{Waits: map[int]int64{1: 100, 2: 900, 3: 500}}
	after := Account{Waits: map[int]int64{1: 150, 3: 20, 4: 7}} // 2 ended, 3 is another thread, 4 is new
	if ns, ok := after.WaitedSince(before); !ok || ns != 57 {
		t.Errorf("%d, %v", ns, ok)
	}
}

func TestTheRuntimesHistogramsGoWithASampleAsCounters(t *testing.T) {
	runtime.GC()
	counts := map[string]float64{}
	for name, n := range runtimeFigures() {
		if h, ns, ok := engine.SplitBucket(name); ok {
			counts[h] += n
			if ns <= 0 || n <= 0 {
				t.Errorf("%s: %v", name, n)
			}
		}
	}
	for name := range histograms {
		if counts[name] == 0 {
			t.Errorf("%s counted nothing", name)
		}
	}
}

// connections opens n connections to a listener that accepts them.
func connections(t *testing.T, n int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for range n {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		a, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Close() })
	}
}

func TestSocketsTakeKernelMemory(t *testing.T) {
	before := SocketMemory()
	if len(before) == 0 {
		t.Skip("this kernel tells nothing of sockets")
	}
	const n = 400
	connections(t, n)
	grown := Grown(before, SocketMemory())
	slabs, ok := grown["socket_slabs"]
	if _, readable := before["socket_slabs"]; !readable {
		t.Skip("slabinfo is root's")
	}
	// A TCP socket with its inode and file is more than 2 KB and less than 8, at each end.
	if !ok || slabs < 2*n*2<<10 || slabs > 2*n*8<<10 {
		t.Errorf("%d connections: %v", n, grown)
	}
}

func TestMemoryThatShrankIsAbsent(t *testing.T) {
	got := Grown(map[string]uint64{"a": 5, "b": 5, "c": 5}, map[string]uint64{"a": 7, "b": 4, "d": 1})
	if len(got) != 1 || got["a"] != 2 {
		t.Errorf("%v", got)
	}
}

// The kernel tells only the sum of all stacks. It is what the size that Kinds infers is held against.
func TestAKernelStackIsAsLargeAsInferred(t *testing.T) {
	stacks := func() uint64 {
		fs, err := procfs.NewDefaultFS()
		if err != nil {
			t.Fatal(err)
		}
		m, err := fs.Meminfo()
		if err != nil || m.KernelStackBytes == nil {
			t.Skip("this kernel does not tell: ", err)
		}
		return *m.KernelStackBytes
	}
	const n = 300
	threads, before, hold := threadCount(t), stacks(), make(chan bool)
	started := make(chan bool)
	for range n {
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
			started <- true
			<-hold
		}()
	}
	for range n {
		<-started
	}
	each := (float64(stacks()) - float64(before)) / n
	close(hold)
	for deadline := time.Now().Add(5 * time.Second); threadCount(t) > threads+2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // other tests look at the threads of this process
	}
	if each < 0.8*kernelStackBytes || each > 1.5*kernelStackBytes { // others start and end threads as well
		t.Errorf("a thread's kernel stack is %.0f bytes", each)
	}
}

func TestEverySocketKindIsDescribed(t *testing.T) {
	for kind := range SocketMemory() {
		described := false
		for _, k := range SocketKinds {
			described = described || k.Name == kind && strings.Contains(k.Means, "both ends")
		}
		if !described {
			t.Errorf("%s", kind)
		}
	}
}

func threadCount(t *testing.T) int {
	t.Helper()
	tids, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tids)
}

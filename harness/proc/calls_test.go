package proc

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSystemCallsAreCounted(t *testing.T) {
	c, err := CountCalls([]int{os.Getpid()})
	if err != nil {
		t.Skip("this machine does not let them be counted: ", err)
	}
	defer c.Close()
	before, err := c.Total()
	if err != nil {
		t.Fatal(err)
	}
	const calls = 2000
	done := make(chan bool)
	go func() { // on a thread of its own, perhaps a new one
		runtime.LockOSThread()
		for range calls {
			unix.Getppid()
		}
		close(done)
	}()
	<-done
	after, err := c.Total()
	// Go's scheduler makes some of its own.
	if n := after - before; err != nil || n < calls || n > calls+500 {
		t.Errorf("%d calls were counted as %d, %v", calls, n, err)
	}
}

func TestSystemCallsOfAProcessThatIsGoneAreNotCounted(t *testing.T) {
	if c, err := CountCalls([]int{1<<22 + 1}); err == nil {
		c.Close()
		t.Error("counted")
	}
	if c, err := CountCalls(nil); err == nil {
		c.Close()
		t.Error("nobody's calls were counted")
	}
}

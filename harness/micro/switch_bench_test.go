package micro_test

import (
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// These benchmarks measure what some of the operations measure and share no code with them, so that a mistake of the one is not
// one of the other. examples/yardsticks/pingpong.sh runs both in turn. Like the operations they count half a round.

// cpuTime reports the CPU time of the whole process per operation, from now until the function that it returns is called.
func cpuTime(b *testing.B) (report func()) {
	clock := func() int64 {
		var t unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
			b.Fatal(err)
		}
		return t.Nano()
	}
	start := clock()
	return func() { b.ReportMetric(float64(clock()-start)/float64(b.N), "cpu-ns/op") }
}

// rounds runs there-and-back for b.N operations.
func rounds(b *testing.B, round func()) {
	for range 1000 {
		round()
	}
	b.ResetTimer()
	defer cpuTime(b)()
	for i := 0; i < b.N; i += 2 {
		round()
	}
}

func BenchmarkGoroutineChannel(b *testing.B) {
	ping, pong := make(chan int), make(chan int)
	var other sync.WaitGroup
	other.Go(func() {
		for v := range ping {
			pong <- v
		}
	})
	rounds(b, func() { ping <- 1; <-pong })
	close(ping)
	other.Wait()
}

func BenchmarkGoroutineGosched(b *testing.B) {
	stop := false // two goroutines on one P: no two run at the same time
	var other sync.WaitGroup
	other.Go(func() {
		for !stop {
			runtime.Gosched()
		}
	})
	rounds(b, runtime.Gosched)
	stop = true
	other.Wait()
}

func BenchmarkGoroutineSpawn(b *testing.B) {
	over := make(chan bool)
	defer cpuTime(b)()
	for range b.N {
		go func() { over <- true }()
		<-over
	}
}

// BenchmarkThreadPipe needs GOMAXPROCS=4: a P for each thread, and two.
func BenchmarkThreadPipe(b *testing.B) {
	var to, from [2]int
	if unix.Pipe(to[:]) != nil || unix.Pipe(from[:]) != nil {
		b.Fatal("no pipes")
	}
	var other sync.WaitGroup
	other.Go(func() {
		runtime.LockOSThread()
		for one := make([]byte, 1); ; {
			if n, _ := unix.Read(to[0], one); n != 1 {
				return
			}
			unix.Write(from[1], one)
		}
	})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	one := make([]byte, 1)
	rounds(b, func() { unix.Write(to[1], one); unix.Read(from[0], one) })
	b.StopTimer()
	unix.Close(to[1])
	other.Wait()
	for _, fd := range []int{to[0], from[0], from[1]} {
		unix.Close(fd)
	}
}

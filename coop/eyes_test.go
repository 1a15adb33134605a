package coop

import (
	"testing"
	"time"
)

// busy is a task that is polled n times, and whose every poll takes some time of the simulated clock.
func busy(clock *clock, n int, takes time.Duration) Future[Unit] {
	return PollFn[Unit](func(cx *Context) Poll[Unit] {
		clock.now += int64(takes)
		if n--; n <= 0 {
			return Done()
		}
		cx.LocalWaker().Wake()
		return Pending[Unit]()
	})
}

func TestPollTimesAreThoseOfOnePollInSixtyFour(t *testing.T) {
	ex, clock := newExecutor(t)
	run(t, ex, busy(clock, 64_000, 100*time.Microsecond))
	times := ex.PollTimes()
	if n := times.Count(); n < 900 || n > 1100 {
		t.Errorf("%d polls of 64000 were timed", n)
	}
	for d := range times.All() {
		if d < 94*time.Microsecond || d > 107*time.Microsecond {
			t.Errorf("a poll of 100µs was taken for one of %v", d)
		}
	}
}

func TestADelayIsTheTimeBetweenAWakeAndItsPoll(t *testing.T) {
	const tasks = 10
	ex, clock := newExecutor(t)
	for range tasks {
		if err := ex.Go(busy(clock, 10_000, time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, ex, PollFn[Unit](func(cx *Context) Poll[Unit] {
		if ex.Live() == 1 {
			return Done()
		}
		cx.LocalWaker().Wake()
		return Pending[Unit]()
	}))
	// Each task waits for the nine others. Wakes come in the middle of a poll, whose own time has passed by then.
	delays := ex.Delays()
	if n := delays.Count(); n < 1300 || n > 2100 {
		t.Errorf("%d wakes of 110,000 were timed", n)
	}
	if p50 := delays.Quantile(0.5); p50 < 8*time.Millisecond || p50 > 11*time.Millisecond {
		t.Errorf("the median delay is %v; nine polls of 1ms come first", p50)
	}
}

// A single task that is followed would be lost sight of among many; see delays.
func TestLongQueuesAreSampledAsOftenAsShortOnes(t *testing.T) {
	const tasks = 10_000
	ex, clock := newExecutor(t)
	for range tasks {
		if err := ex.Go(busy(clock, 10, time.Microsecond)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, ex, Future[Unit](SleepFor(time.Minute)))
	delays := ex.Delays()
	if n := delays.Count(); n < 1300 || n > 1800 {
		t.Errorf("%d of 100,000 wakes were timed", n)
	}
	if p90 := delays.Quantile(0.9); p90 < 9*time.Millisecond {
		t.Errorf("p90 of the delays is %v; in a queue of 10,000 polls of 1µs it is about 10ms", p90)
	}
}

func TestTimingAllocatesNothingInTheLongRun(t *testing.T) {
	ex, clock := newExecutor(t)
	run(t, ex, busy(clock, 10_000, 0))
	if n := cap(ex.delays.pending); n > 16 {
		t.Errorf("room for %d stamps, with one task in the queue", n)
	}
}

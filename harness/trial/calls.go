package trial

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// System calls are counted during the warm-up and not in the window, because counting slows them (see proc.CallCounter).
// The load is the same, and so is what a request takes of them. Counting begins when the load has settled a little and ends
// well before the window, both at the edge of a slice of progress, because replies are known by slices.
const (
	countFrom  = 0.3 // of the warm-up
	countTo    = 0.7
	countLeast = 300 * time.Millisecond // a shorter warm-up has no time for it
	countReply = 100                    // fewer replies say nothing

	slice = 100 * time.Millisecond // of progress: sliceSeconds
)

// callCount is how many system calls both processes made in a part of the warm-up. As they are taken, times are of
// CLOCK_MONOTONIC; addTo wants them from the beginning of the load on.
type callCount struct {
	from, to       time.Duration
	server, client int64
}

// countCalls counts while the load warms up; the load must begin when it returns. The channel gives a count, or is closed
// without one where the kernel does not let anybody count.
func countCalls(ctx context.Context, server, client []int, warmup time.Duration) <-chan callCount {
	out := make(chan callCount, 1)
	if warmup < countLeast || len(server) == 0 {
		close(out)
		return out
	}
	counters, err := openCounters(server, client)
	if err != nil {
		close(out)
		return out
	}
	go func() {
		defer close(out)
		defer counters[0].Close()
		defer counters[1].Close()
		if c, ok := counters.watch(ctx, warmup); ok {
			out <- c
		}
	}()
	return out
}

// counters are the server's and the generator's.
type counters [2]*proc.CallCounter

func openCounters(server, client []int) (c counters, err error) {
	if c[0], err = proc.CountCalls(server); err != nil {
		return c, err
	}
	if c[1], err = proc.CountCalls(client); err != nil {
		c[0].Close()
	}
	return c, err
}

// watch reads the counters at both ends of the part of the warm-up.
func (c counters) watch(ctx context.Context, warmup time.Duration) (count callCount, ok bool) {
	start := monotonic()
	var totals [2][2]int64
	var at [2]time.Duration
	for i, share := range []float64{countFrom, countTo} {
		select {
		case <-time.After(start + time.Duration(share*float64(warmup)).Round(slice) - monotonic()):
		case <-ctx.Done():
			return count, false
		}
		at[i] = monotonic()
		for j, counter := range c {
			n, err := counter.Total()
			if err != nil {
				return count, false
			}
			totals[i][j] = n
		}
	}
	return callCount{at[0], at[1], totals[1][0] - totals[0][0], totals[1][1] - totals[0][1]}, true
}

// since returns the count with times from the beginning of the load on, which was a warm-up before an edge of the window.
func (c callCount) since(opened *control.Event, warmup time.Duration) callCount {
	if opened == nil || opened.Usage == nil {
		return callCount{}
	}
	began := time.Duration(opened.Usage.MonotonicNS) - warmup
	c.from, c.to = c.from-began, c.to-began
	return c
}

// monotonic returns the time of the clock that all processes of the machine share.
func monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail with these arguments
	return time.Duration(now.Nano())
}

// addTo writes the calls by request down. Of a slice that lies partly between the two readings, that part of
// its replies counts.
func (c callCount) addTo(t *record.Trial) {
	replies := 0.0
	for _, w := range t.Windows {
		from := time.Duration(w.AtMS) * time.Millisecond
		if within := min(c.to, from+slice) - max(c.from, from); within > 0 {
			replies += float64(w.Received) * float64(within) / float64(slice)
		}
	}
	if replies < countReply || c.server == 0 { // no reply comes without a call: times that do not belong together
		return
	}
	t.Sched = with(t.Sched, "kernel_calls_per_req", float64(c.server)/replies)
	t.ClientSched = with(t.ClientSched, "kernel_calls_per_req", float64(c.client)/replies)
}

func with(figures map[string]float64, name string, value float64) map[string]float64 {
	if figures == nil {
		figures = map[string]float64{}
	}
	figures[name] = value
	return figures
}

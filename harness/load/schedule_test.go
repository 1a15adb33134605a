package load

import (
	"math"
	"slices"
	"testing"

	"turnlab/harness/control"
)

// all returns the schedule of a load of the given length in order, with each thread's share merged.
func all(l control.Load, seconds float64) []int64 {
	l.WindowNS = int64(seconds * 1e9)
	times := dueTimes(l)
	slices.Sort(times)
	return times
}

func gaps(times []int64) []float64 {
	out := make([]float64, len(times)-1)
	for i := range out {
		out[i] = float64(times[i+1]-times[i]) + 0.5 // whole ns were cut off
	}
	return out
}

// andersonDarling measures how far a sample lies from an exponential distribution of its own mean.
func andersonDarling(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	var mean, sum float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	n := len(x)
	for i := range x {
		low, high := x[i]/mean, x[n-1-i]/mean
		sum += float64(2*i+1) * (math.Log(-math.Expm1(-low)) - high)
	}
	return (-float64(n) - sum/float64(n)) * (1 + 0.6/float64(n))
}

// The 1 % critical value for an exponential with estimated mean (Stephens 1974).
const critical1Percent = 1.957

func TestPoissonGapsAreExponentialForEachThreadAndForAllTogether(t *testing.T) {
	for _, threads := range []int{1, 2, 4} {
		l := control.Load{RateRPS: 5000, Threads: threads, Seed: 3, Arrivals: Poisson}
		g := gaps(all(l, 4))
		if a := andersonDarling(g); a > critical1Percent {
			t.Errorf("%d threads: Anderson-Darling %.3f, above %.3f", threads, a, critical1Percent)
		}
		// The count of a Poisson process has the variance of its mean: four deviations are rarely seen.
		if n, want := float64(len(g)), 20000.0; math.Abs(n-want) > 4*math.Sqrt(want) {
			t.Errorf("%d threads: %v arrivals, want about %v", threads, n, want)
		}
	}
}

func TestAndersonDarlingRejectsEvenGaps(t *testing.T) {
	l := control.Load{RateRPS: 1000, Threads: 1, Arrivals: Fixed}
	if a := andersonDarling(gaps(all(l, 1))); a < 100*critical1Percent {
		t.Errorf("the test of the tests passed equal gaps, with %.3f", a)
	}
}

func TestFixedGapsAreEvenOverAllThreads(t *testing.T) {
	for _, threads := range []int{1, 2, 4} {
		l := control.Load{RateRPS: 3000, Threads: threads, Arrivals: Fixed}
		times := all(l, 1)
		if len(times) != 3000 {
			t.Errorf("%d threads: %d arrivals, want 3000", threads, len(times))
		}
		for _, g := range gaps(times) {
			if math.Abs(g-1e9/3000) > 3 {
				t.Fatalf("%d threads: a gap of %v ns, want %v", threads, g, 1e9/3000)
			}
		}
	}
}

func TestScheduleComesFromTheSeedAlone(t *testing.T) {
	l := control.Load{RateRPS: 1000, Threads: 2, Seed: 5, Arrivals: Poisson}
	first := all(l, 1)
	if !slices.Equal(first, all(l, 1)) {
		t.Error("the same seed gave another schedule")
	}
	l.Seed = 6
	if slices.Equal(first, all(l, 1)) {
		t.Error("another seed gave the same schedule")
	}
}

func TestThreadsDrawDifferentArrivals(t *testing.T) {
	l := control.Load{RateRPS: 1000, Threads: 1, Seed: 5, Arrivals: Poisson}
	a, b := newSchedule(l, 1000, 0, 2), newSchedule(l, 1000, 1, 2)
	a.begin(0, 1e9)
	b.begin(0, 1e9)
	for i := range 10 {
		if x, y := a.take(), b.take(); x == y {
			t.Errorf("arrival %d of both threads is at %d", i, x)
		}
	}
}

func TestScheduleDoesNotDrift(t *testing.T) {
	l := control.Load{RateRPS: 7, Threads: 1, Arrivals: Fixed}
	s := newSchedule(l, 7, 0, 1)
	s.begin(1000, math.MaxInt64-1)
	for range 7 * 3600 {
		s.take()
	}
	// After an hour the next request is due half a gap into the next second.
	if off := float64(s.next) - (1000 + 3600e9 + 1e9/14.0); math.Abs(off) > 1000 {
		t.Errorf("after an hour the schedule is %v ns off", off)
	}
}

func TestScheduleEndsBeforeItsEnd(t *testing.T) {
	l := control.Load{RateRPS: 1000, Threads: 1, Seed: 2, Arrivals: Poisson}
	s := newSchedule(l, 1000, 0, 1)
	s.begin(500, 1e9)
	for s.next != never {
		if at := s.take(); at < 500 || at >= 1e9 {
			t.Fatalf("a request is due at %d, outside 500 to 1e9", at)
		}
	}
}

func TestPlacesAreUsedInTheOrderInWhichTheyBecameFree(t *testing.T) {
	q := newIdle(3)
	for _, c := range []int32{0, 1, 2} {
		q.push(c)
	}
	for round := range 10 {
		want := int32(round % 3)
		if got := q.pop(); got != want {
			t.Fatalf("round %d: place %d, want %d", round, got, want)
		}
		q.push(want)
	}
	if q.n != 3 {
		t.Errorf("%d places are left of 3", q.n)
	}
}

func TestScheduleRefusesRatesThatAreNotAboveZero(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN()} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a schedule of %v requests per second", rate)
				}
			}()
			newSchedule(control.Load{Arrivals: Fixed}, rate, 0, 1)
		}()
	}
}

package load

import (
	"net"
	"testing"
	"time"
)

func TestMSERDropsTheTransientAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		series []float64
		least  int
		most   int
	}{
		"flat":              {[]float64{5, 5, 5, 5, 5, 5, 5, 5}, 0, 0},
		"noise":             {[]float64{5, 6, 5, 4, 5, 6, 4, 5}, 0, 4},
		"slow at first":     {[]float64{90, 40, 5, 6, 5, 4, 5, 6, 5, 5}, 2, 2},
		"fast at first":     {[]float64{1, 1, 9, 9, 9.1, 9, 9, 9.1}, 2, 3},
		"falls all the way": {[]float64{100, 50, 25, 12, 6, 3}, 3, 3},
	} {
		if d := mser(c.series); d < c.least || d > c.most {
			t.Errorf("%s: %d values dropped, want %d to %d", name, d, c.least, c.most)
		}
	}
}

func TestWarmUpLastsUntilTheLoadIsSteady(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", delayed(2*time.Millisecond))
	l := s.load()
	l.Threads, l.Settle, l.RateRPS = 2, true, 400
	r := apart(t, l)
	warmup := time.Duration(r.WarmupNS)
	if least := time.Duration(settleLeast * batch * slice); warmup < least || warmup > settleCap {
		t.Errorf("the warm-up took %v, want %v to %v", warmup, least, settleCap)
	}
	// A busy machine may really not be steady; then the cap must have been reached.
	if r.Steady == nil || !*r.Steady && warmup != settleCap {
		t.Errorf("after %v: steady %v", warmup, r.Steady)
	}
	if r.WindowNS > l.WindowNS || r.WindowNS < l.WindowNS/2 {
		t.Errorf("the window took %v, want %v", time.Duration(r.WindowNS), time.Duration(l.WindowNS))
	}
	if r.Requests == 0 || failures(r) > 0 {
		t.Errorf("%d right, errors %v", r.Requests, r.Errors)
	}
}

func TestWindowIsExtendedUntilThereAreEnoughRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", func(s *server, c net.Conn) { delayed(5*time.Millisecond)(s, c) })
	for _, rate := range []float64{0, 600} {
		l := s.load()
		l.Threads, l.RateRPS, l.Extend, l.WindowNS = 2, rate, "p99", int64(300*time.Millisecond)
		r := apart(t, l)
		if r.Extended == 0 || r.WindowNS != l.WindowNS<<r.Extended {
			t.Errorf("rate %v: a window of %v after %d extensions", rate, time.Duration(r.WindowNS), r.Extended)
		}
		// What the last slices bring is reckoned and not waited for, so the sum may fall short by a little.
		if r.Requests < 368*8/10 {
			t.Errorf("rate %v: %d requests are too few for a p99", rate, r.Requests)
		}
		if r.Steady != nil {
			t.Error("nobody asked whether the load was steady")
		}
	}
	l := s.load()
	l.Extend, l.WindowNS, l.RateRPS = "p90", int64(500*time.Millisecond), 150
	if r := apart(t, l); r.Extended != 0 || r.WindowNS != l.WindowNS {
		t.Errorf("36 requests come in a quarter second, and the window was extended %d times", r.Extended)
	}
}

package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"turnlab/harness/control"
)

// spaced is what a thread notes of requests with the gaps of next, which leave as late as a generator makes them.
func spaced(l control.Load, gap, longest float64, next func() float64) *control.Arrivals {
	s := newSpacing(l, gap, int64(longest))
	r, at, last := rand.New(rand.NewPCG(l.Seed, 9)), 1.0, 0.0
	for at += next(); at < longest; at += next() {
		sent := max(at, last+7e3) // a send takes that long
		if sent-last > 50e3 {
			sent += 30e3 + 10e3*r.Float64() // and the thread had to be woken
		}
		if r.IntN(2000) == 0 {
			sent += 1e6 // and once in a while somebody else had the CPU
		}
		last = sent
		s.note(int64(sent))
	}
	return &control.Arrivals{Gaps: s.every, Places: s.places()}
}

func TestHonestArrivalsPassWhateverTheRate(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{50, 1000, 5000, 20_000, 50_000} {
		l := control.Load{Arrivals: Poisson, Threads: 1, Parts: 1}
		gap, failed := 1e9/rate, 0
		const trials = 60
		for seed := range uint64(trials) {
			l.Seed = seed
			r := rand.New(rand.NewPCG(seed, 1))
			a := TestArrivals(spaced(l, gap, 3e9, func() float64 { return gap * r.ExpFloat64() }))
			if a != nil && a.Statistic > 6 {
				failed++
			}
		}
		if failed > trials/20 {
			t.Errorf("%v per second: %d of %d honest trials were doubted", rate, failed, trials)
		}
	}
}

func TestArrivalsOfAnotherKindAreFound(t *testing.T) {
	const gap = 1e9 / 2000
	l := control.Load{Arrivals: Poisson, Threads: 1, Parts: 1}
	r := rand.New(rand.NewPCG(1, 1))
	n := 0
	for name, next := range map[string]func() float64{
		"another rate": func() float64 { return 1.1 * gap * r.ExpFloat64() },
		"even gaps":    func() float64 { return gap },
		"bursts": func() float64 {
			if n++; n%20 > 0 {
				return gap / 100
			}
			return 20 * gap * r.ExpFloat64()
		},
		"a rate that triples on the way": func() float64 { n++; return gap * r.ExpFloat64() * (1.5 - float64(n%6000)/6000) },
	} {
		n = 0
		if a := TestArrivals(spaced(l, gap, 3e9, next)); a == nil || a.Statistic < 6 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestTooFewArrivalsSayNothing(t *testing.T) {
	l := control.Load{Arrivals: Poisson, Threads: 1, Parts: 1}
	if a := TestArrivals(spaced(l, 1e9, 10e9, func() float64 { return 1e9 })); a != nil {
		t.Errorf("10 requests: %+v", a)
	}
	if s := newSpacing(control.Load{Arrivals: Fixed, Threads: 1, Parts: 1}, 1e6, 1e9); s.every != 0 {
		t.Error("fixed gaps are tested for being exponential")
	}
	if TestArrivals(nil) != nil {
		t.Error("a closed loop has no arrivals to test")
	}
}

func TestGammaSharesAgreeWhereTheFormulaChanges(t *testing.T) {
	for _, x := range []float64{200, 240, 256, 270, 310} {
		if a, b := gammaShare(gammaIncMost, x), gammaShare(gammaIncMost+1e-9, x); math.Abs(a-b) > 1e-4 {
			t.Errorf("P(%d, %v) is %v and %v", gammaIncMost, x, a, b)
		}
	}
}

// The fault is put where no schedule of the lab has it: into the gaps as they are drawn.
func TestGeneratorThatKeepsAnotherScheduleIsFoundOut(t *testing.T) {
	s := serve(t, "tcp", echo)
	l := s.load()
	l.RateRPS, l.Threads, l.WindowNS = 2000, 2, int64(500*time.Millisecond)
	statistic := func(skew float64) (float64, control.LoadResult) {
		g := generatorFor(t, l)
		defer g.close()
		defer tune(g.threads)()
		for _, w := range g.workers {
			w.schedule.gap *= skew
		}
		r, err := g.run(Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		a := TestArrivals(r.Arrivals)
		if a == nil {
			t.Fatalf("%d requests, and arrivals were not tested", r.Requests)
		}
		return a.Statistic, r
	}
	if a, _ := statistic(0.7); a < 6 {
		t.Errorf("gaps that are shorter by 30 %% give %.2f, which nobody would doubt", a)
	}
	// On a machine that holds an honest generator up, what leaves is no Poisson process either, and the test says so rightly.
	patiently(t, func(int64) error {
		if a, r := statistic(1); a > 6 && time.Duration(r.Latency["slip"].P99) < time.Millisecond {
			return fmt.Errorf("an honest schedule gives %.2f", a)
		}
		return nil
	})
}

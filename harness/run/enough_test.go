package run

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial/trialtest"
)

// blocks plans a number of blocks of one point.
func blocks(t *testing.T, n int, precision float64, budget time.Duration) *plan.Plan {
	t.Helper()
	s := plan.Sweep{Engines: []string{"toy"}, Workloads: []string{"echo"}, Blocks: n, Seed: 1, Precision: precision, Budget: budget}
	p, err := s.Resolve(toys, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARunStopsWhenItsMediansAreKnownAndSaysSo(t *testing.T) {
	o, log := options(t), bytes.Buffer{}
	o.Stderr = &log
	got, err := Execute(t.Context(), blocks(t, 9, 0.03, 0), o)
	if err != nil || got.Done != 6 || !strings.Contains(got.Stopped, "after 6 blocks") {
		t.Fatalf("%+v, %v", got, err)
	}
	f := loadFolder(t, o.Dir)
	if f.Run.Stopped != got.Stopped || f.Run.Precision != 0.03 || len(f.Run.Order) != 9 {
		t.Errorf("run.json: %+v", f.Run)
	}
	for _, want := range []string{"stopped early: after 6 blocks", "toy echo 64 conns: throughput varies by 0.0 % between trials"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in %s", want, log.String())
		}
	}
	o.Stderr = nil
	if again, err := Resume(t.Context(), toys, o); err != nil || again.Done != 6 || again.Stopped == "" {
		t.Errorf("a run that stopped is complete: %+v, %v", again, err)
	}
}

func TestARunStopsBeforeABlockThatDoesNotFitItsBudget(t *testing.T) {
	o := options(t)
	got, err := Execute(t.Context(), blocks(t, 3, 0, time.Nanosecond), o)
	if err != nil || got.Done != 1 || !strings.Contains(got.Stopped, "block 2") {
		t.Errorf("%+v, %v", got, err)
	}
	if f := loadFolder(t, o.Dir); f.Run.Stopped != got.Stopped || f.Run.BudgetNS != 1 {
		t.Errorf("run.json: %+v", f.Run)
	}
}

func TestSearchesThatDoNotFitTheBudgetAreLeftOutWithANoteUntilTheyDo(t *testing.T) {
	o, p := options(t), experiments(t, "p99<1ms")
	p.Budget = time.Nanosecond
	if got, err := Execute(t.Context(), p, o); err != nil || !strings.Contains(got.Stopped, "block 2") {
		t.Fatalf("%+v, %v", got, err)
	}
	for part := range 2 {
		f := loadFolder(t, o.Dir)
		left := func(note string) bool { return strings.Contains(note, searchesLeftOut) }
		if n := len(slices.DeleteFunc(slices.Clone(f.Run.Notes), func(note string) bool { return !left(note) })); n != 1 || f.Run.Capacities != nil {
			t.Fatalf("part %d: notes %q, %+v", part, f.Run.Notes, f.Run.Capacities)
		}
		if rest, err := Remaining(toys, o.Dir); err != nil || len(rest.Searches) != 0 {
			t.Errorf("part %d: %+v remains, %v", part, rest, err)
		}
		if _, err := Resume(t.Context(), toys, o); err != nil {
			t.Fatal(err)
		}
	}
	f := loadFolder(t, o.Dir)
	f.Run.BudgetNS = int64(time.Hour)
	w, err := recordAgain(o.Dir, f.Run)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if rest, err := Remaining(toys, o.Dir); err != nil || len(rest.Searches) != 1 || len(rest.Jobs) != 0 {
		t.Errorf("%+v remains, %v", rest, err)
	}
	if _, err := Resume(t.Context(), toys, o); err != nil {
		t.Fatal(err)
	}
	if f = loadFolder(t, o.Dir); len(f.Run.Capacities) != 1 || strings.Contains(strings.Join(f.Run.Notes, ";"), searchesLeftOut) {
		t.Errorf("notes %q, %+v", f.Run.Notes, f.Run.Capacities)
	}
}

func TestTheBudgetIsOfAllThatTheRunDoes(t *testing.T) {
	r := &runner{plan: &plan.Plan{Budget: time.Hour}, began: time.Now().Add(-50 * time.Minute)}
	for needs, want := range map[time.Duration]bool{9 * time.Minute: true, 11 * time.Minute: false} {
		if got := r.fits(needs); got != want {
			t.Errorf("after 50 minutes of an hour %v fits: %v", needs, got)
		}
	}
}

func TestATrialWithoutRepliesInItsWindowCostsNothingThatIsKnown(t *testing.T) {
	s := newSeen()
	for range 6 {
		s.add(&record.Trial{Point: record.Point{Engine: "toy"}, CPU: &record.CPU{ServerUtil: 0.1}})
	}
	if s.knownTo(0.5) {
		t.Error("a cost that nobody measured is known")
	}
}

func TestNoPrecisionAndNoBudgetMeasureEverything(t *testing.T) {
	if got, err := Execute(t.Context(), blocks(t, 7, 0, 0), options(t)); err != nil || got.Done != 7 || got.Stopped != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAPointWithoutValidTrialsIsNeverKnown(t *testing.T) {
	s := newSeen()
	good := record.Trial{Point: record.Point{Engine: "toy"}, CPU: &record.CPU{ServerNSPerReq: trialtest.RPS}}
	bad := record.Trial{Point: record.Point{Engine: "doll"}, Failed: "it fell over"}
	for range 6 {
		s.add(&good)
	}
	if !s.knownTo(0.01) {
		t.Error("six equal trials are known")
	}
	if s.add(&bad); s.knownTo(0.5) {
		t.Error("a point that always failed is known")
	}
}

func TestTheMedianThatVariesMostDecides(t *testing.T) {
	s := newSeen()
	for i := range 6 {
		s.add(&record.Trial{Point: record.Point{Engine: "calm"}, CPU: &record.CPU{ServerNSPerReq: 100}})
		s.add(&record.Trial{Point: record.Point{Engine: "wild"}, CPU: &record.CPU{ServerNSPerReq: 100 + 2*float64(i)}})
	}
	if s.knownTo(0.04) || !s.knownTo(0.05) { // half of 100..110 is 5, the median 105
		t.Error("the interval of wild is 4.8 % to either side")
	}
}

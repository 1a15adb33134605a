package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial/trialtest"
)

// experiments is two questions: one of both engines in two blocks, one of a single engine in one.
func experiments(t *testing.T, slos ...string) *plan.Plan {
	t.Helper()
	both := plan.Sweep{Engines: []string{"toy", "doll"}, Workloads: []string{"echo"}}
	one := plan.Sweep{Engines: []string{"toy"}, Workloads: []string{"echo"}}
	p, err := plan.Together([]plan.Part{
		{Experiment: "a", Sweeps: []plan.Sweep{both}, Blocks: 2}, {Experiment: "b", Sweeps: []plan.Sweep{one}, Blocks: 1, SLOs: slos, Width: 0.05},
	}, plan.Sweep{Seed: 1}, toys, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARunOfExperimentsSaysWhichTrialBelongsToWhich(t *testing.T) {
	o := options(t)
	got, err := Execute(t.Context(), experiments(t), o)
	if err != nil || got.Done != 5 || got.Planned != 5 {
		t.Fatalf("%+v, %v", got, err)
	}
	f := loadFolder(t, o.Dir)
	trials := map[string]int{}
	for _, tr := range f.Trials {
		trials[tr.Experiment]++
		if tr.Experiment == "b" && tr.Block != 0 {
			t.Errorf("b has one block, and a trial in block %d", tr.Block)
		}
	}
	if trials["a"] != 4 || trials["b"] != 1 || f.Run.ExperimentBlocks["b"] != 1 {
		t.Errorf("%v, %v", trials, f.Run.ExperimentBlocks)
	}
	if again, err := Resume(t.Context(), toys, o); err != nil || again.Done != 5 {
		t.Errorf("%+v, %v", again, err)
	}
}

// shared is a plan with rates as shares of what toy and doll can do.
func shared(t *testing.T) *plan.Plan {
	t.Helper()
	s := plan.Sweep{Engines: []string{"toy", "doll"}, Workloads: []string{"echo"}, Blocks: 1, Seed: 1, Axes: []plan.Axis{{Name: "rate", Values: "50%,10%"}}}
	p, err := s.Resolve(toys, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAShareBecomesARateBeforeItIsMeasured(t *testing.T) {
	o := options(t)
	got, err := Execute(t.Context(), shared(t), o)
	if err != nil || got.Done != 10 || got.Planned != 10 {
		t.Fatalf("%+v, %v", got, err)
	}
	f := loadFolder(t, o.Dir)
	probes := 0
	for _, tr := range f.Trials {
		if tr.Arm == record.Probe {
			probes++
			if tr.Mode != record.Closed || tr.Number("rate") != 0 || tr.Trial < 4 {
				t.Errorf("probe %+v", tr.Point)
			}
			continue
		}
		if want := trialtest.RPS * tr.Number("rate-share"); tr.Number("rate") != want || tr.OfferedRPS != want {
			t.Errorf("%.0f %% became %.0f/s, offered %.0f/s, want %.0f/s", 100*tr.Number("rate-share"), tr.Number("rate"), tr.OfferedRPS, want)
		}
	}
	if probes != 6 { // three of each engine
		t.Errorf("%d probes", probes)
	}
	for _, p := range f.Run.Plan {
		if p.Number("rate") == 0 {
			t.Errorf("run.json does not know the rate of %+v", p)
		}
	}
	if _, counted := f.Counted(); len(counted) != 4 {
		t.Errorf("%d trials count", len(counted))
	}
}

func TestAResumedRunDoesNotProbeAgain(t *testing.T) {
	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.Stderr = onLine(func(text string) {
		if strings.Contains(text, "1 of 4 trials done") {
			cancel()
		}
	})
	if _, err := Execute(ctx, shared(t), o); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	o.Stderr = nil
	if got, err := Resume(t.Context(), toys, o); err != nil || got.Done != 10 {
		t.Fatalf("%+v, %v", got, err)
	}
	rates := map[string]float64{}
	for _, tr := range loadFolder(t, o.Dir).Trials {
		at := tr.Label() + " " + tr.Text("rate-share")
		if had, ok := rates[at]; ok && had != tr.Number("rate") {
			t.Errorf("%s has two rates", at)
		}
		rates[at] = tr.Number("rate")
	}
}

func TestAPointThatServesNothingEndsTheRunAndCanBeProbedAgain(t *testing.T) {
	t.Setenv(trialtest.Fault, "load go error")
	t.Setenv(trialtest.Engine, "doll")
	o := options(t)
	if _, err := Execute(t.Context(), shared(t), o); err == nil || !strings.Contains(err.Error(), "no probe says what doll echo can do") {
		t.Fatalf("got %v", err)
	}
	t.Setenv(trialtest.Fault, "")
	// Four of doll failed, the fifth is good enough; three of toy and the plan.
	if got, err := Resume(t.Context(), toys, o); err != nil || got.Failed != 4 || got.Done != 12 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAProbeThatOthersSpoiltIsMadeAgainAlsoByAResumedRun(t *testing.T) {
	o, p := options(t), shared(t)
	p.Retries = 1
	ctx, cancel := context.WithCancel(t.Context())
	o.Stderr = onLine(func(text string) {
		if strings.Contains(text, "1 of 6 trials done") {
			cancel()
		}
	})
	if _, err := Execute(ctx, p, o); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	spoil(t, o.Dir, 4)
	o.Stderr = nil
	if got, err := Resume(t.Context(), toys, o); err != nil || got.Done != 11 {
		t.Fatalf("%+v, %v", got, err)
	}
	trials := loadFolder(t, o.Dir).Trials
	again := slices.IndexFunc(trials, func(tr record.Trial) bool { return tr.Repeat == 1 })
	if again < 1 || trials[again].Trial != 4 || trials[again].Arm != record.Probe {
		t.Errorf("record %d is the repetition", again)
	}
}

// probe is what a probe found.
func probe(j plan.Job, rps float64, code string) *record.Trial {
	t := marked(j, code, record.Invalid)
	t.ThroughputRPS = rps
	return t
}

func TestProbesAreMadeAgainWhenTheySayNothing(t *testing.T) {
	p := &probes{jobs: shared(t).Probes(), last: map[int]*record.Trial{}}
	toy, doll := p.jobs[0], p.jobs[1]
	if got := p.wanting(0, 1); len(got) != 6 {
		t.Fatalf("%d probes to begin with", len(got))
	}
	for _, j := range p.jobs {
		p.keep(probe(j, 1000, ""))
	}
	if got := p.wanting(0, 1); len(got) != 0 {
		t.Errorf("made again: %+v", got)
	}
	p.keep(probe(toy, 10, "stolen_cpu"))
	p.keep(probe(doll, 10, "bad_answers"))
	if got := p.wanting(1, 1); len(got) != 1 || got[0].Trial != toy.Trial || got[0].Repeat != 1 || got[0].Seed != toy.Seed {
		t.Errorf("made again: %+v; want what others spoilt", got)
	}
	if got := p.wanting(1, 0); len(got) != 0 {
		t.Errorf("made again without --retries: %+v", got)
	}
	toy.Repeat = 1
	p.keep(probe(toy, 10, "stolen_cpu"))
	if got := p.wanting(1, 1); len(got) != 0 {
		t.Errorf("made again more often than asked for: %+v", got)
	}
	for _, j := range p.jobs {
		if j.Point.Engine == "doll" {
			p.keep(probe(j, 0, ""))
		}
	}
	if got := p.wanting(1, 1); len(got) != 1 || got[0].Trial != doll.Trial || got[0].Repeat != 1 {
		t.Errorf("made again: %+v; want one probe of a point that served nothing", got)
	}
	if got := p.wanting(probeTries, 1); len(got) != 0 {
		t.Errorf("made again for ever: %+v", got)
	}
}

func TestWhatAPointCanDoIsTheMedianOfItsValidProbes(t *testing.T) {
	jobs := shared(t).Probes()
	for _, c := range []struct {
		rps   []float64
		codes []string
		want  float64
		notes int
	}{
		{[]float64{1000, 400, 1100}, []string{"", "", ""}, 1000, 0},
		{[]float64{1000, 400, 1100}, []string{"", "foreign_cpu", ""}, 1000, 0}, // of two the slower
		{[]float64{0, 400, 1100}, []string{"", "foreign_cpu", ""}, 1100, 0},
		{[]float64{500, 400, 300}, []string{"stolen_cpu", "foreign_cpu", "bad_answers"}, 400, 1},
		{[]float64{0, 0, 0}, []string{"", "", ""}, 0, 0},
	} {
		p, r := &probes{jobs: jobs, last: map[int]*record.Trial{}}, &runner{}
		for i, rps := range c.rps {
			p.keep(probe(jobs[2*i], rps, c.codes[i])) // the engines take turns
		}
		for range 2 { // for two shares
			if got, ok := r.can(p.of(jobs[0].Point)); got != c.want || ok != (c.want > 0) {
				t.Errorf("%+v: %v, %v", c, got, ok)
			}
		}
		if len(r.meta.Notes) != c.notes || c.notes > 0 && !strings.Contains(r.meta.Notes[0], "bad_answers, foreign_cpu, stolen_cpu") {
			t.Errorf("%+v: notes %q", c, r.meta.Notes)
		}
	}
}

func TestAGeneratorThatIsTheLimitBoundsAShare(t *testing.T) {
	r := &runner{}
	tr := &record.Trial{ThroughputRPS: 100_000, CPU: &record.CPU{ClientNSPerReq: 10_000}}
	tr.Params = map[string]any{"client-cpus": "1", "threads": 1.0}
	if got := r.capacity(tr); got != 75_000 || len(r.meta.Notes) != 1 {
		t.Errorf("%v, %v", got, r.meta.Notes)
	}
	tr.CPU.ClientNSPerReq = 1000
	if got := r.capacity(tr); got != 100_000 || len(r.meta.Notes) != 1 {
		t.Errorf("%v, %v", got, r.meta.Notes)
	}
}

func TestSearchesFollowTheBlocksAndShareTheirTrials(t *testing.T) {
	o := options(t)
	if _, err := Execute(t.Context(), experiments(t, "p99<1ms", "p99<20ms"), o); err != nil {
		t.Fatal(err)
	}
	f := loadFolder(t, o.Dir)
	if len(f.Run.Capacities) != 2 || f.Run.Capacities[0].SLO != "p99<1ms" || f.Run.Capacities[1].PeakRPS != trialtest.RPS {
		t.Fatalf("%+v", f.Run.Capacities)
	}
	probes, most := 0, 0
	for _, tr := range f.Trials {
		if tr.Arm == record.Probe {
			probes++
		}
	}
	for _, c := range f.Run.Capacities {
		most = max(most, c.Probes)
	}
	// The double answers nothing in an open loop, so both searches ask for the same rates: one has all trials made for it.
	if probes != most || probes == 0 {
		t.Errorf("%d trials for two searches of %d probes at most", probes, most)
	}
	before := len(f.Trials)
	f.Run.Capacities = nil // as if it had been interrupted before they were written
	_, w, err := record.Reopen(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Amend(f.Run), w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(t.Context(), toys, o); err != nil {
		t.Fatal(err)
	}
	if f = loadFolder(t, o.Dir); len(f.Trials) != before || len(f.Run.Capacities) != 2 {
		t.Errorf("a search that goes on made %d trials again", len(f.Trials)-before)
	}
}

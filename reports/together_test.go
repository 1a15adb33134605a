package reports

import (
	"strings"
	"testing"

	"turnlab/harness/record"
)

func TestTwoRunsStandSideBySideAndEachEngineIsHeldAgainstItself(t *testing.T) {
	run, trials := loadFixture(t, "quick")
	a := &record.Folder{Dir: "a", Run: *run, Trials: trials}
	later := *run
	later.ID = "later"
	b := &record.Folder{Dir: "b", Run: later}
	for _, t := range trials {
		cpu := *t.CPU
		cpu.ServerNSPerReq *= 2
		t.CPU = &cpu
		b.Trials = append(b.Trials, t)
	}
	joined, both := Together(a, b, [2]string{"before", "after"})
	r := newReport(joined, both, Options{Runs: []string{"before", "after"}})
	r.illustrate()
	if len(both) != 2*len(trials) || r.title() != "before and after, side by side" {
		t.Errorf("%d trials, called %q", len(both), r.title())
	}
	first, second := r.looks["coop (before)"], r.looks["coop (after)"]
	if first.Words.Name != "blue0" || second.Words != first.Words || len(first.Dashes) > 0 || len(second.Dashes) == 0 || first.Shape == second.Shape {
		t.Errorf("coop looks like %+v and %+v, want one colour, and a marker and dashes of its own in the second run", first, second)
	}
	if got := strings.Join(r.digest.Labels[:4], ", "); got != "coop (before), coop (after), preempt (before), preempt (after)" {
		t.Errorf("engines stand in the order %s", got)
	}
	ratios := 0
	for _, f := range r.allFigures() {
		if !strings.Contains(f.Chart.ID, "cpu-ratio") {
			continue
		}
		for _, s := range f.Chart.Series {
			ratios++
			if !strings.HasSuffix(s.Key, " (after)") || !strings.Contains(s.Name, " (after) at ") || s.Note != "2.00×" {
				t.Errorf("%s is %s, want twice the same engine before", s.Name, s.Note)
			}
		}
	}
	if ratios != 2*4*3 {
		t.Errorf("%d ratios, want those of four engines at three places of two workloads", ratios)
	}
}

func TestOfTwoRunsNothingIsCalledByAMarkOfItsRun(t *testing.T) {
	run, trials := loadFixture(t, "oddities")
	a, b := &record.Folder{Dir: "a", Run: *run, Trials: trials}, &record.Folder{Dir: "b", Run: *run, Trials: trials}
	joined, both := Together(a, b, [2]string{"before", "after"})
	r := newReport(joined, both, Options{Runs: []string{"before", "after"}})
	r.illustrate()
	names := map[string]bool{}
	for _, f := range r.allFigures() {
		for _, s := range f.Chart.Series {
			names[s.Name] = true
			if strings.Contains(s.Name+s.Key, "@") {
				t.Errorf("%s: %s (%s)", f.Chart.ID, s.Name, s.Key)
			}
		}
	}
	for _, want := range []string{"coop (before)", "coop (after)", "coop yield=1ms (before)", `exec/"quoted"&'so' (after)`} {
		if !names[want] {
			t.Errorf("nothing is called %q", want)
		}
	}
}

func TestOfTwoRunsTheBoundsOfBothAreDrawn(t *testing.T) {
	run, trials := loadFixture(t, "quick")
	a, b := &record.Folder{Dir: "a", Run: *run, Trials: trials}, &record.Folder{Dir: "b", Run: *run, Trials: trials}
	a.Run.Capacities = []record.Capacity{{Engine: "coop", Workload: "http", SLO: "p99<5ms", LowerRPS: 10_000, UpperRPS: 10_400, Probes: 9}}
	b.Run.Capacities = []record.Capacity{{Engine: "coop", Workload: "http", SLO: "p99<5ms", LowerRPS: 12_000, UpperRPS: 12_500, Probes: 11}}
	joined, both := Together(a, b, [2]string{"before", "after"})
	r := newReport(joined, both, Options{Runs: []string{"before", "after"}})
	r.illustrate()
	f := r.chart("", "http-capacity")
	if f == nil || len(f.Chart.Series) != 2 || f.Chart.Series[1].Name != "coop (after)" || f.Chart.Series[1].Look.Shape != r.looks["coop (after)"].Shape {
		t.Fatalf("bounds %+v", f)
	}
}

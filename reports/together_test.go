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
	first, second := r.looks["coop/@before"], r.looks["coop/@after"]
	if first.Ink != second.Ink || len(first.Dashes) > 0 || len(second.Dashes) == 0 {
		t.Errorf("coop looks like %+v and %+v, want one colour, and dashes in the second run", first, second)
	}
	ratios := 0
	for _, f := range r.allFigures() {
		if !strings.Contains(f.Chart.ID, "cpu-ratio") {
			continue
		}
		for _, s := range f.Chart.Series {
			ratios++
			if !strings.HasSuffix(s.Key, "@after") || s.Note != "2.00×" {
				t.Errorf("%s is %s, want twice the same engine before", s.Name, s.Note)
			}
		}
	}
	if ratios != 2*4*3 {
		t.Errorf("%d ratios, want those of four engines at three places of two workloads", ratios)
	}
}

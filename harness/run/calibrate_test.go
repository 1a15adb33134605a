package run

import (
	"os"
	"strings"
	"testing"

	"turnlab/engine/all"
	"turnlab/harness/capacity"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// rated is a plan of real engines at some rates.
func rated(t *testing.T, rate string, axes ...plan.Axis) *plan.Plan {
	t.Helper()
	s := plan.Sweep{
		Engines: []string{"loop"}, Workloads: []string{"echo"}, Blocks: 1, Seed: 1,
		Axes: append(axes, plan.Axis{Name: "rate", Values: rate}, plan.Axis{Name: "duration", Values: "1200ms"}, plan.Axis{Name: "warmup", Values: "50ms"}),
	}
	p, err := s.Resolve(plan.Catalog{Engines: all.Specs, Workloads: workloads.All}, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRatesThatNoGeneratorKeepsAreRefusedAndLeaveNothing(t *testing.T) {
	t.Setenv(real, "1")
	o := options(t)
	_, err := Execute(t.Context(), rated(t, "200,90M"), o)
	if !misuse.Is(err) || !strings.Contains(err.Error(), "rate 90000000 of echo at 64 connections") || !strings.Contains(err.Error(), "gen_max") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(o.Dir); err == nil {
		t.Error("a run that could not begin left a folder")
	}
}

func TestWhatTheGeneratorCanDoIsMeasuredOnceAndKept(t *testing.T) {
	t.Setenv(real, "1")
	o, p := options(t), rated(t, "1010", plan.Axis{Name: "generators", Values: "1,2"}, plan.Axis{Name: "conns", Values: "8"})
	if _, err := Execute(t.Context(), p, o); err != nil {
		t.Fatal(err)
	}
	f := loadFolder(t, o.Dir)
	if len(f.Run.Calibrations) != 2 {
		t.Fatalf("one generator and two are two shapes of load; %+v, notes %v", f.Run.Calibrations, f.Run.Notes)
	}
	for _, c := range f.Run.Calibrations {
		if c.Workload != "echo" || c.GenMaxRPS != 1010 || !c.AtLeast || len(c.Attempts) == 0 || c.Params["conns"] != 8.0 {
			t.Errorf("%+v", c)
		}
	}
	for i, tr := range f.Trials {
		if tr.Failed != "" || len(tr.Errors) > 0 || tr.Requests != tr.Due || tr.Due < 1000 || tr.Due > 1400 {
			t.Errorf("trial %d: %s, %d of %d, %v", i, tr.Failed, tr.Requests, tr.Due, tr.Errors)
		}
		if len(tr.Intervals) != 2 || tr.Arrivals == nil {
			t.Errorf("trial %d: %d intervals, arrivals %+v", i, len(tr.Intervals), tr.Arrivals)
		}
		if apart := tr.ApartNS > 0; apart != (tr.Number("generators") == 2) {
			t.Errorf("%v generators, windows %d ns apart", tr.Number("generators"), tr.ApartNS)
		}
	}
	kept := f.Run.Calibrations[0]
	f.Run.Calibrations[0].GenMaxRPS, f.Run.Calibrations[0].AtLeast = 100, false
	w, err := recordAgain(o.Dir, f.Run)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := Resume(t.Context(), p.Catalog, o); !misuse.Is(err) {
		t.Errorf("a run that is resumed must go by its own calibration, %+v, and %v", kept, err)
	}
	if f = loadFolder(t, o.Dir); len(f.Trials) != 2 {
		t.Errorf("%d trials are left of 2", len(f.Trials))
	}
}

// recordAgain changes run.json.
func recordAgain(dir string, run record.Run) (*record.Writer, error) {
	_, w, err := record.Reopen(dir)
	if err != nil {
		return nil, err
	}
	return w, w.Amend(run)
}

func TestAGeneratorThatCannotBeCalibratedIsNotedAndTheRunGoesOn(t *testing.T) {
	o := options(t) // of doubles, of which the null responder fails
	t.Setenv("TRIALTEST_FAULT", "null start die")
	s := plan.Sweep{Engines: []string{"toy"}, Workloads: []string{"echo"}, Blocks: 1, Axes: []plan.Axis{{Name: "rate", Values: "2k"}}}
	p, err := s.Resolve(toys, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Execute(t.Context(), p, o); err != nil {
		t.Fatal(err)
	}
	f := loadFolder(t, o.Dir)
	if len(f.Trials) != 1 || len(f.Run.Calibrations) != 0 || len(f.Run.Notes) == 0 || !strings.Contains(f.Run.Notes[0], "could not be calibrated") {
		t.Errorf("%d trials, %+v, notes %v", len(f.Trials), f.Run.Calibrations, f.Run.Notes)
	}
	if _, err := Resume(t.Context(), toys, o); err != nil {
		t.Fatal(err)
	}
	if again := loadFolder(t, o.Dir).Run.Notes; len(again) != len(f.Run.Notes) {
		t.Errorf("each part of the run says it again: %q", again)
	}
}

// A rate far beyond its CPU makes a generator work all the time. Past the refusal, which would spare us the trial, the flag
// must say so.
func TestAGeneratorShortOfCPUIsFlagged(t *testing.T) {
	t.Setenv(real, "1")
	p := rated(t, "500k", plan.Axis{Name: "timeout", Values: "300ms"})
	lab := trial.Lab{Run: "r", Catalog: p.Catalog}
	for range 3 {
		tr, err := lab.Measure(t.Context(), p.Jobs()[0])
		if err != nil || tr.Failed != "" {
			t.Fatal(err, tr)
		}
		for _, f := range tr.Flags {
			if f.Code == "client_limited" && f.Level == record.Invalid {
				return
			}
		}
		t.Logf("used %.2f of a CPU, others %.2f: flags %+v", tr.CPU.ClientUtil, tr.Machine.ForeignUtil, tr.Flags)
		if tr.Machine.ForeignUtil < 0.1 && tr.Machine.StealUtil < 0.1 {
			t.Fatal("a generator that cannot send half a million requests per second is not flagged")
		}
	}
	t.Skip("others use these CPUs, so that the generator gets too little to be the limit")
}

func TestASearchEndsAtWhatTheGeneratorCanDoAndSaysSo(t *testing.T) {
	point := record.Point{Engine: "toy", Workload: "echo", Mode: record.Closed, Params: map[string]any{"conns": 8.0, "transport": "tcp"}}
	h := &hunt{runner: &runner{meta: record.Run{Calibrations: []record.Calibration{
		{Workload: "echo", Params: point.Params, GenMaxRPS: 1234.5},
	}}}}
	h.add(point, goal, 5000)
	s := h.searches[0].search
	for range capacity.MaxProbes {
		rate, more := s.Next()
		if !more {
			break
		}
		if rate > 1234 {
			t.Fatalf("a probe at %v, above what the generator can do", rate)
		}
		s.Add(rate, capacity.Probe{})
	}
	found := h.found()[0]
	if found.Lower != 1234 || found.Upper != 0 || found.GenMaxRPS != 1234.5 || !strings.Contains(found.Irregular, ">= gen_max") {
		t.Errorf("%+v", found)
	}
}

package main

import (
	"errors"
	"path/filepath"
	"testing"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

func TestAComparisonCanBeOfSomeExperiments(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	run := record.Run{Schema: record.Schema, ID: "r", Blocks: 1, Order: [][]int{{0, 1}}}
	for _, name := range []string{"hog", "load"} {
		run.Plan = append(run.Plan, record.Point{Engine: "coop", Workload: "echo", Mode: record.Closed, Experiment: name, Params: map[string]any{"conns": 1.0}})
	}
	w, err := record.Create(dir, run)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range run.Plan {
		err = errors.Join(err, w.Add(fakeTrial(&run, p, 0, i, 1000)))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := loadOf(dir, []string{"load"})
	if err != nil || len(f.Trials) != 1 || len(f.Run.Plan) != 1 || f.Trials[0].Experiment != "load" {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := loadOf(dir, nil); err != nil || len(f.Trials) != 2 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := loadOf(dir, []string{"fanout"}); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestSettingsOfAComparisonAreRead(t *testing.T) {
	got, err := parseVariants([]string{"coop", "preempt"}, []string{"coop.yield=0s"})
	if err != nil || len(got) != 2 || got[0].Set["coop.yield"] != "0s" || len(got[1].Set) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"coop.yield", "yield=0s", "coop.yield=", "threads.procs=1"} {
		if _, err := parseVariants([]string{"coop", "preempt"}, []string{text}); !misuse.Is(err) {
			t.Errorf("--set %s: %v", text, err)
		}
	}
	if value, ok := optionDefault("coop.yield"); !ok || value == "" {
		t.Errorf("coop.yield has the default %q", value)
	}
	if value, ok := optionDefault("preempt.via"); !ok || value != "channel" {
		t.Errorf("preempt.via has the default %q", value)
	}
	if _, ok := optionDefault("coop.speed"); ok {
		t.Error("an option that is not has a default")
	}
}

func TestRunsWithoutASharedPointAreToldApart(t *testing.T) {
	at := func(conns float64, experiment string) *record.Run {
		return &record.Run{Plan: []record.Point{{Engine: "coop", Workload: "echo", Mode: record.Closed, Experiment: experiment,
			Params: map[string]any{"conns": conns, "coop.procs": conns, "server-cpus": "0"}}}}
	}
	if !sharePoint(at(1, ""), at(1, "load")) || sharePoint(at(1, ""), at(2, "")) {
		t.Error("points are the same by engine and load, and nothing else")
	}
}

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

package reports

import (
	"strings"
	"testing"

	"turnlab/harness/record"
)

func TestBoundsOfACapacityAreARowUnderTheirServiceLevel(t *testing.T) {
	p := record.Point{Engine: "coop", Workload: "http", Mode: record.Closed, Experiment: "capacity", Params: map[string]any{"conns": 64.0}}
	run := &record.Run{Blocks: 1, Plan: []record.Point{p}, Capacities: []record.Capacity{
		{Experiment: "capacity", Engine: "coop", SLO: "p99<1ms", LowerRPS: 20_000, UpperRPS: 21_000},
		{Experiment: "capacity", Engine: "preempt", SLO: "p99<1ms", LowerRPS: 10_000},
		{Experiment: "capacity", Engine: "coop", SLO: "p99<5ms", UpperRPS: 900, Probes: 17, Disturbed: 3, UpperUnsure: true},
		{Experiment: "another", Engine: "threads", SLO: "p99<5ms", LowerRPS: 1},
	}}
	trial := record.Trial{Point: p, Requests: 10, WindowSeconds: 1, ThroughputRPS: 10}
	r := newReport(run, []record.Trial{trial}, Options{Experiments: []Experiment{{
		Name: "capacity", Plots: []Plot{{ID: "bounds", Title: "Bounds", Kind: Bounds}},
	}}})
	r.illustrate()
	if len(r.exhibits) != 1 || len(r.exhibits[0].plots[0].Figures) != 1 {
		t.Fatalf("%d exhibits", len(r.exhibits))
	}
	f := r.exhibits[0].plots[0].Figures[0]
	var rows []string
	for _, s := range f.Chart.Series {
		rows = append(rows, s.Group+" "+s.Name+" "+s.Note)
	}
	if got := strings.Join(rows, ", "); got != "p99<1ms coop 20.0k/s to 21.0k/s, p99<1ms preempt 10.0k/s or more, p99<5ms coop none passed, not sure" {
		t.Errorf("rows: %s", got)
	}
	if got := f.Table.Rows[2][4].Text + f.Table.Rows[0][4].Text; got != "3 of 17 probes disturbed: the upper bound is not sure–" {
		t.Errorf("doubts: %s", got)
	}
	if len(f.Table.Rows) != 3 || f.Chart.ID != "capacity-bounds" {
		t.Errorf("%d rows in the table of %s", len(f.Table.Rows), f.Chart.ID)
	}
	run.Capacities = nil
	r = newReport(run, []record.Trial{trial}, Options{Experiments: []Experiment{{Name: "capacity", Plots: []Plot{{ID: "bounds", Kind: Bounds}}}}})
	r.illustrate()
	if n := len(r.exhibits[0].plots[0].Figures); n != 0 {
		t.Errorf("%d drawings of no search", n)
	}
}

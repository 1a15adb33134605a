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
	if got := f.Table.Rows[2][6].Text + f.Table.Rows[0][6].Text; got != "3 of 17 probes disturbed: the upper bound is not sure–" {
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

func TestACapacityThatNoExperimentAskedForIsDrawnWithItsWorkload(t *testing.T) {
	no, yes := false, true
	closed := fixturePoint("coop", "http", 64, 0)
	probe := fixturePoint("coop", "http", 64, 21_000)
	run := fixtureRun(1, []record.Point{closed})
	run.Capacities = []record.Capacity{
		{Engine: "coop", Workload: "http", Conns: 64, SLO: "p99<1ms", LowerRPS: 20_000, UpperRPS: 21_000, Probes: 12, Confirmed: &yes},
		{Engine: "coop", Workload: "http", Conns: 256, SLO: "p99<1ms", LowerRPS: 18_000, UpperRPS: 19_000, Probes: 15, Confirmed: &no, Irregular: "odd"},
		{Experiment: "capacity", Engine: "coop", Workload: "http", SLO: "p99<5ms", LowerRPS: 1, Probes: 1},
		{Engine: "coop", Workload: "echo", SLO: "p99<1ms", LowerRPS: 1, Probes: 1},
	}
	trials := []record.Trial{{Point: closed, Requests: 9, WindowSeconds: 1, ThroughputRPS: 30_000}, {Point: probe, Requests: 9, WindowSeconds: 1, ThroughputRPS: 21_000}}
	r := newReport(run, trials, Options{})
	r.illustrate()
	f := r.chart("", "http-capacity")
	if f == nil || len(f.Chart.Series) != 2 {
		t.Fatalf("bounds %+v", f)
	}
	first, second := f.Chart.Series[0], f.Chart.Series[1]
	if first.Name != "coop, 64 connections" || first.Doubted || second.Name != "coop, 256 connections" || !second.Doubted || !strings.HasSuffix(second.Note, ", not sure") {
		t.Errorf("rows %+v and %+v", first, second)
	}
	if want := "12–15 probes each · hollow: not sure"; !strings.HasSuffix(f.Chart.Footnote, want) {
		t.Errorf("footnote %q, want it to end in %q", f.Chart.Footnote, want)
	}
	if row := f.Table.Rows[1]; row[4].Text != "15" || row[5].Text != "no" || row[6].Text != "odd" {
		t.Errorf("the table says %+v", row)
	}
	panels := r.rest.Sections[0].Panels
	for i := range panels {
		if has := len(r.figures[0][i]) > 0 && r.figures[0][i][0].Chart.ID == "http-capacity"; has != (panels[i].Mode == record.Open) {
			t.Errorf("bounds in the panel of the %s loop: %v", panels[i].Mode, has)
		}
	}
}

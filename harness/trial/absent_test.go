package trial

import (
	"encoding/json"
	"strings"
	"testing"

	"turnlab/harness/control"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
)

func TestATrialWithoutRepliesHasNoCostOfOne(t *testing.T) {
	tr := &record.Trial{Schema: record.Schema, Point: record.Point{Mode: record.Closed}}
	Record(tr, &control.LoadResult{WindowNS: 1e9, Usage: control.Usage{MonotonicNS: 1e9, CPUNS: 5e8, Voluntary: 7}})
	before := &control.Usage{MonotonicNS: 1e9}
	after := &control.Usage{MonotonicNS: 2e9, CPUNS: 25e7, Voluntary: 9, Counters: map[string]int64{"polls": 3}}
	addTimes(tr, before, after)
	addCounts(tr, before, after)
	if tr.CPU == nil || tr.CPU.ServerUtil != 0.25 || tr.CPU.ClientUtil != 0.5 || tr.Sched["polls"] != 3 {
		t.Errorf("what was measured: CPU %+v, sched %v", tr.CPU, tr.Sched)
	}
	text, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server_ns_per_req", "client_ns_per_req", "switches"} {
		if strings.Contains(string(text), name) {
			t.Errorf("%s stands in the record: %s", name, text)
		}
	}
	for _, f := range tr.Figures() {
		if strings.Contains(f.Name, "per_req") {
			t.Errorf("a figure %s", f.Name)
		}
	}
}

func TestATrialAboveItsCalibrationSaysSo(t *testing.T) {
	s := plan.Sweep{Engines: []string{"toy"}, Workloads: []string{"echo"}, Blocks: 1, Axes: append([]plan.Axis{{Name: "rate", Values: "3000"}}, brief...)}
	p, err := s.Resolve(catalog, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	j := p.Jobs()[0]
	for _, c := range []struct {
		genMax  float64
		atLeast bool
		want    float64
	}{{2000, false, 2000}, {3000, true, 0}} {
		l := lab()
		l.Calibrations = []record.Calibration{{Workload: "echo", Params: calibrationParams(j.Point), GenMaxRPS: c.genMax, AtLeast: c.atLeast}}
		got, err := l.Measure(t.Context(), j)
		if err != nil || got.Failed != "" || got.GenMaxRPS != c.want {
			t.Fatalf("%+v: %v, %+v", c, err, got)
		}
		flagged := false
		for _, f := range got.Flags {
			flagged = flagged || f.Code == "client_limited"
		}
		if flagged != (c.want > 0) {
			t.Errorf("%+v: flags %+v", c, got.Flags)
		}
	}
}

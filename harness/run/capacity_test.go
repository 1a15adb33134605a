package run

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"turnlab/harness/capacity"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial/trialtest"
	"turnlab/internal/misuse"
)

var goal = CapacityGoal{SLO: capacity.SLO{Text: "p99<5ms", Share: 0.99, Limit: 5 * time.Millisecond}, Width: 0.05, Arrivals: "poisson"}

func TestEveryProbeOfASearchIsARecord(t *testing.T) {
	o := options(t)
	found, err := FindCapacity(t.Context(), blocks(t, 1, 0, 0), goal, o) // the double answers nothing in an open loop
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	c := found[0]
	if c.PeakRPS != trialtest.RPS || c.Lower != 0 || c.Confirmed != nil || !strings.Contains(c.Irregular, "no load passed") {
		t.Errorf("%+v", c)
	}
	f := loadFolder(t, o.Dir)
	if len(f.Trials) != 1+c.Probes {
		t.Errorf("%d records of %d probes and the closed loop", len(f.Trials), c.Probes)
	}
	for i, tr := range f.Trials {
		if closed := tr.Mode == record.Closed; tr.Trial != i || closed != (i == 0) || !closed && tr.Number("rate") == 0 {
			t.Errorf("trial %d: %d, %s, rate %s", i, tr.Trial, tr.Mode, tr.Text("rate"))
		}
	}
	text, err := os.ReadFile(filepath.Join(o.Dir, "capacity.json"))
	var read []Capacity
	if err != nil || json.Unmarshal(text, &read) != nil || len(read) != 1 || len(read[0].Loads) != len(c.Loads) {
		t.Errorf("capacity.json: %v\n%s", err, text)
	}
	want := record.Capacity{Engine: c.Engine, Workload: "echo", Conns: c.Conns, SLO: "p99<5ms", PeakRPS: c.PeakRPS, GenMaxRPS: c.GenMaxRPS,
		UpperRPS: c.Upper, Irregular: c.Irregular, Probes: c.Probes, Disturbed: c.Disturbed, LowerUnsure: c.LowerUnsure, UpperUnsure: c.UpperUnsure}
	if got := f.Run.Capacities; len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("the run says %+v, want %+v", got, want)
	}
}

func TestASearchThatCannotBeIsRefusedBeforeThereIsAFolder(t *testing.T) {
	narrow := goal
	narrow.Width = 0.001
	late := goal
	late.SLO.Limit = time.Minute
	open := plan.Sweep{Engines: []string{"toy"}, Workloads: []string{"echo"}, Blocks: 1, Axes: []plan.Axis{{Name: "rate", Values: "10"}}}
	rated, err := open.Resolve(toys, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	for want, find := range map[string]func(Options) ([]Capacity, error){
		"--width":          func(o Options) ([]Capacity, error) { return FindCapacity(t.Context(), blocks(t, 1, 0, 0), narrow, o) },
		"--timeout":        func(o Options) ([]Capacity, error) { return FindCapacity(t.Context(), blocks(t, 1, 0, 0), late, o) },
		"leave --rate out": func(o Options) ([]Capacity, error) { return FindCapacity(t.Context(), rated, goal, o) },
	} {
		o := options(t)
		if _, err := find(o); !misuse.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
		if _, err := os.Stat(o.Dir); err == nil {
			t.Errorf("%s: a folder was left behind", want)
		}
	}
}

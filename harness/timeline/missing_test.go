package timeline

import (
	"slices"
	"strconv"
	"testing"

	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// ofARun describes a run on other CPUs than those that a sweep takes by itself.
func ofARun(t *testing.T) *record.Run {
	t.Helper()
	cpus := proc.Allowed().List()
	if len(cpus) < 2 {
		t.Skip("there is one CPU")
	}
	return &record.Run{Host: record.Host{ServerCPUs: strconv.Itoa(cpus[len(cpus)-1]), ClientCPUs: strconv.Itoa(cpus[0])}}
}

func TestOnlyTheTimelinesThatARunLacksAreMade(t *testing.T) {
	dir, run, engines := t.TempDir(), ofARun(t), []string{"coop", "preempt"}
	names, err := Missing(catalog, engines, run, dir)
	if err != nil || !slices.Equal(names, []string{"coop, yield 0s", "coop, yield 100µs", "preempt"}) {
		t.Fatalf("%q, %v", names, err)
	}
	there := &record.Timeline{Schema: record.Schema, Name: "coop, yield 0s", Point: record.Point{Engine: "coop", Workload: "hog", Mode: record.Open}}
	also := *there
	also.Name, also.Engine = "preempt", "preempt"
	if err := (Options{Dir: dir}).keep(0, there); err != nil {
		t.Fatal(err)
	}
	if err := (Options{Dir: dir}).keep(2, &also); err != nil {
		t.Fatal(err)
	}
	if err := Make(t.Context(), catalog, engines, run, dir); err != nil {
		t.Fatal(err)
	}
	made, err := record.LoadTimelines(dir)
	if err != nil || len(made) != 3 || made[1].Name != "coop, yield 100µs" || len(made[0].Requests) != 0 || len(made[1].Requests) == 0 {
		t.Fatalf("%d timelines, %v", len(made), err)
	}
	if p := made[1].Point; p.Text("server-cpus") != run.Host.ServerCPUs || p.Text("client-cpus") != run.Host.ClientCPUs {
		t.Errorf("made on CPUs %s and %s, and the run was on %s and %s",
			p.Text("server-cpus"), p.Text("client-cpus"), run.Host.ServerCPUs, run.Host.ClientCPUs)
	}
	if names, err := Missing(catalog, engines, run, dir); err != nil || len(names) != 0 {
		t.Errorf("still missing: %q, %v", names, err)
	}
}

func TestARunOfAnotherMachineSaysThatItsCPUsAreNotHere(t *testing.T) {
	run := &record.Run{Host: record.Host{ServerCPUs: "900", ClientCPUs: "901"}}
	if _, err := Missing(catalog, []string{"coop"}, run, t.TempDir()); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
	if names, err := Missing(catalog, nil, run, t.TempDir()); err != nil || names != nil {
		t.Errorf("a run that asks for no timelines: %q, %v", names, err)
	}
}

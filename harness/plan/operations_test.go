package plan

import (
	"strings"
	"testing"

	"turnlab/engine/all"
	"turnlab/harness/micro"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

var whole = Catalog{Engines: all.Specs, Workloads: workloads.All, Operations: micro.All}

func resolveOperations(t *testing.T, s Sweep) (*Plan, error) {
	t.Helper()
	cpus, err := proc.ParseCPUs("0-3")
	if err != nil {
		t.Fatal(err)
	}
	s.Blocks, s.Seed = 2, 1
	return s.Resolve(whole, cpus)
}

func TestAPointOfAnOperationHasItsOwnParametersAndNoLoad(t *testing.T) {
	p, err := resolveOperations(t, Sweep{
		Engines: []string{"preempt", "threads"}, Operations: []string{"switch"},
		Axes: []Axis{{"threads.via", "futex,pipe"}, {"pinned", "yes,no"}, {"engine.gogc", "50"}, {"duration", "1s"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Points) != 6 || len(p.Jobs()) != 12 {
		t.Fatalf("%d points", len(p.Points))
	}
	for _, point := range p.Points {
		_, conns := point.Params["conns"]
		_, buffer := point.Params[point.Engine+".buffer"]
		if point.Mode != record.Primitive || point.Workload != "switch" || conns || buffer || point.Text("duration") != "1s" || point.Text("warmup") == "" {
			t.Errorf("%+v", point)
		}
		if point.Number(point.Engine+".gogc") != 50 || point.Text(point.Engine+".via") == "" {
			t.Errorf("%+v", point.Params)
		}
		if want := map[string]string{"yes": "0", "no": "0-3"}[point.Text("switch.pinned")]; point.Text("server-cpus") != want {
			t.Errorf("pinned=%s on CPUs %s", point.Text("switch.pinned"), point.Text("server-cpus"))
		}
	}
}

func TestWorkloadsAndOperationsShareARun(t *testing.T) {
	p, err := resolveOperations(t, Sweep{Engines: []string{"coop", "loop"}, Workloads: []string{"echo"}, Operations: []string{"spawn", "ready"}, AA: true})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, point := range p.Points {
		kinds[point.Mode+" "+point.Workload+" "+point.Arm]++
	}
	if kinds["closed echo "] != 2 || kinds["micro spawn "] != 1 || kinds["micro ready "] != 2 || kinds["micro ready again"] != 1 {
		t.Errorf("%v", kinds)
	}
	if len(p.Notes) == 0 || !strings.Contains(strings.Join(p.Notes, "\n"), "loop has no spawn") {
		t.Errorf("notes: %v", p.Notes)
	}
	if p.Estimate() <= 0 {
		t.Error("it takes no time")
	}
}

func TestWhatIsHeldIsDoneOnceAndHasNoLength(t *testing.T) {
	p, err := resolveOperations(t, Sweep{Engines: []string{"coop"}, Operations: []string{"sleepers"}, Axes: []Axis{{"tasks", "1k,1M"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := p.Points[0].Params["duration"]; ok || len(p.Points) != 2 || p.Points[1].Number("sleepers.tasks") != 1e6 {
		t.Errorf("%+v", p.Points)
	}
}

func TestMistakesAboutOperationsAreToldInALine(t *testing.T) {
	for want, s := range map[string]Sweep{
		"no operation \"stitch\"":      {Engines: []string{"coop"}, Operations: []string{"stitch"}},
		"nothing to measure":           {Engines: []string{"loop"}, Operations: []string{"spawn"}},
		"switch is given twice":        {Engines: []string{"coop"}, Operations: []string{"switch", "switch"}},
		"no axis \"conns\"":            {Engines: []string{"coop"}, Operations: []string{"switch"}, Axes: []Axis{{"conns", "1"}}},
		"switch has no option \"via\"": {Engines: []string{"threads"}, Operations: []string{"switch"}, Axes: []Axis{{"switch.via", "pipe"}}},
		"threads has no option":        {Engines: []string{"threads"}, Operations: []string{"switch"}, Axes: []Axis{{"threads.max", "1"}}},
		"is not one of futex, pipe":    {Engines: []string{"threads"}, Operations: []string{"switch"}, Axes: []Axis{{"threads.via", "channel"}}},
		"spawn is not in the sweep":    {Engines: []string{"threads"}, Operations: []string{"switch"}, Axes: []Axis{{"spawn.x", "1"}}},
	} {
		if _, err := resolveOperations(t, s); !misuse.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}

func TestARunOfOperationsCanGoOn(t *testing.T) {
	p, err := resolveOperations(t, Sweep{Engines: []string{"coop"}, Operations: []string{"switch", "sleepers"}})
	if err != nil {
		t.Fatal(err)
	}
	run := &record.Run{Plan: p.Points, Order: p.Order, Seed: p.Seed}
	run.Host.ServerCPUs, run.Host.ClientCPUs = "0-1", "2-3"
	again, err := Continue(run, whole)
	if err != nil || again.ServerCPUs.String() != "0-1" || again.ClientCPUs.String() != "2-3" {
		t.Fatalf("%+v, %v", again, err)
	}
	run.Plan[0].Workload = "stitch"
	if _, err := Continue(run, whole); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

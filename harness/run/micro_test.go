package run

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"turnlab/engine/all"
	"turnlab/harness/micro"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// operations measures operations with real children.
func operations(t *testing.T, s plan.Sweep) (Summary, Options, error) {
	t.Helper()
	t.Setenv(real, "1")
	s.Blocks, s.Seed = 1, 1
	p, err := s.Resolve(plan.Catalog{Engines: all.Specs, Operations: micro.All}, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	sum, err := Execute(t.Context(), p, o)
	return sum, o, err
}

func TestTrialsOfOperationsAreRecordsWithoutRequests(t *testing.T) {
	sum, o, err := operations(t, plan.Sweep{
		Engines: []string{"coop", "preempt"}, Operations: []string{"switch", "sleepers"},
		Axes: []plan.Axis{{Name: "duration", Values: "20ms"}, {Name: "warmup", Values: "1ms"}, {Name: "tasks", Values: "500"}},
	})
	if err != nil || sum.Done != 4 || sum.Failed != 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
	f := loadFolder(t, o.Dir)
	for _, tr := range f.Trials {
		if tr.Failed != "" || tr.Micro == nil || tr.Micro.Operations == 0 || tr.Micro.NSPerOp <= 0 || tr.Micro.CPUNSPerOp <= 0 || tr.Sched["go_gomaxprocs"] == 0 {
			t.Errorf("%s %s: %+v %+v", tr.Label(), tr.Workload, tr.Micro, tr)
		}
		if held := tr.Workload == "sleepers"; held != (tr.Memory["pss"] > 0) || held != (tr.Sched["task_user_bytes"] > 0) {
			t.Errorf("%s %s: memory %v, %v", tr.Label(), tr.Workload, tr.Memory, tr.Sched)
		}
		text, _ := json.Marshal(tr)
		var have map[string]any
		if err := json.Unmarshal(text, &have); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"requests", "throughput_rps", "offered_rps", "errors", "cpu", "switches", "latency_ns", "windows", "fairness"} {
			if _, there := have[name]; there {
				t.Errorf("%s %s: %s stands in the record, and nobody measured it", tr.Label(), tr.Workload, name)
			}
		}
	}
	if err := f.Export(); err != nil {
		t.Fatal(err)
	}
	bench, err := os.ReadFile(filepath.Join(o.Dir, "bench.txt"))
	if err != nil || strings.Contains(string(bench), "req/s") {
		t.Errorf("%v, %s", err, bench)
	}
}

func TestAMistakeThatOnlyTheOperationSeesEndsTheRun(t *testing.T) {
	_, o, err := operations(t, plan.Sweep{
		Engines: []string{"coop"}, Operations: []string{"future"}, Axes: []plan.Axis{{Name: "future.bytes", Values: "100"}},
	})
	if !misuse.Is(err) || !strings.Contains(err.Error(), "coop future: future.bytes 100") {
		t.Errorf("got %v", err)
	}
	if _, err := record.Load(o.Dir); err == nil {
		t.Error("the folder is still there")
	}
}

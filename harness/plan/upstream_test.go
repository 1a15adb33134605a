package plan

import (
	"strings"
	"testing"

	"turnlab/engine"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

var callers = Catalog{
	Engines:   []*engine.Spec{{Name: "coop"}},
	Workloads: []*workloads.Workload{{Name: "echo"}, {Name: "fanout", Ops: []workloads.Kind{workloads.Call}}},
}

func TestUpstreamsOfAWorkloadThatCallsHaveTheGeneratorsCPUsOrTheirOwn(t *testing.T) {
	for given, want := range map[string]string{"": "2-3", "1": "1", "3": "3"} {
		s := Sweep{
			Engines: []string{"coop"}, Workloads: []string{"echo", "fanout"}, Blocks: 1,
			ServerCPUs: "0", ClientCPUs: "2-3", UpstreamCPUs: given,
		}
		p, err := s.Resolve(callers, cpus("0-3"))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Points[1].Text("upstream-cpus"); got != want {
			t.Errorf("given %q: got %s, want %s", given, got, want)
		}
		if _, ok := p.Points[0].Params["upstream-cpus"]; ok {
			t.Error("a workload that calls nobody has CPUs for upstreams")
		}
	}
}

func TestUpstreamCPUsThatAreNotOursAreTheUsersToMend(t *testing.T) {
	s := Sweep{Engines: []string{"coop"}, Workloads: []string{"fanout"}, Blocks: 1, UpstreamCPUs: "7"}
	if _, err := s.Resolve(callers, cpus("0-3")); !misuse.Is(err) || !strings.Contains(err.Error(), "upstream CPUs") {
		t.Errorf("got %v", err)
	}
}

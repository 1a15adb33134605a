package trial

import (
	"slices"
	"strings"
	"testing"

	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial/trialtest"
)

func trialOf(workload string) *record.Trial {
	return &record.Trial{Point: record.Point{Engine: "toy", Workload: workload, Params: map[string]any{
		"transport": "tcp", "upstream-cpus": proc.Allowed().String(),
	}}}
}

func TestAWorkloadThatCallsHasAnUpstreamAndNoOtherHas(t *testing.T) {
	up, err := lab().startUpstream(t.Context(), trialOf("fanout"))
	if err != nil {
		t.Fatal(err)
	}
	up.end()
	if !slices.Equal(up.names, []string{"tcp:" + upstreamEngine}) { // the fake server's address is its engine
		t.Errorf("names %q", up.names)
	}
	up, err = lab().startUpstream(t.Context(), trialOf("echo"))
	if err != nil || len(up.names)+len(up.pids) > 0 {
		t.Errorf("echo has %+v, %v", up, err)
	}
	up.end()
}

func TestAnUpstreamThatDoesNotStartSaysWhy(t *testing.T) {
	t.Setenv(trialtest.Fault, "serve start error")
	if _, err := lab().startUpstream(t.Context(), trialOf("fanout")); err == nil ||
		!strings.Contains(err.Error(), "upstream that workload fanout calls") || !strings.Contains(err.Error(), "the epoll is empty") {
		t.Errorf("got %v", err)
	}
}

func TestWhatAnUpstreamUsesIsWrittenDown(t *testing.T) {
	tr := &record.Trial{CPU: &record.CPU{}}
	before, after := trialtest.Usage(0, false), trialtest.Usage(1, false)
	addUpstream(tr, nil, &after)
	if tr.CPU.UpstreamUtil != 0 {
		t.Error("without an upstream something was used")
	}
	if addUpstream(tr, &before, &after); !near(tr.CPU.UpstreamUtil, trialtest.ServerUtil) {
		t.Errorf("got %v", tr.CPU.UpstreamUtil)
	}
}

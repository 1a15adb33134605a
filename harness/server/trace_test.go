package server

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/timeline/tracer"
)

func TestATracedServerTellsWhatItSawAndGoesOnServing(t *testing.T) {
	child := spawn(t)
	s := echo("coop")
	s.Trace = tracer.Polls
	ready := begin(t, child, s)
	bounce(t, "tcp", ready.Address, "hello")
	var raw tracer.Raw
	if err := json.Unmarshal(ask(t, child, control.Request{Do: control.Trace}, control.Traced).Trace, &raw); err != nil {
		t.Fatal(err)
	}
	if len(raw.Notes) != 1 || raw.Notes[0].Kind != tracer.Met || len(raw.Polls) == 0 {
		t.Errorf("%d polls, notes %v of one connection", len(raw.Polls), raw.Notes)
	}
	bounce(t, "tcp", ready.Address, "again")
}

func TestAServerThatIsNotTracedHasNothingToTell(t *testing.T) {
	child := spawn(t)
	begin(t, child, echo("coop"))
	_, err := child.Ask(t.Context(), control.Request{Do: control.Trace}, control.Traced, 20*time.Second)
	if err == nil || !strings.Contains(err.Error(), "did not have traced") {
		t.Errorf("got %v", err)
	}
}

func TestAnEngineIsOnlyTracedByWhatItHas(t *testing.T) {
	child := spawn(t)
	s := echo("preempt")
	s.Trace = tracer.Polls
	_, err := child.Ask(t.Context(), control.Request{Do: control.Start, Server: &s}, control.Ready, 20*time.Second)
	if err == nil || !strings.Contains(err.Error(), "no polls") {
		t.Errorf("got %v", err)
	}
}

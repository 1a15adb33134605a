package workloads_test

import (
	"strings"
	"testing"

	"turnlab/internal/misuse"
	"turnlab/workloads"
)

func TestUnknownWorkloadIsTheUsersMistakeAndNamesAll(t *testing.T) {
	_, err := workloads.Find("htpp")
	if !misuse.Is(err) {
		t.Fatalf("error %v", err)
	}
	for _, name := range workloads.Names() {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}
}

// small are settings that keep a workload's tests quick and reach its seams.
var small = map[string][]string{
	"stream": {"size", "3000", "chunk", "700"},
	"kv":     {"keys", "20", "value", "30", "reads", "50%", "preload", "off"},
	"churn":  {"requests", "7"},
	"fanout": {"calls", "3"},
}

// Whatever a workload is, its two halves must agree and it must use only the ops that it declares.
func TestEveryWorkloadAnswersItsOwnClients(t *testing.T) {
	for _, w := range workloads.All {
		t.Run(w.Name, func(t *testing.T) {
			if found, err := workloads.Find(w.Name); err != nil || found != w {
				t.Fatalf("not found by its name: %v", err)
			}
			server, clients := resolve(t, w, small[w.Name])
			for conn := range 3 {
				askAndCheck(t, w, server, clients, conn, 200)
			}
		})
	}
}

// askAndCheck has a connection's clients ask a number of requests, one client after the other when they end.
func askAndCheck(t *testing.T, w *workloads.Workload, server workloads.Server, clients workloads.Clients, conn, requests int) {
	t.Helper()
	for requests > 0 {
		c := clients.NewClient(conn)
		ends, ending := c.(workloads.Ending)
		p := newPlayer(server)
		made := 0
		for ; made < requests && (!ending || ends.Left() > 0); made++ {
			p.Send(c.Request(nil))
		}
		if replies, err := deliver(t, c, p.Out, 11); replies != made || err != nil || p.Closed != (ending && ends.Left() == 0) {
			t.Fatalf("%d of %d replies, closed %v, %v", replies, made, p.Closed, err)
		}
		for _, op := range p.Ops {
			if !w.Uses(op.Kind) {
				t.Fatalf("uses %v without saying so", op.Kind)
			}
		}
		requests -= made
	}
}

func TestEveryOptionSaysWhatItDoes(t *testing.T) {
	for _, w := range workloads.All {
		for _, o := range w.Options {
			if o.Help == "" || o.Name != strings.ToLower(o.Name) {
				t.Errorf("%s.%s: help %q", w.Name, o.Name, o.Help)
			}
		}
		if w.Summary == "" || w.Shows == "" {
			t.Errorf("%s: no summary", w.Name)
		}
	}
}

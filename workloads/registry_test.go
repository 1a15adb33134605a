package workloads_test

import (
	"strings"
	"testing"

	"turnlab/internal/misuse"
	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
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

// Whatever a workload is, its two halves must agree and it must use only the ops that it declares.
func TestEveryWorkloadAnswersItsOwnClients(t *testing.T) {
	for _, w := range workloads.All {
		t.Run(w.Name, func(t *testing.T) {
			if found, err := workloads.Find(w.Name); err != nil || found != w {
				t.Fatalf("not found by its name: %v", err)
			}
			server, clients := resolve(t, w, nil)
			for conn := range 3 {
				c := clients.NewClient(conn)
				p := sessiontest.NewPlayer(server.NewSession())
				const requests = 200
				for range requests {
					p.Send(c.Request(nil))
				}
				if replies, err := deliver(t, c, p.Out, 11); replies != requests || err != nil || p.Closed {
					t.Fatalf("%d of %d replies, closed %v, %v", replies, requests, p.Closed, err)
				}
				for _, op := range p.Ops {
					if !w.Uses(op.Kind) {
						t.Fatalf("uses %v without saying so", op.Kind)
					}
				}
			}
		})
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

// Package suite holds the sweeps that have a name. `make bench` runs quick, `make bench-full` runs full.
//
// A suite is data: what to measure, for how long, how often. It exists so that two people who say "the quick suite" mean
// the same points. Limits: the lengths are chosen for two cores; a larger machine finishes no sooner, because trials run
// one after the other on purpose.
package suite

import (
	"strings"

	"turnlab/harness/plan"
	"turnlab/internal/misuse"
)

// A Suite is a named sweep.
type Suite struct {
	Name    string
	Summary string
	Sweep   plan.Sweep
}

// engines are compared by every suite: the three answers, and the loop that has no tasks at all.
var engines = []string{"coop", "preempt", "threads", "loop"}

// All lists the suites. Adding one is an entry here.
var All = []Suite{
	{
		Name: "quick",
		Summary: "echo and http under every engine, 1 to 1024 connections, closed loop, 3 blocks: about 4 minutes on two " +
			"cores. Shows ranges and names no winner.",
		Sweep: plan.Sweep{
			Engines:   engines,
			Workloads: []string{"echo", "http"},
			Axes: []plan.Axis{
				{Name: "conns", Values: "1..1024*4"}, {Name: "duration", Values: "1s"}, {Name: "warmup", Values: "300ms"},
			},
			Blocks: 3,
		},
	},
	{
		Name: "full",
		Summary: "echo and http under every engine, 1 to 4096 connections, closed loop and at a constant rate, 10 blocks: " +
			"about two hours on two cores, with intervals and the noise of the first engine against itself.",
		Sweep: plan.Sweep{
			Engines:   engines,
			Workloads: []string{"echo", "http"},
			Axes: []plan.Axis{
				{Name: "conns", Values: "1..4096*4"}, {Name: "rate", Values: "0,10k"},
				{Name: "duration", Values: "3s"}, {Name: "warmup", Values: "1s"},
			},
			Blocks: 10,
			AA:     true,
		},
	},
}

// Find returns the suite called name.
func Find(name string) (Suite, error) {
	var names []string
	for _, s := range All {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Suite{}, misuse.Errorf("no suite %q; there are: %s", name, strings.Join(names, ", "))
}

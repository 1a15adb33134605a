// Package experiments holds the questions that the lab can answer by itself, one file each.
//
// A user does not come for a sweep but for an answer. An experiment is a question, the points that answer it, the drawings
// that show the answer, and rules that turn records into sentences. It is declared, not programmed: measuring is the
// harness's, drawing is the reports'.
//
// A suite is all experiments at one of two lengths. quick takes minutes and shows ranges; full takes the better part of an
// hour and gives intervals and verdicts. They exist so that two people who say "the quick suite" mean the same points.
//
// Limits: what is measured was chosen for two cores, one for the server and one for the generator. A larger machine
// finishes no sooner, because trials run one after the other on purpose.
package experiments

import (
	"slices"
	"strings"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/reports"
)

// An Experiment is a question with what answers it.
type Experiment struct {
	reports.Experiment
	Quick *Measure // for the quick suite; nil when the question needs more time than that
	Full  *Measure
}

// A Measure is what an experiment measures.
type Measure struct {
	Sweeps []plan.Sweep // the points of all of them are measured together, in shuffled blocks
	Blocks int
	// SLOs are service levels whose highest rates are searched for each point, to within Width; see plan.Part.
	SLOs  []string
	Width float64
	// Timelines are engines of which a traced trial is made at the end, to see who ran when.
	Timelines []string
}

// Blocks of the suites. Six are the least that give an interval.
const (
	quickBlocks = 3
	fullBlocks  = 6
)

// All lists the experiments in the order of the report. Adding one is an entry here.
var All = []*Experiment{
	hog, preemption, load, capacity, connections, memory, fanout, sharing, churn, timers, stream, broadcast, pool, futures, primitives, sleepers,
}

// Suites are the lengths at which experiments are measured.
var Suites = []string{Quick, Full}

// The suites.
const (
	Quick = "quick"
	Full  = "full"
)

// Find returns the experiments called names, in the order of the report, each once.
func Find(names []string) ([]*Experiment, error) {
	for _, name := range names {
		if !slices.ContainsFunc(All, func(e *Experiment) bool { return e.Name == name }) {
			return nil, misuse.Errorf("no experiment %q; there are: %s", name, strings.Join(Names(), ", "))
		}
	}
	return pick(func(e *Experiment) bool { return slices.Contains(names, e.Name) }), nil
}

// Suite returns the experiments of a suite.
func Suite(suite string) ([]*Experiment, error) {
	if !slices.Contains(Suites, suite) {
		return nil, misuse.Errorf("no suite %q; there are: %s", suite, strings.Join(Suites, ", "))
	}
	return pick(func(e *Experiment) bool { return suite == Full || e.Quick != nil }), nil
}

// Of returns the experiments that a run measured something for.
func Of(run *record.Run) []*Experiment {
	return pick(func(e *Experiment) bool {
		return slices.ContainsFunc(run.Plan, func(p record.Point) bool { return p.Experiment == e.Name })
	})
}

// Timelines returns the engines of which the experiments of a run want a traced trial, each once.
func Timelines(run *record.Run) []string {
	var labels []string
	for _, e := range Of(run) {
		for _, m := range []*Measure{e.Quick, e.Full} {
			for i := 0; m != nil && i < len(m.Timelines); i++ {
				if !slices.Contains(labels, m.Timelines[i]) {
					labels = append(labels, m.Timelines[i])
				}
			}
		}
	}
	return labels
}

// Names lists the names of all experiments.
func Names() []string {
	var names []string
	for _, e := range All {
		names = append(names, e.Name)
	}
	return names
}

func pick(want func(*Experiment) bool) []*Experiment {
	return slices.DeleteFunc(slices.Clone(All), func(e *Experiment) bool { return !want(e) })
}

// In returns what e measures in a suite. A question that has no quick answer takes its full measure.
func (e *Experiment) In(suite string) *Measure {
	if suite == Quick && e.Quick != nil {
		return e.Quick
	}
	return e.Full
}

// Changes are what a user wants otherwise than declared: zero changes nothing.
type Changes struct {
	Blocks   int
	Duration time.Duration // of every measured window
}

// Parts returns what the experiments measure in a suite.
func Parts(list []*Experiment, suite string, c Changes) []plan.Part {
	var parts []plan.Part
	for _, e := range list {
		m := e.In(suite)
		part := plan.Part{Experiment: e.Name, Blocks: m.Blocks, SLOs: m.SLOs, Width: m.Width}
		if c.Blocks != 0 {
			part.Blocks = c.Blocks
		}
		for _, s := range m.Sweeps {
			part.Sweeps = append(part.Sweeps, c.apply(s))
		}
		parts = append(parts, part)
	}
	return parts
}

func (c Changes) apply(s plan.Sweep) plan.Sweep {
	if c.Duration == 0 {
		return s
	}
	s.Axes = slices.DeleteFunc(slices.Clone(s.Axes), func(a plan.Axis) bool { return a.Name == "duration" || a.Name == "extend" })
	s.Axes = append(s.Axes, plan.Axis{Name: "duration", Values: c.Duration.String()})
	return s
}

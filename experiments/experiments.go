// Package experiments holds the questions that the lab can answer by itself, one file each.
//
// A user does not come for a sweep but for an answer. An experiment is a question, the points that answer it, the drawings
// that show the answer, and rules that turn records into sentences. It is declared, not programmed: measuring is the
// harness's, drawing is the reports'.
//
// Limits: what is measured was chosen for two cores, one for the server and one for the generator.
package experiments

import (
	"strings"

	"turnlab/harness/plan"
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
	// Timelines are engines of which a traced trial is made at the end, to see who ran when.
	Timelines []string
}

// All lists the experiments in the order of the report. Adding one is an entry here.
var All = []*Experiment{}

// Find returns the experiments called names, in their order.
func Find(names []string) ([]*Experiment, error) {
	var found []*Experiment
	for _, name := range names {
		e, err := find(name)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

func find(name string) (*Experiment, error) {
	var names []string
	for _, e := range All {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return nil, misuse.Errorf("no experiment %q; there are: %s", name, strings.Join(names, ", "))
}

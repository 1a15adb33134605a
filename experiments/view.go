package experiments

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/reports"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// A view is the trials of an experiment that rules may read.
type view struct {
	plan    []record.Point
	trials  []*record.Trial // that count
	again   []*record.Trial // second arms that count
	doubted []*record.Trial // that do not count, because they failed or are invalid
}

// viewOf picks an experiment's valid trials; with "" those of a plain sweep.
func viewOf(d *digest.Digest, experiment string) view {
	v := view{plan: d.Run.Plan}
	for i := range d.Trials {
		t := &d.Trials[i]
		switch {
		case t.Experiment != experiment:
		case !t.Valid() && t.Arm == "":
			v.doubted = append(v.doubted, t)
		case !t.Valid():
		case t.Arm == "":
			v.trials = append(v.trials, t)
		case t.Arm == record.Again:
			v.again = append(v.again, t)
		}
	}
	return v
}

// lost says how many trials do not count, and why.
func (v view) lost() string {
	if len(v.doubted) == 0 {
		return ""
	}
	why := map[string]int{}
	for _, t := range v.doubted {
		for _, f := range t.Flags {
			if f.Level == record.Invalid {
				why[f.Code]++
			}
		}
		if t.Failed != "" {
			why["failed"]++
		}
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(why)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", code, why[code]))
	}
	return fmt.Sprintf("%d of %d trials do not count: %s.", len(v.doubted), len(v.doubted)+len(v.trials), strings.Join(parts, ", "))
}

// A measure is a figure of a series by block.
type measure struct {
	name    string
	label   string // the engine's
	byBlock map[int]float64
}

// sorted returns the figures in ascending order.
func (m measure) sorted() []float64 {
	var values []float64
	for _, x := range m.byBlock {
		values = append(values, x)
	}
	slices.Sort(values)
	return values
}

func (m measure) median() float64 {
	s, err := stat.Summarise(m.sorted())
	if err != nil {
		return math.NaN()
	}
	return s.Median
}

// cell shows the median with its interval, or with the range of its trials when there are too few for one.
func (m measure) cell(u unit.Unit) reports.FindingCell {
	s, err := stat.Summarise(m.sorted())
	switch {
	case err != nil:
		return nothing
	case s.N == 1:
		return reports.FindingCell{Text: u.Format(s.Median)}
	case s.Exists():
		return reports.FindingCell{Text: u.Format(s.Median), Spread: u.Format(s.Low) + " to " + u.Format(s.High)}
	}
	return reports.FindingCell{Text: u.Format(s.Median), Spread: u.Format(s.Min) + " to " + u.Format(s.Max)}
}

// nothing is the cell of what has no figure.
var nothing = reports.FindingCell{Text: "–"}

// values reads a metric of the trials that w picks, by block. A block with two such trials counts the first. A figure of 0 is a
// figure, though no ratio comes of it: what could not be measured has none.
func values(name string, trials []*record.Trial, w where, m digest.Metric) measure {
	out := measure{name: name, byBlock: map[int]float64{}}
	for _, t := range trials {
		if _, seen := out.byBlock[t.Block]; seen || !w(t.Point) {
			continue
		}
		if x, ok := m.Of(t); ok {
			out.byBlock[t.Block], out.label = x, t.Label()
		}
	}
	return out
}

// metric returns a figure by its name. A wrong name is a programmer's mistake.
func metric(id string) digest.Metric {
	m, ok := digest.MetricByID(id)
	if !ok {
		panic("experiments: no metric " + id)
	}
	return m
}

// missed adds a series without a figure to those that a sentence has to name: if it was to be measured. A suite that leaves a
// series out says so in its plan.
func (v view) missed(names []string, s series, at where) []string {
	if slices.ContainsFunc(v.plan, s.is.and(at)) {
		return append(names, s.name)
	}
	return names
}

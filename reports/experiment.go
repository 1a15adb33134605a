package reports

import (
	"turnlab/harness/record"
	"turnlab/reports/digest"
)

// An Experiment says how the trials of one question are shown. It is a declaration: which figure against which parameter.
// Trials belong to it by their Point.Experiment.
type Experiment struct {
	Name     string
	Question string
	Held     string   // what was the same for all, and why so
	Limits   string   // what the charts cannot show
	Next     []string // commands to try next
	Plots    []Plot
	// Findings makes sentences from the trials of a run. It never reads an invalid one. Whoever declares experiments calls it
	// and hands the sentences over (Options.Findings).
	Findings func(*digest.Digest) []Finding
}

// A Kind is a form of drawing.
type Kind string

// The kinds.
const (
	Lines   Kind = "lines"   // a metric against X, a line per series
	Bars    Kind = "bars"    // a row per series, at one value of everything else
	HeatMap Kind = "heat"    // a metric as colour, X against Y, a panel per series
	Stacked Kind = "stacked" // several metrics on top of each other, a row per series
	Strips  Kind = "strips"  // every trial as a dot, a row per series
	Spectra Kind = "spectra" // percentiles on the axis of nines, a line per series, at the last value of X that most have
	Ratios  Kind = "ratios"  // a metric against another series', block by block, with the noise where it is known
	Course  Kind = "course"  // the throughput over one trial of each series, warm-up included
	Bounds  Kind = "bounds"  // what searches for capacities found, a row per engine under each service level
	Gantt   Kind = "gantt"   // the run's timelines, one drawing each
)

// A Plot describes one drawing, or a panel of small ones that share their axes.
type Plot struct {
	ID      string // unique in the experiment, fit for a file name
	Title   string
	Kind    Kind
	Metrics []string // IDs of digest.Metrics; one, but for Stacked
	X, Y    string   // parameters on the axes; Y is for HeatMap
	// Slope draws how much each metric grows per unit of X, by regression, in place of the metric: bytes per connection.
	Slope bool
	// Against is the series that Ratios compare with; where it is not there, or empty, preempt, or the first there is.
	Against string
	// Where picks the points; nil takes all of the experiment's.
	Where func(record.Point) bool
	Note  string // one sentence under the drawing: how to read it
	// More folds the drawing away, with others of its kind: it tells more, and the question is answered without it.
	More bool
}

// Package digest sorts a run's trials into what a reader wants to see beside each other.
//
// A run is a heap of trials at points of many parameters. A chart has one axis, a few lines, and maybe neighbours of the
// same kind. The rule that maps one to the other is here, and it is the same for charts, tables and the terminal:
//
//   - Each workload is a [Section].
//   - A parameter with more than one value is swept. The swept number that all engines share (conns, rate, depth, or an
//     option of the workload) with the most values is the axis; at a tie conns wins, then rate, then the alphabet.
//   - What else is swept and shared makes [Panel]s, small multiples with the same axes. Closed and open loops are never in
//     one panel, because their latencies do not mean the same.
//   - What only one engine has (coop.yield) makes [Series], beside those of the engines and their variants.
//   - The trials of one point are a [Cell]. Its figure is the median of the valid ones.
//
// With fewer than stat.MinTrials blocks a cell's spread is the range of its trials; from there on it is the interval of
// order statistics that covers the true median in 95 of 100 runs, which assumes nothing about the shape of the noise.
//
// Limits: at most [MaxPanels] panels of a section and chart.MaxSeries series of a panel are drawn; tables have them all.
package digest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"turnlab/harness/record"
)

// MaxPanels bounds the small multiples of one section.
const MaxPanels = 12

// A Digest is a run, sorted.
type Digest struct {
	Run      *record.Run
	Trials   []record.Trial
	Sections []Section
	Labels   []string // of all engines, in the order in which they are shown
}

// A Section is a workload.
type Section struct {
	Workload string
	Axis     Axis
	Panels   []Panel
	Trials   int // made, of any kind
}

// An Axis is the parameter along which a section is drawn. Without a name nothing was swept.
type Axis struct {
	Name   string
	Values []Value
}

// A Panel is a set of series that differ in nothing but what is shown.
type Panel struct {
	Mode     string
	Settings []Setting // what tells the panel from its neighbours
	Series   []Series
}

// A Setting is a parameter and its value.
type Setting struct {
	Name  string
	Value Value
}

// A Series is an engine, or one setting of an engine's own options.
type Series struct {
	Label   string // of the engine
	Name    string // with the options that tell it from others of its engine
	Options []Setting
	Cells   []Cell // one for each value of the axis, in order
}

// A Cell is one point of the plan with its trials.
type Cell struct {
	X      Value
	Plan   bool // the point was planned; without trials it was not reached
	Trials []*record.Trial
}

// New sorts a run. Points that were planned and have no trial get an empty cell, so that what is missing shows.
func New(run *record.Run, trials []record.Trial) *Digest {
	d := &Digest{Run: run, Trials: trials}
	byWorkload := map[string][]entry{}
	for _, p := range run.Plan {
		byWorkload[p.Workload] = append(byWorkload[p.Workload], entry{point: p})
	}
	for i := range trials {
		p := trials[i].Point
		byWorkload[p.Workload] = append(byWorkload[p.Workload], entry{point: p, trial: &trials[i]})
	}
	labels := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(byWorkload)) {
		d.Sections = append(d.Sections, newSection(name, byWorkload[name]))
		for _, e := range byWorkload[name] {
			labels[e.point.Label()] = true
		}
	}
	d.Labels = slices.SortedFunc(maps.Keys(labels), byEngine)
	return d
}

// An entry is a planned point, or a trial of one.
type entry struct {
	point record.Point
	trial *record.Trial
}

func newSection(name string, entries []entry) Section {
	a := newAxes(name, entries)
	s := Section{Workload: name, Axis: a.main}
	panels, series := map[string]*Panel{}, map[string]map[string]*Series{}
	for _, e := range entries {
		key, settings := a.panel(e.point)
		if panels[key] == nil {
			panels[key], series[key] = &Panel{Mode: e.point.Mode, Settings: settings}, map[string]*Series{}
		}
		options := a.options(e.point)
		name := seriesName(e.point, options)
		if series[key][name] == nil {
			series[key][name] = &Series{Label: e.point.Label(), Name: name, Options: options}
		}
		series[key][name].add(e, a.x(e.point))
		if e.trial != nil {
			s.Trials++
		}
	}
	for _, key := range slices.Sorted(maps.Keys(panels)) {
		panels[key].Series = inOrder(series[key])
		s.Panels = append(s.Panels, *panels[key])
	}
	slices.SortStableFunc(s.Panels, func(p, q Panel) int {
		return cmp.Or(cmp.Compare(p.Mode, q.Mode), compareSettings(p.Settings, q.Settings)) // the closed loop first
	})
	return s
}

func inOrder(series map[string]*Series) []Series {
	var all []Series
	for _, name := range slices.Sorted(maps.Keys(series)) {
		s := series[name]
		slices.SortFunc(s.Cells, func(a, b Cell) int { return a.X.compare(b.X) })
		all = append(all, *s)
	}
	slices.SortStableFunc(all, func(a, b Series) int {
		return cmp.Or(byEngine(a.Label, b.Label), compareSettings(a.Options, b.Options))
	})
	return all
}

func (s *Series) add(e entry, x Value) {
	i := slices.IndexFunc(s.Cells, func(c Cell) bool { return c.X == x })
	if i < 0 {
		i = len(s.Cells)
		s.Cells = append(s.Cells, Cell{X: x})
	}
	if e.trial == nil {
		s.Cells[i].Plan = true
		return
	}
	s.Cells[i].Trials = append(s.Cells[i].Trials, e.trial)
}

// At returns the cell at x, if the series has one.
func (s *Series) At(x Value) (Cell, bool) {
	for _, c := range s.Cells {
		if c.X == x {
			return c, true
		}
	}
	return Cell{}, false
}

// Valid returns the trials that count.
func (c Cell) Valid() []*record.Trial {
	var valid []*record.Trial
	for _, t := range c.Trials {
		if t.Valid() {
			valid = append(valid, t)
		}
	}
	return valid
}

// Text names the panel's settings, as on the command line: "rate 5k, payload 64".
func (p Panel) Text() string {
	var parts []string
	for _, s := range p.Settings {
		parts = append(parts, s.Name+" "+s.Text())
	}
	return strings.Join(parts, ", ")
}

// byEngine orders engine labels: the three that are compared, the yardstick, then all others by name.
func byEngine(a, b string) int {
	rank := func(label string) int {
		engine, _, _ := strings.Cut(label, "/")
		if i := slices.Index([]string{"coop", "preempt", "threads", "loop"}, engine); i >= 0 {
			return i
		}
		return 9
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

// Values returns the values of the axis that the panel has, in order.
func (p Panel) Values() []Value {
	var values []Value
	for _, s := range p.Series {
		for _, c := range s.Cells {
			if !slices.Contains(values, c.X) {
				values = append(values, c.X)
			}
		}
	}
	slices.SortFunc(values, Value.compare)
	return values
}

// Errors returns how many requests of all trials failed or had no reply.
func (c Cell) Errors() (n uint64) {
	for _, t := range c.Trials {
		for _, count := range t.Errors {
			n += count
		}
		n += t.Unanswered
	}
	return n
}

// Codes returns the flags of all trials, each once; a trial that gave nothing counts as "failed", a point without any
// trial as "not run".
func (c Cell) Codes() []string {
	var codes []string
	add := func(code string) {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	for _, t := range c.Trials {
		if t.Failed != "" {
			add("failed")
		}
		for _, f := range t.Flags {
			add(f.Code)
		}
	}
	if len(c.Trials) == 0 {
		add("not run")
	}
	return codes
}

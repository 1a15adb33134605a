// Package digest sorts a run's trials into what a reader wants to see beside each other.
//
// A run is a heap of trials at points of many parameters. A chart has one axis, a few lines, and maybe neighbours of the
// same kind. The rule that maps one to the other is here, and it is the same for charts, tables and the terminal:
//
//   - Each workload of an experiment is a [Section]; so is each workload of the points that belong to none.
//   - A parameter with more than one value is swept. The swept number that all engines share (conns, rate, depth, or an
//     option of the workload) with the most values is the axis; at a tie conns wins, then rate, then the alphabet.
//   - What else is swept and shared makes [Panel]s, small multiples with the same axes. Closed and open loops are never in
//     one panel, because their latencies do not mean the same.
//   - What only one engine has (coop.yield) makes [Series], beside those of the engines and their variants.
//   - The trials of one point are a [Cell]. Its figure is the median of the valid ones.
//
// An experiment's own drawings choose their points and their axis themselves, with [Digest.Select]; the rest of the rule holds
// there too.
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
	"turnlab/harness/stat"
)

// MaxPanels bounds the small multiples of one section.
const MaxPanels = 12

// A Digest is a run, sorted.
type Digest struct {
	Run      *record.Run
	Trials   []record.Trial // those that count: without second arms and probes
	Sections []Section
	Labels   []string // of all engines, in the order in which they are shown

	entries []entry
}

// A Section is what is drawn along one axis: a workload, of one experiment or of none.
type Section struct {
	Experiment string
	Workload   string // empty when there are several
	Axis       Axis
	Panels     []Panel
	Trials     int // made, of any kind
	Blocks     int // that have trials; experiments of one run need not have the same number
}

// Intervals reports whether the section has enough blocks for intervals, and so for verdicts.
func (s Section) Intervals() bool { return s.Blocks >= stat.MinTrials }

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
	Label   string // of the engine, and of its run where two are shown
	Run     string // the run's name there; empty otherwise
	Name    string // with the options that tell it from others of its engine
	Setting string // these options, as the name has them
	Options []Setting
	Cells   []Cell // one for each value of the axis, in order
}

// A Cell is one point of the plan with its trials.
type Cell struct {
	X      Value
	Plan   bool // the point was planned; without trials it was not reached
	Trials []*record.Trial
	Again  []*record.Trial // of the same point, measured a second time in each block to know the noise
	Blocks int             // of the section
}

// New sorts a run. Points that were planned and have no trial get an empty cell, so that what is missing shows.
func New(run *record.Run, trials []record.Trial) *Digest {
	d := &Digest{Run: run}
	for _, p := range run.Plan {
		d.entries = append(d.entries, entry{point: loadOf(p)})
	}
	for i := range trials {
		d.entries = append(d.entries, entry{point: loadOf(trials[i].Point), trial: &trials[i]})
		if trials[i].Arm == "" {
			d.Trials = append(d.Trials, trials[i])
		}
	}
	d.sort()
	return d
}

// Of returns the part of the digest that belongs to an experiment; without a name, to none.
func (d *Digest) Of(experiment string) *Digest {
	return d.part(func(p record.Point) bool { return p.Experiment == experiment })
}

// Except returns the part of the digest that belongs to none of some experiments.
func (d *Digest) Except(experiments []string) *Digest {
	return d.part(func(p record.Point) bool { return p.Experiment == "" || !slices.Contains(experiments, p.Experiment) })
}

func (d *Digest) part(has func(record.Point) bool) *Digest {
	part := &Digest{Run: d.Run}
	for _, e := range d.entries {
		if has(e.point) {
			part.entries = append(part.entries, e)
		}
	}
	for _, t := range d.Trials {
		if has(t.Point) {
			part.Trials = append(part.Trials, t)
		}
	}
	part.sort()
	return part
}

// Points returns the points of the plan and of all trials.
func (d *Digest) Points() []record.Point {
	var points []record.Point
	for _, e := range d.entries {
		points = append(points, e.point)
	}
	return points
}

// sort makes the sections of the entries.
func (d *Digest) sort() {
	groups := map[[2]string][]entry{}
	labels := map[string]record.Point{}
	for _, e := range d.entries {
		if e.point.Arm != "" && e.point.Arm != record.Again {
			continue // a probe, which found out what to measure
		}
		key := [2]string{e.point.Experiment, e.point.Workload}
		groups[key] = append(groups[key], e)
		labels[e.point.Label()] = e.point
	}
	for _, key := range slices.SortedFunc(maps.Keys(groups), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		s := newSection(newAxes(key[1], groups[key]), groups[key])
		s.Experiment = key[0]
		d.Sections = append(d.Sections, s)
	}
	among := runsOf(d.entries)
	d.Labels = slices.SortedFunc(maps.Keys(labels), func(a, b string) int {
		p, q := labels[a], labels[b]
		return cmp.Or(byEngine(plain(p), plain(q)), among.compare(p.InRun, q.InRun))
	})
}

// An entry is a planned point, or a trial of one.
type entry struct {
	point record.Point
	trial *record.Trial
}

// loadOf returns a point as it lies among others: where its rate is a share of what the engine can do, the share is the load,
// and the rate, which is another for every engine, would set them apart.
func loadOf(p record.Point) record.Point {
	if _, shared := p.Params["rate-share"]; shared {
		p.Params = maps.Clone(p.Params)
		delete(p.Params, "rate")
	}
	return p
}

// newSection sorts entries along axes.
func newSection(a axes, entries []entry) Section {
	s := Section{Workload: a.workload, Axis: a.main}
	panels, series := map[string]*Panel{}, map[string]map[string]*Series{}
	blocks := map[int]bool{}
	for _, e := range entries {
		key, settings := a.panel(e.point)
		if panels[key] == nil {
			panels[key], series[key] = &Panel{Mode: e.point.Mode, Settings: settings}, map[string]*Series{}
		}
		options := a.options(e.point)
		name := e.point.Label() + " " + settingText(options)
		if series[key][name] == nil {
			series[key][name] = &Series{Label: e.point.Label(), Run: e.point.InRun, Options: options}
		}
		series[key][name].add(e, a.x(e.point))
		if e.trial != nil && e.point.Arm == "" {
			s.Trials++
			blocks[e.trial.Block] = true
		}
	}
	s.Blocks = len(blocks)
	among := runsOf(entries)
	for _, key := range slices.Sorted(maps.Keys(panels)) {
		panels[key].Series = inOrder(series[key], s.Blocks, among)
		s.Panels = append(s.Panels, *panels[key])
	}
	slices.SortStableFunc(s.Panels, func(p, q Panel) int {
		return cmp.Or(cmp.Compare(p.Mode, q.Mode), compareSettings(p.Settings, q.Settings)) // the closed loop first
	})
	return s
}

func inOrder(series map[string]*Series, blocks int, among runs) []Series {
	var all []Series
	for _, name := range slices.Sorted(maps.Keys(series)) {
		s := series[name]
		for i := range s.Cells {
			s.Cells[i].Blocks = blocks
		}
		slices.SortFunc(s.Cells, func(a, b Cell) int { return a.X.Compare(b.X) })
		all = append(all, *s)
	}
	slices.SortStableFunc(all, func(a, b Series) int {
		return cmp.Or(byEngine(a.Plain(), b.Plain()), compareSettings(a.Options, b.Options), among.compare(a.Run, b.Run))
	})
	nameAll(all)
	return all
}

// runs are the names of runs that are shown side by side, in their order; there are none in one run.
type runs []string

func runsOf(entries []entry) (found runs) {
	for _, e := range entries {
		if run := e.point.InRun; run != "" && !slices.Contains(found, run) {
			found = append(found, run)
		}
	}
	return found
}

func (r runs) compare(a, b string) int { return cmp.Compare(slices.Index(r, a), slices.Index(r, b)) }

// plain returns the label of a point without its run.
func plain(p record.Point) string {
	p.InRun = ""
	return p.Label()
}

// Plain returns the label without the run.
func (s Series) Plain() string {
	if s.Run == "" {
		return s.Label
	}
	return strings.TrimSuffix(s.Label, record.LabelInRun("", s.Run))
}

func (s *Series) add(e entry, x Value) {
	i := slices.IndexFunc(s.Cells, func(c Cell) bool { return c.X == x })
	if i < 0 {
		i = len(s.Cells)
		s.Cells = append(s.Cells, Cell{X: x})
	}
	switch {
	case e.trial == nil:
		s.Cells[i].Plan = s.Cells[i].Plan || e.point.Arm == ""
	case e.point.Arm == record.Again:
		s.Cells[i].Again = append(s.Cells[i].Again, e.trial)
	default:
		s.Cells[i].Trials = append(s.Cells[i].Trials, e.trial)
	}
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
	slices.SortFunc(values, Value.Compare)
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

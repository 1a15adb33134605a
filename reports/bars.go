package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
)

// maxRows bounds the rows of one drawing: beyond it one scrolls and compares nothing. Tables have them all.
const maxRows = 40

// A rowValue is what a row shows.
type rowValue struct {
	sum   digest.Summary
	parts []float64 // of a stacked row, by metric; NaN for what was not measured
	off   float64   // of a slope: how far its points lie from the line
}

// rows draws bars, strips or stacks: a row per series, under heads where more than the engine differs.
func (e easel) rows() []figure {
	if e.plot.Kind == Stacked {
		e.metrics = e.measuredMetrics()
	}
	if len(e.metrics) == 0 {
		return nil
	}
	m := e.metrics[0]
	c := chart.Chart{Rows: true, Bars: e.plot.Kind != Strips, Dots: e.plot.Kind == Strips, X: chart.Axis{Unit: m.Unit}}
	c.Legend = e.legend()
	t := dataTable{Columns: []column{{Name: "point", Text: true}, {Name: "value"}}}
	for _, part := range c.Legend {
		t.Columns = append(t.Columns, column{Name: part.Name})
	}
	least, most, hidden, mode := math.MaxInt, 0, 0, ""
	worst := 0.0
	for _, p := range e.section.Panels {
		for _, g := range e.groups(p) {
			for _, s := range g.series {
				v, ok := e.value(g.cells(s))
				if !ok {
					continue
				}
				mode = p.Mode
				least, most, worst = min(least, v.sum.N), max(most, v.sum.N), max(worst, v.off)
				row := e.row(s, g, v)
				t.Rows = append(t.Rows, e.tableRow(row, v))
				if len(c.Series) == maxRows {
					hidden++
					continue
				}
				c.Series = append(c.Series, row)
			}
		}
	}
	if len(c.Series) == 0 {
		return nil
	}
	e.fitScale(&c, m.In(mode))
	c.Footnote = e.rowsFootnote(least, most, hidden, worst)
	c.Alt = ". " + rowsText(c.Series)
	shown := m.In(mode)
	if e.plot.Kind == Stacked {
		shown.Title = e.plot.Title // the legend names the parts
	}
	e.label(&c, shown, e.common(), "")
	return []figure{{Chart: c, Table: t}}
}

// common is the panel of a drawing that has all panels: what they share is all that its subtitle may name.
func (e easel) common() digest.Panel {
	if len(e.section.Panels) == 1 {
		return e.section.Panels[0]
	}
	return digest.Panel{Mode: e.section.Panels[0].Mode}
}

func (e easel) legend() []chart.Segment {
	if e.plot.Kind != Stacked {
		return nil
	}
	var legend []chart.Segment
	for i, m := range e.metrics {
		legend = append(legend, chart.Segment{Name: m.Short, Ink: chart.Parts[i%len(chart.Parts)]})
	}
	return legend
}

// A rowGroup is the rows under one head.
type rowGroup struct {
	name   string
	series []digest.Series
	x      *digest.Value // nil takes all of a series' cells, for a slope
}

func (g rowGroup) cells(s digest.Series) []digest.Cell {
	if g.x == nil {
		return s.Cells
	}
	if c, ok := s.At(*g.x); ok {
		return []digest.Cell{c}
	}
	return nil
}

// groups cuts a panel: by the values of its axis, or not at all where the axis is what a slope is drawn along.
func (e easel) groups(p digest.Panel) []rowGroup {
	head := ""
	if len(e.section.Panels) > 1 {
		head = p.Text()
		if head == "" {
			head = panelName(p)
		}
	}
	if e.plot.Slope {
		return []rowGroup{{head, p.Series, nil}}
	}
	var groups []rowGroup
	values := p.Values()
	for _, x := range values {
		name := head
		if len(values) > 1 || len(e.section.Axis.Values) > 1 {
			name = strings.TrimPrefix(head+", "+e.groupName(x), ", ")
		}
		groups = append(groups, rowGroup{name, p.Series, &x})
	}
	return groups
}

// groupName names a value of the axis: "64 connections". What has no name beside its text stands alone: a workload.
func (e easel) groupName(x digest.Value) string {
	if !x.Numeric {
		return x.Text
	}
	return e.at(x)
}

// value summarises what a row shows; ok is false when nothing was ever tried there.
func (e easel) value(cells []digest.Cell) (v rowValue, ok bool) {
	if len(cells) == 0 {
		return v, false
	}
	sum := e.total()
	if e.plot.Slope {
		return e.slope(cells, sum)
	}
	v.sum = e.digest.Summarise(cells[0], sum)
	for _, m := range e.metrics {
		v.parts = append(v.parts, e.digest.Summarise(cells[0], m).Median)
	}
	return v, v.sum.N > 0 || len(v.sum.Strays) > 0
}

// total is the plot's metric; of a stack, the sum of all. A trial that lacks a part which others have would make a sum of
// something else, so it counts in none.
func (e easel) total() digest.Metric {
	if e.plot.Kind != Stacked {
		return e.metrics[0]
	}
	return digest.SumOf(e.metrics)
}

// measuredMetrics leaves out what nothing measured.
func (e easel) measuredMetrics() []digest.Metric {
	return slices.DeleteFunc(slices.Clone(e.metrics), func(m digest.Metric) bool {
		return !slices.ContainsFunc(e.section.Panels, func(p digest.Panel) bool { return e.measured(p, m) })
	})
}

// slope draws a line through the trials of each block; the figure is the median of the lines, as in the findings.
func (e easel) slope(cells []digest.Cell, m digest.Metric) (v rowValue, ok bool) {
	lines := slopesOf(cells, m)
	sum, err := stat.Summarise(lines)
	if err != nil {
		return v, false // too few sizes in every block: the table of medians still has them
	}
	v.sum = digest.Summary{Median: sum.Median, Lo: math.Inf(-1), Hi: math.Inf(1), N: sum.N, Values: lines}
	switch {
	case sum.Exists():
		v.sum.Lo, v.sum.Hi = sum.Low, sum.High
	case !e.section.Intervals():
		v.sum.Lo, v.sum.Hi = sum.Min, sum.Max
	}
	if all, err := stat.Slope(pointsOf(cells, m, every)); err == nil {
		v.off = all.Off
	}
	for _, part := range e.metrics {
		each := math.NaN()
		if sum, err := stat.Summarise(slopesOf(cells, part)); err == nil {
			each = sum.Median
		}
		v.parts = append(v.parts, each)
	}
	return v, true
}

func every(*record.Trial) bool { return true }

// slopesOf returns the slope of each block that has trials of enough sizes.
func slopesOf(cells []digest.Cell, m digest.Metric) []float64 {
	var slopes []float64
	for _, block := range blocksOf(cells) {
		if line, err := stat.Slope(pointsOf(cells, m, func(t *record.Trial) bool { return t.Block == block })); err == nil {
			slopes = append(slopes, line.Slope.Value)
		}
	}
	return slopes
}

// pointsOf returns where trials lie: what they have on the axis, and the figure.
func pointsOf(cells []digest.Cell, m digest.Metric, of func(*record.Trial) bool) (xs, ys []float64) {
	for _, c := range cells {
		for _, t := range c.Valid() {
			if y, ok := m.Of(t); ok && of(t) {
				xs, ys = append(xs, c.X.Number), append(ys, y)
			}
		}
	}
	return xs, ys
}

// blocksOf lists the blocks of the valid trials.
func blocksOf(cells []digest.Cell) []int {
	var blocks []int
	for _, c := range cells {
		for _, t := range c.Valid() {
			blocks = append(blocks, t.Block)
		}
	}
	slices.Sort(blocks)
	return slices.Compact(blocks)
}

func (e easel) row(s digest.Series, g rowGroup, v rowValue) chart.Series {
	m := e.metrics[0]
	row := chart.Series{
		Name: s.Name, Key: s.Label, Look: e.look(s), Group: g.name, Note: m.Unit.Format(v.sum.Median),
		Points: []chart.Point{{X: v.sum.Median, Lo: v.sum.Lo, Hi: v.sum.Hi}},
		Trials: places(v.sum.Values), Strays: places(v.sum.Strays),
	}
	if e.plot.Kind != Stacked {
		return row
	}
	row.Trials = nil
	for i, part := range e.legend() {
		if part.Value = v.parts[i]; part.Value > 0 {
			row.Parts = append(row.Parts, part)
		}
	}
	return row
}

func (e easel) tableRow(row chart.Series, v rowValue) []cell {
	name := row.Name
	if row.Group != "" {
		name = row.Group + ": " + name
	}
	u := e.metrics[0].Unit
	line := []cell{{Text: name}, {Text: row.Note, Sort: v.sum.Median, Small: spread(u, v.sum.Lo, v.sum.Hi, v.sum.N)}}
	for i := range e.legend() {
		line = append(line, cell{Text: u.Format(v.parts[i]), Sort: v.parts[i]})
	}
	return line
}

// fitScale chooses the scale of rows: values that differ by factors are read on a logarithm. A stack has lengths, which a
// logarithm would not have.
func (e easel) fitScale(c *chart.Chart, m digest.Metric) {
	c.X.Label = strings.ToLower(m.Title[:1]) + m.Title[1:]
	if e.plot.Kind == Stacked {
		c.X.Label = m.Unit.Noun()
	}
	if e.plot.Slope {
		c.X.Label = m.Unit.Noun() + " per " + singular(axisLabel(e.section.Axis.Name))
	}
	r := chart.Range{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, s := range c.Series {
		for _, x := range append(places([]float64{s.Points[0].X}), slices.Concat(s.Trials, s.Strays)...) {
			if !math.IsNaN(x.X) {
				r.Min, r.Max = min(r.Min, x.X), max(r.Max, x.X)
			}
		}
	}
	if e.plot.Kind != Stacked {
		c.X.Scale = chart.UpperScale(r.Min, r.Max)
	}
}

func (e easel) rowsFootnote(least, most, hidden int, worst float64) string {
	text := trialsText(least, most)
	switch {
	case e.plot.Slope:
		text = "slope: median of " + blockCount(least, most) + " · line: " + spreadText(e.section)
		if worst > slopeBend {
			text += fmt.Sprintf(" · up to %.0f %% off a straight line", 100*worst)
		}
	case most > 1:
		text += " · line: " + spreadText(e.section)
	}
	switch {
	case e.plot.Kind == Strips:
		text += " · dots: trials"
	case e.plot.Kind == Bars && e.plot.Slope:
		text += " · ticks: blocks"
	case e.plot.Kind == Bars && most > 1:
		text += " · ticks: trials"
	}
	if hidden > 0 {
		text += fmt.Sprintf(" · %d more in the table", hidden)
	}
	return text
}

// slopeBend is how far from a line, as a share of the rise, points may lie before a chart says so.
const slopeBend = 0.1

func blockCount(least, most int) string {
	if least == most {
		return plural(most, "block")
	}
	return fmt.Sprintf("%d to %d blocks", least, most)
}

func singular(text string) string { return strings.TrimSuffix(text, "s") }

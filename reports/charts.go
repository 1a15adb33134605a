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

// A figure is a chart with the numbers behind it.
type figure struct {
	Chart chart.Chart
	Other *chart.Chart // the same on the other scale, linear or logarithmic; nil where that shows nothing
	Table dataTable
	Key   string // the engine that all of it is about, if it is one's
	// Experiment and Plot are the declaration that it was drawn for, if there is one.
	Experiment, Plot string
}

// An illustrator makes the figures of one section. Panels share the range of each metric, because charts that stand side by
// side are compared by height.
type illustrator struct {
	digest  *digest.Digest
	section digest.Section
	looks   map[string]chart.Look
	runs    []string // names of two runs that are shown side by side; nil for one run
	against string   // the series that ratios compare with, if it is there
}

// figures draws every metric that a panel's trials have, then what stands behind them.
func (il illustrator) figures() [][]figure {
	panels := il.section.Panels[:min(len(il.section.Panels), digest.MaxPanels)]
	figures := make([][]figure, len(panels))
	for _, mode := range []string{record.Closed, record.Open} {
		for _, m := range digest.Metrics(mode) {
			if !m.Chart {
				continue
			}
			b := builder{il, m, il.extent(panels, mode, m)}
			for i, p := range panels {
				if p.Mode != mode || !il.measured(p, m) {
					continue
				}
				figures[i] = append(figures[i], b.figure(p))
				if m.ID != "cpu" && il.runs == nil {
					continue
				}
				if ratios, ok := il.ratios(p, m); ok {
					figures[i] = append(figures[i], ratios)
				}
			}
		}
	}
	for i, p := range panels {
		figures[i] = append(figures[i], il.details(p)...)
	}
	if f, ok := il.bounds(); ok && len(panels) > 0 {
		i := max(0, slices.IndexFunc(panels, func(p digest.Panel) bool { return p.Mode == record.Open })) // where the probes are
		figures[i] = append([]figure{f}, figures[i]...)
	}
	return figures
}

// details are the charts that stand behind the medians: the whole distribution of latencies, and the course of a trial.
func (il illustrator) details(p digest.Panel) []figure {
	var figures []figure
	for _, draw := range []func(digest.Panel) (figure, bool){il.spectrum, il.progress} {
		if f, ok := draw(p); ok {
			figures = append(figures, f)
		}
	}
	return figures
}

// measured reports whether any trial of a panel has the metric.
func (il illustrator) measured(p digest.Panel, m digest.Metric) bool {
	for _, s := range p.Series {
		for _, c := range s.Cells {
			if sum := il.digest.Summarise(c, m); len(sum.Values)+len(sum.Strays) > 0 {
				return true
			}
		}
	}
	return false
}

// extent returns what all panels of a mode must show.
func (il illustrator) extent(panels []digest.Panel, mode string, m digest.Metric) chart.Range {
	r := chart.Range{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, p := range panels {
		if p.Mode != mode {
			continue
		}
		for _, s := range drawn(p) {
			for _, c := range s.Cells {
				sum := il.digest.Summarise(c, m)
				for _, x := range slices.Concat(sum.Values, sum.Strays) {
					r.Min, r.Max = math.Min(r.Min, x), math.Max(r.Max, x)
				}
			}
		}
	}
	if r.Min > r.Max {
		return chart.Range{}
	}
	return r
}

// A builder makes the charts of one metric.
type builder struct {
	illustrator
	metric digest.Metric
	shared chart.Range
}

func (b builder) figure(p digest.Panel) figure {
	c := chart.Chart{
		ID:       slug(b.section.Workload, p.Mode, p.Text(), b.metric.ID),
		Title:    b.metric.Title,
		Subtitle: b.subtitle(p, b.metric.Better),
		Footnote: b.footnote(p),
		Alt:      b.alt(p),
	}
	scale := chart.UpperScale(b.shared.Min, b.shared.Max)
	if len(p.Values()) > 1 {
		b.lines(&c, p)
		return figure{Chart: b.scaled(c, scale), Other: b.other(c, scale), Table: b.table(p)}
	}
	b.rows(&c, p)
	c.X.Scale = scale
	return figure{Chart: c, Table: b.table(p)}
}

// scaled returns the chart with its heights on a scale. A linear one begins at zero.
func (b builder) scaled(c chart.Chart, scale chart.Scale) chart.Chart {
	c.Y.Scale, c.Y.Range = scale, b.shared
	if scale == chart.Linear {
		c.Y.Range.Min = math.Min(c.Y.Range.Min, 0)
	}
	return c
}

func (b builder) other(c chart.Chart, than chart.Scale) *chart.Chart {
	if b.shared.Min <= 0 {
		return nil // has no logarithm
	}
	other := map[chart.Scale]chart.Scale{chart.Linear: chart.Log, chart.Log: chart.Linear}[than]
	c = b.scaled(c, other)
	return &c
}

// drawn are the series of a panel that a chart can show.
func drawn(p digest.Panel) []digest.Series { return p.Series[:min(len(p.Series), chart.MaxSeries)] }

func (b builder) lines(c *chart.Chart, p digest.Panel) {
	c.X, c.Columns = b.axis(p)
	c.Y.Unit = b.metric.Unit
	for _, s := range drawn(p) {
		line := chart.Series{Name: s.Name, Key: s.Label, Look: b.look(s)}
		for _, cell := range s.Cells {
			sum := b.digest.Summarise(cell, b.metric)
			line.Points = append(line.Points, chart.Point{X: cell.X.Number, Y: sum.Median, Lo: sum.Lo, Hi: sum.Hi})
			for _, y := range sum.Strays {
				line.Strays = append(line.Strays, chart.Place{X: cell.X.Number, Y: y})
			}
		}
		c.Series = append(c.Series, line)
	}
}

// maxMarks is how many values of an axis get a tick each; beyond it round numbers read better.
const maxMarks = 14

// axis returns the section's axis, with a tick at each value that was measured, and the panel's values on it.
func (il illustrator) axis(p digest.Panel) (a chart.Axis, columns []float64) {
	axis := il.section.Axis
	a = chart.Axis{Label: axisLabel(axis.Name), Unit: axis.Unit(), Names: axis.Names()}
	for _, v := range axis.Values {
		a.Marks = append(a.Marks, v.Number)
	}
	a.Range = chart.Range{Min: a.Marks[0], Max: a.Marks[len(a.Marks)-1]}
	if a.Range.Min > 0 && a.Range.Max/a.Range.Min >= 10 {
		a.Scale = chart.Log
	}
	if len(a.Marks) > maxMarks {
		a.Marks, a.Names = nil, nil
	}
	for _, v := range p.Values() {
		columns = append(columns, v.Number)
	}
	return a, columns
}

// rows draws a panel in which nothing but the engine changes.
func (b builder) rows(c *chart.Chart, p digest.Panel) {
	c.Rows = true
	c.X = chart.Axis{Label: strings.ToLower(b.metric.Title[:1]) + b.metric.Title[1:], Unit: b.metric.Unit, Range: b.shared}
	if chart.UpperScale(b.shared.Min, b.shared.Max) == chart.Linear {
		c.X.Range.Min = math.Min(b.shared.Min, 0)
	}
	for _, s := range drawn(p) {
		row := chart.Series{Name: s.Name, Key: s.Label, Look: b.look(s)}
		for _, cell := range s.Cells {
			sum := b.digest.Summarise(cell, b.metric)
			row.Points = append(row.Points, chart.Point{X: sum.Median, Lo: sum.Lo, Hi: sum.Hi})
			row.Note = b.metric.Unit.Format(sum.Median)
			row.Trials, row.Strays = places(sum.Values), places(sum.Strays)
		}
		c.Series = append(c.Series, row)
	}
}

func places(xs []float64) []chart.Place {
	var out []chart.Place
	for _, x := range xs {
		out = append(out, chart.Place{X: x})
	}
	return out
}

func (il illustrator) subtitle(p digest.Panel, better string) string {
	text := strings.TrimPrefix(il.section.Workload+", "+loopName(p.Mode), ", ")
	if settings := p.Text(); settings != "" {
		text += ", " + settings
	}
	if better != "" {
		text += " · " + better
	}
	return text
}

// footnote says what a point is and what its band is.
func (b builder) footnote(p digest.Panel) string {
	least, most, strays := math.MaxInt, 0, false // trials behind a point
	for _, s := range drawn(p) {
		for _, c := range s.Cells {
			sum := b.digest.Summarise(c, b.metric)
			strays = strays || len(sum.Strays) > 0
			if sum.N > 0 {
				least, most = min(least, sum.N), max(most, sum.N)
			}
		}
	}
	text := trialsText(least, most)
	if most > 1 {
		text += " · band: " + spreadText(b.section)
	}
	if b.section.Intervals() && most > 1 && least < stat.MinTrials {
		text += " · dotted: too few"
	}
	if strays {
		text += " · hollow: invalid"
	}
	if hidden := len(p.Series) - len(drawn(p)); hidden > 0 {
		text += fmt.Sprintf(" · %d more in the table", hidden)
	}
	return text
}

// spreadText names what is shown around a median.
func spreadText(s digest.Section) string {
	if s.Intervals() {
		return "95 % interval"
	}
	return "their range"
}

func trialsText(least, most int) string {
	switch {
	case most == 0:
		return "no valid trial"
	case most == 1:
		return "one trial each, so no spread is known"
	case least == most:
		return fmt.Sprintf("median of %d trials", most)
	default:
		return fmt.Sprintf("medians of %d–%d trials", least, most)
	}
}

// alt says what a chart shows, for those who do not see it: for each series where it starts and where it ends.
func (b builder) alt(p digest.Panel) string {
	var parts []string
	for _, s := range drawn(p) {
		var ends []string
		for _, c := range []digest.Cell{s.Cells[0], s.Cells[len(s.Cells)-1]} {
			text := "not measured"
			if median := b.digest.Summarise(c, b.metric).Median; !math.IsNaN(median) {
				text = b.metric.Unit.Format(median)
			}
			if b.section.Axis.Name != "" {
				text += " at " + b.at(c.X)
			}
			ends = append(ends, text)
		}
		parts = append(parts, s.Name+" "+strings.Join(slices.Compact(ends), ", "))
	}
	return fmt.Sprintf("%s, %s. %s.", b.metric.Title, b.subtitle(p, b.metric.Better), strings.Join(parts, "; "))
}

// at writes a value of the axis with its name: "64 connections".
func (il illustrator) at(x digest.Value) string {
	name := il.section.Axis.Name
	if name == "" {
		return ""
	}
	text := digest.Setting{Name: name, Value: x}.Text() + " " + axisLabel(name)
	if x.Number == 1 {
		text = strings.TrimSuffix(text, "s")
	}
	return text
}

func axisLabel(name string) string {
	labels := map[string]string{
		"conns": "connections", "rate": "offered requests per second", "depth": "requests in flight per connection",
		"rate-share": "offered load, as a share of capacity",
	}
	short := name[strings.LastIndex(name, ".")+1:]
	if label, ok := labels[short]; ok {
		return label
	}
	return short
}

// slug makes a name for a file and a link out of parts. What differs only in characters that are left out is told apart by
// the caller.
func slug(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		for _, r := range strings.ToLower(part) + "-" {
			switch {
			case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.':
				b.WriteRune(r)
			case !strings.HasSuffix(b.String(), "-"):
				b.WriteByte('-')
			}
		}
	}
	return strings.Trim(b.String(), "-.")
}

package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
)

// A figure is a chart with the numbers behind it.
type figure struct {
	Chart chart.Chart
	Table dataTable
}

// sectionFigures draws every metric that the trials of a panel have. Panels of one section share the range of each metric,
// because charts that stand side by side are compared by height.
func sectionFigures(d *digest.Digest, s digest.Section, looks map[string]chart.Look) [][]figure {
	panels := s.Panels[:min(len(s.Panels), digest.MaxPanels)]
	figures := make([][]figure, len(panels))
	for _, mode := range []string{record.Closed, record.Open} {
		for _, m := range digest.Metrics(mode) {
			if !m.Chart {
				continue
			}
			b := builder{d, s, m, looks}
			shared, scale := b.sharedRange(panels, mode)
			for i, p := range panels {
				if p.Mode == mode && b.measured(p) {
					figures[i] = append(figures[i], b.figure(p, shared, scale))
				}
			}
		}
	}
	return figures
}

// A builder makes the charts of one metric.
type builder struct {
	digest  *digest.Digest
	section digest.Section
	metric  digest.Metric
	looks   map[string]chart.Look
}

// measured reports whether any trial of a panel has the metric.
func (b builder) measured(p digest.Panel) bool {
	for _, s := range p.Series {
		for _, c := range s.Cells {
			if sum := b.digest.Summarise(c, b.metric); len(sum.Values)+len(sum.Strays) > 0 {
				return true
			}
		}
	}
	return false
}

// sharedRange returns what all panels of a mode must show, and the scale that suits it.
func (b builder) sharedRange(panels []digest.Panel, mode string) (chart.Range, chart.Scale) {
	r := chart.Range{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, p := range panels {
		if p.Mode != mode {
			continue
		}
		for _, s := range p.Series {
			for _, c := range s.Cells {
				sum := b.digest.Summarise(c, b.metric)
				for _, x := range append(append([]float64{sum.Lo, sum.Hi}, sum.Values...), sum.Strays...) {
					if !math.IsNaN(x) && !math.IsInf(x, 0) {
						r.Min, r.Max = math.Min(r.Min, x), math.Max(r.Max, x)
					}
				}
			}
		}
	}
	if r.Min > r.Max {
		return chart.Range{}, chart.Linear
	}
	scale := chart.UpperScale(r.Min, r.Max)
	if scale == chart.Linear {
		r.Min = math.Min(r.Min, 0)
	}
	return r, scale
}

func (b builder) figure(p digest.Panel, shared chart.Range, scale chart.Scale) figure {
	c := chart.Chart{
		ID:       slug(b.section.Workload, p.Mode, p.Text(), b.metric.ID),
		Title:    b.metric.Title,
		Subtitle: b.subtitle(p),
		Footnote: b.footnote(p),
	}
	series := drawn(p)
	if len(p.Values()) > 1 {
		b.lines(&c, p, series, shared, scale)
	} else {
		b.rows(&c, p, series, shared, scale)
	}
	c.Alt = b.alt(p)
	return figure{c, b.table(p)}
}

// drawn are the series of a panel that a chart can show.
func drawn(p digest.Panel) []digest.Series { return p.Series[:min(len(p.Series), chart.MaxSeries)] }

func (b builder) lines(c *chart.Chart, p digest.Panel, series []digest.Series, shared chart.Range, scale chart.Scale) {
	c.X = chart.Axis{Label: axisLabel(b.section.Axis.Name), Unit: b.section.Axis.Unit()}
	for i, v := range b.section.Axis.Values {
		c.X.Marks = append(c.X.Marks, v.Number)
		c.X.Names = append(c.X.Names, b.section.Axis.Names()[i])
	}
	if first := c.X.Marks[0]; first > 0 && c.X.Marks[len(c.X.Marks)-1]/first >= 10 {
		c.X.Scale = chart.Log
	}
	if len(c.X.Marks) > maxMarks {
		c.X.Marks, c.X.Names = nil, nil
	}
	c.Y = chart.Axis{Unit: b.metric.Unit, Scale: scale, Range: shared}
	for _, s := range series {
		line := chart.Series{Name: s.Name, Look: b.looks[s.Label]}
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

// rows draws a panel in which nothing but the engine changes.
func (b builder) rows(c *chart.Chart, p digest.Panel, series []digest.Series, shared chart.Range, scale chart.Scale) {
	c.Rows = true
	c.X = chart.Axis{Label: strings.ToLower(b.metric.Title[:1]) + b.metric.Title[1:], Unit: b.metric.Unit, Scale: scale, Range: shared}
	for _, s := range series {
		row := chart.Series{Name: s.Name, Look: b.looks[s.Label]}
		for _, cell := range s.Cells {
			sum := b.digest.Summarise(cell, b.metric)
			row.Points = append(row.Points, chart.Point{X: sum.Median, Lo: sum.Lo, Hi: sum.Hi})
			for _, x := range sum.Values {
				row.Trials = append(row.Trials, chart.Place{X: x})
			}
			for _, x := range sum.Strays {
				row.Strays = append(row.Strays, chart.Place{X: x})
			}
		}
		c.Series = append(c.Series, row)
	}
}

func (b builder) subtitle(p digest.Panel) string {
	parts := []string{b.section.Workload + ", " + p.Mode + " loop"}
	if text := p.Text(); text != "" {
		parts[0] += ", " + text
	}
	if b.metric.Better != "" {
		parts = append(parts, b.metric.Better)
	}
	return strings.Join(parts, " · ")
}

// footnote says what a point is and what its band is.
func (b builder) footnote(p digest.Panel) string {
	least, most, strays := math.MaxInt, 0, false
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
		band := "range of the trials"
		if b.digest.Intervals() {
			band = "95 % interval of the median"
		}
		text += " · band: " + band
	}
	if strays {
		text += " · hollow: invalid trial"
	}
	if hidden := len(p.Series) - len(drawn(p)); hidden > 0 {
		text += fmt.Sprintf(" · %d more series in the table", hidden)
	}
	return text
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
		return fmt.Sprintf("median of %d to %d trials", least, most)
	}
}

// alt says what a chart shows, for those who do not see it: for each series where it starts and where it ends.
func (b builder) alt(p digest.Panel) string {
	var parts []string
	for _, s := range drawn(p) {
		var ends []string
		for _, c := range []digest.Cell{s.Cells[0], s.Cells[len(s.Cells)-1]} {
			text := b.metric.Unit.Format(b.digest.Summarise(c, b.metric).Median)
			if b.section.Axis.Name != "" {
				text += " at " + digest.Setting{Name: b.section.Axis.Name, Value: c.X}.Text() + " " + b.section.Axis.Name
			}
			ends = append(ends, text)
		}
		parts = append(parts, s.Name+": "+strings.Join(slices.Compact(ends), ", "))
	}
	return fmt.Sprintf("Chart: %s, %s. %s.", b.metric.Title, b.subtitle(p), strings.Join(parts, "; "))
}

func axisLabel(name string) string {
	labels := map[string]string{
		"conns": "connections", "rate": "offered requests per second", "depth": "requests in flight per connection",
		"payload": "payload", "duration": "length of the window",
	}
	_, short, _ := strings.Cut("."+name, ".")
	if i := strings.LastIndex(short, "."); i >= 0 {
		short = short[i+1:]
	}
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
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		for _, r := range strings.ToLower(part) {
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

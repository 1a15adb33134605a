package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// A dataTable is text in rows, for every kind of output.
type dataTable struct {
	Columns []column
	Rows    [][]cell
}

// A column is the head of a table's column.
type column struct {
	Name  string
	Title string // what the short name stands for
	Key   string // the engine whose figures it holds, if it is one's
	Text  bool   // its cells are words and stand at the left
}

// A cell is what one field of a table shows, and what it is sorted by.
type cell struct {
	Text  string
	Sort  float64 // of numbers
	Label string  // of an engine, whose marker stands before it
	Small string  // less important: a spread
}

// Number is what the page sorts by: empty for words, NaN for what was not measured, which stays last.
func (c cell) Number() string {
	switch {
	case math.IsNaN(c.Sort):
		return "NaN"
	case c.Sort == 0 && !strings.HasPrefix(c.Text, "0"):
		return ""
	default:
		return strconv.FormatFloat(c.Sort, 'g', 6, 64)
	}
}

func textCell(text string) cell { return cell{Text: text} }

// table lists the numbers behind a chart: a row for each value of the axis, a column for each series.
func (b builder) table(p digest.Panel) dataTable {
	t := dataTable{Columns: []column{{Name: axisName(b.section), Text: b.section.Axis.Name == ""}}}
	for _, s := range p.Series {
		t.Columns = append(t.Columns, column{Name: s.Name, Key: s.Label})
	}
	for _, x := range p.Values() {
		row := []cell{axisCell(b.section, x)}
		for _, s := range p.Series {
			c, ok := s.At(x)
			if !ok {
				row = append(row, textCell("–"))
				continue
			}
			row = append(row, b.valueCell(c))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// valueCell shows a median and its spread.
func (b builder) valueCell(c digest.Cell) cell {
	sum := b.digest.Summarise(c, b.metric)
	out := cell{Text: b.metric.Unit.Format(sum.Median), Sort: sum.Median}
	switch {
	case sum.N > 0:
		out.Small = spread(b.metric.Unit, sum.Lo, sum.Hi, sum.N)
	case len(sum.Strays) > 0:
		out.Small = fmt.Sprintf("%d invalid", len(sum.Strays))
	}
	return out
}

// spread writes an interval for a table.
func spread(u unit.Unit, lo, hi float64, n int) string {
	switch {
	case n < 2:
		return fmt.Sprintf("n %d", n)
	case math.IsInf(lo, 0) || math.IsInf(hi, 0):
		return fmt.Sprintf("no interval, n %d", n)
	}
	return fmt.Sprintf("%s to %s, n %d", u.Format(lo), u.Format(hi), n)
}

func axisName(s digest.Section) string {
	if s.Axis.Name == "" {
		return "point"
	}
	return axisLabel(s.Axis.Name)
}

func axisCell(s digest.Section, x digest.Value) cell {
	if s.Axis.Name == "" {
		return textCell(s.Workload)
	}
	return cell{Text: digest.Setting{Name: s.Axis.Name, Value: x}.Text(), Sort: x.Number}
}

// medians lists every figure of every point of a panel: the table that all charts of the panel are drawn from.
func medians(d *digest.Digest, s digest.Section, p digest.Panel) dataTable {
	metrics := measuredMetrics(d, p)
	t := dataTable{Columns: []column{{Name: axisName(s), Text: s.Axis.Name == ""}, {Name: "engine", Text: true}}}
	for _, m := range metrics {
		t.Columns = append(t.Columns, column{Name: m.Short, Title: m.Title})
	}
	t.Columns = append(t.Columns,
		column{Name: "errors", Title: "requests that failed or had no reply, over all trials"},
		column{Name: "n", Title: "trials that count"}, column{Name: "flags", Title: "doubts about the trials, see Checks", Text: true})
	for _, x := range p.Values() {
		for _, series := range p.Series {
			if c, ok := series.At(x); ok {
				t.Rows = append(t.Rows, medianRow(d, s, metrics, series, c))
			}
		}
	}
	return t
}

func medianRow(d *digest.Digest, s digest.Section, metrics []digest.Metric, series digest.Series, c digest.Cell) []cell {
	row := []cell{axisCell(s, c.X), {Text: series.Name, Label: series.Label}}
	for _, m := range metrics {
		median := d.Summarise(c, m).Median
		row = append(row, cell{Text: m.Unit.Format(median), Sort: median})
	}
	errors := float64(c.Errors())
	valid := len(c.Valid())
	n := cell{Text: fmt.Sprint(valid), Sort: float64(valid)}
	if valid < len(c.Trials) {
		n.Text = fmt.Sprintf("%d of %d", valid, len(c.Trials))
	}
	return append(row, cell{Text: fmt.Sprintf("%.0f", errors), Sort: errors}, n, textCell(strings.Join(c.Codes(), ", ")))
}

// measuredMetrics returns the metrics that a panel has: a column of dashes says nothing.
func measuredMetrics(d *digest.Digest, p digest.Panel) []digest.Metric {
	return slices.DeleteFunc(digest.Metrics(p.Mode), func(m digest.Metric) bool {
		return !illustrator{digest: d}.measured(p, m)
	})
}

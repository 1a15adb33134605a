package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"turnlab/reports/digest"
)

// A namedTable is a table under a heading.
type namedTable struct {
	Name   string
	Table  dataTable
	Counts bool // some trial behind it does
}

// tables lists the medians of an experiment, a table for each workload and loop: a row for each point and engine, with the
// parameters that differ and the figures that its drawings show.
func (x *exhibit) tables() []namedTable {
	var list []namedTable
	for _, s := range x.digest.Sections {
		for _, mode := range modesOf(s) {
			t := x.table(s, mode)
			list = append(list, namedTable{s.Workload + ", " + loopName(mode), t, anyCounts(s, mode)})
		}
	}
	return list
}

// shortLabel heads a column of a parameter: tables have less room than axes.
func shortLabel(name string) string {
	short := name[strings.LastIndex(name, ".")+1:]
	if short == "rate-share" {
		return "load"
	}
	return short
}

func anyCounts(s digest.Section, mode string) bool {
	return slices.ContainsFunc(s.Panels, func(p digest.Panel) bool {
		return p.Mode == mode && slices.ContainsFunc(p.Series, func(s digest.Series) bool {
			return slices.ContainsFunc(s.Cells, func(c digest.Cell) bool { return len(c.Valid()) > 0 })
		})
	})
}

func modesOf(s digest.Section) []string {
	var modes []string
	for _, p := range s.Panels {
		if !slices.Contains(modes, p.Mode) {
			modes = append(modes, p.Mode)
		}
	}
	return modes
}

func (x *exhibit) table(s digest.Section, mode string) dataTable {
	var panels []digest.Panel
	for _, p := range s.Panels {
		if p.Mode == mode {
			panels = append(panels, p)
		}
	}
	metrics := x.tableMetrics(panels, mode)
	names := settingNames(panels)
	var t dataTable
	for _, name := range names {
		t.Columns = append(t.Columns, column{Name: shortLabel(name), Title: axisLabel(name)})
	}
	if s.Axis.Name != "" {
		t.Columns = append(t.Columns, column{Name: shortLabel(s.Axis.Name), Title: axisLabel(s.Axis.Name)})
	}
	t.Columns = append(t.Columns, column{Name: "engine", Text: true})
	for _, m := range metrics {
		t.Columns = append(t.Columns, column{Name: m.Short, Title: m.Title})
	}
	t.Columns = append(t.Columns, column{Name: "errors", Title: "requests that failed or had no reply, over all trials"},
		column{Name: "n", Title: "trials that count"}, column{Name: "flags", Title: "doubts about the trials, see Checks", Text: true})
	for _, p := range panels {
		for _, v := range p.Values() {
			for _, series := range p.Series {
				if c, ok := series.At(v); ok {
					row := medianRow(x.digest, s, metrics, series, c)
					if s.Axis.Name == "" {
						row = row[1:]
					}
					t.Rows = append(t.Rows, append(settingCells(names, p), row...))
				}
			}
		}
	}
	return t
}

// tableMetrics are the figures that the drawings show and then the usual ones, as far as some trial has them.
func (x *exhibit) tableMetrics(panels []digest.Panel, mode string) []digest.Metric {
	var metrics []digest.Metric
	add := func(m digest.Metric) {
		known := slices.ContainsFunc(metrics, func(k digest.Metric) bool { return k.ID == m.ID || k.Title == m.Title })
		has := slices.ContainsFunc(panels, func(p digest.Panel) bool { return illustrator{digest: x.digest}.measured(p, m) })
		if !known && has {
			metrics = append(metrics, m)
		}
	}
	for _, p := range x.Plots {
		for _, id := range p.Metrics {
			if m, ok := digest.MetricByID(id); ok {
				add(m.In(mode))
			}
		}
	}
	for _, m := range digest.Metrics(mode) {
		add(m)
	}
	return metrics
}

// settingNames lists the settings that tell panels apart.
func settingNames(panels []digest.Panel) []string {
	values := map[string][]string{}
	var names []string
	for _, p := range panels {
		for _, s := range p.Settings {
			if values[s.Name] == nil {
				names = append(names, s.Name)
			}
			if !slices.Contains(values[s.Name], s.Value.Text) {
				values[s.Name] = append(values[s.Name], s.Value.Text)
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return len(values[name]) < 2 })
}

func settingCells(names []string, p digest.Panel) []cell {
	var cells []cell
	for _, name := range names {
		c := textCell("–")
		for _, s := range p.Settings {
			if s.Name == name {
				c = cell{Text: s.Text(), Sort: s.Value.Number}
			}
		}
		cells = append(cells, c)
	}
	return cells
}

// Lead is how many words of a row stand before its figures: its parameters and its engine.
func (t dataTable) Lead() int {
	return 1 + slices.IndexFunc(t.Columns, func(c column) bool { return c.Name == "engine" })
}

// briefFigures is how many figures a line of a terminal may have.
const briefFigures = 4

// last keeps the last rows, whole loads of them, as many as there may be, and says how many stand before them. Loads ascend,
// and what an experiment asks about shows best under the heaviest.
func (t dataTable) last(most int) (out dataTable, before int) {
	lead := t.Lead() - 1
	before = max(0, len(t.Rows)-most) // when even one load has more rows
	for at := len(t.Rows) - 1; at >= 0 && len(t.Rows)-at <= most; at-- {
		same := func(a, b cell) bool { return a.Text == b.Text }
		if at == 0 || !slices.EqualFunc(t.Rows[at][:lead], t.Rows[at-1][:lead], same) {
			before = at
		}
	}
	return dataTable{t.Columns, t.Rows[before:]}, before
}

// brief keeps the parameters, the engine, the number of trials, and as many of the first figures as a line has room for.
func (t dataTable) brief(width int) dataTable {
	t = t.without("duration", "warmup")
	for figures := briefFigures; figures > 1; figures-- {
		if out := t.first(figures); out.width() <= width {
			return out
		}
	}
	return t.first(1)
}

// without leaves out parameters, as far as others tell the loads apart as well.
func (t dataTable) without(names ...string) dataTable {
	for _, name := range names {
		lead := t.Lead()
		i := slices.IndexFunc(t.Columns[:lead], func(c column) bool { return c.Name == name })
		if i < 0 {
			continue
		}
		out := dataTable{Columns: slices.Delete(slices.Clone(t.Columns), i, i+1)}
		loads := map[string]bool{}
		for _, row := range t.Rows {
			line := slices.Delete(slices.Clone(row), i, i+1)
			key := ""
			for _, c := range line[:lead-1] {
				key += c.Text + "\x00"
			}
			loads[key], out.Rows = true, append(out.Rows, line)
		}
		if len(loads) == len(t.Rows) {
			t = out
		}
	}
	return t
}

func (t dataTable) width() int {
	sum := 0
	for i, c := range t.Columns {
		widest := utf8.RuneCountInString(c.Name)
		for _, row := range t.Rows {
			widest = max(widest, utf8.RuneCountInString(row[i].Text))
		}
		sum += widest + columnGap
	}
	return sum - columnGap
}

func (t dataTable) first(figures int) dataTable {
	lead := t.Lead()
	n := slices.IndexFunc(t.Columns, func(c column) bool { return c.Name == "n" })
	keep := func(i int) bool { return i < lead+figures && i < n-1 || i == n }
	out := dataTable{}
	for i, c := range t.Columns {
		if keep(i) {
			out.Columns = append(out.Columns, c)
		}
	}
	for _, row := range t.Rows {
		var line []cell
		for i, c := range row {
			if keep(i) {
				line = append(line, c)
			}
		}
		out.Rows = append(out.Rows, line)
	}
	return out
}

// heading writes the name of a table.
func (t namedTable) Heading() string {
	return fmt.Sprintf("%s%s (%s)", strings.ToUpper(t.Name[:1]), t.Name[1:], plural(len(t.Table.Rows), "row"))
}

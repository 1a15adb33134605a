package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/unit"
)

// bounds draws what an experiment's searches for capacities have found.
func (x *exhibit) bounds(p Plot) []figure {
	found := slices.DeleteFunc(slices.Clone(x.digest.Run.Capacities), func(c record.Capacity) bool { return c.Experiment != x.Name })
	f, ok := boundsFigure(found, x.looks)
	if !ok {
		return nil
	}
	f.Chart.ID, f.Chart.Title = slug(x.Name, p.ID), p.Title
	f.Chart.Alt = p.Title + ". " + f.Chart.Alt
	return []figure{f}
}

// bounds draws the searches for the capacities of the section's workload, which nobody has declared a drawing for.
func (il illustrator) bounds() (figure, bool) {
	found := slices.DeleteFunc(slices.Clone(il.digest.Run.Capacities), func(c record.Capacity) bool {
		return c.Experiment != il.section.Experiment || c.Workload != il.section.Workload
	})
	f, ok := boundsFigure(found, il.looks)
	f.Chart.ID, f.Chart.Title = slug(il.section.Workload, "capacity"), "The highest rate at which a service level holds"
	f.Chart.Alt = f.Chart.Title + ". " + f.Chart.Alt
	return f, ok
}

// boundsFigure draws, under each service level, a row per engine: a bar to the highest rate that passed, and a line from
// there to the lowest that failed. Without an upper bound the line has no end to show, and the row says "or more".
func boundsFigure(found []record.Capacity, looks map[string]chart.Look) (figure, bool) {
	c := chart.Chart{Rows: true, Bars: true, X: chart.Axis{Unit: unit.PerSecond, Label: "requests per second"}, Subtitle: "higher is better"}
	t := dataTable{Columns: []column{
		{Name: "service level", Text: true}, {Name: "engine", Text: true}, {Name: "passes"}, {Name: "fails"},
		{Name: "probes", Title: "trials that the search made"}, {Name: "passed again", Title: "the lower bound, in trials of its own", Text: true},
		{Name: "doubts", Text: true},
	}}
	for _, slo := range serviceLevels(found) {
		for _, one := range found {
			if one.SLO != slo {
				continue
			}
			name := boundsName(one, found)
			c.Series = append(c.Series, chart.Series{
				Name: name, Key: one.Engine, Look: looks[one.Engine], Group: slo, Note: boundsNote(one), Doubted: unsure(one),
				Points: []chart.Point{{X: one.LowerRPS, Lo: one.LowerRPS, Hi: math.Max(one.LowerRPS, one.UpperRPS)}},
			})
			t.Rows = append(t.Rows, []cell{
				{Text: slo}, {Text: name}, rateCell(one.LowerRPS), rateCell(one.UpperRPS), {Text: fmt.Sprint(one.Probes), Sort: float64(one.Probes)},
				textCell(passedAgain(one)), textCell(whatIsDoubted(one)),
			})
		}
	}
	c.Footnote, c.Alt = boundsFootnote(found), rowsText(c.Series)
	return figure{Chart: c, Table: t}, len(c.Series) > 0
}

// serviceLevels lists them in the order in which they were searched.
func serviceLevels(found []record.Capacity) []string {
	var levels []string
	for _, c := range found {
		if !slices.Contains(levels, c.SLO) {
			levels = append(levels, c.SLO)
		}
	}
	return levels
}

// boundsName names a row, with its workload and its connections where searches differ in them.
func boundsName(c record.Capacity, among []record.Capacity) string {
	name := c.Engine
	if slices.ContainsFunc(among, func(o record.Capacity) bool { return o.Workload != c.Workload }) {
		name += ", " + c.Workload
	}
	if slices.ContainsFunc(among, func(o record.Capacity) bool { return o.Conns != c.Conns }) {
		name += fmt.Sprintf(", %.0f connections", c.Conns)
	}
	return name
}

func boundsNote(c record.Capacity) string {
	note := unit.PerSecond.Format(c.LowerRPS)
	switch {
	case c.LowerRPS == 0:
		note = "none passed"
	case c.UpperRPS == 0:
		note += " or more"
	default:
		note += " to " + unit.PerSecond.Format(c.UpperRPS)
	}
	if unsure(c) {
		note += ", not sure"
	}
	return note
}

// unsure reports whether something speaks against one of the bounds: disturbed probes, or a lower bound that was only luck.
func unsure(c record.Capacity) bool {
	return c.LowerUnsure || c.UpperUnsure || c.Confirmed != nil && !*c.Confirmed
}

func passedAgain(c record.Capacity) string {
	switch {
	case c.Confirmed == nil:
		return "–"
	case *c.Confirmed:
		return "yes"
	}
	return "no"
}

// whatIsDoubted says what is to be known of the bounds, or that there is nothing.
func whatIsDoubted(c record.Capacity) string {
	return cmp.Or(strings.Join(slices.DeleteFunc([]string{c.Irregular, c.Doubt()}, func(s string) bool { return s == "" }), "; "), "–")
}

// boundsFootnote says what bars and lines are and how many trials stand behind them.
func boundsFootnote(found []record.Capacity) string {
	text := "bar: the highest rate that passed · line: to the lowest that failed"
	least, most := math.MaxInt, 0
	for _, c := range found {
		least, most = min(least, c.Probes), max(most, c.Probes)
	}
	switch {
	case most == 0: // a record that does not say
	case least == most:
		text += fmt.Sprintf(" · %d probes each", most)
	default:
		text += fmt.Sprintf(" · %d–%d probes each", least, most)
	}
	if slices.ContainsFunc(found, unsure) {
		text += " · hollow: not sure"
	}
	return text
}

func rateCell(rate float64) cell {
	if rate == 0 {
		return cell{Text: "–", Sort: math.NaN()}
	}
	return cell{Text: unit.PerSecond.Format(rate), Sort: rate}
}

package reports

import (
	"cmp"
	"math"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/unit"
)

// bounds draws what searches for capacities have found: under each service level a row per engine, a bar to the highest rate
// that passed, and a line from there to the lowest that failed. Without an upper bound the line has no end to show, and the
// row says "or more".
func (x *exhibit) bounds(p Plot) []figure {
	c := chart.Chart{Rows: true, Bars: true, X: chart.Axis{Unit: unit.PerSecond, Label: "requests per second"}}
	t := dataTable{Columns: []column{
		{Name: "service level", Text: true}, {Name: "engine", Text: true}, {Name: "passes"}, {Name: "fails"}, {Name: "doubts", Text: true},
	}}
	for _, slo := range x.serviceLevels() {
		for _, found := range x.capacities(slo) {
			c.Series = append(c.Series, chart.Series{
				Name: found.Engine, Key: found.Engine, Look: x.looks[found.Engine], Group: slo, Note: boundsNote(found),
				Points: []chart.Point{{X: found.LowerRPS, Lo: found.LowerRPS, Hi: math.Max(found.LowerRPS, found.UpperRPS)}},
			})
			t.Rows = append(t.Rows, []cell{
				{Text: slo}, {Text: found.Engine}, rateCell(found.LowerRPS), rateCell(found.UpperRPS), {Text: cmp.Or(found.Doubt(), "–")},
			})
		}
	}
	if len(c.Series) == 0 {
		return nil
	}
	c.ID, c.Title = slug(x.Name, p.ID), p.Title
	c.Subtitle = "higher is better"
	c.Footnote = "bar: the highest rate that passed · line: to the lowest that failed"
	c.Alt = c.Title + ". " + rowsText(c.Series)
	return []figure{{Chart: c, Table: t}}
}

// serviceLevels lists those of the exhibit's capacities, in the order in which they were searched.
func (x *exhibit) serviceLevels() []string {
	var levels []string
	seen := map[string]bool{}
	for _, c := range x.digest.Run.Capacities {
		if c.Experiment == x.Name && !seen[c.SLO] {
			seen[c.SLO] = true
			levels = append(levels, c.SLO)
		}
	}
	return levels
}

func (x *exhibit) capacities(slo string) []record.Capacity {
	var list []record.Capacity
	for _, c := range x.digest.Run.Capacities {
		if c.Experiment == x.Name && c.SLO == slo {
			list = append(list, c)
		}
	}
	return list
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
	if c.LowerUnsure || c.UpperUnsure {
		note += ", not sure"
	}
	return note
}

func rateCell(rate float64) cell {
	if rate == 0 {
		return cell{Text: "–", Sort: math.NaN()}
	}
	return cell{Text: unit.PerSecond.Format(rate), Sort: rate}
}

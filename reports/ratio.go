package reports

import (
	"math"
	"slices"
	"strings"

	"turnlab/reports/chart"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// ratioPlaces is the number of values of the axis at which ratios are shown.
const ratioPlaces = 3

// A rival is a series and what it is compared with.
type rival struct{ series, base int }

// rivals compares every series with the baseline engine; of two runs, an engine of the second with itself in the first.
func (il illustrator) rivals(p digest.Panel) (list []rival, against string) {
	if il.runs != nil {
		return il.acrossRuns(p), il.runs[0]
	}
	base := p.Baseline()
	if i := slices.IndexFunc(p.Series, func(s digest.Series) bool { return s.Name == il.against }); i >= 0 {
		base = i
	}
	for i := range p.Series {
		if i != base {
			list = append(list, rival{i, base})
		}
	}
	return list, p.Series[base].Name
}

// ratios draws a forest plot of a figure against another engine's, paired within blocks.
func (il illustrator) ratios(p digest.Panel, m digest.Metric) (figure, bool) {
	p.Series = drawn(p)
	list, against := il.rivals(p)
	c := chart.Chart{
		ID:       slug(il.section.Workload, p.Mode, p.Text(), m.ID, "ratio"),
		Title:    m.Short + " against " + against,
		Subtitle: il.subtitle(p, leftOfOne(m)),
		Rows:     true, Rule: &chart.Rule{X: 1, Lo: 1, Hi: 1},
		X: chart.Axis{Label: il.ratioLabel(p), Unit: unit.Times},
	}
	t := dataTable{Columns: []column{{Name: "engine", Text: true}, {Name: "ratio"}}}
	least, most := math.MaxInt, 0
	for _, x := range p.Representative(ratioPlaces) {
		for _, with := range list {
			r, ok := il.digest.Ratio(p, m, with.series, with.base, x)
			if !ok {
				continue
			}
			row := il.ratioRow(p, r)
			c.Series = append(c.Series, row)
			t.Rows = append(t.Rows, []cell{{Text: row.Name}, {Text: row.Note, Sort: r.Median, Small: spread(unit.Times, r.Lo, r.Hi, len(r.Values))}})
			least, most = min(least, len(r.Values)), max(most, len(r.Values))
		}
	}
	c.Footnote = strings.NewReplacer("trial", "block").Replace(trialsText(least, most))
	if most > 1 {
		c.Footnote += " · line: " + spreadText(il.section) + " · ticks: blocks"
	}
	c.Alt = c.Title + ", " + c.Subtitle + ". " + rowsText(c.Series)
	c.X.Scale = ratioScale(c.Series)
	c.Footnote += il.floor(&c, p, m)
	return figure{Chart: c, Table: t}, len(c.Series) > 0
}

func leftOfOne(m digest.Metric) string {
	switch {
	case strings.HasPrefix(m.Better, "higher"):
		return "right of 1 is better"
	case m.ID == "cpu":
		return "left of 1 is cheaper"
	}
	return "left of 1 is better"
}

// floor shades what an engine differs by from itself, when the run knows that.
func (il illustrator) floor(c *chart.Chart, p digest.Panel, m digest.Metric) (note string) {
	floor := 0.0
	for _, x := range p.Representative(ratioPlaces) {
		if f := il.digest.Floor(p, m, x); f > floor {
			floor = f
		}
	}
	if floor == 0 {
		return ""
	}
	c.Rule.Lo, c.Rule.Hi = math.Max(1-floor, 1/(1+floor)), 1+floor
	return " · shaded: noise (an engine against itself)"
}

func (il illustrator) ratioLabel(p digest.Panel) string {
	label := "ratio within a block"
	if il.runs != nil {
		label = "ratio of runs, block by block in order"
	}
	if il.section.Axis.Name == "" {
		return label
	}
	var at []string
	for _, x := range p.Representative(ratioPlaces) {
		at = append(at, digest.Setting{Name: il.section.Axis.Name, Value: x}.Text())
	}
	return label + ", at " + listed(at) + " " + axisLabel(il.section.Axis.Name)
}

func (il illustrator) ratioRow(p digest.Panel, r digest.Ratio) chart.Series {
	s := p.Series[r.Series]
	row := chart.Series{
		Name: s.Name, Key: s.Label, Look: il.look(s), Trials: places(r.Values), Note: unit.Times.Format(r.Median),
		Points: []chart.Point{{X: r.Median, Lo: r.Lo, Hi: r.Hi}},
	}
	if il.section.Axis.Name != "" {
		row.Name += " at " + digest.Setting{Name: il.section.Axis.Name, Value: r.X}.Text()
	}
	return row
}

// ratioScale is logarithmic when ratios are far apart: twice and half are then equally far from one.
func ratioScale(rows []chart.Series) chart.Scale {
	low, high := 1.0, 1.0
	for _, s := range rows {
		for _, t := range s.Trials {
			low, high = math.Min(low, t.X), math.Max(high, t.X)
		}
	}
	if high/low > 5 {
		return chart.Log
	}
	return chart.Linear
}

func rowsText(rows []chart.Series) string {
	var parts []string
	for _, s := range rows {
		parts = append(parts, s.Name+" "+s.Note)
	}
	return strings.Join(parts, "; ") + "."
}

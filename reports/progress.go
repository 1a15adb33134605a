package reports

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// maxSlices bounds the points of one line of a time series; longer trials are drawn in wider slices.
const maxSlices = 60

// progress draws the throughput over the course of one trial of each engine, warm-up included: a reader can see whether the
// measured window was steady, which no median tells.
func (il illustrator) progress(p digest.Panel) (figure, bool) {
	has := func(t *record.Trial) bool { return len(t.Windows) > 1 }
	x, ok := p.Middle(has)
	if !ok {
		return figure{}, false
	}
	c := chart.Chart{
		ID: slug(il.section.Workload, p.Mode, p.Text(), "progress"), Title: "Throughput over the course of a trial",
		Subtitle: il.subtitle(p, il.at(x)), Footnote: "one trial each, the first of the run · shaded: not measured",
		X: chart.Axis{Label: "since the load began", Unit: unit.Nanos}, Y: chart.Axis{Unit: unit.PerSecond},
	}
	doubts := map[string][]string{} // the series, by flag
	for _, s := range drawn(p) {
		cell, ok := s.At(x)
		if !ok {
			continue
		}
		t := digest.First(cell, has)
		if t == nil {
			continue
		}
		line := chart.Series{Name: s.Name, Key: s.Label, Look: il.look(s), Bare: true, Points: timeline(t.Windows)}
		if c.Spans == nil {
			c.Spans = unmeasured(t.Windows)
		}
		c.Series = append(c.Series, line)
		for _, f := range t.Flags {
			doubts[f.Code] = append(doubts[f.Code], s.Name)
		}
	}
	flags := flagsText(doubts)
	c.Footnote += flags
	c.Alt = c.Title + ", " + c.Subtitle + ". " + steadiness(c.Series, c.Spans) + strings.TrimPrefix(flags, " · ")
	t := progressTable(&c)
	return figure{Chart: c, Table: t}, len(c.Series) > 0
}

// flagsText names the doubts about the trials that are drawn.
func flagsText(series map[string][]string) string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(series)) {
		parts = append(parts, code+" ("+listed(series[code])+")")
	}
	if parts == nil {
		return ""
	}
	return " · flags: " + strings.Join(parts, ", ")
}

// timeline turns progress into points in the middle of their slices.
func timeline(windows []record.Window) []chart.Point {
	lengthMS := float64(windows[1].AtMS - windows[0].AtMS)
	join := (len(windows) + maxSlices - 1) / maxSlices
	var points []chart.Point
	for i := 0; i+join <= len(windows); i += join {
		var received uint64
		for _, w := range windows[i : i+join] {
			received += w.Received
		}
		width := lengthMS * float64(join)
		y := float64(received) / width * 1000
		points = append(points, chart.Point{X: (float64(windows[i].AtMS) + width/2) * 1e6, Y: y, Lo: y, Hi: y})
	}
	return points
}

// unmeasured returns the stretches before and after the measured window.
func unmeasured(windows []record.Window) []chart.Span {
	first, last := -1, -1
	for i, w := range windows {
		if w.Measured {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	at := func(i int) float64 { return float64(windows[i].AtMS) * 1e6 }
	var spans []chart.Span
	if first > 0 {
		spans = append(spans, chart.Span{From: at(0), To: at(first), Name: "warm-up"})
	}
	if last >= 0 && last < len(windows)-1 {
		spans = append(spans, chart.Span{From: at(last + 1), To: at(len(windows) - 1), Name: "after"})
	}
	return spans
}

// steadiness tells in words how even the measured part of each line is.
func steadiness(lines []chart.Series, spans []chart.Span) string {
	text := ""
	for _, s := range lines {
		low, high := math.Inf(1), 0.0
		for _, p := range s.Points {
			if !inside(p.X, spans) {
				low, high = math.Min(low, p.Y), math.Max(high, p.Y)
			}
		}
		if low <= high {
			text += fmt.Sprintf("%s between %s and %s; ", s.Name, unit.PerSecond.Format(low), unit.PerSecond.Format(high))
		}
	}
	return text
}

func inside(x float64, spans []chart.Span) bool {
	for _, s := range spans {
		if s.From <= x && x < s.To {
			return true
		}
	}
	return false
}

// progressTable lists the points, and makes each a column of the chart.
func progressTable(c *chart.Chart) dataTable {
	t := dataTable{Columns: []column{{Name: "time"}}}
	longest := 0
	for _, s := range c.Series {
		t.Columns = append(t.Columns, column{Name: s.Name, Key: s.Key})
		longest = max(longest, len(s.Points))
	}
	for i := range longest {
		var row []cell
		for _, s := range c.Series {
			if i >= len(s.Points) {
				row = append(row, textCell("–"))
				continue
			}
			p := s.Points[i]
			if len(c.Columns) == i {
				c.Columns = append(c.Columns, p.X)
			}
			row = append(row, cell{Text: unit.PerSecond.Format(p.Y), Sort: p.Y})
		}
		at := cell{Text: unit.Nanos.Format(c.Columns[i]), Sort: c.Columns[i]}
		t.Rows = append(t.Rows, append([]cell{at}, row...))
	}
	return t
}

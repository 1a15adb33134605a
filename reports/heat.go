package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"turnlab/reports/chart"
	"turnlab/reports/digest"
)

// heatMaps draws a table of colours for each series. They share their colours, because what one compares is engines.
func (e easel) heatMaps() []figure {
	m := e.metrics[0]
	var figures []figure
	for _, g := range e.grids() {
		shared := e.heatRange(g, m)
		for _, name := range g.names {
			if f, ok := e.heatMap(g, m, name, shared); ok {
				figures = append(figures, f)
			}
		}
	}
	return figures
}

// A grid is the panels that differ in nothing but the value of Y.
type grid struct {
	like  digest.Panel // what they have in common
	ys    []digest.Value
	rows  []digest.Panel // by y
	names []string       // of series
	xs    []digest.Value
}

// grids joins the section's panels.
func (e easel) grids() []grid {
	var list []grid
	for _, p := range e.section.Panels {
		y, rest, ok := cutSetting(p.Settings, e.plot.Y)
		if !ok {
			continue
		}
		like := digest.Panel{Mode: p.Mode, Settings: rest}
		i := slices.IndexFunc(list, func(g grid) bool { return g.like.Mode == like.Mode && g.like.Text() == like.Text() })
		if i < 0 {
			i = len(list)
			list = append(list, grid{like: like})
		}
		list[i].add(p, y)
	}
	return list
}

func (g *grid) add(p digest.Panel, y digest.Value) {
	g.ys, g.rows = append(g.ys, y), append(g.rows, p)
	for _, s := range p.Series {
		if !slices.Contains(g.names, s.Name) {
			g.names = append(g.names, s.Name)
		}
	}
	for _, x := range p.Values() {
		if !slices.Contains(g.xs, x) {
			g.xs = append(g.xs, x)
		}
	}
	slices.SortFunc(g.xs, digest.Value.Compare)
}

// cutSetting takes the setting of a parameter out of others. Settings of the workload have lost their prefix.
func cutSetting(settings []digest.Setting, name string) (y digest.Value, rest []digest.Setting, ok bool) {
	short := name[strings.LastIndex(name, ".")+1:]
	for i, s := range settings {
		if s.Name == name || s.Name[strings.LastIndex(s.Name, ".")+1:] == short {
			return s.Value, slices.Delete(slices.Clone(settings), i, i+1), true
		}
	}
	return y, settings, false
}

// cell finds a series' cell; ok is false when the point was not planned.
func (g grid) cell(row int, name string, x digest.Value) (c digest.Cell, label string, ok bool) {
	for _, s := range g.rows[row].Series {
		if s.Name == name {
			c, ok = s.At(x)
			return c, s.Label, ok
		}
	}
	return c, "", false
}

func (e easel) heatRange(g grid, m digest.Metric) chart.Range {
	r := chart.Range{Min: math.Inf(1), Max: math.Inf(-1)}
	for row := range g.rows {
		for _, name := range g.names {
			for _, x := range g.xs {
				if c, _, ok := g.cell(row, name, x); ok {
					if median := e.digest.Summarise(c, m).Median; median > 0 {
						r.Min, r.Max = min(r.Min, median), max(r.Max, median)
					}
				}
			}
		}
	}
	return r
}

func (e easel) heatMap(g grid, m digest.Metric, name string, shared chart.Range) (figure, bool) {
	m = m.In(g.like.Mode)
	h := &chart.Heat{XLabel: axisLabel(e.plot.X), YLabel: axisLabel(e.plot.Y), Range: shared}
	t := dataTable{Columns: []column{{Name: axisLabel(e.plot.Y) + " \\ " + axisLabel(e.plot.X)}}}
	for _, x := range g.xs {
		h.XNames = append(h.XNames, digest.Setting{Name: e.section.Axis.Name, Value: x}.Text())
		t.Columns = append(t.Columns, column{Name: h.XNames[len(h.XNames)-1]})
	}
	least, most := e.heatTrials(g, m, name)
	label, doubts := "", false
	for row, y := range g.ys {
		h.YNames = append(h.YNames, digest.Setting{Name: e.plot.Y, Value: y}.Text())
		line := []cell{{Text: h.YNames[row], Sort: y.Number}}
		var tiles []chart.Tile
		for column, x := range g.xs {
			c, of, planned := g.cell(row, name, x)
			if !planned {
				tiles, line = append(tiles, chart.Tile{Value: math.NaN()}), append(line, textCell(""))
				continue
			}
			tile := heatTile(c, e.digest.Summarise(c, m), m, most)
			shown := builder{illustrator: e.illustrator, metric: m}.valueCell(c)
			tile.Tip = fmt.Sprintf("%s %s, %s %s: %s", h.YLabel, h.YNames[row], h.XLabel, h.XNames[column], tileText(tile, shown.Small))
			label, doubts = of, doubts || tile.Doubt != ""
			tiles, line = append(tiles, tile), append(line, shown)
		}
		h.Cells, t.Rows = append(h.Cells, tiles), append(t.Rows, line)
	}
	c := chart.Chart{Heat: h, Footnote: heatFootnote(least, most, doubts, e.section), Alt: ". " + heatText(h)}
	e.label(&c, m, g.like, name)
	return figure{Chart: c, Table: t, Key: label}, most > 0 || doubts
}

// heatTrials returns the fewest and the most trials behind a value of a heat map.
func (e easel) heatTrials(g grid, m digest.Metric, name string) (least, most int) {
	least = math.MaxInt
	for row := range g.rows {
		for _, x := range g.xs {
			c, _, _ := g.cell(row, name, x)
			if n := e.digest.Summarise(c, m).N; n > 0 {
				least, most = min(least, n), max(most, n)
			}
		}
	}
	return least, most
}

// heatFootnote says what the numbers are, and where their spread is, for which tiles have no room.
func heatFootnote(least, most int, doubts bool, s digest.Section) string {
	text := trialsText(least, most)
	if most > 1 {
		text += " · " + spreadText(s) + ": in the table"
	}
	text += " · colours: the same for all engines"
	if doubts {
		text += " · hatched: does not count"
	}
	return text
}

// heatTile shows a median, or why there is none. One of fewer trials than the most that others have says so.
func heatTile(c digest.Cell, sum digest.Summary, m digest.Metric, most int) chart.Tile {
	switch {
	case sum.N == most && most > 0:
		return chart.Tile{Value: sum.Median, Text: m.Unit.Format(sum.Median)}
	case sum.N > 0:
		return chart.Tile{Value: sum.Median, Text: m.Unit.Format(sum.Median), Note: plural(sum.N, "trial")}
	case len(sum.Strays) > 0:
		return chart.Tile{Value: sum.Strays[0], Text: m.Unit.Format(sum.Strays[0]), Doubt: "invalid"}
	case len(c.Trials) == 0:
		return chart.Tile{Value: math.NaN(), Doubt: "not run"}
	case len(c.Valid()) == 0:
		return chart.Tile{Value: math.NaN(), Doubt: "failed"}
	}
	return chart.Tile{Value: math.NaN(), Doubt: "too few"}
}

// tileText says a tile in words, with the spread of its value if that is given.
func tileText(t chart.Tile, spread string) string {
	text := strings.Join(slices.DeleteFunc([]string{t.Text, t.Doubt}, func(s string) bool { return s == "" }), ", ")
	if spread != "" {
		text += " (" + spread + ")"
	}
	return text
}

// heatText says a heat map row by row.
func heatText(h *chart.Heat) string {
	var rows []string
	for i, tiles := range h.Cells {
		var cells []string
		for j, tile := range tiles {
			if text := tileText(tile, tile.Note); text != "" {
				cells = append(cells, h.XNames[j]+": "+text)
			}
		}
		rows = append(rows, fmt.Sprintf("%s %s: %s", h.YLabel, h.YNames[i], strings.Join(cells, ", ")))
	}
	return strings.Join(rows, "; ") + "."
}

package chart

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rowsFoot is what lies below the rows: the axis, its label and the footnote.
const rowsFoot = vg.Length(62)

// rowHeight gives few rows air, and lets as many as fit make the drawing as high as a line chart. Names of several lines take
// what they need.
func (c *Chart) rowHeight() vg.Length {
	share := (Height - header - rowsFoot) / vg.Length(c.slots())
	most := 1
	for _, s := range c.Series {
		most = max(most, len(rowName(s)))
	}
	return max(min(26, max(18, share)), vg.Length(most)*labelHeight+2)
}

// rowNameMost is the width of names at the left.
const rowNameMost = vg.Length(200)

func rowName(s Series) []string { return wrap(labelStyle, s.Name, rowNameMost, labelLines) }

// slots counts the rows and the heads of their groups.
func (c *Chart) slots() int {
	if len(c.Series) == 0 {
		return 1
	}
	return c.slot(len(c.Series)-1) + 1
}

// slot returns the place of a row from the top. Each group has a head above it.
func (c *Chart) slot(row int) int {
	place, group := row, ""
	for _, s := range c.Series[:row+1] {
		if s.Group != group {
			group = s.Group
			place++
		}
	}
	return place
}

// isFirst reports whether a row is the first of a group.
func (c *Chart) isFirst(row int) bool {
	group := c.Series[row].Group
	return group != "" && (row == 0 || c.Series[row-1].Group != group)
}

// drawRows draws series below each other: each an interval with its median and the trials behind it. This is what is left
// of a line chart when nothing was swept, and the form of a forest plot, where a rule marks "no difference".
func (c *Chart) drawRows(area draw.Canvas) layout {
	p := plot.New()
	p.TextHandler, p.BackgroundColor = faces, nil
	c.drawLegend(area)
	data := draw.Crop(area, c.rowNameWidth(), -max(14, c.noteWidth()), 0, -c.legendHeight())
	extent := c.rowExtent()
	horizontal := newScale(c.X, extent.Min, extent.Max, data.Max.X-data.Min.X, false)
	setAxis(&p.X, horizontal)
	setAxis(&p.Y, scale{min: 0, max: float64(c.slots())})
	c.styleAxes(p)
	p.Add(&plotter.Grid{Vertical: draw.LineStyle{Color: Grid, Width: 0.8}}, &rows{c})
	p.Draw(data)
	inner := p.DataCanvas(data)
	for i, s := range c.Series {
		if c.isFirst(i) {
			sty := style(Muted, labelSize-1, text.XLeft, text.YCenter)
			y := c.slotY(inner, c.slot(i)-1)
			inner.FillText(sty, vg.Point{X: area.Min.X, Y: y}, fit(sty, s.Group, area.Max.X-area.Min.X))
		}
		c.drawRowName(inner, i)
	}
	return layout{area: inner.Rectangle}
}

func (c *Chart) rowNameWidth() (widest vg.Length) {
	for _, s := range c.Series {
		for _, line := range rowName(s) {
			widest = max(widest, labelStyle.Width(line))
		}
	}
	return widest + labelGap/2
}

func (c *Chart) drawRowName(inner draw.Canvas, row int) {
	s := c.Series[row]
	defer group(inner, row, s.Key)()
	sty := bold(style(s.Look.Words, labelSize, text.XRight, text.YCenter))
	lines := rowName(s)
	top := c.rowY(inner, row) + 2 + vg.Length(len(lines)-1)*labelHeight/2
	for i, line := range lines {
		inner.FillText(sty, vg.Point{X: inner.Min.X - labelGap/2, Y: top - vg.Length(i)*labelHeight}, line)
	}
	note := style(Text, labelSize-1, text.XRight, text.YCenter)
	inner.FillText(note, vg.Point{X: inner.Max.X + c.noteWidth(), Y: c.rowY(inner, row) + 2}, s.Note)
}

func (c *Chart) noteWidth() (widest vg.Length) {
	for _, s := range c.Series {
		if s.Note != "" {
			widest = max(widest, style(Text, labelSize-1, 0, 0).Width(s.Note)+labelGap/2)
		}
	}
	return widest
}

// rowY returns the middle of a row; the first is at the top.
func (c *Chart) rowY(dc draw.Canvas, row int) vg.Length { return c.slotY(dc, c.slot(row)) }

func (c *Chart) slotY(dc draw.Canvas, slot int) vg.Length {
	return dc.Y(1 - (float64(slot)+0.5)/float64(c.slots()))
}

// rowExtent returns the range of everything that rows show. Values that have no negative form begin at zero, so that
// lengths compare; ratios are compared with one.
func (c *Chart) rowExtent() Range {
	r := Range{Min: 1e300, Max: -1e300}
	add := func(x float64) {
		if c.X.Scale.shows(x) {
			r.include(x)
		}
	}
	for _, s := range c.Series {
		for _, p := range s.Points {
			add(p.X)
			add(p.Lo)
			add(p.Hi)
		}
		for _, t := range append(s.Trials, s.Strays...) {
			add(t.X)
		}
	}
	if c.Rule != nil {
		add(c.Rule.X)
		add(c.Rule.Lo)
		add(c.Rule.Hi)
	} else if c.X.Scale == Linear && r.Min > 0 {
		r.Min = 0
	}
	return r
}

// rows draws what lies in the rows. Lo and Hi of a row's point are values of X.
type rows struct{ chart *Chart }

// Plot implements gonum's Plotter.
func (r *rows) Plot(c draw.Canvas, p *plot.Plot) {
	x := func(v float64) vg.Length { return c.X(p.X.Norm(v)) }
	if rule := r.chart.Rule; rule != nil {
		r.rule(c, rule, x)
	}
	for i, s := range r.chart.Series {
		r.row(c, i, s, x)
	}
}

func (r *rows) rule(c draw.Canvas, rule *Rule, x func(float64) vg.Length) {
	box := vg.Rectangle{Min: vg.Point{X: x(rule.Lo), Y: c.Min.Y}, Max: vg.Point{X: x(rule.Hi), Y: c.Max.Y}}
	c.SetColor(Muted.Faint(0.14))
	c.Fill(box.Path())
	c.StrokeLine2(draw.LineStyle{Color: Muted, Width: 1}, x(rule.X), c.Min.Y, x(rule.X), c.Max.Y)
}

func (r *rows) row(c draw.Canvas, i int, s Series, x func(float64) vg.Length) {
	defer group(c, i, s.Key)()
	y, shows := r.chart.rowY(c, i), r.chart.X.Scale.shows
	r.bar(c, s, y, x)
	for _, t := range s.Strays { // beneath what counts
		if shows(t.X) {
			s.Look.mark(c, vg.Point{X: x(t.X), Y: y}, markerRadius, true)
		}
	}
	r.trials(c, s, y, x)
	for _, p := range s.Points {
		if !shows(p.X) {
			continue
		}
		interval := draw.LineStyle{Color: s.Look.Ink, Width: 2}
		lo, hi := x(p.Lo), x(p.Hi)
		if !shows(p.Lo) || !shows(p.Hi) { // an interval without end
			lo, hi, interval.Width, interval.Dashes = c.Min.X, c.Max.X, 1, endless
		}
		if s.Parts != nil {
			interval.Color = Text
			c.StrokeLine2(draw.LineStyle{Color: Paper, Width: 4}, lo, y, hi, y)
		}
		c.StrokeLine2(interval, lo, y, hi, y)
		if s.Parts == nil {
			s.Look.mark(c, vg.Point{X: x(p.X), Y: y}, markerRadius+1, s.Doubted)
		}
	}
}

// barHeight is half of the thickness of a bar.
const barHeight = vg.Length(6)

// bar draws from zero to the point: its parts, or one faint bar. On a logarithmic scale there is no zero, and a length would
// mean nothing.
func (r *rows) bar(c draw.Canvas, s Series, y vg.Length, x func(float64) vg.Length) {
	if !r.chart.Bars || r.chart.X.Scale != Linear || len(s.Points) == 0 || !finite(s.Points[0].X) {
		return
	}
	parts := s.Parts
	if parts == nil {
		parts = []Segment{{Ink: s.Look.Ink.Faint(0.22), Value: s.Points[0].X}}
	}
	from := 0.0
	for _, part := range parts {
		box := vg.Rectangle{Min: vg.Point{X: x(from), Y: y - barHeight}, Max: vg.Point{X: x(from + part.Value), Y: y + barHeight}}
		c.SetColor(part.Ink)
		c.Fill(box.Path())
		if s.Parts != nil { // a seam, so that neighbours stay apart in grey
			c.StrokeLine2(draw.LineStyle{Color: Paper, Width: 0.8}, box.Max.X, box.Min.Y, box.Max.X, box.Max.Y)
		}
		from += part.Value
	}
	if s.Parts != nil {
		outline := vg.Rectangle{Min: vg.Point{X: x(0), Y: y - barHeight}, Max: vg.Point{X: x(from), Y: y + barHeight}}
		c.SetLineStyle(draw.LineStyle{Color: Axes, Width: 0.6})
		c.Stroke(outline.Path())
	}
}

// trials draws single trials: dots that do not hide each other, or ticks.
func (r *rows) trials(c draw.Canvas, s Series, y vg.Length, x func(float64) vg.Length) {
	for i, t := range s.Trials {
		switch {
		case !r.chart.X.Scale.shows(t.X):
		case r.chart.Dots:
			// Steps of the golden ratio spread any number of dots evenly and are the same in each drawing.
			_, at := math.Modf(0.25 + float64(i)*0.6180339887)
			place := vg.Point{X: x(t.X), Y: y + vg.Length(at-0.5)*14}
			c.SetColor(s.Look.Ink.Faint(0.5))
			c.Fill(Circle.path(place, 2.1))
		default:
			c.StrokeLine2(draw.LineStyle{Color: s.Look.Ink.Faint(0.45), Width: 1.2}, x(t.X), y-6, x(t.X), y+6)
		}
	}
}

// legendRow is the height of a line of the legend.
const legendRow = vg.Length(16)

// flow puts words beside each other, on as many lines as that takes: Y counts the lines.
func flow(widths []vg.Length) (places []vg.Point, lines int) {
	at := vg.Point{}
	for _, width := range widths {
		if at.X > 0 && at.X+width > Width-2*margin {
			at.X = 0
			at.Y++
		}
		places = append(places, at)
		at.X += width
	}
	if len(places) > 0 {
		lines = int(at.Y) + 1
	}
	return places, lines
}

func (c *Chart) legendPlaces() (places []vg.Point, lines int) {
	sty := style(Text, noteSize, text.XLeft, text.YCenter)
	var widths []vg.Length
	for _, part := range c.Legend {
		widths = append(widths, sty.Width(part.Name)+28)
	}
	return flow(widths)
}

func (c *Chart) legendHeight() vg.Length {
	_, lines := c.legendPlaces()
	if lines == 0 {
		return 0
	}
	return vg.Length(lines)*legendRow + 4
}

func (c *Chart) drawLegend(area draw.Canvas) {
	places, _ := c.legendPlaces()
	for i, part := range c.Legend {
		x, y := area.Min.X+places[i].X, area.Max.Y-places[i].Y*legendRow-legendRow/2+2
		box := vg.Rectangle{Min: vg.Point{X: x, Y: y - 4.5}, Max: vg.Point{X: x + 11, Y: y + 4.5}}
		area.SetColor(part.Ink)
		area.Fill(box.Path())
		area.FillText(style(Text, noteSize, text.XLeft, text.YCenter), vg.Point{X: x + 15, Y: y + 1}, part.Name)
	}
}

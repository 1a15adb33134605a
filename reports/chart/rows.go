package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rowsFoot is what lies below the rows: the axis, its label and the footnote.
const rowsFoot = vg.Length(62)

// rowHeight gives few rows air, and lets as many as fit make the drawing as high as a line chart.
func (c *Chart) rowHeight() vg.Length {
	share := (Height - header - rowsFoot) / vg.Length(max(1, len(c.Series)))
	return min(26, max(18, share))
}

// drawRows draws series below each other: each an interval with its median and the trials behind it. This is what is left
// of a line chart when nothing was swept, and the form of a forest plot, where a rule marks "no difference".
func (c *Chart) drawRows(area draw.Canvas) layout {
	p := plot.New()
	p.TextHandler, p.BackgroundColor = faces, nil
	names := c.rowNameWidth()
	data := draw.Crop(area, names, -max(14, c.noteWidth()), 0, 0)
	extent := c.rowExtent()
	horizontal := newScale(c.X, extent.Min, extent.Max, data.Max.X-data.Min.X, false)
	setAxis(&p.X, horizontal)
	setAxis(&p.Y, scale{min: 0, max: float64(max(1, len(c.Series)))})
	c.styleAxes(p)
	p.Add(&plotter.Grid{Vertical: draw.LineStyle{Color: Grid, Width: 0.8}}, &rows{c})
	p.Draw(data)
	inner := p.DataCanvas(data)
	for i := range c.Series {
		c.drawRowName(inner, i, names)
	}
	return layout{area: inner.Rectangle}
}

func (c *Chart) rowNameWidth() (widest vg.Length) {
	for _, s := range c.Series {
		widest = max(widest, bold(style(Text, labelSize, 0, 0)).Width(s.Name))
	}
	return min(widest, 2*labelMost) + labelGap/2
}

func (c *Chart) drawRowName(inner draw.Canvas, row int, width vg.Length) {
	s := c.Series[row]
	defer group(inner, row, s.Key)()
	sty := bold(style(s.Look.Ink, labelSize, text.XRight, text.YCenter))
	inner.FillText(sty, vg.Point{X: inner.Min.X - labelGap/2, Y: c.rowY(inner, row) + 2}, fit(sty, s.Name, width-labelGap/2))
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
func (c *Chart) rowY(dc draw.Canvas, row int) vg.Length {
	return dc.Y(1 - (float64(row)+0.5)/float64(len(c.Series)))
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
	for _, t := range s.Trials {
		if shows(t.X) {
			c.StrokeLine2(draw.LineStyle{Color: s.Look.Ink.Faint(0.45), Width: 1.2}, x(t.X), y-6, x(t.X), y+6)
		}
	}
	for _, p := range s.Points {
		if !shows(p.X) {
			continue
		}
		interval := draw.LineStyle{Color: s.Look.Ink, Width: 2}
		lo, hi := x(p.Lo), x(p.Hi)
		if !shows(p.Lo) || !shows(p.Hi) { // an interval without end
			lo, hi, interval.Width, interval.Dashes = c.Min.X, c.Max.X, 1, endless
		}
		c.StrokeLine2(interval, lo, y, hi, y)
		s.Look.mark(c, vg.Point{X: x(p.X), Y: y}, markerRadius+1, false)
	}
	for _, t := range s.Strays {
		if shows(t.X) {
			s.Look.mark(c, vg.Point{X: x(t.X), Y: y}, markerRadius, true)
		}
	}
}

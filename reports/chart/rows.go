package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rowHeight is the height of one row.
const rowHeight = vg.Length(26)

// drawRows draws series below each other: each an interval with its median and the trials behind it. This is what is left
// of a line chart when nothing was swept, and the form of a forest plot, where a rule marks "no difference".
func (c *Chart) drawRows(area draw.Canvas) layout {
	p := plot.New()
	p.TextHandler, p.BackgroundColor = faces, nil
	names := c.rowNameWidth()
	data := draw.Crop(area, names, -14, 0, 0)
	horizontal := newScale(c.X, c.rowExtent().Min, c.rowExtent().Max, data.Max.X-data.Min.X, false)
	setAxis(&p.X, horizontal)
	setAxis(&p.Y, scale{min: 0, max: float64(max(1, len(c.Series)))})
	p.X.LineStyle = draw.LineStyle{Color: Axes, Width: 0.8}
	p.X.Tick.LineStyle, p.X.Tick.Length = p.X.LineStyle, 4
	p.X.Tick.Label = style(Muted, tickSize, text.XCenter, text.YTop)
	p.X.Label.Text, p.X.Label.Padding = c.X.Label, 2
	p.X.Label.TextStyle = style(Muted, noteSize, text.XCenter, text.YBottom)
	p.Y.LineStyle.Width, p.Y.Tick.Length = 0, 0
	p.Y.Tick.Label, p.Y.Label.TextStyle = p.X.Tick.Label, p.X.Tick.Label
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
	defer group(inner, row)()
	s := c.Series[row]
	sty := bold(style(s.Look.Ink, labelSize, text.XRight, text.YCenter))
	inner.FillText(sty, vg.Point{X: inner.Min.X - labelGap/2, Y: c.rowY(inner, row) + 2}, fit(sty, s.Name, width-labelGap/2))
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
	defer group(c, i)()
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
		lo, hi := c.Min.X, c.Max.X // an interval without end runs to the edge
		if shows(p.Lo) {
			lo = x(p.Lo)
		}
		if shows(p.Hi) {
			hi = x(p.Hi)
		}
		c.StrokeLine2(draw.LineStyle{Color: s.Look.Ink, Width: 2}, lo, y, hi, y)
		s.Look.mark(c, vg.Point{X: x(p.X), Y: y}, markerRadius+1, false)
	}
	for _, t := range s.Strays {
		if shows(t.X) {
			s.Look.mark(c, vg.Point{X: x(t.X), Y: y}, markerRadius, true)
		}
	}
}

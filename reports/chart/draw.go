package chart

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes, in points.
const (
	margin    = vg.Length(10)
	header    = vg.Length(46) // title and subtitle
	footer    = vg.Length(18) // footnote
	titleSize = vg.Length(14)
	noteSize  = vg.Length(11)
	tickSize  = vg.Length(12)
	labelSize = vg.Length(12)
)

// layout says where things ended up, for whoever wants to point at them.
type layout struct {
	area    vg.Rectangle
	columns []vg.Length // the places of the chart's columns
}

// attributes writes the layout onto the drawing, for the script of a page.
func (l layout) attributes(s *svgCanvas) string {
	if len(l.columns) == 0 {
		return ""
	}
	var columns []string
	for _, x := range l.columns {
		columns = append(columns, short(float64(x)))
	}
	top, bottom := float64(s.height-l.area.Max.Y), float64(s.height-l.area.Min.Y)
	return fmt.Sprintf(` data-columns="%s" data-top="%s" data-bottom="%s" data-left="%s" data-right="%s"`,
		strings.Join(columns, " "), short(top), short(bottom), short(float64(l.area.Min.X)), short(float64(l.area.Max.X)))
}

// draw is the one drawing routine behind PNG and SVG.
func (c *Chart) draw(canvas vg.CanvasSizer) layout {
	if len(c.Series) > MaxSeries && !c.Rows {
		panic(fmt.Sprintf("chart %s has %d series, at most %d can be told apart", c.ID, len(c.Series), MaxSeries))
	}
	dc := draw.New(canvas)
	dc.SetColor(Paper)
	dc.Fill(dc.Rectangle.Path())
	w := c.words()
	w.draw(dc)
	area := draw.Crop(dc, margin, -margin, margin/2+w.below(), -w.above()-margin/2)
	if c.Heat != nil {
		c.Heat.draw(area)
		return layout{}
	}
	if c.Gantt != nil {
		return c.drawGantt(area)
	}
	if len(c.points()) == 0 && !c.Rows {
		sty := style(Muted, labelSize, text.XCenter, text.YCenter)
		dc.FillText(sty, area.Center(), "nothing was measured here")
		return layout{}
	}
	if c.Rows {
		return c.drawRows(area)
	}
	return c.drawLines(area)
}

// Lines of text above and below the data: at most so many, so high.
const (
	titleLines, titleHeight = 2, titleSize + 3
	noteLines, noteHeight   = 3, noteSize + 3
)

// words are the lines above and below the data.
type words struct{ title, subtitle, footnote []string }

func (c *Chart) words() words {
	const room = Width - 2*margin
	return words{
		title:    wrap(bold(style(Text, titleSize, 0, 0)), c.Title, room, titleLines),
		subtitle: wrap(style(Muted, noteSize, 0, 0), c.Subtitle, room, noteLines),
		footnote: wrap(style(Muted, noteSize, 0, 0), c.Footnote, room, noteLines),
	}
}

// above is the height of the title and the subtitle.
func (w words) above() vg.Length {
	return header + vg.Length(max(1, len(w.title))-1)*titleHeight + vg.Length(max(1, len(w.subtitle))-1)*noteHeight
}

// below is the height of the footnote.
func (w words) below() vg.Length { return footer + vg.Length(max(1, len(w.footnote))-1)*noteHeight }

// extra is what the words take beyond a line each.
func (w words) extra() vg.Length { return w.above() - header + w.below() - footer }

// draw draws what stands above and below the data.
func (w words) draw(dc draw.Canvas) {
	put := func(sty text.Style, y vg.Length, line string) { dc.FillText(sty, vg.Point{X: margin, Y: y}, line) }
	note := style(Muted, noteSize, text.XLeft, text.YBottom)
	y := dc.Max.Y - margin + 1
	for _, line := range w.title {
		put(bold(style(Text, titleSize, text.XLeft, text.YBottom)), y-titleSize, line)
		y -= titleHeight
	}
	y = dc.Max.Y - w.above() + header - margin - titleSize - 4 // of the last line of the subtitle
	for i, line := range w.subtitle {
		put(note, y-noteSize+vg.Length(len(w.subtitle)-1-i)*noteHeight, line)
	}
	for i, line := range w.footnote {
		put(note, margin/2+vg.Length(len(w.footnote)-1-i)*noteHeight, line)
	}
}

func (c *Chart) drawLines(area draw.Canvas) layout {
	p, data := c.plot(area)
	p.Draw(data)
	inner := p.DataCanvas(data)
	c.drawEndLabels(inner, p)
	l := layout{area: inner.Rectangle}
	for _, x := range c.Columns {
		l.columns = append(l.columns, inner.X(p.X.Norm(x)))
	}
	return l
}

// plot sets up gonum's plot: axes, grid, spans and series, and the part of the area that is left of the end labels.
func (c *Chart) plot(area draw.Canvas) (*plot.Plot, draw.Canvas) {
	p := plot.New()
	p.TextHandler, p.BackgroundColor = faces, nil
	xs, ys := c.extent()
	vertical := newScale(c.Y, ys.Min, ys.Max, area.Max.Y-area.Min.Y, true)
	left := tickWidth(vertical.ticks)
	data := draw.Crop(area, 0, -c.endLabelWidth(), 0, 0)
	horizontal := newScale(c.X, xs.Min, xs.Max, data.Max.X-data.Min.X-left-8, false)

	setAxis(&p.X, horizontal)
	setAxis(&p.Y, vertical)
	c.styleAxes(p)
	p.Add(spans(c.Spans), &plotter.Grid{Horizontal: draw.LineStyle{Color: Grid, Width: 0.8}})
	for i := range c.Series {
		p.Add(&strays{line{series: &c.Series[i], index: i, chart: c}})
	}
	for i := range c.Series {
		p.Add(&line{series: &c.Series[i], index: i, chart: c})
	}
	return p, data
}

func setAxis(a *plot.Axis, s scale) {
	a.Min, a.Max, a.Scale, a.Tick.Marker = 0, 1, s, s
	a.Padding = 0
}

func (c *Chart) styleAxes(p *plot.Plot) {
	p.X.LineStyle = draw.LineStyle{Color: Axes, Width: 0.8}
	p.X.Tick.LineStyle, p.X.Tick.Length = p.X.LineStyle, 4
	p.X.Tick.Label = style(Muted, tickSize, text.XCenter, text.YTop)
	p.X.Label.Text, p.X.Label.Padding = c.X.Label, 4
	p.X.Label.TextStyle = style(Muted, noteSize, text.XCenter, text.YBottom)
	p.Y.LineStyle.Width, p.Y.Tick.Length = 0, 0
	p.Y.Tick.Label = style(Muted, tickSize, text.XRight, text.YCenter)
	p.Y.Label.TextStyle = p.Y.Tick.Label
}

func tickWidth(ticks []plot.Tick) (widest vg.Length) {
	for _, t := range ticks {
		widest = max(widest, style(Muted, tickSize, 0, 0).Width(t.Label))
	}
	return widest
}

// points lists everything that needs a place on the axes.
func (c *Chart) points() []Point {
	var all []Point
	for _, s := range c.Series {
		for _, p := range s.Points {
			if c.X.Scale.shows(p.X) && c.Y.Scale.shows(p.Y) {
				all = append(all, p)
			}
		}
		for _, t := range s.Strays {
			if c.X.Scale.shows(t.X) && c.Y.Scale.shows(t.Y) {
				all = append(all, Point{X: t.X, Y: t.Y, Lo: t.Y, Hi: t.Y})
			}
		}
	}
	return all
}

// extent returns the ranges that hold all points and their intervals.
func (c *Chart) extent() (x, y Range) {
	x = Range{math.Inf(1), math.Inf(-1)}
	y = x
	for _, p := range c.points() {
		x.include(p.X)
		y.include(p.Y)
		for _, bound := range []float64{p.Lo, p.Hi} {
			// An interval without end runs out of the drawing; it must not widen it without end.
			if c.Y.Scale.shows(bound) {
				y.include(bound)
			}
		}
	}
	for _, s := range c.Spans {
		x.include(s.From)
		x.include(s.To)
	}
	return x, y
}

func (r *Range) include(v float64) { r.Min, r.Max = math.Min(r.Min, v), math.Max(r.Max, v) }

// spans shades stretches of X and names them at the top.
type spans []Span

// Plot draws the spans.
func (s spans) Plot(c draw.Canvas, p *plot.Plot) {
	for _, span := range s {
		from, to := c.X(p.X.Norm(span.From)), c.X(p.X.Norm(span.To))
		box := vg.Rectangle{Min: vg.Point{X: from, Y: c.Min.Y}, Max: vg.Point{X: to, Y: c.Max.Y}}
		c.SetColor(Grid.Faint(0.6))
		c.Fill(box.Path())
		sty := style(Muted, tickSize-1, text.XLeft, text.YTop)
		if sty.Width(span.Name) < to-from-4 {
			c.FillText(sty, vg.Point{X: from + 3, Y: c.Max.Y - 1}, span.Name)
		}
	}
}

// UpperScale says how Y is best shown when the median runs from min to max: a logarithm for ranges over which a linear axis
// would press most values flat, zero-based otherwise, because only then does twice as high mean twice as much.
func UpperScale(min, max float64) Scale {
	if min > 0 && max/min > 30 {
		return Log
	}
	return Linear
}

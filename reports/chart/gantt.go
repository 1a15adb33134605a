package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Gantt is who ran when: a row for each task, time from left to right on the chart's axis X.
//
// Form says what became of a task and colour whose work it was, so that the drawing can be read in grey: a bar is time on a
// CPU, a line is waiting, a hollow bar is work that somebody else does. Lines of different work have different dashes.
type Gantt struct {
	Rows    []GanttRow
	Key     []GanttKey // what the bars mean, above the rows
	Callout *Callout   // the wait to look at; nil for none
}

// A GanttRow is one task.
type GanttRow struct {
	Name     string
	Ink      Ink // of the name
	Bars     []Bar
	Arrivals []float64 // of requests
	Replies  []float64
}

// A Bar is a stretch of X.
type Bar struct {
	From, To float64
	Form     Form
	Ink      Ink
}

// Form says what a bar stands for.
type Form uint8

// The forms.
const (
	Line   Form = iota // could run
	Dashed             // could run, with work of a second kind
	Dotted             // could run, with work of a third
	Hollow             // others run for it
	Solid              // runs
)

// formDashes are those of the forms that are lines.
var formDashes = map[Form][]vg.Length{Line: nil, Dashed: {4, 2}, Dotted: {1.6, 2}}

// A GanttKey explains one kind of bar.
type GanttKey struct {
	Name string
	Form Form
	Ink  Ink
}

// A Callout points at a stretch of a row and says how long it is.
type Callout struct {
	Row      int
	From, To float64
	Text     string
}

// GanttRowsMax bounds the rows: more cannot be told apart at the width of a phone.
const GanttRowsMax = 24

// Sizes, in points. A bar is at least wide enough to be seen, since what answers a request takes microseconds.
const (
	ganttRow    = vg.Length(15)
	ganttBar    = vg.Length(10)
	ganttStroke = vg.Length(2.2) // of a line
	ganttLine   = vg.Length(1.1) // the narrowest bar
	ganttGap    = vg.Length(0.2) // bars that are closer are drawn as one
	ganttSwatch = vg.Length(15)  // of the key
)

func (g *Gantt) height() vg.Length {
	return header + g.keyHeight() + vg.Length(max(1, len(g.Rows)))*ganttRow + rowsFoot
}

// drawGantt draws the key, the axis and the rows.
func (c *Chart) drawGantt(area draw.Canvas) layout {
	g := c.Gantt
	g.drawKey(area)
	names := vg.Length(0)
	for _, r := range g.Rows {
		names = max(names, bold(style(Text, tickSize, 0, 0)).Width(r.Name))
	}
	data := draw.Crop(area, min(names, labelMost)+labelGap/2, -14, 0, -g.keyHeight())
	p := plot.New()
	p.TextHandler, p.BackgroundColor = faces, nil
	setAxis(&p.X, newScale(c.X, c.X.Range.Min, c.X.Range.Max, data.Max.X-data.Min.X, false))
	setAxis(&p.Y, scale{min: 0, max: float64(max(1, len(g.Rows)))})
	c.styleAxes(p)
	p.Add(&plotter.Grid{Vertical: draw.LineStyle{Color: Grid, Width: 0.8}}, ganttRows{g})
	p.Draw(data)
	return layout{area: p.DataCanvas(data).Rectangle}
}

// marksName explains the marks of requests, which every Gantt has.
const marksName = "request, reply"

// keyPlaces puts the entries of the key beside each other; the last is that of the marks.
func (g *Gantt) keyPlaces() (places []vg.Point, lines int) {
	sty := style(Muted, noteSize, text.XLeft, text.YCenter)
	var widths []vg.Length
	for _, k := range g.Key {
		widths = append(widths, ganttSwatch+15+sty.Width(k.Name))
	}
	return flow(append(widths, 22+sty.Width(marksName)))
}

func (g *Gantt) keyHeight() vg.Length {
	_, lines := g.keyPlaces()
	return vg.Length(lines)*legendRow + 6
}

// drawKey writes what bars, lines and marks mean.
func (g *Gantt) drawKey(area draw.Canvas) {
	sty := style(Muted, noteSize, text.XLeft, text.YCenter)
	places, _ := g.keyPlaces()
	for i, at := range places {
		x, y := area.Min.X+at.X, area.Max.Y-at.Y*legendRow-legendRow/2+2
		if i == len(g.Key) {
			arrival(area, x+1, y+2)
			reply(area, x+6, y-2)
			area.FillText(sty, vg.Point{X: x + 11, Y: y + 1}, marksName)
			continue
		}
		g.Key[i].bar(x, x+ganttSwatch).draw(area, y, func(v float64) vg.Length { return vg.Length(v) })
		area.FillText(sty, vg.Point{X: x + ganttSwatch + 4, Y: y + 1}, g.Key[i].Name)
	}
}

func (k GanttKey) bar(from, to vg.Length) Bar { return Bar{float64(from), float64(to), k.Form, k.Ink} }

// ganttRows draws what lies in the rows.
type ganttRows struct{ *Gantt }

// Plot implements gonum's Plotter.
func (g ganttRows) Plot(c draw.Canvas, p *plot.Plot) {
	x := func(v float64) vg.Length {
		return min(max(c.X(p.X.Norm(v)), c.Min.X), c.Max.X)
	}
	for i, r := range g.Rows {
		y := c.Y(1 - (float64(i)+0.5)/float64(len(g.Rows)))
		sty := style(r.Ink, tickSize, text.XRight, text.YCenter)
		c.FillText(sty, vg.Point{X: c.Min.X - labelGap/2, Y: y + 2}, fit(sty, r.Name, labelMost))
		c.StrokeLine2(draw.LineStyle{Color: Grid, Width: 0.6}, c.Min.X, y, c.Max.X, y)
		r.draw(c, y, x)
	}
	if g.Callout != nil {
		g.drawCallout(c, x)
	}
}

func (r GanttRow) draw(c draw.Canvas, y vg.Length, x func(float64) vg.Length) {
	for _, form := range []Form{Line, Dashed, Dotted, Hollow, Solid} {
		for _, b := range together(r.Bars, form, x) {
			b.draw(c, y, x)
		}
	}
	for _, at := range r.Arrivals {
		arrival(c, x(at), y)
	}
	for _, at := range r.Replies {
		reply(c, x(at), y)
	}
}

// together returns the bars of one form, joined where a reader could not see what is between them: a second of a busy server
// has ten thousand.
func together(bars []Bar, form Form, x func(float64) vg.Length) []Bar {
	var found []Bar
	for _, b := range bars {
		if b.Form != form {
			continue
		}
		if n := len(found); n > 0 && found[n-1].Ink == b.Ink && x(b.From)-x(found[n-1].To) < ganttGap {
			found[n-1].To = b.To
			continue
		}
		found = append(found, b)
	}
	return found
}

func (b Bar) draw(c draw.Canvas, y vg.Length, x func(float64) vg.Length) {
	from, to := x(b.From), x(b.To)
	to = max(to, from+ganttLine)
	box := vg.Rectangle{Min: vg.Point{X: from, Y: y - ganttBar/2}, Max: vg.Point{X: to, Y: y + ganttBar/2}}
	switch b.Form {
	case Solid:
		c.SetColor(b.Ink)
		c.Fill(box.Path())
	case Hollow:
		c.SetLineStyle(draw.LineStyle{Color: b.Ink, Width: 1})
		c.Stroke(box.Path())
	default:
		c.StrokeLine2(draw.LineStyle{Color: b.Ink, Width: ganttStroke, Dashes: formDashes[b.Form]}, from, y, to, y)
	}
}

// Marks lie beside the bars and not on them: what runs for microseconds would be hidden.

// arrival marks a request that has come, below the row.
func arrival(c draw.Canvas, x, y vg.Length) {
	c.StrokeLine2(draw.LineStyle{Color: Text, Width: 0.9}, x, y-ganttBar/2-1.2, x, y-2)
}

// reply marks its reply, above.
func reply(c draw.Canvas, x, y vg.Length) {
	const size = vg.Length(1.7)
	at := vg.Point{X: x, Y: y + ganttBar/2 - 0.4}
	var path vg.Path
	path.Move(vg.Point{X: at.X - size, Y: at.Y + size})
	path.Line(vg.Point{X: at.X + size, Y: at.Y + size})
	path.Line(at)
	path.Close()
	c.SetColor(Muted)
	c.Fill(path)
}

// drawCallout frames a wait and writes how long it was: behind it, before it or, where neither has room, within.
func (g ganttRows) drawCallout(c draw.Canvas, x func(float64) vg.Length) {
	o := g.Callout
	y := c.Y(1 - (float64(o.Row)+0.5)/float64(len(g.Rows)))
	from, to := x(o.From), x(o.To)
	frame := vg.Rectangle{Min: vg.Point{X: from - 2.5, Y: y - ganttRow/2}, Max: vg.Point{X: to + 2.5, Y: y + ganttRow/2}}
	c.SetLineStyle(draw.LineStyle{Color: Text, Width: 1})
	c.Stroke(frame.Path())
	sty := bold(style(Text, tickSize, text.XLeft, text.YCenter))
	width := sty.Width(o.Text)
	at := frame.Max.X + 4
	if at+width > c.Max.X {
		at = frame.Min.X - 4 - width
	}
	if at < c.Min.X {
		at = frame.Max.X - 5 - width
	}
	halo := vg.Rectangle{Min: vg.Point{X: at - 2, Y: y - ganttRow/2 + 1}, Max: vg.Point{X: at + width + 2, Y: y + ganttRow/2 - 1}}
	c.SetColor(Paper)
	c.Fill(halo.Path())
	c.FillText(sty, vg.Point{X: at, Y: y + 1}, o.Text)
}

package chart

import (
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// strays draws hollow markers for a series' trials that count in no median. They lie beneath the lines of all series.
type strays struct{ line }

// Plot implements gonum's Plotter.
func (s *strays) Plot(c draw.Canvas, p *plot.Plot) {
	if len(s.series.Strays) == 0 {
		return
	}
	defer group(c, s.index, s.series.Key)()
	for _, t := range s.series.Strays {
		if s.drawable(Point{X: t.X, Y: t.Y}) {
			s.series.Look.mark(c, vg.Point{X: c.X(p.X.Norm(t.X)), Y: c.Y(p.Y.Norm(t.Y))}, markerRadius, true)
		}
	}
}

// line draws one series: its band, its line and a marker at each point.
type line struct {
	series *Series
	index  int
	chart  *Chart
}

// markerRadius is the size of a marker; where points stand close together they get smaller, then only the line is left.
const markerRadius = vg.Length(3.2)

// Plot implements gonum's Plotter.
func (l *line) Plot(c draw.Canvas, p *plot.Plot) {
	defer group(c, l.index, l.series.Key)()
	place := func(x, y float64) vg.Point { return vg.Point{X: c.X(p.X.Norm(x)), Y: c.Y(p.Y.Norm(y))} }
	for _, run := range l.runs() {
		if !l.series.Unnamed {
			l.band(c, run, place)
		}
		l.stroke(c, run, place)
	}
	radius := l.radius(c)
	for i, step := l.marked(); i < len(l.series.Points) && radius > 0; i += step {
		if pt := l.series.Points[i]; l.drawable(pt) {
			l.series.Look.mark(c, place(pt.X, pt.Y), radius, false)
		}
	}
}

// sparseMarks is about how many markers a line of many points has: enough to be told from others.
const sparseMarks = 5

// marked says which points have a marker: the first, and every so many after it. On a line of many points they are apart,
// and those of different series lie beside each other.
func (l *line) marked() (first, step int) {
	if !l.series.Bare {
		return 0, 1
	}
	step = max(1, len(l.series.Points)/sparseMarks)
	return step/2 + l.index*step/MaxSeries, step
}

func (l *line) drawable(p Point) bool {
	return l.chart.X.Scale.shows(p.X) && l.chart.Y.Scale.shows(p.Y)
}

// runs cuts the series where it has gaps: a line across a point that could not be measured would claim that it was.
func (l *line) runs() [][]Point {
	var runs [][]Point
	var run []Point
	for _, p := range l.series.Points {
		if l.drawable(p) {
			run = append(run, p)
			continue
		}
		if len(run) > 0 {
			runs = append(runs, run)
		}
		run = nil
	}
	if len(run) > 0 {
		runs = append(runs, run)
	}
	return runs
}

// band fills the intervals between neighbours that have one. A point whose interval has no end (too few trials) gets a
// dotted line over the whole height instead: true, and it does not bury its neighbours.
func (l *line) band(c draw.Canvas, run []Point, place func(x, y float64) vg.Point) {
	var stretch []Point
	for _, p := range run {
		if finite(p.Lo) && finite(p.Hi) {
			stretch = append(stretch, p)
			continue
		}
		l.fill(c, stretch, place)
		stretch = nil
		if !l.series.Bare && l.radius(c) == markerRadius {
			x := place(p.X, p.Y).X
			c.StrokeLine2(draw.LineStyle{Color: l.series.Look.Ink.Faint(0.6), Width: 1, Dashes: endless}, x, c.Min.Y, x, c.Max.Y)
		}
	}
	l.fill(c, stretch, place)
}

// endless is the dash of an interval without end.
var endless = []vg.Length{1, 3}

func (l *line) fill(c draw.Canvas, stretch []Point, place func(x, y float64) vg.Point) {
	bound := func(x, y float64) vg.Point {
		if !l.chart.Y.Scale.shows(y) {
			return vg.Point{X: place(x, 1).X, Y: c.Min.Y} // zero or less on a logarithmic axis
		}
		at := place(x, y)
		at.Y = min(max(at.Y, c.Min.Y), c.Max.Y)
		return at
	}
	switch {
	case !slices.ContainsFunc(stretch, func(p Point) bool { return p.Lo != p.Hi }):
		return // nothing, or no spread
	case len(stretch) == 1: // one point has no width: its interval is a bar
		lo, hi := bound(stretch[0].X, stretch[0].Lo), bound(stretch[0].X, stretch[0].Hi)
		c.StrokeLine2(draw.LineStyle{Color: l.series.Look.Ink.Faint(0.35), Width: 3}, lo.X, lo.Y, hi.X, hi.Y)
		return
	}
	var path vg.Path
	path.Move(bound(stretch[0].X, stretch[0].Hi))
	for _, p := range stretch[1:] {
		path.Line(bound(p.X, p.Hi))
	}
	for _, p := range slices.Backward(stretch) {
		path.Line(bound(p.X, p.Lo))
	}
	path.Close()
	c.SetColor(l.series.Look.Ink.Faint(0.16))
	c.Fill(path)
}

func (l *line) stroke(c draw.Canvas, run []Point, place func(x, y float64) vg.Point) {
	var pts []vg.Point
	for _, p := range run {
		pts = append(pts, place(p.X, p.Y))
	}
	c.StrokeLines(draw.LineStyle{Color: l.series.Look.Ink, Width: l.width(), Dashes: l.series.Look.Dashes}, c.ClipLinesXY(pts)...)
}

func (l *line) width() vg.Length {
	if l.series.Unnamed {
		return 1.2
	}
	return 1.8
}

func (l *line) radius(c draw.Canvas) vg.Length {
	if l.series.Bare && l.series.Unnamed {
		return 0
	}
	_, step := l.marked()
	gap := vg.Length(step) * (c.Max.X - c.Min.X) / vg.Length(max(1, len(l.series.Points)))
	switch {
	case gap > 12:
		return markerRadius
	case gap > 5:
		return markerRadius / 2
	default:
		return 0
	}
}

// Shape is the outline of a marker.
type Shape uint8

// The shapes, of about equal area.
const (
	Circle Shape = iota
	Square
	Triangle
	Diamond
	Cross
	Nabla
	Saltire
	Star
	Hourglass
	Bowtie
	Left
	Right // the last
)

// corners lists the corners of each shape on a circle of radius one.
var corners = map[Shape][]vg.Point{
	Square:   {{X: -.9, Y: -.9}, {X: .9, Y: -.9}, {X: .9, Y: .9}, {X: -.9, Y: .9}},
	Triangle: {{X: -1.15, Y: -.85}, {X: 1.15, Y: -.85}, {X: 0, Y: 1.2}},
	Diamond:  {{X: 0, Y: -1.3}, {X: 1.3, Y: 0}, {X: 0, Y: 1.3}, {X: -1.3, Y: 0}},
	Nabla:    {{X: -1.15, Y: .85}, {X: 0, Y: -1.2}, {X: 1.15, Y: .85}},
	Cross: {{X: -.4, Y: -1.2}, {X: .4, Y: -1.2}, {X: .4, Y: -.4}, {X: 1.2, Y: -.4}, {X: 1.2, Y: .4}, {X: .4, Y: .4},
		{X: .4, Y: 1.2}, {X: -.4, Y: 1.2}, {X: -.4, Y: .4}, {X: -1.2, Y: .4}, {X: -1.2, Y: -.4}, {X: -.4, Y: -.4}},
	Saltire: {{X: .57, Y: -1.13}, {X: 1.13, Y: -.57}, {X: .57, Y: 0}, {X: 1.13, Y: .57}, {X: .57, Y: 1.13}, {X: 0, Y: .57},
		{X: -.57, Y: 1.13}, {X: -1.13, Y: .57}, {X: -.57, Y: 0}, {X: -1.13, Y: -.57}, {X: -.57, Y: -1.13}, {X: 0, Y: -.57}},
	Star: {{X: 0, Y: 1.5}, {X: -.38, Y: .52}, {X: -1.43, Y: .46}, {X: -.61, Y: -.2}, {X: -.88, Y: -1.21}, {X: 0, Y: -.64},
		{X: .88, Y: -1.21}, {X: .61, Y: -.2}, {X: 1.43, Y: .46}, {X: .38, Y: .52}},
	Hourglass: {{X: -1.1, Y: -1.2}, {X: 1.1, Y: -1.2}, {X: .3, Y: 0}, {X: 1.1, Y: 1.2}, {X: -1.1, Y: 1.2}, {X: -.3, Y: 0}},
	Bowtie:    {{X: -1.2, Y: -1.1}, {X: 0, Y: -.3}, {X: 1.2, Y: -1.1}, {X: 1.2, Y: 1.1}, {X: 0, Y: .3}, {X: -1.2, Y: 1.1}},
	Left:      {{X: -1.2, Y: 0}, {X: .85, Y: -1.15}, {X: .85, Y: 1.15}},
	Right:     {{X: 1.2, Y: 0}, {X: -.85, Y: 1.15}, {X: -.85, Y: -1.15}},
}

// mark draws a marker with a rim of paper, so that it stays visible on a line of another colour; a hollow one is a trial
// that counts in no median.
func (k Look) mark(c draw.Canvas, at vg.Point, radius vg.Length, hollow bool) {
	path := k.Shape.path(at, radius)
	fill, rim, width := k.Ink, Paper, vg.Length(0.8)
	if hollow {
		fill, rim, width = Paper, k.Ink, 1.2
	}
	c.SetColor(fill)
	c.Fill(path)
	c.SetLineStyle(draw.LineStyle{Color: rim, Width: width})
	c.Stroke(path)
}

func (s Shape) path(at vg.Point, radius vg.Length) vg.Path {
	var path vg.Path
	if s == Circle {
		path.Move(vg.Point{X: at.X + radius, Y: at.Y})
		path.Arc(at, radius, 0, 6.283185307179586)
		path.Close()
		return path
	}
	for i, corner := range corners[s] {
		pt := at.Add(vg.Point{X: corner.X * radius, Y: corner.Y * radius})
		if i == 0 {
			path.Move(pt)
			continue
		}
		path.Line(pt)
	}
	path.Close()
	return path
}

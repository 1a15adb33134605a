package chart

import (
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A line is named where it ends. A legend would make the reader match colours, line by line, and fails in grey. The marker
// of the line stands before its name, because where lines lie close together a leader alone is hard to follow.

const (
	labelGap    = vg.Length(18)  // from the plot to the labels: room for a leader
	labelMark   = vg.Length(10)  // from the leader to the name: room for a marker
	labelHeight = vg.Length(14)  // of one line of a label
	labelMost   = vg.Length(140) // of the drawing's width for names; longer ones take several lines
	labelLines  = 3              // at most
)

var labelStyle = bold(style(Text, labelSize, text.XLeft, text.YCenter))

// labelled are the series whose names stand at the right.
func (c *Chart) labelled() []int {
	var list []int
	for i, s := range c.Series {
		if _, ok := c.lastPlace(s); ok && !s.Unnamed {
			list = append(list, i)
		}
	}
	return list
}

// endLabelWidth is the room that the labels need at the right.
func (c *Chart) endLabelWidth() vg.Length {
	var widest vg.Length
	for _, i := range c.labelled() {
		for _, line := range wrap(labelStyle, c.Series[i].Name, labelMost, labelLines) {
			widest = max(widest, labelStyle.Width(line))
		}
	}
	return widest + labelGap + labelMark
}

// An endLabel is a series' name with the end of its line.
type endLabel struct {
	series int
	end    vg.Point
	lines  []string
}

func (l endLabel) height() vg.Length { return vg.Length(len(l.lines)) * labelHeight }

// drawEndLabels writes each series' name level with its end, moved up or down where names would touch, with a thin leader
// from the end of the line to its name.
func (c *Chart) drawEndLabels(dc draw.Canvas, p *plot.Plot) {
	var labels []endLabel
	for _, i := range c.labelled() {
		end, _ := c.lastPlace(c.Series[i])
		at := vg.Point{X: dc.X(p.X.Norm(end.X)), Y: dc.Y(p.Y.Norm(end.Y))}
		labels = append(labels, endLabel{i, at, wrap(labelStyle, c.Series[i].Name, labelMost, labelLines)})
	}
	sort.SliceStable(labels, func(i, j int) bool { return labels[i].end.Y < labels[j].end.Y })
	wanted, heights := make([]vg.Length, len(labels)), make([]vg.Length, len(labels))
	for i, l := range labels {
		wanted[i], heights[i] = l.end.Y, l.height()
	}
	if len(labels) == 0 {
		return
	}
	// The outermost lines of text stay level with the axis, however many a label has.
	lowest, highest := dc.Min.Y+(heights[0]-labelHeight)/2, dc.Max.Y-(heights[len(heights)-1]-labelHeight)/2
	for i, y := range spread(wanted, heights, lowest, highest) {
		c.drawEndLabel(dc, labels[i], y)
	}
}

func (c *Chart) drawEndLabel(dc draw.Canvas, l endLabel, y vg.Length) {
	s := c.Series[l.series]
	defer labelGroup(dc, l.series, s.Key)()
	x := dc.Max.X + labelGap - 4
	leader := draw.LineStyle{Color: s.Look.Ink.Faint(0.7), Width: 0.7}
	start := l.end.X + markerRadius + 2
	if start < dc.Max.X { // a line that ends early: dotted and level as far as the edge, so that it is not taken for data
		level := leader
		level.Dashes = endless
		dc.StrokeLine2(level, start, l.end.Y, dc.Max.X, l.end.Y)
		start = dc.Max.X
	}
	dc.StrokeLines(leader, []vg.Point{{X: start, Y: l.end.Y}, {X: max(x-8, start), Y: y}, {X: x - 1, Y: y}})
	s.Look.mark(dc, vg.Point{X: x + 3, Y: y}, markerRadius, false)
	sty := labelStyle
	sty.Color = s.Look.Words
	top := y + l.height()/2 - labelHeight/2
	for i, line := range l.lines {
		dc.FillText(sty, vg.Point{X: x + labelMark, Y: top - vg.Length(i)*labelHeight + 2}, line)
	}
}

// lastPlace returns where a series ends: its last point, or its last stray when no point could be drawn.
func (c *Chart) lastPlace(s Series) (Place, bool) {
	for i := len(s.Points) - 1; i >= 0; i-- {
		if p := s.Points[i]; c.X.Scale.shows(p.X) && c.Y.Scale.shows(p.Y) {
			return Place{p.X, p.Y}, true
		}
	}
	for i := len(s.Strays) - 1; i >= 0; i-- {
		if p := s.Strays[i]; c.X.Scale.shows(p.X) && c.Y.Scale.shows(p.Y) {
			return p, true
		}
	}
	return Place{}, false
}

// spread moves the sorted middles of labels as little as possible so that labels do not touch and their middles are within
// bounds. What touches forms a block that sits at the mean of what its members want; blocks that then touch merge. When there
// is not room for all, they share what there is.
func spread(wanted, heights []vg.Length, lowest, highest vg.Length) []vg.Length {
	above := make([]vg.Length, len(wanted)) // how far each label lies above the first, at least
	for i := 1; i < len(wanted); i++ {
		above[i] = above[i-1] + (heights[i-1]+heights[i])/2
	}
	last := len(wanted) - 1
	if room := highest - lowest; last > 0 && above[last] > room {
		for i := range above {
			above[i] *= room / above[last]
		}
	}
	type block struct {
		sum   vg.Length // of what its members want, each less its place above the first label
		count int
	}
	level := func(b block) vg.Length { return b.sum / vg.Length(b.count) }
	var blocks []block
	for i, w := range wanted {
		blocks = append(blocks, block{w - above[i], 1})
		for n := len(blocks); n > 1 && level(blocks[n-2]) > level(blocks[n-1]); n-- {
			blocks[n-2].sum += blocks[n-1].sum
			blocks[n-2].count += blocks[n-1].count
			blocks = blocks[:n-1]
		}
	}
	var places []vg.Length
	for _, b := range blocks {
		at := max(lowest, min(highest-above[last], level(b)))
		for range b.count {
			places = append(places, at+above[len(places)])
		}
	}
	return places
}

package chart

import (
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A line is named where it ends. A legend would make the reader match colours, line by line, and fails in grey.

const (
	labelGap    = vg.Length(18)  // from the plot to the labels: room for a leader
	labelHeight = vg.Length(14)  // of one label
	labelMost   = vg.Length(120) // of the drawing's width for labels
)

// endLabelWidth is the room that the labels need at the right.
func (c *Chart) endLabelWidth() vg.Length {
	var widest vg.Length
	for _, s := range c.Series {
		if s.Unnamed {
			continue
		}
		widest = max(widest, bold(style(Text, labelSize, 0, 0)).Width(s.Name))
	}
	return min(widest, labelMost) + labelGap
}

// drawEndLabels writes each series' name level with its end, moved up or down where names would touch, with a thin leader
// from the end of the line to its name.
func (c *Chart) drawEndLabels(dc draw.Canvas, p *plot.Plot) {
	type label struct {
		series int
		end    vg.Point
	}
	var labels []label
	for i, s := range c.Series {
		if end, ok := c.lastPlace(s); ok && !s.Unnamed {
			labels = append(labels, label{i, vg.Point{X: dc.X(p.X.Norm(end.X)), Y: dc.Y(p.Y.Norm(end.Y))}})
		}
	}
	sort.SliceStable(labels, func(i, j int) bool { return labels[i].end.Y < labels[j].end.Y })
	wanted := make([]vg.Length, len(labels))
	for i, l := range labels {
		wanted[i] = l.end.Y
	}
	for i, y := range spread(wanted, labelHeight, dc.Min.Y, dc.Max.Y) {
		c.drawEndLabel(dc, labels[i].series, labels[i].end, y)
	}
}

func (c *Chart) drawEndLabel(dc draw.Canvas, series int, end vg.Point, y vg.Length) {
	s := c.Series[series]
	defer labelGroup(dc, series, s.Key)()
	x := dc.Max.X + labelGap - 4
	leader := draw.LineStyle{Color: s.Look.Ink.Faint(0.55), Width: 0.7}
	start := end.X + markerRadius + 2
	if start < dc.Max.X { // a line that ends early: dotted and level as far as the edge, so that it is not taken for data
		level := leader
		level.Dashes = endless
		dc.StrokeLine2(level, start, end.Y, dc.Max.X, end.Y)
		start = dc.Max.X
	}
	dc.StrokeLines(leader, []vg.Point{{X: start, Y: end.Y}, {X: max(x-8, start), Y: y}, {X: x - 2, Y: y}})
	sty := bold(style(s.Look.Ink, labelSize, text.XLeft, text.YCenter))
	dc.FillText(sty, vg.Point{X: x, Y: y + 2}, fit(sty, s.Name, labelMost))
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

// spread moves sorted places as little as possible so that they are at least apart from each other and within bounds. What
// touches forms a block that sits at the mean of what its members want; blocks that then touch merge. When there is not
// room for all, they share what there is.
func spread(wanted []vg.Length, apart, lowest, highest vg.Length) []vg.Length {
	if n := vg.Length(len(wanted)); n > 1 {
		apart = min(apart, (highest-lowest)/(n-1))
	}
	type block struct {
		sum   vg.Length // of what its members want, each less its offset in the block
		count int
	}
	start := func(b block) vg.Length {
		top := highest - vg.Length(b.count-1)*apart
		return max(lowest, min(top, b.sum/vg.Length(b.count)))
	}
	var blocks []block
	for _, w := range wanted {
		blocks = append(blocks, block{w, 1})
		for len(blocks) > 1 {
			below, above := blocks[len(blocks)-2], blocks[len(blocks)-1]
			if start(above)-start(below) >= vg.Length(below.count)*apart {
				break
			}
			shift := vg.Length(below.count*above.count) * apart
			blocks = append(blocks[:len(blocks)-2], block{below.sum + above.sum - shift, below.count + above.count})
		}
	}
	var places []vg.Length
	for _, b := range blocks {
		for i := range b.count {
			places = append(places, start(b)+vg.Length(i)*apart)
		}
	}
	return places
}

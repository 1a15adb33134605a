package chart

import (
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Heat is a table of values as colours, each with its number: the colour shows the pattern, and the number is what one
// would otherwise have to read from a scale.
type Heat struct {
	XLabel, YLabel string
	XNames, YNames []string // of the columns from the left, of the rows from the bottom, as on an axis
	Cells          [][]Tile // by row, then column
	Range          Range    // of the colours; heat maps that stand beside each other share it
}

// A Tile is one cell.
type Tile struct {
	Value float64 // NaN when there is none; without a doubt the tile is empty, because it was never planned
	Text  string
	Note  string // what a reader must know of the value: "1 trial", where the others have more
	Doubt string // why there is no value, or why it does not count; the tile is hatched then
	Tip   string // what whoever points at the tile is told: the value with its spread
}

// tileHeight is the height of a row of tiles, heatFoot what lies below them.
const (
	tileHeight = vg.Length(34)
	heatFoot   = vg.Length(66)
)

func (h *Heat) height() vg.Length {
	return header + vg.Length(max(1, len(h.YNames)))*tileHeight + heatFoot
}

// step returns the place of a value on the ramp. Latencies and costs differ by factors, so the ramp is logarithmic.
func (h *Heat) step(x float64) int {
	low, high := math.Log(h.Range.Min), math.Log(h.Range.Max)
	if !finite(low) || !finite(high) || high <= low {
		return 0
	}
	share := (math.Log(x) - low) / (high - low)
	return max(0, min(len(Heats)-1, int(share*float64(len(Heats)))))
}

func (h *Heat) draw(area draw.Canvas) {
	names := vg.Length(0)
	label := style(Muted, tickSize, text.XRight, text.YCenter)
	for _, name := range h.YNames {
		names = max(names, label.Width(name))
	}
	names = min(names, labelMost) + 8
	top := area.Max.Y
	label.XAlign = text.XLeft
	tiles := vg.Rectangle{
		Min: vg.Point{X: area.Min.X + names, Y: top - vg.Length(max(1, len(h.YNames)))*tileHeight},
		Max: vg.Point{X: area.Max.X, Y: top},
	}
	for row := range h.Cells {
		y := tiles.Min.Y + vg.Length(row)*tileHeight
		sty := style(Muted, tickSize, text.XRight, text.YCenter)
		area.FillText(sty, vg.Point{X: tiles.Min.X - 6, Y: y + tileHeight/2}, fit(sty, h.YNames[row], names))
		h.drawRow(area, row, y, tiles)
	}
	h.drawFeet(area, tiles)
}

func (h *Heat) drawRow(area draw.Canvas, row int, y vg.Length, tiles vg.Rectangle) {
	width := (tiles.Max.X - tiles.Min.X) / vg.Length(len(h.XNames))
	for column, tile := range h.Cells[row] {
		x := tiles.Min.X + vg.Length(column)*width
		box := vg.Rectangle{Min: vg.Point{X: x + 1, Y: y + 1}, Max: vg.Point{X: x + width - 1, Y: y + tileHeight - 1}}
		h.drawTile(area, tile, box)
	}
}

// drawTile fills a box, or hatches it when its value does not count or does not exist.
func (h *Heat) drawTile(area draw.Canvas, tile Tile, box vg.Rectangle) {
	if tile.Doubt == "" && math.IsNaN(tile.Value) {
		return // nobody wanted to know
	}
	defer tip(area, tile.Tip)()
	ink := Muted
	if tile.Doubt == "" {
		step := h.step(tile.Value)
		area.SetColor(Heats[step])
		area.Fill(box.Path())
		if ink = onLow; step >= heatTurn {
			ink = onHigh
		}
	} else {
		hatch(area, box)
	}
	tile.write(area, ink, box)
}

// write writes a tile's number, and below it, smaller, what is to be said of it.
func (t Tile) write(area draw.Canvas, ink Ink, box vg.Rectangle) {
	sty, room := style(ink, labelSize, text.XCenter, text.YCenter), box.Max.X-box.Min.X-4
	small := style(ink, labelSize-2, text.XCenter, text.YCenter)
	middle := vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y+box.Max.Y)/2 + 1}
	note := t.Doubt
	if note == "" {
		note = t.Note
	}
	switch {
	case note == "":
		area.FillText(sty, middle, fit(sty, t.Text, room))
	case t.Text == "":
		area.FillText(small, middle, fit(small, note, room))
	default:
		area.FillText(sty, middle.Add(vg.Point{Y: 6}), fit(sty, t.Text, room))
		area.FillText(small, middle.Add(vg.Point{Y: -7}), fit(small, note, room))
	}
}

// hatch draws a box of paper with an outline and strokes in its corners, which leave the text in the middle free.
func hatch(area draw.Canvas, box vg.Rectangle) {
	area.SetColor(Paper)
	area.Fill(box.Path())
	area.SetLineStyle(draw.LineStyle{Color: Axes, Width: 0.8})
	area.Stroke(box.Path())
	thin := draw.LineStyle{Color: Axes.Faint(0.6), Width: 0.8}
	for _, d := range []vg.Length{4, 8, 12} {
		area.StrokeLine2(thin, box.Min.X, box.Max.Y-d, box.Min.X+d, box.Max.Y)
		area.StrokeLine2(thin, box.Max.X-d, box.Min.Y, box.Max.X, box.Min.Y+d)
	}
}

// drawFeet writes the names of the columns and what the two directions are.
func (h *Heat) drawFeet(area draw.Canvas, tiles vg.Rectangle) {
	width := (tiles.Max.X - tiles.Min.X) / vg.Length(max(1, len(h.XNames)))
	sty := style(Muted, tickSize, text.XCenter, text.YTop)
	for i, name := range h.XNames {
		area.FillText(sty, vg.Point{X: tiles.Min.X + (vg.Length(i)+0.5)*width, Y: tiles.Min.Y - 3}, fit(sty, name, width))
	}
	note := style(Muted, noteSize, text.XCenter, text.YTop)
	across := "→ " + h.XLabel
	if h.YLabel != "" {
		across = "↑ " + h.YLabel + "   " + across
	}
	area.FillText(note, vg.Point{X: (tiles.Min.X + tiles.Max.X) / 2, Y: tiles.Min.Y - 20}, fit(note, across, area.Max.X-area.Min.X))
}

package chart

import (
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"turnlab/reports/unit"
)

// gantt is a drawing with every kind of bar, marks, and a callout at the right edge.
func gantt() *Chart {
	const ms = 1e6
	return &Chart{
		ID: "gantt", Title: "Who ran when: coop", Subtitle: "hog, 3 connections", Footnote: "one traced trial, not measured", Alt: "A hog and <two> others",
		X: Axis{Label: "time", Unit: unit.Nanos, Range: Range{Min: 0, Max: 100 * ms}},
		Gantt: &Gantt{
			Key: []GanttKey{{"hog runs", Solid, HogInk}, {"hog waits", Dashed, HogInk}, {"offloaded", Hollow, HogInk}, {"innocent runs", Solid, InnocentInk},
				{"innocent waits", Line, InnocentInk}, {"waits behind a hog", Dotted, BehindInk}},
			Rows: []GanttRow{
				{Name: "conn 2, hog", Ink: HogInk, Arrivals: []float64{8 * ms}, Replies: []float64{60 * ms}, Bars: []Bar{
					{8 * ms, 10 * ms, Dashed, HogInk}, {10 * ms, 40 * ms, Solid, HogInk}, {45 * ms, 60 * ms, Hollow, HogInk},
				}},
				{Name: "conn 1", Ink: Muted, Arrivals: []float64{12 * ms, 55 * ms}, Replies: []float64{41 * ms, 55.1 * ms}, Bars: []Bar{
					{12 * ms, 40.9 * ms, Line, InnocentInk}, {40.9 * ms, 41 * ms, Solid, InnocentInk}, {55 * ms, 55.02 * ms, Solid, InnocentInk},
				}},
				{Name: strings.Repeat("conn <3> ", 9), Ink: Muted, Arrivals: []float64{70 * ms}, Bars: []Bar{{70 * ms, 100 * ms, Dotted, BehindInk}}},
			},
			Callout: &Callout{Row: 2, From: 70 * ms, To: 130 * ms, Text: "60.0 ms"},
		},
	}
}

func TestBarsThatTouchAreOneAndOthersStayApart(t *testing.T) {
	bars := []Bar{{0, 10, Solid, HogInk}, {10.1, 20, Solid, HogInk}, {21, 22, Solid, HogInk}, {22.1, 23, Solid, InnocentInk}, {5, 6, Line, HogInk}}
	got := together(bars, Solid, func(v float64) vg.Length { return vg.Length(v) })
	want := []Bar{{0, 20, Solid, HogInk}, {21, 22, Solid, HogInk}, {22.1, 23, Solid, InnocentInk}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAGanttWithoutRowsIsStillADrawing(t *testing.T) {
	c := &Chart{ID: "none", X: Axis{Range: Range{Max: 1}}, Gantt: &Gantt{}}
	if text := render(t, c.SVG); len(text) == 0 {
		t.Error("nothing was drawn")
	}
}

func TestABarIsSeenHoweverShortItWas(t *testing.T) {
	text := string(render(t, gantt().SVG))
	if n := strings.Count(text, `class="f-innocent"`); n != 3 {
		t.Errorf("%d bars of innocents that ran, with that of the key, want 3", n)
	}
}

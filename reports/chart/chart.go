// Package chart draws what the lab measured.
//
// A [Chart] is a description: titles, axes, series of medians with their intervals. One drawing routine on gonum/plot turns
// it into PNG and SVG, so the two cannot disagree. The SVG names its colours by class, so that the same drawing is right on
// light and on dark paper, and it carries the positions of its columns, so that a small script can read values out.
//
// The look is decided here once. An engine has one colour in every chart, and each of its variants a shade, a marker and
// dashes of its own (see [Looks]), so that nothing has to be told by colour alone; lines are labelled where they end and not
// in a legend; a grid helps to read values and nothing else is drawn that is not data. A chart says what its band is and how
// many trials stand behind a point, because a line without that is a guess.
//
// Limits: at most [MaxSeries] series; text is measured in Liberation Sans, which has no glyphs for most scripts outside
// Europe, so such names appear as boxes in PNG (not in SVG).
package chart

import (
	"math"

	"gonum.org/v1/plot/vg"

	"turnlab/reports/unit"
)

// MaxSeries bounds the series of one chart: beyond it neither colours nor labels can be told apart.
const MaxSeries = 12

// A Chart describes one drawing.
type Chart struct {
	ID       string // unique in its page, fit for a file name
	Title    string // what is shown: "CPU per request"
	Subtitle string // where and in which unit: "http, closed loop · lower is better"
	Footnote string // what a point and its band are: "median of 3 trials, band: their range"
	Alt      string // the same in words, for those who cannot see the drawing
	X, Y     Axis
	Series   []Series
	Columns  []float64 // the values of X whose numbers can be read out, in order
	Spans    []Span    // stretches of X that are shaded and named
	Rows     bool      // series lie below each other, named at the left; Y is not used
	Rule     *Rule     // a line at a value of X that others are compared with
	Bars     bool      // of rows: a bar from zero to the point, where the scale has a zero
	Dots     bool      // of rows: trials are dots that are spread over the height of their row
	Legend   []Segment // names the parts of stacked rows; their values are not used
	Heat     *Heat     // a table of colours in place of everything above but the texts
	Gantt    *Gantt    // who ran when, over X, in place of everything above but the texts
}

// An Axis maps values to places.
type Axis struct {
	Label string
	Unit  unit.Unit
	Scale Scale
	Marks []float64 // where ticks are wanted, as far as their labels have room; empty: round numbers
	Names []string  // the text of Marks; empty: written in Unit
	Range Range     // what to show; the zero value shows what is there
}

// A Range is a stretch of an axis. Small multiples share one, because charts that stand side by side are compared.
type Range struct{ Min, Max float64 }

// Scale is how an axis maps values to places.
type Scale uint8

// The scales.
const (
	Linear Scale = iota
	Log          // equal steps are equal ratios
	Nines        // a quantile q is drawn at log 1/(1-q): every further nine takes the same space
)

// A Series is one line, or one row.
type Series struct {
	Name    string
	Key     string // what it belongs to, for those who show and hide: an engine's label
	Look    Look
	Points  []Point
	Strays  []Place   // single trials that count in no point: drawn hollow
	Trials  []Place   // single trials behind the points: drawn small, in rows
	Note    string    // what stands at the end of a row
	Group   string    // of a row: what it stands under, with its neighbours
	Parts   []Segment // of a row: what its point is the sum of
	Bare    bool      // a line of many points, with a marker here and there
	Unnamed bool      // a companion of another series, explained elsewhere: thin, without band, and without markers where it is bare
	Doubted bool      // of a row: its point is drawn hollow, as what does not count is
}

// A Point is a summary of trials at one X. A median that nothing valid supports is NaN: the line has a gap there.
type Point struct {
	X, Y   float64
	Lo, Hi float64 // the interval; equal to Y when there is none
}

// A Segment is a part of a stacked row.
type Segment struct {
	Name  string
	Ink   Ink
	Value float64
}

// A Place is where a single trial lies.
type Place struct{ X, Y float64 }

// A Span is a stretch of X with a name, such as the warm-up.
type Span struct {
	From, To float64
	Name     string
}

// A Rule is a value of X that stands out, such as a ratio of one, with the band in which differences mean nothing.
type Rule struct {
	X      float64
	Lo, Hi float64
	Name   string
}

// Size of a line chart in points; a chart of rows grows with its rows.
const (
	Width  = vg.Length(440)
	Height = vg.Length(316)
)

func (c *Chart) height() vg.Length {
	extra := c.words().extra()
	switch {
	case c.Heat != nil:
		return c.Heat.height() + extra
	case c.Gantt != nil:
		return c.Gantt.height() + extra
	case c.Rows:
		return header + c.legendHeight() + vg.Length(c.slots())*c.rowHeight() + rowsFoot + extra
	default:
		return Height + extra
	}
}

// ScaleName names the scale that a reader would change.
func (c *Chart) ScaleName() string {
	if c.Y.Scale == Log {
		return "logarithmic"
	}
	return "linear"
}

// finite reports whether x can be drawn.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

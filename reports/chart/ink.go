package chart

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// An Ink is a colour with a name. PNG takes the light value; SVG takes the name as a class, and whoever shows the SVG says
// what the class looks like on light and on dark paper.
type Ink struct {
	Name        string
	Light, Dark uint32  // 0xRRGGBB
	Alpha       float64 // 0 means opaque
}

// RGBA returns the colour on light paper.
func (i Ink) RGBA() (r, g, b, a uint32) {
	alpha := uint8(255)
	if i.Alpha > 0 {
		alpha = uint8(255*i.Alpha + 0.5)
	}
	return color.NRGBA{uint8(i.Light >> 16), uint8(i.Light >> 8), uint8(i.Light), alpha}.RGBA()
}

// Faint returns the ink with the given opacity.
func (i Ink) Faint(alpha float64) Ink {
	i.Alpha = alpha
	return i
}

// The inks that are not data.
var (
	Paper = Ink{Name: "paper", Light: 0xffffff, Dark: 0x15181d}
	Text  = Ink{Name: "text", Light: 0x1b1f24, Dark: 0xe6e8eb}
	Muted = Ink{Name: "muted", Light: 0x5a626c, Dark: 0xa3abb5}
	Axes  = Ink{Name: "axes", Light: 0x8a929c, Dark: 0x6d7681}
	Grid  = Ink{Name: "grid", Light: 0xe4e7eb, Dark: 0x2b3038}
)

// The inks of the engines, after Okabe and Ito, whose hues stay apart for colour-blind eyes. The light values are darker
// than theirs, so that a label in the colour of its line has a contrast of 4.5 on white; their lightness differs too, so
// that lines stay apart in grey, where the marker shapes help as well.
var (
	blue   = Ink{Name: "blue", Light: 0x00588f, Dark: 0x56b4e9}
	orange = Ink{Name: "orange", Light: 0xbd4b00, Dark: 0xff9a4d}
	green  = Ink{Name: "green", Light: 0x00805c, Dark: 0x9fe0a0}
	grey   = Ink{Name: "grey", Light: 0x4d545c, Dark: 0xb9c0c8}
	purple = Ink{Name: "purple", Light: 0x9a3f77, Dark: 0xe08cc0}
	brown  = Ink{Name: "brown", Light: 0x7a5c00, Dark: 0xe2c044}
	red    = Ink{Name: "red", Light: 0xb02a37, Dark: 0xff8a94}
	violet = Ink{Name: "violet", Light: 0x5b4bb7, Dark: 0xada1ff}
)

// Inks lists all inks, for those who write the style of a page.
var Inks = slices.Concat([]Ink{Paper, Text, Muted, Axes, Grid, blue, orange, green, grey, purple, brown, red, violet}, Heats, Parts,
	[]Ink{onLow, onHigh})

// Heats is the ramp of heat maps, from low to high: its lightness falls all the way on light paper and rises on dark paper,
// so it reads the same for colour-blind eyes and in grey, and what is high always stands out from the paper.
var Heats = ramp("heat",
	[]uint32{0xfff6e0, 0xfee5b5, 0xfdcf8a, 0xf9b15f, 0xf0923f, 0xc2540f, 0x9d3d0b, 0x7a2a0c, 0x551a0b},
	[]uint32{0x241d16, 0x36281a, 0x4b321b, 0x633c19, 0x7d4716, 0xd98a3d, 0xecab5e, 0xf7ca86, 0xffe7b8})

// heatTurn is the first step of the ramp on which text changes its colour.
const heatTurn = 5

// The inks of text on the two halves of the ramp.
var (
	onLow  = Ink{Name: "on-low", Light: 0x1b1f24, Dark: 0xf0f1f3}
	onHigh = Ink{Name: "on-high", Light: 0xffffff, Dark: 0x15110b}
)

// Parts are the inks of stacked parts, neighbours far apart in lightness. They are not the engines': a part is no engine.
var Parts = ramp("part",
	[]uint32{0x2f4b6e, 0x9cc0e0, 0x5d7f4a, 0xd3dba0, 0x8a5a83, 0xe3bcd8, 0x6b6b6b, 0xcfcfcf},
	[]uint32{0x8fb4e3, 0x35577d, 0xb4cf86, 0x56703a, 0xd9a3cf, 0x74456c, 0xbdbdbd, 0x595959})

func ramp(name string, light, dark []uint32) []Ink {
	var inks []Ink
	for i := range light {
		inks = append(inks, Ink{Name: fmt.Sprintf("%s%d", name, i), Light: light[i], Dark: dark[i]})
	}
	return inks
}

// Hex writes a colour as CSS does.
func Hex(rgb uint32) string { return fmt.Sprintf("#%06x", rgb) }

// A Look is how one engine's data is drawn, everywhere.
type Look struct {
	Ink    Ink
	Shape  Shape
	Dashes []vg.Length
}

// own are the looks of the lab's engines; the yardstick is dashed, because it is there to be compared with.
var own = map[string]Look{
	"coop":    {Ink: blue, Shape: Circle},
	"preempt": {Ink: orange, Shape: Square},
	"threads": {Ink: green, Shape: Triangle},
	"loop":    {Ink: grey, Shape: Diamond, Dashes: []vg.Length{5, 2.5}},
}

// spare are the looks of everything else, in the order in which it appears.
var spare = []Look{
	{Ink: purple, Shape: Cross}, {Ink: brown, Shape: Nabla}, {Ink: red, Shape: Circle}, {Ink: violet, Shape: Square},
}

// variantDashes tell variants of one engine from it and from each other.
var variantDashes = [][]vg.Length{{2, 2}, {7, 2, 2, 2}, {10, 3}, {1, 2.5}, {12, 2, 2, 2, 2, 2}}

// Setting returns the look of the nth setting of an engine, from 0: the same with dashes of its own.
func (k Look) Setting(n int) Look {
	if n > 0 {
		k.Dashes = variantDashes[(n-1)%len(variantDashes)]
	}
	return k
}

// Looks gives every engine label of a run its look. Variants share the colour and the marker of their engine and have a
// dash of their own; foreign servers (exec/NAME) are not variants of one thing, so each gets a colour while there are any.
func Looks(labels []string) map[string]Look {
	labels = slices.Clone(labels)
	slices.Sort(labels)
	looks := map[string]Look{}
	variants := map[string]int{}
	others := 0
	for _, label := range slices.Compact(labels) {
		engine, variant, _ := strings.Cut(label, "/")
		look, ok := own[engine]
		switch {
		case !ok:
			look = spare[others%len(spare)]
			if round := others / len(spare); round > 0 {
				look.Dashes = variantDashes[(round-1)%len(variantDashes)]
			}
			others++
		case variant != "":
			look.Dashes = variantDashes[variants[engine]%len(variantDashes)]
			variants[engine]++
		}
		looks[label] = look
	}
	return looks
}

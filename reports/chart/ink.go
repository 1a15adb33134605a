package chart

import (
	"fmt"
	"image/color"
	"slices"
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

// Shades are the inks of one family of engines: that of the engine itself, which names are written in as well, and lighter
// and darker ones for its variants.
type Shades [4]Ink

// The inks of the engines, after Okabe and Ito, whose hues stay apart for colour-blind eyes. The first value of each is darker
// than theirs, so that a label in it has a contrast of 4.5 on its paper. The others have at least 3, which is what lines and
// markers need, and each is so much lighter or darker than the rest that they stay apart in grey.
var (
	blue = shades("blue", [4]uint32{0x00588f, 0x0093ea, 0x003c64, 0x0077be},
		[4]uint32{0x56b4e9, 0xa5d9ff, 0x357598, 0x4592be})
	orange = shades("orange", [4]uint32{0xbd4b00, 0xef6100, 0x612300, 0x8c3500},
		[4]uint32{0xff9a4d, 0xffceb7, 0x9f5e2d, 0xcb7a3b})
	green = shades("green", [4]uint32{0x00805c, 0x00a175, 0x003f2c, 0x005e43},
		[4]uint32{0x9fe0a0, 0x84bb85, 0x537753, 0x6b996c})
	grey = shades("grey", [4]uint32{0x4d545c, 0x848f9c, 0x32373d, 0x67707b},
		[4]uint32{0xb9c0c8, 0xdde5ef, 0x6a6f74, 0x8c9197})
	purple = shades("purple", [4]uint32{0x9a3f77, 0xdf5fae, 0x63264c, 0xbc4f92},
		[4]uint32{0xe08cc0, 0xffb5e2, 0x965c80, 0xb7729d})
	brown = shades("brown", [4]uint32{0x7a5c00, 0xb28700, 0x553f00, 0x997400},
		[4]uint32{0xe2c044, 0xffe290, 0x816d23, 0xaf9432})
	red = shades("red", [4]uint32{0xb02a37, 0xff495a, 0x751921, 0xdc3747},
		[4]uint32{0xff8a94, 0xffc6ca, 0xa5575e, 0xd27179})
	violet = shades("violet", [4]uint32{0x5b4bb7, 0x8c7aff, 0x3c307c, 0x7460e6},
		[4]uint32{0xada1ff, 0xd4cfff, 0x6e66a5, 0x8b81ce})
)

func shades(name string, light, dark [4]uint32) (s Shades) {
	for i := range s {
		s[i] = Ink{Name: fmt.Sprint(name, i), Light: light[i], Dark: dark[i]}
	}
	return s
}

// families lists the shades of all that can be drawn.
var families = []Shades{blue, orange, green, grey, purple, brown, red, violet}

// Inks lists all inks, for those who write the style of a page.
var Inks = slices.Concat([]Ink{Paper, Text, Muted, Axes, Grid}, slices.Concat(slicesOf(families)...), Heats, Parts,
	[]Ink{onLow, onHigh, HogInk, InnocentInk})

func slicesOf(families []Shades) (all [][]Ink) {
	for _, f := range families {
		all = append(all, f[:])
	}
	return all
}

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

// What those who make a Gantt colour it with. Neither is the colour of an engine: here colour says something else. A hog is
// darker than an innocent on light paper and lighter on dark paper, so it stands out in grey too.
var (
	HogInk      = Ink{Name: "hog", Light: 0x7f1c25, Dark: 0xffacb2}
	InnocentInk = Ink{Name: "innocent", Light: 0x7a66f2, Dark: 0x786fb2}
	BehindInk   = Muted // waits for its own connection, which no engine could help
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

package chart

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// svgCanvas writes SVG for a page: colours are classes, so that the page decides what they are on dark paper, and parts can
// be grouped, so that a script can find them.
//
// Note: gonum's own vgsvg writes fixed colours into style attributes. A strict content security policy refuses style
// attributes, and fixed colours cannot follow the reader's preference.
type svgCanvas struct {
	body   strings.Builder
	width  vg.Length
	height vg.Length
	now    pen
	stack  []pen
	anchor string // of the next text: "middle", "end", or empty for its start
}

// A pen is the state that Push saves. Transforms are applied at once, to every point.
type pen struct {
	ink                    Ink
	width                  vg.Length
	dashes                 []vg.Length
	offset                 vg.Length
	xx, xy, yx, yy, dx, dy float64
}

func newSVGCanvas(width, height vg.Length) *svgCanvas {
	s := &svgCanvas{width: width, height: height, now: pen{xx: 1, yy: 1}}
	vg.Initialize(s)
	return s
}

// Size returns the size of the drawing.
func (s *svgCanvas) Size() (w, h vg.Length) { return s.width, s.height }

// SetLineWidth sets the width of lines.
func (s *svgCanvas) SetLineWidth(w vg.Length) { s.now.width = w }

// SetLineDash sets the pattern of lines.
func (s *svgCanvas) SetLineDash(dashes []vg.Length, offset vg.Length) {
	s.now.dashes, s.now.offset = dashes, offset
}

// SetColor takes an Ink. Other colours can only come from gonum's defaults, of which none is left in our drawings; they
// are drawn as text is.
func (s *svgCanvas) SetColor(c color.Color) {
	ink, ok := c.(Ink)
	if !ok {
		ink = Text
	}
	s.now.ink = ink
}

// Rotate turns what follows.
func (s *svgCanvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	s.apply(pen{xx: cos, xy: -sin, yx: sin, yy: cos})
}

// Translate moves what follows.
func (s *svgCanvas) Translate(pt vg.Point) {
	s.apply(pen{xx: 1, yy: 1, dx: float64(pt.X), dy: float64(pt.Y)})
}

// Scale stretches what follows.
func (s *svgCanvas) Scale(x, y float64) { s.apply(pen{xx: x, yy: y}) }

func (s *svgCanvas) apply(m pen) {
	p := s.now
	s.now.xx, s.now.xy = p.xx*m.xx+p.xy*m.yx, p.xx*m.xy+p.xy*m.yy
	s.now.yx, s.now.yy = p.yx*m.xx+p.yy*m.yx, p.yx*m.xy+p.yy*m.yy
	s.now.dx, s.now.dy = p.xx*m.dx+p.xy*m.dy+p.dx, p.yx*m.dx+p.yy*m.dy+p.dy
}

// Push saves the state.
func (s *svgCanvas) Push() { s.stack = append(s.stack, s.now) }

// Pop restores it.
func (s *svgCanvas) Pop() {
	s.now = s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
}

// at writes a point in SVG's coordinates, whose origin is at the top.
func (s *svgCanvas) at(p vg.Point) string {
	x := s.now.xx*float64(p.X) + s.now.xy*float64(p.Y) + s.now.dx
	y := s.now.yx*float64(p.X) + s.now.yy*float64(p.Y) + s.now.dy
	return short(x) + " " + short(float64(s.height)-y)
}

// short writes a coordinate to a tenth of a point, which is finer than a pixel of most screens.
func short(x float64) string {
	text := strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
	if text == "-0" {
		return "0"
	}
	return text
}

// Stroke draws a line.
func (s *svgCanvas) Stroke(path vg.Path) {
	if s.now.width <= 0 {
		return
	}
	fmt.Fprintf(&s.body, `<path class="s-%s" stroke-width="%s"%s`, s.now.ink.Name, short(float64(s.now.width)), s.opacity("stroke"))
	if len(s.now.dashes) > 0 {
		var dashes []string
		for _, d := range s.now.dashes {
			dashes = append(dashes, short(float64(d)))
		}
		fmt.Fprintf(&s.body, ` stroke-dasharray="%s"`, strings.Join(dashes, " "))
	}
	fmt.Fprintf(&s.body, ` d="%s"/>`+"\n", s.data(path))
}

// Fill fills an area.
func (s *svgCanvas) Fill(path vg.Path) {
	fmt.Fprintf(&s.body, `<path class="f-%s"%s d="%s"/>`+"\n", s.now.ink.Name, s.opacity("fill"), s.data(path))
}

func (s *svgCanvas) opacity(of string) string {
	if s.now.ink.Alpha == 0 {
		return ""
	}
	return fmt.Sprintf(` %s-opacity="%s"`, of, strconv.FormatFloat(s.now.ink.Alpha, 'g', 2, 64))
}

func (s *svgCanvas) data(path vg.Path) string {
	var d strings.Builder
	for _, c := range path {
		switch c.Type {
		case vg.MoveComp:
			d.WriteString("M" + s.at(c.Pos))
		case vg.LineComp:
			d.WriteString("L" + s.at(c.Pos))
		case vg.CurveComp:
			d.WriteString(map[int]string{1: "Q", 2: "C"}[len(c.Control)])
			for _, p := range c.Control {
				d.WriteString(s.at(p) + " ")
			}
			d.WriteString(s.at(c.Pos))
		case vg.ArcComp:
			s.arc(&d, c)
		case vg.CloseComp:
			d.WriteString("Z")
		}
	}
	return d.String()
}

// arc draws an arc in two halves, because SVG cannot tell a full circle from none.
func (s *svgCanvas) arc(d *strings.Builder, c vg.PathComp) {
	on := func(angle float64) vg.Point {
		sin, cos := math.Sincos(angle)
		return vg.Point{X: c.Pos.X + c.Radius*vg.Length(cos), Y: c.Pos.Y + c.Radius*vg.Length(sin)}
	}
	sweep := "0"
	if c.Angle < 0 {
		sweep = "1"
	}
	radius := short(float64(c.Radius) * math.Sqrt(math.Abs(s.now.xx*s.now.yy-s.now.xy*s.now.yx)))
	d.WriteString("L" + s.at(on(c.Start)))
	for _, share := range []float64{0.5, 1} {
		fmt.Fprintf(d, "A%s %s 0 0 %s %s", radius, radius, sweep, s.at(on(c.Start+share*c.Angle)))
	}
}

// FillString draws text.
func (s *svgCanvas) FillString(f font.Face, pt vg.Point, text string) {
	if f.Font.Size == 0 {
		return
	}
	x, y, _ := strings.Cut(s.at(pt), " ")
	fmt.Fprintf(&s.body, `<text x="%s" y="%s" class="f-%s" font-size="%s"`, x, y, s.now.ink.Name, short(float64(f.Font.Size)))
	if f.Font.Weight == xfont.WeightBold {
		s.body.WriteString(` font-weight="bold"`)
	}
	if s.anchor != "" {
		fmt.Fprintf(&s.body, ` text-anchor="%s"`, s.anchor)
	}
	if turn := math.Atan2(s.now.yx, s.now.xx); turn != 0 {
		fmt.Fprintf(&s.body, ` transform="rotate(%s %s %s)"`, short(-turn*180/math.Pi), x, y)
	}
	fmt.Fprintf(&s.body, ">%s</text>\n", escape(text))
}

// escape makes text fit for SVG. XML has no way at all to write most control characters.
func escape(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd")))
}

// DrawImage panics: no chart of ours contains a bitmap, and a page's policy would refuse to show it.
func (s *svgCanvas) DrawImage(vg.Rectangle, image.Image) {
	panic("chart: a bitmap in a line drawing")
}

// group opens the group of a series on a canvas that has groups, so that a script can find what belongs to it, and returns
// what closes it.
func group(c vg.Canvas, index int, key string) (end func()) { return openGroup(c, index, key, "") }

// labelGroup is group for the name of a series, which stays where it is when a script changes what is shown of the data.
func labelGroup(c vg.Canvas, index int, key string) (end func()) {
	return openGroup(c, index, key, ` class="label"`)
}

func openGroup(c vg.Canvas, index int, key, class string) (end func()) {
	s, ok := svgOf(c)
	if !ok {
		return func() {}
	}
	fmt.Fprintf(&s.body, `<g%s data-series="%d" data-key="%s">`+"\n", class, index, escape(key))
	return func() { s.body.WriteString("</g>\n") }
}

// tip opens a group that tells a text to whoever points at it, on a canvas that can, and returns what closes it.
func tip(c vg.Canvas, text string) (end func()) {
	s, ok := svgOf(c)
	if !ok || text == "" {
		return func() {}
	}
	fmt.Fprintf(&s.body, "<g><title>%s</title>\n", escape(text))
	return func() { s.body.WriteString("</g>\n") }
}

// svgOf returns the SVG that c draws on, if it does. Gonum wraps a canvas each time it crops one.
func svgOf(c vg.Canvas) (s *svgCanvas, ok bool) {
	for {
		switch wrapped := c.(type) {
		case draw.Canvas:
			c = wrapped.Canvas
		case *draw.Canvas:
			c = wrapped.Canvas
		default:
			s, ok = c.(*svgCanvas)
			return s, ok
		}
	}
}

// SVG writes the drawing as it stands in a page: without size and colours, which are the page's to give.
func (c *Chart) SVG(w io.Writer) error { return c.svg(w, false) }

// SVGFile writes the drawing as a file of its own, with its size and with colours for light and dark paper.
func (c *Chart) SVGFile(w io.Writer) error { return c.svg(w, true) }

func (c *Chart) svg(w io.Writer, file bool) error {
	s := newSVGCanvas(Width, c.height())
	l := c.draw(s)
	body, size := s.body.String(), ""
	if file {
		size = fmt.Sprintf(` width="%s" height="%s"`, short(float64(s.width)), short(float64(s.height)))
		body = "<style>" + inkCSS("", inksIn(body)) + "</style>\n" + body
	}
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg"%s viewBox="0 0 %s %s" role="img" aria-label="%s" `+
		`font-family="%s" fill="none" stroke-linejoin="round"%s>`+"\n%s</svg>\n",
		size, short(float64(s.width)), short(float64(s.height)), escape(c.Alt), fontFamily, l.attributes(s), body)
	if err != nil {
		return fmt.Errorf("write chart %s: %w", c.ID, err)
	}
	return nil
}

// inksIn returns the inks that a drawing has.
func inksIn(body string) []Ink {
	return slices.DeleteFunc(slices.Clone(Inks), func(i Ink) bool { return !strings.Contains(body, "-"+i.Name+`"`) })
}

// InkCSS returns the style rules for the classes in a drawing, below the given selector ("" or "main "): light colours, and
// dark ones for those who prefer them. On paper it is always light.
func InkCSS(below string) string { return inkCSS(below, Inks) }

func inkCSS(below string, inks []Ink) string {
	var light, dark strings.Builder
	for _, ink := range inks {
		rule := "%[1]s.f-%[2]s{fill:%[3]s}%[1]s.s-%[2]s{stroke:%[3]s}"
		fmt.Fprintf(&light, rule, below, ink.Name, Hex(ink.Light))
		fmt.Fprintf(&dark, rule, below, ink.Name, Hex(ink.Dark))
	}
	return light.String() + "@media screen and (prefers-color-scheme:dark){" + dark.String() + "}"
}

// Icon returns a short piece of line with its marker, for keys and tables. Its meaning stands beside it in words.
func (k Look) Icon() string {
	s := newSVGCanvas(26, 12)
	dc := draw.New(s)
	dc.StrokeLine2(draw.LineStyle{Color: k.Ink, Width: 1.8, Dashes: k.Dashes}, 0, 6, 26, 6)
	k.mark(dc, vg.Point{X: 13, Y: 6}, markerRadius+.4, false)
	return `<svg class="icon" viewBox="0 0 26 12" width="26" height="12" aria-hidden="true" fill="none">` + strings.ReplaceAll(s.body.String(), "\n", "") + "</svg>"
}

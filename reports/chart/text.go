package chart

import (
	"strings"
	"unicode/utf8"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// fontFamily names faces with the widths of Liberation Sans, in which text is measured, so that what was placed side by side
// stays so on machines that have another of them.
const fontFamily = "Liberation Sans, Arimo, Helvetica, Arial, sans-serif"

// handler lays text out. It differs from gonum's own in one thing: SVG gets to know which end of the text is fixed.
type handler struct{ text.Plain }

// faces is filled once and only read afterwards.
var faces = handler{text.Plain{Fonts: font.NewCache(liberation.Collection())}}

// Draw draws txt at pt. Where the viewer's font is wider or narrower than ours, text that is anchored at its right end or
// middle must stay there, or numbers would drift away from their axis.
func (h handler) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	if s, ok := svgOf(c); ok && sty.XAlign != text.XLeft {
		s.anchor = map[text.XAlignment]string{text.XCenter: "middle", text.XRight: "end"}[sty.XAlign]
		defer func() { s.anchor = "" }()
		sty.XAlign = text.XLeft
	}
	h.Plain.Draw(c, txt, sty, pt)
}

// style returns a text style of size points.
func style(ink Ink, size vg.Length, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color: ink, XAlign: x, YAlign: y, Handler: faces,
		Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
	}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

// fit shortens txt until it is at most width wide, and ends it with an ellipsis then.
func fit(s text.Style, txt string, width vg.Length) string {
	if s.Width(txt) <= width {
		return txt
	}
	runes := []rune(txt)
	for len(runes) > 0 && s.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ·,") + "…"
}

// wrap breaks txt into lines that are at most width wide, after spaces and slashes where there are any. With more than most
// lines the last is shortened.
func wrap(s text.Style, txt string, width vg.Length, most int) []string {
	var lines []string
	for rest := strings.TrimSpace(txt); rest != ""; {
		if len(lines) == most-1 {
			return append(lines, fit(s, rest, width))
		}
		line := firstLine(s, rest, width)
		lines = append(lines, strings.TrimRight(line, " ·"))
		rest = strings.TrimLeft(rest[len(line):], " ·")
	}
	return lines
}

// firstLine returns the longest beginning of txt that fits and ends where a line may end. A word that is wider than a line
// ends anywhere.
func firstLine(s text.Style, txt string, width vg.Length) string {
	if s.Width(txt) <= width {
		return txt
	}
	end, anywhere := 0, 0
	for at := 0; at < len(txt); {
		r, size := utf8.DecodeRuneInString(txt[at:])
		at += size
		if anywhere > 0 && s.Width(strings.TrimRight(txt[:at], " ·")) > width {
			break
		}
		anywhere = at
		if r == ' ' || r == '/' {
			end = at
		}
	}
	if end == 0 {
		end = anywhere
	}
	return txt[:end]
}

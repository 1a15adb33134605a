package chart

import (
	"math"
	"slices"
	"testing"
)

// luminance as WCAG defines it.
func luminance(rgb uint32) float64 {
	r, g, b := linear(rgb)
	return 0.2126*r + 0.7152*g + 0.0722*b
}

func linear(rgb uint32) (r, g, b float64) {
	channel := func(shift int) float64 {
		x := float64(rgb>>shift&0xff) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return channel(16), channel(8), channel(0)
}

func contrast(a, b uint32) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestLabelsInEveryInkAreReadableOnBothPapers(t *testing.T) {
	for _, ink := range Inks {
		if ink == Paper || ink == Grid || ink == Axes || filling(ink) {
			continue // nobody reads them
		}
		if c := contrast(ink.Light, Paper.Light); c < 4.5 {
			t.Errorf("%s on light paper has contrast %.2f, WCAG asks for 4.5", ink.Name, c)
		}
		if c := contrast(ink.Dark, Paper.Dark); c < 4.5 {
			t.Errorf("%s on dark paper has contrast %.2f, WCAG asks for 4.5", ink.Name, c)
		}
	}
}

// filling reports whether an ink fills areas, or is text on one.
func filling(ink Ink) bool {
	return slices.Contains(Heats, ink) || slices.Contains(Parts, ink) || ink == onLow || ink == onHigh
}

func TestNumbersInAHeatMapAreReadableOnEveryColour(t *testing.T) {
	for i, ink := range Heats {
		on := onLow
		if i >= heatTurn {
			on = onHigh
		}
		if light, dark := contrast(on.Light, ink.Light), contrast(on.Dark, ink.Dark); light < 4.5 || dark < 4.5 {
			t.Errorf("text on %s has contrast %.2f and %.2f, WCAG asks for 4.5", ink.Name, light, dark)
		}
	}
}

func TestAHeatMapReadsTheSameInGrey(t *testing.T) {
	for i, ink := range Heats[1:] {
		if before := Heats[i]; luminance(ink.Light) >= luminance(before.Light) || luminance(ink.Dark) <= luminance(before.Dark) {
			t.Errorf("%s is not further from the paper than %s", ink.Name, before.Name)
		}
	}
}

func TestNeighbouringPartsOfABarStayApartInGrey(t *testing.T) {
	for i, ink := range Parts[1:] {
		before := Parts[i]
		if light, dark := contrast(ink.Light, before.Light), contrast(ink.Dark, before.Dark); light < 1.6 || dark < 1.6 {
			t.Errorf("%s and %s have contrast %.2f and %.2f", ink.Name, before.Name, light, dark)
		}
	}
}

// Matrices in linear RGB by Machado, Oliveira and Fernandes (2009), for complete loss.
var blindness = map[string][9]float64{
	"none":         {1, 0, 0, 0, 1, 0, 0, 0, 1},
	"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
	"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"tritanopia":   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
}

// oklab returns perceptual coordinates (Ottosson 2020).
func oklab(r, g, b float64) [3]float64 {
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return [3]float64{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func seenAs(m [9]float64, rgb uint32) [3]float64 {
	r, g, b := linear(rgb)
	return oklab(max(0, m[0]*r+m[1]*g+m[2]*b), max(0, m[3]*r+m[4]*g+m[5]*b), max(0, m[6]*r+m[7]*g+m[8]*b))
}

func TestTheEnginesColoursStayApartForColourBlindEyes(t *testing.T) {
	const apart = 0.06 // in OKLab; about three times what is just noticeable side by side
	engines := []string{"coop", "preempt", "threads", "loop"}
	for kind, m := range blindness {
		for _, paper := range []string{"light", "dark"} {
			value := func(engine string) uint32 {
				if paper == "dark" {
					return own[engine].Ink.Dark
				}
				return own[engine].Ink.Light
			}
			for i, a := range engines {
				for _, b := range engines[:i] {
					x, y := seenAs(m, value(a)), seenAs(m, value(b))
					if d := math.Hypot(math.Hypot(x[0]-y[0], x[1]-y[1]), x[2]-y[2]); d < apart {
						t.Errorf("%s, %s paper: %s and %s are %.3f apart, want %.2f", kind, paper, a, b, d, apart)
					}
				}
			}
		}
	}
}

func TestEveryEngineHasOneLookAndVariantsShareItsColourAndMarker(t *testing.T) {
	looks := Looks([]string{"threads", "coop/await", "coop", "exec/b", "exec/a", "coop/other", "loop", "preempt"})
	shapes := map[Shape]string{}
	for _, engine := range []string{"coop", "preempt", "threads", "loop"} {
		if other, taken := shapes[looks[engine].Shape]; taken {
			t.Errorf("%s and %s have the same marker: in grey they are one", engine, other)
		}
		shapes[looks[engine].Shape] = engine
	}
	plain, await, other := looks["coop"], looks["coop/await"], looks["coop/other"]
	if await.Ink != plain.Ink || await.Shape != plain.Shape {
		t.Errorf("coop/await looks like %+v, want the colour and marker of coop", await)
	}
	if len(plain.Dashes) > 0 || len(await.Dashes) == 0 || await.Dashes[0] == other.Dashes[0] {
		t.Errorf("dashes do not tell coop, coop/await and coop/other apart: %v %v %v", plain.Dashes, await.Dashes, other.Dashes)
	}
	if looks["exec/a"].Ink == looks["exec/b"].Ink {
		t.Error("two foreign servers have one colour")
	}
	again := Looks([]string{"coop/await", "coop/other", "exec/a", "exec/b"})
	if again["coop/await"].Dashes[0] != await.Dashes[0] || again["exec/b"].Ink != looks["exec/b"].Ink {
		t.Error("the look of an engine depends on which others are in the run")
	}
}

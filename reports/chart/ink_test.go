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

// filling reports whether an ink fills areas, is text on one, or draws lines and markers only.
func filling(ink Ink) bool {
	for _, f := range families {
		if slices.Contains(f[1:], ink) {
			return true
		}
	}
	return slices.Contains(Heats, ink) || slices.Contains(Parts, ink) || ink == onLow || ink == onHigh || ink == InnocentInk
}

func TestLinesAndMarkersOfEveryVariantAreSeenOnBothPapers(t *testing.T) {
	for _, ink := range append(slices.Concat(slicesOf(families)...), HogInk, InnocentInk, BehindInk) {
		if light, dark := contrast(ink.Light, Paper.Light), contrast(ink.Dark, Paper.Dark); light < 3 || dark < 3 {
			t.Errorf("%s has contrast %.2f and %.2f, WCAG asks for 3", ink.Name, light, dark)
		}
	}
}

func TestTheShadesOfAFamilyStayApartInGrey(t *testing.T) {
	for _, f := range families {
		for i, a := range f {
			for _, b := range f[:i] {
				if light, dark := contrast(a.Light, b.Light), contrast(a.Dark, b.Dark); light < 1.25 || dark < 1.25 {
					t.Errorf("%s and %s have contrast %.2f and %.2f", a.Name, b.Name, light, dark)
				}
			}
		}
	}
	if light, dark := contrast(HogInk.Light, InnocentInk.Light), contrast(HogInk.Dark, InnocentInk.Dark); light < 2 || dark < 2 {
		t.Errorf("hogs and innocents have contrast %.2f and %.2f", light, dark)
	}
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
					return own[engine].inks[0].Dark
				}
				return own[engine].inks[0].Light
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

// kinds are what a run can have: all that the lab knows, settings with values of several kinds, and foreign servers.
var kinds = []Kind{
	{"threads", ""}, {"threads/pool", ""}, {"threads/pool", "size=8"}, {"coop/await", ""}, {"coop", ""}, {"coop", "yield=1ms"},
	{"coop", "yield=100us"}, {"coop", "offload=1"}, {"coop", "offload=1 yield=1ms"}, {"coop/await", "yield=100us"}, {"exec/b", ""}, {"exec/a", ""},
	{"loop", ""}, {"preempt", ""}, {"preempt", "procs=2"}, {"preempt/nopreempt", ""}, {"preempt/nopreempt", "procs=2"},
}

func TestEachVariantIsToldByItsMarkerItsDashesAndItsShade(t *testing.T) {
	looks := Looks(kinds)
	for i, a := range kinds {
		for _, b := range kinds[:i] {
			x, y := looks[a], looks[b]
			same := own[a.engine()] != nil && a.engine() == b.engine()
			if (x.Words == y.Words) != same {
				t.Errorf("%v and %v: colours %s and %s", a, b, x.Words.Name, y.Words.Name)
			}
			if same && (x.Shape == y.Shape || slices.Equal(x.Dashes, y.Dashes)) {
				t.Errorf("%v and %v have one marker or the same dashes: %+v, %+v", a, b, x, y)
			}
		}
	}
	known := []Kind{{"coop", ""}, {"coop/await", ""}, {"coop", "yield=100us"}, {"coop", "offload=1"}}
	for i, a := range known {
		for _, b := range known[:i] {
			if looks[a].Ink == looks[b].Ink {
				t.Errorf("%v and %v have one shade", a, b)
			}
		}
	}
	if k := looks[Kind{"coop", ""}]; len(k.Dashes) > 0 {
		t.Error("coop itself is dashed")
	}
}

func TestWhatTheLabKnowsLooksTheSameInEveryRun(t *testing.T) {
	all := Looks(kinds)
	for _, k := range []Kind{{"coop", ""}, {"coop/await", ""}, {"coop", "yield=100us"}, {"coop", "offload=1"}, {"preempt", "procs=2"},
		{"preempt/nopreempt", ""}, {"threads/pool", ""}, {"loop", ""}} {
		alone := Looks([]Kind{k})[k]
		if all := all[k]; alone.Ink != all.Ink || alone.Shape != all.Shape || !slices.Equal(alone.Dashes, all.Dashes) {
			t.Errorf("%v looks like %+v alone and like %+v among others", k, alone, all)
		}
	}
	again := Looks([]Kind{{"exec/b", ""}, {"exec/a", ""}})
	if a, b := again[Kind{"exec/a", ""}], again[Kind{"exec/b", ""}]; a.Ink == b.Ink || a.Ink != all[Kind{"exec/a", ""}].Ink {
		t.Error("foreign servers have one colour, or it depends on which others are in the run")
	}
}

func TestMarkersOfDifferentEnginesAreDifferent(t *testing.T) {
	of := map[Shape]Kind{}
	for k, look := range Looks([]Kind{{"coop", ""}, {"coop/await", ""}, {"coop", "yield=1ms"}, {"coop", "offload=1"}, {"preempt", ""},
		{"preempt", "procs=2"}, {"preempt/nopreempt", ""}, {"threads", ""}, {"threads/pool", ""}, {"loop", ""}, {"exec/a", ""}, {"exec/b", ""}}) {
		if other, taken := of[look.Shape]; taken {
			t.Errorf("%v and %v have the same marker: in grey they are one", k, other)
		}
		of[look.Shape] = k
	}
}

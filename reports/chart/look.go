package chart

import (
	"cmp"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// A Look is how one series is drawn, everywhere.
type Look struct {
	Ink    Ink
	Words  Ink // that names are written in: the family's own, which can be read as text
	Shape  Shape
	Dashes []vg.Length
}

// A Kind is what has a look of its own: an engine or a variant of one, and a setting of it.
type Kind struct {
	Label   string // "coop/await"
	Setting string // what tells it from others of its label, "yield=100us"; empty for none
}

// engine returns the engine of a kind: "coop".
func (k Kind) engine() string {
	engine, _, _ := strings.Cut(k.Label, "/")
	return engine
}

// way says how the engine is run, for what does not depend on a value: "/await", "yield", or nothing for the engine itself.
func (k Kind) way() string {
	variant := strings.TrimPrefix(k.Label, k.engine())
	option, _, one := strings.Cut(k.Setting, "=")
	if !one || strings.Contains(k.Setting, " ") {
		option = k.Setting
	}
	return variant + option
}

// A family is the looks of one engine: one colour, and for each way to run it a shade, a marker and dashes.
type family struct {
	inks   Shades
	shapes []Shape        // by place; when they are used up, the other shapes follow
	dashes []vg.Length    // of the engine itself
	places map[string]int // of the ways that the lab knows, so that they look the same in every run
}

// own are the families of the lab's engines; the yardstick is dashed, because it is there to be compared with.
var own = map[string]*family{
	"coop": {inks: blue, shapes: []Shape{Circle, Cross, Star, Bowtie},
		places: map[string]int{"": 0, "/await": 1, "yield": 2, "offload": 3}},
	"preempt": {inks: orange, shapes: []Shape{Square, Saltire, Hourglass},
		places: map[string]int{"": 0, "/nopreempt": 1, "procs": 2}},
	"threads": {inks: green, shapes: []Shape{Triangle, Nabla}, places: map[string]int{"": 0, "/pool": 1}},
	"loop":    {inks: grey, shapes: []Shape{Diamond}, dashes: []vg.Length{5, 2.5}, places: map[string]int{"": 0}},
}

// spare are the families of everything else, in the order in which it appears. Foreign servers (exec/NAME) are not variants
// of one thing, so each is a family while there are any.
var spare = []*family{
	{inks: purple, shapes: []Shape{Left}}, {inks: brown, shapes: []Shape{Right}}, {inks: red, shapes: []Shape{Cross}},
	{inks: violet, shapes: []Shape{Saltire}},
}

// variantDashes tell variants of one engine from it and from each other.
var variantDashes = [][]vg.Length{{7, 3}, {2.5, 2}, {9, 2.5, 2, 2.5}, {14, 3}, {9, 2.5, 2, 2.5, 2, 2.5}, {4, 4}}

// look returns the look of a place in the family; 0 is the engine itself.
func (f *family) look(place int) Look {
	k := Look{Ink: f.inks[(place+place/len(f.inks))%len(f.inks)], Words: f.inks[0], Shape: f.shape(place), Dashes: f.dashes}
	if place > 0 {
		k.Dashes = variantDashes[(place-1)%len(variantDashes)]
	}
	return k
}

func (f *family) shape(place int) Shape {
	all := slices.Clone(f.shapes)
	for s := Circle; s <= Right; s++ {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all[place%len(all)]
}

// Looks gives every kind of a run its look. What the lab knows looks the same in every run; all else takes the next place of
// its family that is free.
func Looks(kinds []Kind) map[Kind]Look {
	kinds = slices.Clone(kinds)
	slices.SortFunc(kinds, func(a, b Kind) int {
		return cmp.Or(strings.Compare(a.Label, b.Label), strings.Compare(a.Setting, b.Setting))
	})
	kinds = slices.Compact(kinds)
	looks, taken, of := map[Kind]Look{}, map[*family]map[int]bool{}, familiesOf(kinds)
	for _, known := range []bool{true, false} {
		for _, k := range kinds {
			f := of[k.Label]
			if taken[f] == nil {
				taken[f] = map[int]bool{}
			}
			place, isKnown := f.places[k.way()]
			if _, done := looks[k]; done || known && (!isKnown || taken[f][place]) {
				continue
			}
			if !known {
				place = f.free(taken[f])
			}
			looks[k], taken[f][place] = f.look(place), true
		}
	}
	return looks
}

// familiesOf returns the family of each label.
func familiesOf(kinds []Kind) map[string]*family {
	of, others := map[string]*family{}, 0
	for _, k := range kinds {
		if of[k.Label] != nil {
			continue
		}
		f, ok := own[k.engine()]
		if !ok {
			f = spare[others%len(spare)]
			others++
		}
		of[k.Label] = f
	}
	return of
}

// free returns the first place that nobody has and that is kept for nobody.
func (f *family) free(taken map[int]bool) int {
	place := len(f.places)
	for taken[place] { // bounded by the kinds that have one
		place++
	}
	return place
}

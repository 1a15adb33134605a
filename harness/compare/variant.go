package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// A Variant picks points of one engine: by its label, and where a run has it with several settings of its options, by these.
type Variant struct {
	Label string
	Set   map[string]string // by full name: "coop.yield"
}

// ParseVariant reads an engine as users write it: coop, coop/await, 'coop yield=0s'. set holds settings by full name that
// count for every engine that has them.
func ParseVariant(text string, set map[string]string) (Variant, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Variant{}, misuse.Errorf("--engine: a name is empty; write one such as coop, or 'coop yield=0s'")
	}
	v := Variant{Label: words[0], Set: map[string]string{}}
	engine, _, _ := strings.Cut(v.Label, "/")
	for name, value := range set {
		if strings.HasPrefix(name, engine+".") {
			v.Set[name] = value
		}
	}
	for _, word := range words[1:] {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" || value == "" {
			return v, misuse.Errorf("--engine %s: %q is no setting; write OPTION=VALUE, as in 'coop yield=0s'", text, word)
		}
		v.Set[engine+"."+strings.TrimPrefix(name, engine+".")] = value
	}
	return v, nil
}

// takes reports whether a point is of the variant. A setting says nothing of a point without the option: within a run the
// socket workloads and the operations have different ones.
func (v Variant) takes(p record.Point) bool {
	if p.Label() != v.Label {
		return false
	}
	for name, value := range v.Set {
		if _, has := p.Params[name]; has && !sameValue(p.Text(name), value) {
			return false
		}
	}
	return true
}

// sameValue compares values as users write them: 100us is 100µs, and 0 is 0s.
func sameValue(a, b string) bool {
	x, errX := time.ParseDuration(a)
	y, errY := time.ParseDuration(b)
	return a == b || a != "" && errX == nil && errY == nil && x == y
}

// Defaults returns the default of an engine's or workload's option by its full name; ok is false for what has none.
type Defaults func(name string) (value string, ok bool)

// of returns a default; nil has none.
func (d Defaults) of(name string) (value string, ok bool) {
	if d == nil {
		return "", false
	}
	return d(name)
}

// plain leaves of points under the same load the one with the engine's defaults, as far as the points differ. Without one
// it is the user's to say which is meant.
func (s side) plain(same []record.Point, defaults Defaults) (record.Point, error) {
	if len(same) == 1 {
		return same[0], nil
	}
	differ := record.Varying(same)
	var left []record.Point
	for _, p := range same {
		if !slices.ContainsFunc(differ, func(name string) bool {
			value, ok := defaults.of(name)
			return !ok || !sameValue(p.Text(name), value)
		}) {
			left = append(left, p)
		}
	}
	if len(left) == 1 {
		return left[0], nil
	}
	return record.Point{}, misuse.Errorf("%s has several points of %s under the same load; they differ in %s: name one, as in --engine '%s'",
		s.name, same[0].Label(), valuesText(same, differ), example(same[0], differ))
}

// valuesText lists options with the values that points have: "coop.yield (0s, 100µs)".
func valuesText(points []record.Point, names []string) string {
	var parts []string
	for _, name := range names {
		var values []string
		for _, p := range points {
			if value := p.Text(name); value != "" && !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
		if values == nil {
			parts = append(parts, "no "+name)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", name, strings.Join(values, ", ")))
	}
	return strings.Join(parts, " and ")
}

// example is what to write to mean a point.
func example(p record.Point, names []string) string {
	text := p.Label()
	for _, name := range names {
		text += " " + strings.TrimPrefix(name, p.Engine+".") + "=" + p.Text(name)
	}
	return text
}

// text is how the variant is written.
func (v Variant) text() string {
	text := v.Label
	for _, name := range slices.Sorted(maps.Keys(v.Set)) {
		_, option, _ := strings.Cut(name, ".")
		text += " " + option + "=" + v.Set[name]
	}
	return text
}

// known refuses a variant that no point of a plan is of, and says what there is.
func (v Variant) known(dir string, plan []record.Point) error {
	var labels []string
	var own []record.Point
	taken, met := false, map[string]bool{}
	for _, p := range plan {
		if v.takes(p) {
			for name := range v.Set {
				if _, has := p.Params[name]; has {
					met[name] = true
				}
			}
			taken = true
		}
		labels = append(labels, p.Label())
		if p.Label() == v.Label {
			own = append(own, p)
		}
	}
	if taken && len(met) == len(v.Set) {
		return nil
	}
	if own == nil {
		slices.Sort(labels)
		return misuse.Errorf("%s has no engine %q; it has: %s", dir, v.Label, strings.Join(slices.Compact(labels), ", "))
	}
	return misuse.Errorf("%s has no %q; it has %s with %s", dir, v.text(), v.Label, valuesText(own, slices.Sorted(maps.Keys(v.Set))))
}

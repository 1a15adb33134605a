// Package option gives every knob of the lab one shape: a name, a kind, a default, bounds and a reason.
//
// Engines and workloads declare their options as a [Set]. The command line, the plan, the child processes, the records and
// `lab list` all read that one declaration, so that an option cannot be accepted in one place and ignored in another: a
// name or a value that the declaration does not allow is an error with the list of what it allows.
//
// Values travel as text in the form the user writes (`64k`, `100us`, `off`) and are parsed once. Limits: a value is one
// scalar; lists and ranges exist only on the command line, where [Expand] turns them into the points of an axis.
package option

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"turnlab/internal/misuse"
)

// Kind says how the text of a value is read.
type Kind uint8

// The kinds.
const (
	Int      Kind = iota // a whole number: 64, 1k (1,000)
	Size                 // bytes: 64, 1k (1,024), 2M
	Float                // a number: 0.5, 5%
	Duration             // as in Go: 100us, 1.5s
	Choice               // one word of Option.Choices
	Text                 // any text
)

// An Option declares one knob.
type Option struct {
	Name    string   // lower case, as in --set engine.NAME=VALUE
	Kind    Kind     // how its text is read
	Default string   // as the user would write it
	Min     float64  // smallest allowed value, in base units (count, bytes, seconds)
	Max     float64  // largest allowed value; 0 means no bound
	Choices []string // the words that Choice allows
	Help    string   // what it does and why the default is what it is, one line
}

// Parse reads text as a value of this option.
func (o Option) Parse(text string) (Value, error) {
	v, err := parse(o.Kind, text)
	if err != nil {
		return Value{}, fmt.Errorf("%s: %w", o.Name, err)
	}
	if o.Kind == Choice && !slices.Contains(o.Choices, text) {
		return Value{}, misuse.Errorf("%s: %q is not one of %s", o.Name, text, strings.Join(o.Choices, ", "))
	}
	if o.Kind < Choice && (v.Float() < o.Min || (o.Max > 0 && v.Float() > o.Max)) {
		return Value{}, misuse.Errorf("%s: %s is out of bounds: it takes %s", o.Name, text, o.bounds())
	}
	return v, nil
}

// bounds describes the allowed range in the units of the option.
func (o Option) bounds() string {
	if o.Max > 0 {
		return o.show(o.Min) + " to " + o.show(o.Max)
	}
	return o.show(o.Min) + " or more"
}

// show writes a bound as a user would.
func (o Option) show(x float64) string {
	switch o.Kind {
	case Duration:
		return time.Duration(x * float64(time.Second)).String()
	case Size:
		return showSize(x)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

func showSize(x float64) string {
	unit := 0
	for unit < 3 && x >= 1024 && math.Mod(x, 1024) == 0 {
		x /= 1024
		unit++
	}
	return strconv.FormatFloat(x, 'f', -1, 64) + [...]string{"", "k", "M", "G"}[unit]
}

// A Value is one parsed scalar. Values of one kind compare with ==.
type Value struct {
	kind Kind
	num  float64 // base units; durations in seconds
	ns   int64   // durations, exactly
	text string  // canonical text
}

// String returns the canonical text, which Parse reads back.
func (v Value) String() string { return v.text }

// Int returns a count or a number of bytes.
func (v Value) Int() int { return int(v.num) }

// Float returns the value in base units: a count, bytes, or seconds.
func (v Value) Float() float64 { return v.num }

// Duration returns a duration.
func (v Value) Duration() time.Duration { return time.Duration(v.ns) }

// Numeric reports whether the value has a place on a number axis.
func (v Value) Numeric() bool { return v.kind < Choice }

// MarshalJSON writes counts, sizes and floats as numbers and everything else as text.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.kind < Duration {
		return json.Marshal(v.num)
	}
	return json.Marshal(v.text)
}

func parse(k Kind, text string) (Value, error) {
	if text == "" {
		return Value{}, misuse.Errorf("empty value")
	}
	switch k {
	case Int, Size:
		return parseWhole(k, text)
	case Float:
		return parseFloat(text)
	case Duration:
		return parseDuration(text)
	default:
		return Value{kind: k, text: text}, nil
	}
}

func parseWhole(k Kind, text string) (Value, error) {
	base := 1000.0
	if k == Size {
		base = 1024
	}
	digits, unit := text, 1.0
	for i, letters := range []string{"kK", "mM", "gG"} {
		if strings.ContainsRune(letters, rune(text[len(text)-1])) {
			digits, unit = text[:len(text)-1], math.Pow(base, float64(i+1))
		}
	}
	exact, err := number(digits)
	exact *= unit
	n := math.Round(exact)
	// 1.001k is 1001, although the product is a hair off it.
	if err != nil || math.Abs(exact-n) > 1e-12*math.Abs(n) || math.Abs(n) > 1<<52 {
		return Value{}, misuse.Errorf("%q is not a whole number", text)
	}
	n += 0 // makes -0 an ordinary zero
	return Value{kind: k, num: n, text: strconv.FormatInt(int64(n), 10)}, nil
}

// number reads a decimal number. strconv alone would also take hexadecimal, underscores and the names of infinity, which
// are far more likely to be slips.
func number(text string) (float64, error) {
	if strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// parseFloat divides percents by 100 and does not multiply by 0.01, which has no exact form: 7% is 0.07.
func parseFloat(text string) (Value, error) {
	digits, percent := strings.CutSuffix(text, "%")
	f, err := number(digits)
	if err != nil {
		return Value{}, misuse.Errorf("%q is not a number", text)
	}
	if percent {
		f /= 100
	}
	f += 0 // makes -0 an ordinary zero
	return Value{kind: Float, num: f, text: strconv.FormatFloat(f, 'g', -1, 64)}, nil
}

func parseDuration(text string) (Value, error) {
	if text == "0" {
		text = "0s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return Value{}, misuse.Errorf("%q is not a duration such as 100us, 5ms or 2s", text)
	}
	return Value{kind: Duration, num: d.Seconds(), ns: int64(d), text: d.String()}, nil
}

// A Set is the options that one engine or workload declares.
type Set []Option

// Find returns the option called name.
func (s Set) Find(name string) (Option, bool) {
	for _, o := range s {
		if o.Name == name {
			return o, true
		}
	}
	return Option{}, false
}

// Names lists the options in the order of their declaration.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, o := range s {
		names[i] = o.Name
	}
	return names
}

// Resolve parses the given texts and fills in the defaults. An unknown name is an error that lists the known ones.
func (s Set) Resolve(given map[string]string) (Values, error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := s.Find(name); !ok {
			return nil, misuse.Errorf("no option %q; there are: %s", name, s.list())
		}
	}
	values := make(Values, len(s))
	for _, o := range s {
		text, ok := given[o.Name]
		if !ok {
			text = o.Default
		}
		v, err := o.Parse(text)
		if err != nil {
			return nil, err
		}
		values[o.Name] = v
	}
	return values, nil
}

func (s Set) list() string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s.Names(), ", ")
}

// Values holds a value for every option of a Set. The getters panic on a name that the Set does not declare, which is a
// mistake of the programmer, not of the user.
type Values map[string]Value

// Get returns the value of the option called name.
func (v Values) Get(name string) Value {
	x, ok := v[name]
	if !ok {
		panic("option: " + name + " is not declared")
	}
	return x
}

// Int returns a count or a number of bytes.
func (v Values) Int(name string) int { return v.Get(name).Int() }

// Float returns the value in base units.
func (v Values) Float(name string) float64 { return v.Get(name).Float() }

// Duration returns a duration.
func (v Values) Duration(name string) time.Duration { return v.Get(name).Duration() }

// Text returns the canonical text.
func (v Values) Text(name string) string { return v.Get(name).String() }

// Texts returns every value as canonical text, the form in which values travel to a child process.
func (v Values) Texts() map[string]string {
	out := make(map[string]string, len(v))
	for name, x := range v {
		out[name] = x.String()
	}
	return out
}

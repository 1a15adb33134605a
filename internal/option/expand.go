package option

import (
	"fmt"
	"math"
	"strings"

	"turnlab/internal/misuse"
)

// MaxAxis bounds the number of values one axis may have, so that a slip such as 1..1000000+1 is an error and not a week.
const MaxAxis = 1000

// Expand reads the values of an axis: commas separate items, and an item may be a range, `1..4096*4` (times four) or
// `0..100+20` (in steps of twenty). The end of a range is included when it is hit exactly. Values that repeat are errors,
// except inside a range of whole numbers, where rounding can make two steps equal: 1..10*1.5 is 1, 2, 3, 5, 8.
func (o Option) Expand(text string) ([]Value, error) {
	var values []Value
	seen := map[string]bool{}
	for _, item := range strings.Split(text, ",") {
		part, err := o.expandItem(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		for _, v := range part {
			if seen[v.text] {
				return nil, misuse.Errorf("%s: %s is given twice", o.Name, v)
			}
			seen[v.text] = true
		}
		values = append(values, part...)
		if len(values) > MaxAxis {
			return nil, misuse.Errorf("%s: %q gives more than %d values", o.Name, text, MaxAxis)
		}
	}
	return values, nil
}

func (o Option) expandItem(item string) ([]Value, error) {
	from, rest, ok := strings.Cut(item, "..")
	if !ok || o.Kind == Choice || o.Kind == Text {
		v, err := o.Parse(item)
		if err != nil {
			return nil, err
		}
		return []Value{v}, nil
	}
	at := strings.LastIndexAny(rest, "*+")
	if at < 0 {
		return nil, misuse.Errorf("%s: range %q has no step: write 1..4096*4 (times) or 0..100+20 (steps)", o.Name, item)
	}
	return o.expandRange(item, from, rest[:at], rest[at], rest[at+1:])
}

func (o Option) expandRange(item, from, to string, op byte, by string) ([]Value, error) {
	first, err := o.Parse(from)
	if err != nil {
		return nil, err
	}
	last, err := o.Parse(to)
	if err != nil {
		return nil, err
	}
	step, err := o.step(op, by)
	if err != nil {
		return nil, err
	}
	grows := op == '+' && step > 0 || op == '*' && step > 1 && first.Float() > 0
	if !grows || last.Float() < first.Float() {
		return nil, misuse.Errorf("%s: range %q never reaches its end", o.Name, item)
	}
	values, err := o.walk(first.Float(), last.Float(), op, step)
	if err != nil {
		return nil, fmt.Errorf("range %q: %w", item, err)
	}
	return values, nil
}

// walk makes the values from first to last. The slack lets 0..1+0.1 end at 1 although 0.1 has no exact binary form.
func (o Option) walk(first, last float64, op byte, step float64) ([]Value, error) {
	at := func(i int) float64 { return first + float64(i)*step }
	slack := step * 1e-9
	if op == '*' {
		at = func(i int) float64 { return first * math.Pow(step, float64(i)) }
		slack = last * 1e-9
	}
	var values []Value
	for i := 0; at(i) <= last+slack; i++ {
		if i == MaxAxis {
			return nil, misuse.Errorf("%s: it has more than %d steps", o.Name, MaxAxis)
		}
		v, err := o.Parse(o.text(at(i)))
		if err != nil {
			return nil, err
		}
		if i == 0 || v != values[len(values)-1] {
			values = append(values, v)
		}
	}
	return values, nil
}

// step reads what follows the operator: a plain factor after *, a value of the option's own kind after +.
func (o Option) step(op byte, by string) (float64, error) {
	kind := o.Kind
	if op == '*' {
		kind = Float
	}
	v, err := parse(kind, by)
	if err != nil {
		return 0, fmt.Errorf("%s: step: %w", o.Name, err)
	}
	return v.Float(), nil
}

// text writes a number of base units so that Parse reads it.
func (o Option) text(x float64) string {
	switch o.Kind {
	case Duration:
		return fmt.Sprintf("%dns", int64(math.Round(x*1e9)))
	case Float:
		return fmt.Sprintf("%.12g", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}

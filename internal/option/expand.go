package option

import (
	"fmt"
	"strings"
)

// MaxAxis bounds the number of values one axis may have, so that a slip such as 1..1000000+1 is an error and not a week.
const MaxAxis = 1000

// Expand reads the values of an axis: commas separate items, and an item may be a range, `1..4096*4` (times four) or
// `0..100+20` (in steps of twenty). The end of a range is included when it is hit exactly. Values that repeat are errors.
func (o Option) Expand(text string) ([]Value, error) {
	var values []Value
	seen := map[Value]bool{}
	for _, item := range strings.Split(text, ",") {
		part, err := o.expandItem(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		for _, v := range part {
			if seen[v] {
				return nil, fmt.Errorf("%s: %s is given twice", o.Name, v)
			}
			seen[v] = true
		}
		values = append(values, part...)
		if len(values) > MaxAxis {
			return nil, fmt.Errorf("%s: %q gives more than %d values", o.Name, text, MaxAxis)
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
		return nil, fmt.Errorf("%s: range %q has no step: write 1..4096*4 (times) or 0..100+20 (steps)", o.Name, item)
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
		return nil, fmt.Errorf("%s: range %q never reaches its end", o.Name, item)
	}
	var values []Value
	// The slack lets 0..1+0.1 end at 1 although 0.1 has no exact binary form.
	for x := first.Float(); x <= last.Float()*(1+1e-9); {
		v, err := o.Parse(o.text(x))
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if len(values) > MaxAxis {
			return nil, fmt.Errorf("%s: range %q gives more than %d values", o.Name, item, MaxAxis)
		}
		if op == '+' {
			x = first.Float() + float64(len(values))*step
		} else {
			x *= step
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
		return fmt.Sprintf("%dns", int64(x*1e9+0.5))
	case Float:
		return fmt.Sprintf("%.12g", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}

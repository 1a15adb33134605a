// Package unit writes measured numbers for people.
//
// Charts, tables and the terminal must show one number in one way, so the rule is here: three significant digits, the SI
// prefix that leaves one to three digits before the point, binary prefixes for memory. Files keep base units; nothing that
// this package writes is meant to be read back.
package unit

import (
	"math"
	"strconv"
	"strings"
)

// A Unit says what a number counts.
type Unit uint8

// The units.
const (
	Plain     Unit = iota // 1.5k
	PerSecond             // 1.5k/s
	Nanos                 // nanoseconds: 1.5 µs
	Bytes                 // 1.5 KiB
	Times                 // a ratio: 1.50×
	Percent               // a share of one: 15.0 %
)

// space does not break, so that a number and its unit stay together.
const space = "\u00a0"

// Format writes x with three significant digits and its unit. A number that is not one is a dash.
func (u Unit) Format(x float64) string { return u.write(x, digits) }

// Tick writes x as an axis does: the same, without digits that say nothing.
func (u Unit) Tick(x float64) string {
	return u.write(x, func(x float64) string {
		text := strconv.FormatFloat(x, 'g', 4, 64)
		if strings.Contains(text, "e") {
			text = strconv.FormatFloat(x, 'f', 0, 64)
		}
		return text
	})
}

func (u Unit) write(x float64, number func(float64) string) string {
	if math.IsNaN(x) {
		return "–"
	}
	if math.IsInf(x, 0) {
		return strings.Replace(strconv.FormatFloat(x, 'f', 0, 64), "Inf", "∞", 1)
	}
	switch u {
	case Nanos:
		return scaled(x, 1000, []string{"ns", "µs", "ms", "s"}, space, number)
	case Bytes:
		return scaled(x, 1024, []string{"B", "KiB", "MiB", "GiB", "TiB"}, space, number)
	case Times:
		return number(x) + "×"
	case Percent:
		return number(100*x) + space + "%"
	case PerSecond:
		return scaled(x, 1000, prefixes, "", number) + "/s"
	default:
		return scaled(x, 1000, prefixes, "", number)
	}
}

var prefixes = []string{"", "k", "M", "G", "T"}

// scaled divides x by base until less than base is left. What would round up to base counts as base: 999.9 is 1.00k.
func scaled(x, base float64, names []string, gap string, number func(float64) string) string {
	i := 0
	for i < len(names)-1 && math.Abs(x) >= base-0.5 {
		x /= base
		i++
	}
	if x == 0 {
		return "0"
	}
	if names[i] == "" {
		return number(x)
	}
	return number(x) + gap + names[i]
}

// digits writes three significant digits and never an exponent.
func digits(x float64) string {
	size := math.Abs(x)
	switch {
	case x == 0:
		return "0"
	case size >= 99.95:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 9.995:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case size >= 0.01:
		return strconv.FormatFloat(x, 'f', 2, 64)
	default:
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
}

// Noun names what a number counts, where no number stands: "bytes".
func (u Unit) Noun() string {
	return map[Unit]string{PerSecond: "requests per second", Nanos: "time", Bytes: "bytes", Times: "ratio", Percent: "share"}[u]
}

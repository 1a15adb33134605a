package chart

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"turnlab/reports/unit"
)

// A span of values on one axis, ready to be drawn: it is the axis's Normalizer and its Ticker, so that both use the same
// bounds.
type scale struct {
	kind     Scale
	min, max float64 // in transformed values: logarithms on a log scale
	ticks    []plot.Tick
}

// Normalize returns the place of x as a share of the axis.
func (s scale) Normalize(_, _, x float64) float64 {
	return (s.kind.transform(x) - s.min) / (s.max - s.min)
}

// Ticks returns the ticks, whatever the bounds are: they were made for them.
func (s scale) Ticks(_, _ float64) []plot.Tick { return s.ticks }

func (k Scale) transform(x float64) float64 {
	switch k {
	case Log:
		return math.Log10(x)
	case Nines:
		return -math.Log10(1 - x)
	default:
		return x
	}
}

// shows reports whether x has a place on the scale.
func (k Scale) shows(x float64) bool { return finite(x) && finite(k.transform(x)) }

// newScale makes the scale of an axis that has room for length points and shows values from min to max.
func newScale(a Axis, min, max float64, length vg.Length, upright bool) scale {
	if a.Range != (Range{}) {
		min, max = a.Range.Min, a.Range.Max
	}
	if min > max || !a.Scale.shows(min) || !a.Scale.shows(max) {
		min, max = 0.9, 1 // nothing to show; any range will do, on any scale
	}
	s := scale{kind: a.Scale}
	if upright {
		s.min, s.max, s.ticks = roomy(a, min, max)
		return s
	}
	s.min, s.max = pad(a.Scale.transform(min), a.Scale.transform(max))
	s.ticks = sparse(a.horizontal(s), s, length)
	return s
}

// pad gives the outermost points some air, and an axis of one value a width.
func pad(min, max float64) (float64, float64) {
	air := 0.03 * (max - min)
	if air == 0 {
		air = 0.5
	}
	return min - air, max + air
}

// roomy returns an upright axis that begins and ends at ticks: at zero where the scale is linear and nothing is negative,
// because the height of a line above the axis is read as its size.
func roomy(a Axis, min, max float64) (from, to float64, ticks []plot.Tick) {
	var values []float64
	switch {
	case a.Scale == Log:
		values = logTicks(a.Unit, min, max)
	default:
		values = linearTicks(a.Unit, math.Min(min, 0), max)
	}
	for _, v := range values {
		ticks = append(ticks, plot.Tick{Value: v, Label: a.Unit.Tick(v)})
	}
	return a.Scale.transform(values[0]), a.Scale.transform(values[len(values)-1]), ticks
}

// linearTicks returns three to seven round values that enclose min and max.
func linearTicks(u unit.Unit, min, max float64) []float64 {
	if max <= min {
		max = min + 1
	}
	step := roundStep(u, (max-min)/4)
	first := math.Floor(min/step + 1e-9)
	last := math.Ceil(max/step - 1e-9)
	var ticks []float64
	for i := first; i <= last; i++ {
		ticks = append(ticks, i*step)
	}
	return ticks
}

// roundStep returns the nearest 1, 2, 2.5 or 5 times a power of the unit's base that is not below x by much.
func roundStep(u unit.Unit, x float64) float64 {
	prefix := 1.0
	if u == unit.Bytes {
		// Round in binary units: steps of 20 MiB, not of 20,000,000 bytes.
		prefix = math.Pow(1024, math.Floor(math.Log(math.Max(x, 1))/math.Log(1024)))
	}
	x /= prefix
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= 0.85*x {
			return m * power * prefix
		}
	}
	return 10 * power * prefix
}

// logTicks returns values that enclose min and max: powers, and steps between them when there are few.
func logTicks(u unit.Unit, min, max float64) []float64 {
	if u == unit.Bytes {
		return powers(min, max, 2, []float64{1})
	}
	decades := math.Log10(max / min)
	switch {
	case decades < 1.3:
		return powers(min, max, 10, []float64{1, 2, 5})
	case decades < 2.6:
		return powers(min, max, 10, []float64{1, 3})
	default:
		return powers(min, max, 10, []float64{1})
	}
}

// maxTicks bounds the labels of an upright axis.
const maxTicks = 8

// powers lists multiples of powers of base around min to max; when that gives too many it takes every second, third … power.
func powers(min, max, base float64, multiples []float64) []float64 {
	var ticks []float64
	low := math.Floor(math.Log(min)/math.Log(base) + 1e-9)
	high := math.Ceil(math.Log(max)/math.Log(base) - 1e-9)
	for e := low; e <= high+1; e++ {
		for _, m := range multiples {
			ticks = append(ticks, m*math.Pow(base, e))
		}
	}
	for len(ticks) > 1 && ticks[1] <= min*(1+1e-9) {
		ticks = ticks[1:]
	}
	for len(ticks) > 2 && ticks[len(ticks)-2] >= max*(1-1e-9) {
		ticks = ticks[:len(ticks)-1]
	}
	return thin(ticks, (len(ticks)-1)/maxTicks+1)
}

// thin keeps every nth tick. It adds one beyond the end when the last does not fall on a step, so that the axis still
// encloses the data.
func thin(ticks []float64, n int) []float64 {
	if n == 1 {
		return ticks
	}
	var kept []float64
	for i := 0; i < len(ticks); i += n {
		kept = append(kept, ticks[i])
	}
	if last := len(kept) - 1; kept[last] < ticks[len(ticks)-1] {
		kept = append(kept, kept[last]*kept[1]/kept[0])
	}
	return kept
}

// horizontal lists the ticks of an axis that ends where its data ends: the wanted ones, or round values within.
func (a Axis) horizontal(s scale) []plot.Tick {
	var ticks []plot.Tick
	for i, v := range a.Marks {
		label := a.Unit.Tick(v)
		if i < len(a.Names) {
			label = a.Names[i]
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	if len(a.Marks) > 0 {
		return ticks
	}
	for _, v := range a.roundWithin(s) {
		ticks = append(ticks, plot.Tick{Value: v, Label: a.tickLabel(v)})
	}
	return ticks
}

func (a Axis) roundWithin(s scale) []float64 {
	switch a.Scale {
	case Log:
		return logTicks(a.Unit, math.Pow(10, s.min), math.Pow(10, s.max))
	case Nines:
		values := []float64{0, 0.5}
		for q, nines := 0.1, 1.0; nines <= s.max && nines < 10; nines++ {
			values = append(values, 1-q)
			q /= 10
		}
		return values
	default:
		return linearTicks(a.Unit, s.min, s.max)
	}
}

func (a Axis) tickLabel(v float64) string {
	if a.Scale != Nines {
		return a.Unit.Tick(v)
	}
	return Percent(v)
}

// Percent writes a quantile in percent with the digits that it needs: 99.99. The sign is the axis's to give.
func Percent(q float64) string {
	percent := unit.Plain.Tick(100 * q)
	if missing := 1 - q; missing < 0.0095 {
		decimals := int(math.Round(-math.Log10(missing))) - 2
		percent = "99." + "9999999999"[:decimals]
	}
	return percent
}

// sparse drops ticks outside the scale and labels that would touch. The last label stays, because where an axis ends is
// the first thing one asks of it.
func sparse(ticks []plot.Tick, s scale, length vg.Length) []plot.Tick {
	var inside []plot.Tick
	for _, t := range ticks {
		if at := s.Normalize(0, 0, t.Value); at >= -1e-9 && at <= 1+1e-9 {
			inside = append(inside, t)
		}
	}
	end := vg.Length(math.Inf(1)) // the left edge of the label to the right
	for i := len(inside) - 1; i >= 0; i-- {
		half := style(Muted, tickSize, 0, 0).Width(inside[i].Label) / 2
		at := vg.Length(s.Normalize(0, 0, inside[i].Value)) * length
		if at+half+4 > end {
			inside[i].Label = ""
			continue
		}
		end = at - half
	}
	return inside
}

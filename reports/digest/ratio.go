package digest

import (
	"maps"
	"math"
	"slices"

	"turnlab/harness/record"
	"turnlab/harness/stat"
)

// A Ratio compares one series with another at one value of the axis, block by block.
type Ratio struct {
	Series         int // in the panel
	X              Value
	Median, Lo, Hi float64
	Values         []float64 // by block
}

// Baseline returns the series that others are compared with: preempt, which is what a Go programmer writes anyway, or the
// first there is.
func (p Panel) Baseline() int {
	for i, s := range p.Series {
		if s.Name == "preempt" {
			return i
		}
	}
	return 0
}

// Ratio compares the metric of one series with another's at x. Trials of the same block are paired, so that what slows down
// a whole block cancels. ok is false when no block has both.
func (d *Digest) Ratio(p Panel, m Metric, series, baseline int, x Value) (r Ratio, ok bool) {
	above, haveAbove := p.Series[series].At(x)
	below, haveBelow := p.Series[baseline].At(x)
	if !haveAbove || !haveBelow {
		return r, false
	}
	r, ok = ratio(byBlock(above, m), byBlock(below, m), above.Blocks)
	r.Series, r.X = series, x
	return r, ok
}

// fewestTwins is in how many blocks an engine must have been measured twice for that to be called a measurement.
const fewestTwins = 3

// Floor returns how far from 1 a metric's ratio of an engine to itself may lie at x, by the series that were measured twice
// in each block. Nothing smaller can be told from noise. It is NaN when nobody knows.
func (d *Digest) Floor(p Panel, m Metric, x Value) float64 {
	floor := math.NaN()
	for _, s := range p.Series {
		c, ok := s.At(x)
		if !ok || len(c.Again) == 0 {
			continue
		}
		again := c
		again.Trials = c.Again
		r, ok := ratio(byBlock(again, m), byBlock(c, m), c.Blocks)
		if !ok || c.Blocks < stat.MinTrials || len(r.Values) < fewestTwins {
			continue
		}
		if math.IsInf(r.Hi, 0) { // trials of it do not count: their range is what there is
			r.Lo, r.Hi = slices.Min(r.Values), slices.Max(r.Values)
		}
		if farthest := math.Max(math.Abs(r.Lo-1), math.Abs(r.Hi-1)); !(farthest <= floor) { // also when there is none yet
			floor = farthest
		}
	}
	return floor
}

func ratio(above, below map[int]float64, blocks int) (Ratio, bool) {
	var r Ratio
	var pairs []stat.Pair
	for _, block := range slices.Sorted(maps.Keys(above)) {
		a, okA := above[block]
		b, okB := below[block]
		if okA && okB && a > 0 && b > 0 {
			pairs = append(pairs, stat.Pair{A: a, B: b})
			r.Values = append(r.Values, a/b)
		}
	}
	c, err := stat.Compare(pairs)
	if err != nil {
		return r, false // no block has both
	}
	r.Median, r.Lo, r.Hi = c.Ratio, math.Inf(1), math.Inf(-1)
	for _, v := range r.Values {
		r.Lo, r.Hi = math.Min(r.Lo, v), math.Max(r.Hi, v)
	}
	if blocks >= stat.MinTrials {
		r.Lo, r.Hi = bounds(c.Interval)
	}
	return r, true
}

// byBlock returns the metric of the valid trials of a cell by block; of a block's trials at one point the first counts.
func byBlock(c Cell, m Metric) map[int]float64 {
	values := map[int]float64{}
	for _, t := range c.Valid() {
		if _, seen := values[t.Block]; seen {
			continue
		}
		if x, ok := m.Of(t); ok {
			values[t.Block] = x
		}
	}
	return values
}

// Representative returns up to n values of the panel's axis, spread from the first to the last.
func (p Panel) Representative(n int) []Value {
	values := p.Values()
	if len(values) <= n {
		return values
	}
	var picked []Value
	for i := range n {
		picked = append(picked, values[i*(len(values)-1)/(n-1)])
	}
	return picked
}

// Middle returns the value of the axis in the middle of those at which the most series have a trial that has something; ok is
// false when there is none.
func (p Panel) Middle(has func(t *record.Trial) bool) (x Value, ok bool) {
	if best := p.fullest(has); len(best) > 0 {
		return best[len(best)/2], true
	}
	return x, false
}

// Last returns the last of those values: where the axis is a load, the highest at which series can be compared.
func (p Panel) Last(has func(t *record.Trial) bool) (x Value, ok bool) {
	if best := p.fullest(has); len(best) > 0 {
		return best[len(best)-1], true
	}
	return x, false
}

// fullest returns the values of the axis at which the most series have a trial for which has is true.
func (p Panel) fullest(has func(t *record.Trial) bool) (best []Value) {
	most := 0
	for _, v := range p.Values() {
		n := 0
		for _, s := range p.Series {
			if c, ok := s.At(v); ok && First(c, has) != nil {
				n++
			}
		}
		if n > most {
			most, best = n, nil
		}
		if n == most && n > 0 {
			best = append(best, v)
		}
	}
	return best
}

// First returns the first valid trial of a cell for which has is true, or nil.
func First(c Cell, has func(t *record.Trial) bool) *record.Trial {
	for _, t := range c.Valid() {
		if has(t) {
			return t
		}
	}
	return nil
}

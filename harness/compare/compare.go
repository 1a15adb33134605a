// Package compare puts two sides of measurements beside each other: two engines of one run, or two runs.
//
// Every figure that both sides have at a point is one row: the medians, the ratio of B to A, its interval, its p value, and
// a verdict. All rows are one family, because they are read together: their p values are corrected for their number. Where
// a run measured an engine against itself (record.Again), the ratio that this gave is the floor that a difference must
// exceed; nothing smaller can be told from noise.
//
// Limits: the blocks of one run pair its engines, so that what slows a whole block cancels. Two runs have no blocks in
// common; they are paired in order, nothing cancels, and whatever changed on the machine between them counts as a
// difference. Compare within a run where that is possible.
package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/internal/misuse"
)

// A Table is the comparison of B with A.
type Table struct {
	A, B   string
	Paired bool // by block: both sides are of one run
	Blocks int  // the most that a row has
	Floors bool // some row has a floor
	Rows   []Row
}

// A Row compares one figure at one point.
type Row struct {
	Point   string // workload and parameters, as far as they differ within the table
	Metric  string
	Better  string  // "higher" or "lower"
	A, B    float64 // medians of the trials that have a partner, in the metric's unit
	Ratio   stat.Comparison
	P       float64 // Ratio.P, corrected for all rows
	Floor   float64 // largest distance from 1 that an engine's ratio to itself may have; NaN when nobody knows
	Verdict stat.Verdict
}

// Engines compares engine b with engine a within a run; the two may be one engine with two settings. Where a run has an
// engine several times under one load and the variant does not say which is meant, the one with the defaults is taken.
func Engines(f *record.Folder, a, b Variant, defaults Defaults) (*Table, error) {
	if a.Label == b.Label && maps.Equal(a.Set, b.Set) {
		return nil, misuse.Errorf("%s is named twice: name two engines, as in --engine coop,preempt", a.Label)
	}
	t := &Table{A: a.text(), B: b.text(), Paired: true}
	sideA, err := newSide(f, a)
	if err != nil {
		return nil, err
	}
	sideB, err := newSide(f, b)
	if err != nil {
		return nil, err
	}
	if err := t.fill(record.Point.SameLoad, defaults, sideA, sideB, floorsOf(f)); err != nil {
		return nil, err
	}
	return t, nil
}

// Runs compares the engines of run b with the same engines of run a; with engines named, only those. An option that one
// run does not know, because the lab has learnt it since, was there what its default is now: it does not tell points apart
// unless it was set.
func Runs(a, b *record.Folder, engines []Variant, defaults Defaults) (*Table, error) {
	if a.Run.ID == b.Run.ID {
		return nil, misuse.Errorf("%s and %s are the same run: to compare two of its engines, name it once with --engine coop,preempt",
			a.Dir, b.Dir)
	}
	t := &Table{A: a.Dir, B: b.Dir}
	sideA, err := newSide(a, engines...)
	if err != nil {
		return nil, err
	}
	sideB, err := newSide(b, engines...)
	if err != nil {
		return nil, err
	}
	known := shared(names(sideA.points), names(sideB.points))
	same := func(p record.Point) string {
		p.Params = maps.Clone(p.Params)
		maps.DeleteFunc(p.Params, func(name string, _ any) bool {
			value, ok := defaults.of(name)
			return !known[name] && ok && sameValue(p.Text(name), value)
		})
		return fmt.Sprintf("%s %v %s", p.Label(), p.Options(p.Engine), p.SameLoad()) // maps are printed in order
	}
	if err := t.fill(same, nil, sideA, sideB, larger(floorsOf(a), floorsOf(b))); err != nil {
		return nil, err
	}
	return t, nil
}

// names returns the parameters that points have.
func names(points []record.Point) map[string]bool {
	names := map[string]bool{}
	for _, p := range points {
		for name := range p.Params {
			names[name] = true
		}
	}
	return names
}

// shared returns what is in both.
func shared(a, b map[string]bool) map[string]bool {
	both := maps.Clone(a)
	maps.DeleteFunc(both, func(name string, _ bool) bool { return !b[name] })
	return both
}

// A side is the points of a run that take part, with their valid trials.
type side struct {
	name   string
	points []record.Point
	trials trials
}

// newSide collects what the named engines of a run have measured; all engines when none is named.
func newSide(f *record.Folder, engines ...Variant) (side, error) {
	run, counted := f.Counted()
	s := side{name: f.Dir, trials: byPoint(counted)}
	for _, p := range run.Plan {
		if len(engines) == 0 || slices.ContainsFunc(engines, func(v Variant) bool { return v.takes(p) }) {
			s.points = append(s.points, p)
		}
	}
	for _, v := range engines {
		if err := v.known(f.Dir, run.Plan); err != nil {
			return s, err
		}
	}
	return s, nil
}

// byKey finds for each load the point that is meant.
func (s side) byKey(key func(record.Point) string, defaults Defaults) (map[string]record.Point, error) {
	same := map[string][]record.Point{}
	for _, p := range s.points {
		same[key(p)] = append(same[key(p)], p)
	}
	points := map[string]record.Point{}
	for _, p := range s.points { // in the plan's order, so that a run gets the same error twice
		if _, done := points[key(p)]; done {
			continue
		}
		meant, err := s.plain(same[key(p)], defaults)
		if err != nil {
			return nil, err
		}
		points[key(p)] = meant
	}
	return points, nil
}

// fill makes the rows and judges them.
func (t *Table) fill(key func(record.Point) string, defaults Defaults, a, b side, floors floors) error {
	pointsA, err := a.byKey(key, defaults)
	if err != nil {
		return err
	}
	pointsB, err := b.byKey(key, defaults)
	if err != nil {
		return err
	}
	var shared []record.Point
	for _, p := range a.points {
		_, ok := pointsB[key(p)]
		if ok && identity(p) == identity(pointsA[key(p)]) {
			shared = append(shared, p)
		}
	}
	if len(shared) == 0 {
		return misuse.Errorf("%s and %s share no point: they were measured under different loads (see their run.json)", t.A, t.B)
	}
	varying := varyingLoad(shared)
	for _, p := range shared {
		valuesA, valuesB := a.trials.figures(pointsA[key(p)]), b.trials.figures(pointsB[key(p)])
		for _, m := range metrics(p.Mode) {
			if row, ok := t.row(m, valuesA[m.figure], valuesB[m.figure]); ok {
				row.Point, row.Floor = t.pointText(p, varying), floors.of(p, m.figure)
				t.Rows = append(t.Rows, row)
			}
		}
	}
	if len(t.Rows) == 0 {
		return misuse.Errorf("%s and %s have no valid trials of the same point: see the flags in trials.jsonl", t.A, t.B)
	}
	t.judge()
	return nil
}

// row compares one figure; ok is false when no block has it on both sides. The medians are those of the pairs: a block that
// one side lacks is in no ratio, and beside the ratio the other side's figure of it would mislead.
func (t *Table) row(m metric, a, b map[int]float64) (Row, bool) {
	pairs := t.pairs(a, b)
	c, err := stat.Compare(pairs)
	if err != nil {
		return Row{}, false
	}
	var ofA, ofB []float64
	for _, p := range pairs {
		ofA, ofB = append(ofA, p.B), append(ofB, p.A)
	}
	return Row{Metric: m.name, Better: m.better, A: median(ofA), B: median(ofB), Ratio: c}, true
}

// pairs returns B and A, in this order: the ratio says how B compares with A. Figures of one run are paired by their block,
// those of two runs in order.
func (t *Table) pairs(a, b map[int]float64) []stat.Pair {
	var pairs []stat.Pair
	blocksA, blocksB := sorted(a), sorted(b)
	for i, block := range blocksA {
		other := block
		if !t.Paired {
			if i >= len(blocksB) {
				break
			}
			other = blocksB[i]
		}
		if y, ok := b[other]; ok {
			pairs = append(pairs, stat.Pair{A: y, B: a[block]})
		}
	}
	return pairs
}

// judge gives the verdicts, over all rows at once.
func (t *Table) judge() {
	family, least := make([]stat.Comparison, len(t.Rows)), make([]float64, len(t.Rows))
	for i, r := range t.Rows {
		family[i] = r.Ratio
		if !math.IsNaN(r.Floor) {
			least[i], t.Floors = r.Floor, true
		}
		t.Blocks = max(t.Blocks, r.Ratio.N)
	}
	adjusted, verdicts := stat.Adjusted(family), stat.JudgeEach(family, least)
	for i := range t.Rows {
		t.Rows[i].P, t.Rows[i].Verdict = adjusted[i], verdicts[i]
	}
}

// Worse reports whether the verdict is that B is worse than A.
func (r Row) Worse() bool {
	return r.Verdict == stat.Higher && r.Better == "lower" || r.Verdict == stat.Lower && r.Better == "higher"
}

// Improved reports whether the verdict is that B is better than A.
func (r Row) Improved() bool {
	return r.Verdict == stat.Lower && r.Better == "lower" || r.Verdict == stat.Higher && r.Better == "higher"
}

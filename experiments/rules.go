package experiments

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/reports"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// The rules in this file turn records into sentences. A sentence names a figure, how sure it is and under which conditions;
// what it may claim depends on how much was measured:
//
//   - From stat.MinTrials blocks on, a difference is claimed when stat.JudgeEach lets it pass: the interval of the ratio
//     within blocks excludes 1, the corrected p value is small, and the effect exceeds what an engine shows against itself.
//     All differences of one sentence are one family.
//   - With fewer blocks no statistics can claim anything. A sentence then gives ranges, and says that two engines differ only
//     when there are at least fewTrials trials of each and their ranges are more than farApart times apart: such a gap is
//     larger than what a machine's bad moments make, and still it is told as "in all 3 trials" and not as a probability.
//
// No rule reads an invalid trial, a second arm (but for the noise), or a probe. A rule whose figures are missing says
// nothing, and a sentence that had to leave a series out says so.
const (
	fewTrials = 3
	farApart  = 2.0
	tooFew    = "Too few blocks to tell apart"
)

// A view is the trials of an experiment that rules may read.
type view struct {
	plan    []record.Point
	trials  []*record.Trial // that count
	again   []*record.Trial // second arms that count
	doubted []*record.Trial // that do not count, because they failed or are invalid
}

// viewOf picks an experiment's valid trials; with "" those of a plain sweep.
func viewOf(d *digest.Digest, experiment string) view {
	v := view{plan: d.Run.Plan}
	for i := range d.Trials {
		t := &d.Trials[i]
		switch {
		case t.Experiment != experiment:
		case !t.Valid() && t.Arm == "":
			v.doubted = append(v.doubted, t)
		case !t.Valid():
		case t.Arm == "":
			v.trials = append(v.trials, t)
		case t.Arm == record.Again:
			v.again = append(v.again, t)
		}
	}
	return v
}

// lost says how many trials do not count, and why.
func (v view) lost() string {
	if len(v.doubted) == 0 {
		return ""
	}
	why := map[string]int{}
	for _, t := range v.doubted {
		for _, f := range t.Flags {
			if f.Level == record.Invalid {
				why[f.Code]++
			}
		}
		if t.Failed != "" {
			why["failed"]++
		}
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(why)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", code, why[code]))
	}
	return fmt.Sprintf("%d of %d trials do not count: %s.", len(v.doubted), len(v.doubted)+len(v.trials), strings.Join(parts, ", "))
}

// A measure is a figure of a series by block.
type measure struct {
	name    string
	byBlock map[int]float64
}

// sorted returns the figures in ascending order.
func (m measure) sorted() []float64 {
	var values []float64
	for _, x := range m.byBlock {
		values = append(values, x)
	}
	slices.Sort(values)
	return values
}

func (m measure) median() float64 {
	s, err := stat.Summarise(m.sorted())
	if err != nil {
		return math.NaN()
	}
	return s.Median
}

// values reads a metric of the trials that w picks, by block. A block with two such trials counts the first.
func values(name string, trials []*record.Trial, w where, m digest.Metric) measure {
	out := measure{name, map[int]float64{}}
	for _, t := range trials {
		if _, seen := out.byBlock[t.Block]; seen || !w(t.Point) {
			continue
		}
		if x, ok := m.Of(t); ok && x > 0 {
			out.byBlock[t.Block] = x
		}
	}
	return out
}

// metric returns a figure by its name. A wrong name is a programmer's mistake.
func metric(id string) digest.Metric {
	m, ok := digest.MetricByID(id)
	if !ok {
		panic("experiments: no metric " + id)
	}
	return m
}

// A duel is two measures beside each other: of A and B the ratio A/B by block.
type duel struct {
	a, b     measure
	ratio    stat.Comparison
	low, top float64 // of the ratio: its interval, or its range when there is none
	verdict  stat.Verdict
}

// duels compares pairs of measures as one family. floor is how far an engine's ratio to itself was from 1; 0 when nobody
// knows. Pairs that share no block are left out.
func duels(pairs [][2]measure, floor float64) []duel {
	var list []duel
	var family []stat.Comparison
	for _, p := range pairs {
		var both []stat.Pair
		d := duel{a: p[0], b: p[1], low: math.Inf(1), top: math.Inf(-1)}
		for block, a := range p[0].byBlock {
			if b, ok := p[1].byBlock[block]; ok {
				both = append(both, stat.Pair{A: a, B: b})
				d.low, d.top = min(d.low, a/b), max(d.top, a/b)
			}
		}
		c, err := stat.Compare(both)
		if err != nil {
			continue
		}
		if d.ratio = c; c.Exists() {
			d.low, d.top = c.Low, c.High
		}
		list, family = append(list, d), append(family, c)
	}
	for i, verdict := range stat.Judge(family, floor) {
		list[i].verdict = verdict
		if verdict == stat.TooFew {
			list[i].verdict = list[i].byRanges()
		}
	}
	return list
}

// byRanges is the verdict of few trials: see farApart.
func (d duel) byRanges() stat.Verdict {
	a, b := d.a.sorted(), d.b.sorted()
	switch {
	case min(len(a), len(b)) < fewTrials:
		return stat.TooFew
	case a[0] > farApart*b[len(b)-1]:
		return stat.Higher
	case b[0] > farApart*a[len(a)-1]:
		return stat.Lower
	}
	return stat.TooFew
}

// claimed reports whether A and B may be said to differ.
func (d duel) claimed() bool { return d.verdict == stat.Higher || d.verdict == stat.Lower }

// ratioText writes the ratio with its interval or range: "12.3× (10.1× to 14.0×)".
func (d duel) ratioText() string {
	if d.ratio.N == 1 {
		return unit.Times.Format(d.ratio.Ratio)
	}
	return fmt.Sprintf("%s (%s to %s)", unit.Times.Format(d.ratio.Ratio), unit.Times.Format(d.low), unit.Times.Format(d.top))
}

// surety says what stands behind the figures of duels.
func surety(list []duel) string {
	least, most := math.MaxInt, 0
	for _, d := range list {
		least, most = min(least, d.ratio.N), max(most, d.ratio.N)
	}
	blocks := fmt.Sprint(most)
	if least < most {
		blocks = fmt.Sprintf("%d to %d", least, most)
	}
	switch {
	case least >= stat.MinTrials:
		return "95 % intervals over " + blocks + " blocks."
	case most == 1:
		return "One trial each: figures without any surety."
	}
	return "Ranges over " + blocks + " blocks, too few for an interval: no winner is named, and only what lies more than " +
		unit.Times.Format(farApart) + " apart in all trials is called different."
}

// split tells duels by their verdicts, in a sentence each: claimed, looked for and not shown, and too few to tell. Too few
// blocks show nothing, not even that there is no difference to be seen.
func split(list []duel, claim, open string) string {
	told := map[string][]string{}
	for _, d := range list {
		head := claim
		switch d.verdict {
		case stat.NotSeen:
			head = open
		case stat.TooFew:
			head = tooFew
		}
		told[head] = append(told[head], d.a.name+" "+d.ratioText())
	}
	var parts []string
	for _, head := range []string{claim, open, tooFew} {
		if names := told[head]; len(names) > 0 {
			parts = append(parts, head+": "+strings.Join(names, ", ")+".")
		}
	}
	return strings.Join(parts, " ")
}

func level(list []duel) string {
	if slices.ContainsFunc(list, duel.claimed) {
		return reports.Claim
	}
	return reports.Open
}

// A growth asks how much a figure of each series differs between two conditions.
type growth struct {
	metric    string
	series    []series
	from, to  where
	title     string // the subject of a sentence that goes on with "came to 81 ms under coop (83×)"
	than      string // what from is
	condition string
	charts    []string
}

// grown makes the finding of a growth.
func (v view) grown(g growth) (reports.Finding, bool) {
	m := metric(g.metric)
	var pairs [][2]measure
	var missing []string
	for _, s := range g.series {
		to := values(s.name, v.trials, s.is.and(g.to), m)
		from := values(s.name, v.trials, s.is.and(g.from), m)
		if len(to.byBlock) == 0 || len(from.byBlock) == 0 {
			missing = v.missed(missing, s, g.to)
			continue
		}
		pairs = append(pairs, [2]measure{to, from})
	}
	list := duels(pairs, v.floor(g.series, g.to, m))
	if len(list) == 0 {
		return reports.Finding{}, false
	}
	slices.SortStableFunc(list, func(a, b duel) int { return cmp.Compare(b.ratio.Ratio, a.ratio.Ratio) })
	var parts []string
	for _, d := range list {
		parts = append(parts, fmt.Sprintf("%s under %s (%s)", m.Unit.Format(d.a.median()), d.a.name, unit.Times.Format(d.ratio.Ratio)))
	}
	text := split(list, "Changed, against the same engine "+g.than, "No change shown")
	return reports.Finding{
		Level: level(list), Title: g.title + " came to " + join(parts),
		Text: sentences(text, surety(list), stop(g.condition), absent(missing)), Charts: g.charts,
	}, true
}

// A contest compares series with the first of them.
type contest struct {
	metric    string
	series    []series
	at        where
	title     string // begins a sentence that goes on with "81 ms under coop"
	condition string
	charts    []string
}

// against makes the finding of a contest.
func (v view) against(c contest) (reports.Finding, bool) {
	m := metric(c.metric)
	var measures []measure
	var missing []string
	for _, s := range c.series {
		if x := values(s.name, v.trials, s.is.and(c.at), m); len(x.byBlock) > 0 {
			measures = append(measures, x)
		} else {
			missing = v.missed(missing, s, c.at)
		}
	}
	return versus(measures, m, v.floor(c.series, c.at, m), c, missing)
}

// versus compares measures with the first of them.
func versus(measures []measure, m digest.Metric, floor float64, c contest, missing []string) (reports.Finding, bool) {
	if len(measures) < 2 {
		return reports.Finding{}, false
	}
	var pairs [][2]measure
	for _, x := range measures[1:] {
		pairs = append(pairs, [2]measure{x, measures[0]})
	}
	list := duels(pairs, floor)
	if len(list) == 0 {
		return reports.Finding{}, false
	}
	var parts []string
	for _, x := range measures {
		parts = append(parts, m.Unit.Format(x.median())+" under "+x.name)
	}
	base := measures[0].name
	text := split(list, "Different from "+base+", within each block", "No difference from "+base+" shown")
	return reports.Finding{
		Level: level(list), Title: c.title + " " + join(parts),
		Text: sentences(text, surety(list), stop(c.condition), absent(missing)), Charts: c.charts,
	}, true
}

// A slopeRule asks what one more of x costs under each series.
type slopeRule struct {
	metric    string
	x         string
	series    []series
	at        where
	title     string
	condition string
	charts    []string
}

// slopes makes the finding of a slope: of each series the line through the sizes of each block, and of the lines' slopes the
// ratio to the first series, block by block.
func (v view) slopes(r slopeRule) (reports.Finding, bool) {
	m := metric(r.metric)
	var measures []measure
	var missing []string
	for _, s := range r.series {
		if x := slopesOf(s, v.trials, r, m); len(x.byBlock) > 0 {
			measures = append(measures, x)
		} else {
			missing = v.missed(missing, s, r.at)
		}
	}
	c := contest{title: r.title, condition: r.condition, charts: r.charts}
	return versus(measures, m, 0, c, missing)
}

func slopesOf(s series, trials []*record.Trial, r slopeRule, m digest.Metric) measure {
	out := measure{s.name, map[int]float64{}}
	xs, ys := map[int][]float64{}, map[int][]float64{}
	for _, t := range trials {
		if y, ok := m.Of(t); ok && s.is(t.Point) && r.at(t.Point) {
			xs[t.Block], ys[t.Block] = append(xs[t.Block], t.Number(r.x)), append(ys[t.Block], y)
		}
	}
	for block := range xs {
		// A slope that is not above zero is scatter: it costs less than can be seen, and has no ratio.
		if line, err := stat.Slope(xs[block], ys[block]); err == nil && line.Slope.Value > 0 {
			out.byBlock[block] = line.Slope.Value
		}
	}
	return out
}

// floor returns how far from 1 the ratio of a series to itself was: the farthest end of its interval. Without a second arm
// it is 0, which leaves the bound of package stat.
func (v view) floor(list []series, at where, m digest.Metric) float64 {
	floor := 0.0
	for _, s := range list {
		first, again := values(s.name, v.trials, s.is.and(at), m), values(s.name, v.again, s.is.and(at), m)
		for _, d := range duels([][2]measure{{again, first}}, 0) {
			floor = max(floor, math.Abs(d.low-1), math.Abs(d.top-1))
		}
	}
	return floor
}

// findings collects what rules have found.
type findings []reports.Finding

func (f *findings) add(x reports.Finding, found bool) {
	if found {
		*f = append(*f, x)
	}
}

// join lists parts as a sentence does: "a, b and c".
func join(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// sentences puts those that there are one after the other.
func sentences(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}

// stop makes a sentence of text.
func stop(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// missed adds a series without a figure to those that a sentence has to name: if it was to be measured. A suite that leaves a
// series out says so in its plan.
func (v view) missed(names []string, s series, at where) []string {
	if slices.ContainsFunc(v.plan, s.is.and(at)) {
		return append(names, s.name)
	}
	return names
}

// absent says which series have no figure.
func absent(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return "No figure of a valid trial: " + strings.Join(missing, ", ") + "."
}

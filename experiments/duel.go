package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"turnlab/harness/stat"
	"turnlab/reports"
	"turnlab/reports/unit"
)

// A duel is two measures beside each other: of A and B the ratio A/B by block.
type duel struct {
	a, b     measure
	ratio    stat.Comparison // its Ratio is 0 where there is none, see compared
	low, top float64         // of the ratio: its interval, or its range when there is none
	verdict  string          // as reports call it
}

// duels compares pairs of measures as one family. floor is how far an engine's ratio to itself was from 1; 0 when nobody
// knows. Pairs that share no block are left out.
func duels(pairs [][2]measure, floor float64) []duel {
	var list []duel
	var family []stat.Comparison
	for _, p := range pairs {
		if d := compared(p[0], p[1]); d.ratio.N > 0 {
			list, family = append(list, d), append(family, d.ratio)
		}
	}
	judged := slices.ContainsFunc(family, stat.Comparison.Exists)
	for i, verdict := range stat.Judge(family, floor) {
		list[i].verdict = list[i].word(verdict, judged)
	}
	return list
}

// compared compares a with b block by block. Where a figure of them is not above 0, as a slope within the scatter can be, they
// have no ratio: without such blocks it would be one of those blocks only in which there is much to see.
func compared(a, b measure) duel {
	d := duel{a: a, b: b, low: math.Inf(1), top: math.Inf(-1)}
	var both []stat.Pair
	for block, x := range a.byBlock {
		if y, ok := b.byBlock[block]; ok {
			both = append(both, stat.Pair{A: x, B: y})
			d.low, d.top = min(d.low, x/y), max(d.top, x/y)
		}
	}
	c, err := stat.Compare(both)
	if err != nil {
		c = stat.Comparison{N: len(both), P: 1}
	}
	if d.ratio = c; c.Exists() {
		d.low, d.top = c.Low, c.High
	}
	return d
}

// none reports whether A and B share blocks and have no ratio.
func (d duel) none() bool { return d.ratio.N > 0 && d.ratio.Ratio == 0 }

// word is the verdict as a reader meets it. judged says that another comparison of the family has an interval: beside it a
// glance at ranges would pass for as much.
func (d duel) word(v stat.Verdict, judged bool) string {
	switch {
	case d.none():
		return reports.NoRatio
	case v == stat.Higher:
		return reports.Higher
	case v == stat.Lower:
		return reports.Lower
	case v == stat.NotSeen:
		return reports.NotShown
	case d.ratio.N == 1 && min(len(d.a.byBlock), len(d.b.byBlock)) == 1:
		return reports.OneTrial
	case d.ratio.N == 1:
		return reports.OneBlock
	case judged:
		return reports.TooFew
	}
	return d.byRanges()
}

// byRanges is what few trials show: see farApart. What is far apart in two trials is told, so that it does not look like what
// overlaps, and is not called seen.
func (d duel) byRanges() string {
	a, b := d.a.sorted(), d.b.sorted()
	above, below := a[0] > farApart*b[len(b)-1], b[0] > farApart*a[len(a)-1]
	switch two := min(len(a), len(b)) < fewTrials; {
	case two && (above || below):
		return reports.FarInTwo
	case two:
		return reports.TooFew
	case above:
		return reports.FarAbove
	case below:
		return reports.FarBelow
	}
	return reports.TooFew
}

// claimed reports whether A and B may be said to differ, seen whether they lay far apart in trials that are too few for that.
func (d duel) claimed() bool { return d.verdict == reports.Higher || d.verdict == reports.Lower }
func (d duel) seen() bool    { return d.verdict == reports.FarAbove || d.verdict == reports.FarBelow }

// cell shows the ratio with its interval or range.
func (d duel) cell() reports.FindingCell {
	if d.none() {
		return nothing
	}
	out := reports.FindingCell{Text: unit.Times.Format(d.ratio.Ratio)}
	if d.ratio.N > 1 {
		out.Spread = unit.Times.Format(d.low) + " to " + unit.Times.Format(d.top)
	}
	return out
}

// duelOf finds the duel of a series; nil when it shared no block with its opponent.
func duelOf(list []duel, name string) *duel {
	if i := slices.IndexFunc(list, func(d duel) bool { return d.a.name == name }); i >= 0 {
		return &list[i]
	}
	return nil
}

// span writes a number, or from where to where: "3", "2 to 3".
func span(numbers []int) string {
	least, most := slices.Min(numbers), slices.Max(numbers)
	if least < most {
		return fmt.Sprintf("%d to %d", least, most)
	}
	return fmt.Sprint(most)
}

// surety says what stands behind the figures of duels, and behind which rows there is less than behind the others.
func surety(list []duel) string {
	var enough, few []int // blocks
	trials := 0           // the most of any measure
	for _, d := range list {
		if trials = max(trials, len(d.a.byBlock), len(d.b.byBlock)); d.ratio.N >= stat.MinTrials {
			enough = append(enough, d.ratio.N)
		} else {
			few = append(few, d.ratio.N)
		}
	}
	switch {
	case len(enough) > 0 && len(few) > 0:
		return "95 % intervals over " + span(enough) + " blocks; ranges where there are fewer: " + join(fewer(list)) + "."
	case len(enough) > 0:
		return "95 % intervals over " + span(enough) + " blocks."
	case trials <= 1:
		return "One valid trial each."
	case slices.Max(few) == 1:
		return "One block in common."
	case trials >= stat.MinTrials:
		return fmt.Sprintf("Ratios are ranges over %s blocks, too few for a claim; figures of %d trials or more have 95 %% intervals.", span(few), stat.MinTrials)
	}
	return "Ranges over " + span(few) + " blocks, too few for a claim."
}

// fewer lists the rows that have too few blocks for an interval, each once, and how many.
func fewer(list []duel) (names []string) {
	least := map[string]int{}
	for _, d := range list {
		if n, known := least[d.a.name]; !known || d.ratio.N < n {
			least[d.a.name] = d.ratio.N
		}
	}
	for _, d := range list {
		if n, left := least[d.a.name]; left && n < stat.MinTrials {
			names = append(names, fmt.Sprintf("%s (%d)", d.a.name, n))
		}
		delete(least, d.a.name)
	}
	return names
}

// glanced says what was seen where nothing could be claimed: a finding is also read alone.
func glanced(list []duel) string {
	far, two := "", ""
	if slices.ContainsFunc(list, duel.seen) {
		far = fmt.Sprintf("Seen far is more than %g× apart in all trials.", farApart)
	}
	if slices.ContainsFunc(list, func(d duel) bool { return d.verdict == reports.FarInTwo }) {
		two = fmt.Sprintf("Far apart with n 2 is more than %g× apart where one has two trials, too few to be called seen.", farApart)
	}
	return sentences(far, two)
}

// unrated says which series have a figure that is not above 0, so that a ratio would mean nothing.
func unrated(list []duel) string {
	var names []string
	for _, d := range list {
		for _, m := range []measure{d.a, d.b} {
			if d.none() && m.sorted()[0] <= 0 && !slices.Contains(names, m.name) {
				names = append(names, m.name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "No ratio where the figure of a block is not above 0: " + join(names) + "."
}

// A figure is what a title can name.
type figure struct {
	name  string
	value float64
	n     int // trials, or blocks of a ratio
}

// figuresOf are the medians of measures, without that of a baseline.
func figuresOf(measures []measure, baseline string) (list []figure) {
	for _, m := range measures {
		if m.name != baseline {
			list = append(list, figure{m.name, m.median(), len(m.byBlock)})
		}
	}
	return list
}

// except leaves the duels of a baseline out.
func except(list []duel, baseline string) []duel {
	return slices.DeleteFunc(slices.Clone(list), func(d duel) bool { return d.a.name == baseline })
}

// extremes ends a title: it names the largest and the smallest figure, "77 ms under preempt/nopreempt and 2.9 ms under coop", and
// says when no statistics stand behind them, or when nothing was told apart: a title is read alone. A figure of one trial is
// named only when there are not two others. What the first figure is of may follow it, as in "1.34× as dear under threads".
func extremes(figures []figure, u unit.Unit, of, level string) string {
	sure := slices.DeleteFunc(slices.Clone(figures), func(f figure) bool { return f.n < 2 })
	if len(sure) < 2 {
		sure = slices.Clone(figures)
	}
	slices.SortStableFunc(sure, func(a, b figure) int { return cmp.Compare(b.value, a.value) })
	top, low := sure[0], sure[len(sure)-1]
	text := u.Format(top.value) + of + " under " + top.name
	if len(sure) > 1 {
		text += " and " + u.Format(low.value) + " under " + low.name
	}
	return text + seenIn(level, top.n, low.n)
}

// everyone ends a title that names all figures in their order: "coop 65.5 ms, preempt 33.7 ms and threads 4.24 ms".
func everyone(figures []figure, u unit.Unit, level string) string {
	var parts []string
	var trials []int
	for _, f := range figures {
		parts, trials = append(parts, f.name+" "+u.Format(f.value)), append(trials, f.n)
	}
	return join(parts) + seenIn(level, trials...)
}

func seenIn(level string, trials ...int) string {
	switch {
	case slices.Max(trials) == 1:
		return " (one valid trial)"
	case slices.Min(trials) < stat.MinTrials:
		return " (in " + span(trials) + " trials)"
	case level == reports.Seen:
		return " (seen, not claimed)"
	case level == reports.Open:
		return " (not told apart)"
	}
	return ""
}

func level(list []duel) string {
	switch {
	case slices.ContainsFunc(list, duel.claimed):
		return reports.Claim
	case slices.ContainsFunc(list, duel.seen):
		return reports.Seen
	}
	return reports.Open
}

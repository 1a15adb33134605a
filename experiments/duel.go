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

// cell shows the ratio with its interval or range.
func (d duel) cell() reports.FindingCell {
	out := reports.FindingCell{Text: unit.Times.Format(d.ratio.Ratio)}
	if d.ratio.N > 1 {
		out.Spread = unit.Times.Format(d.low) + " to " + unit.Times.Format(d.top)
	}
	return out
}

// word is the verdict as a reader meets it.
func (d duel) word() string {
	switch {
	case d.verdict == stat.Higher:
		return reports.Higher
	case d.verdict == stat.Lower:
		return reports.Lower
	case d.verdict == stat.NotSeen:
		return reports.NotShown
	case d.ratio.N == 1 && min(len(d.a.byBlock), len(d.b.byBlock)) == 1:
		return reports.OneTrial
	case d.ratio.N == 1:
		return reports.OneBlock
	}
	return reports.TooFew
}

// duelOf finds the duel of a series; nil when it shared no block with its opponent.
func duelOf(list []duel, name string) *duel {
	if i := slices.IndexFunc(list, func(d duel) bool { return d.a.name == name }); i >= 0 {
		return &list[i]
	}
	return nil
}

// span writes a number, or from where to where: "3", "2 to 3".
func span(least, most int) string {
	if least < most {
		return fmt.Sprintf("%d to %d", least, most)
	}
	return fmt.Sprint(most)
}

// surety says what stands behind the figures of duels. What ranges may claim is said once, at the top of a report.
func surety(list []duel) string {
	least, most := math.MaxInt, 0
	for _, d := range list {
		least, most = min(least, d.ratio.N), max(most, d.ratio.N)
	}
	blocks := span(least, most)
	switch {
	case least >= stat.MinTrials:
		return "95 % intervals over " + blocks + " blocks."
	case most == 1:
		return "One valid trial each."
	}
	return "Ranges over " + blocks + " blocks."
}

// extremes ends a title: it names the largest and the smallest figure, "77 ms under preempt/nopreempt and 2.9 ms under coop", and
// says when no statistics stand behind them, or when nothing was told apart: a title is read alone. A figure of one trial is
// named only when there are not two others.
func extremes(measures []measure, u unit.Unit, list []duel) string {
	sure := slices.DeleteFunc(slices.Clone(measures), func(m measure) bool { return len(m.byBlock) < 2 })
	if len(sure) < 2 {
		sure = slices.Clone(measures)
	}
	slices.SortStableFunc(sure, func(a, b measure) int { return cmp.Compare(b.median(), a.median()) })
	top, low := sure[0], sure[len(sure)-1]
	text := u.Format(top.median()) + " under " + top.name
	if len(sure) > 1 {
		text += " and " + u.Format(low.median()) + " under " + low.name
	}
	return text + seenIn(len(top.byBlock), len(low.byBlock), level(list))
}

func seenIn(a, b int, level string) string {
	least, most := min(a, b), max(a, b)
	switch {
	case most == 1:
		return " (one valid trial)"
	case least < stat.MinTrials:
		return " (in " + span(least, most) + " trials)"
	case level == reports.Open:
		return " (not told apart)"
	}
	return ""
}

func level(list []duel) string {
	if slices.ContainsFunc(list, duel.claimed) {
		return reports.Claim
	}
	return reports.Open
}

package experiments

import (
	"fmt"
	"math"
	"slices"
	"strings"

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

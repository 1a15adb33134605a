package experiments

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/reports"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// Rules turn records into findings: a title from the extremes, a row for each series, and a sentence of conditions. A row
// gives a figure, how sure it is and whether it was told apart; what may be said depends on how much was measured:
//
//   - From stat.MinTrials blocks on, a difference is claimed when stat.Judge lets it pass: the interval of the ratio
//     within blocks excludes 1, the corrected p value is small, and the effect exceeds what an engine shows against itself.
//     All differences of one sentence are one family. A sentence that claims something without such a floor says so.
//   - Where one difference of a family has so many blocks, one that has fewer is told to have too few.
//   - With fewer blocks throughout no statistics can claim anything. A sentence then gives ranges, and says that two engines
//     were seen far apart when there are at least fewTrials trials of each and their ranges are more than farApart times
//     apart: such a gap is larger than what a machine's bad moments make, and still it is what was seen and no claim. The same
//     gap where one has two trials is told as that, and nothing is said of it.
//
// No rule reads an invalid trial, a second arm (but for the noise), or a probe. A rule whose figures are missing says
// nothing, and a sentence that had to leave a series out says so.
const (
	fewTrials = 3
	farApart  = 2.0
)

// A growth asks how much a figure of each series differs between two conditions.
type growth struct {
	metric    string
	series    []series
	from, to  where
	title     string    // begins a sentence that goes on with "1.34×"
	of        string    // what that ratio is of, as in "1.34× as dear"
	baseline  string    // the series that the title leaves out, see contest
	columns   [2]string // what to and from are, for the table
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
	noise := v.noise(g.series, g.to, m)
	list := duels(pairs, noise.floor)
	ratios := ratiosOf(except(list, g.baseline))
	if len(ratios) == 0 {
		return reports.Finding{}, false
	}
	f := reports.Finding{
		Level: level(list), Charts: g.charts, Columns: []string{g.columns[0], g.columns[1], "against " + g.columns[1]},
		Title: g.title + " " + extremes(ratios, unit.Times, " "+g.of, level(except(list, g.baseline))),
		Text:  evidence(list, noise, g.condition, missing),
	}
	var trials []int
	for _, p := range pairs {
		d := duelOf(list, p[0].name)
		trials = append(trials, min(len(p[0].byBlock), len(p[1].byBlock)))
		if d == nil {
			f.Rows = append(f.Rows, row(p[0], reports.NotTogether, p[0].cell(m.Unit), p[1].cell(m.Unit), nothing))
			continue
		}
		f.Rows = append(f.Rows, row(d.a, d.verdict, d.a.cell(m.Unit), d.b.cell(m.Unit), d.cell()))
	}
	counted(&f, 2, trials)
	return f, true
}

// ratiosOf are the ratios of duels that have one.
func ratiosOf(list []duel) (ratios []figure) {
	for _, d := range list {
		if !d.none() {
			ratios = append(ratios, figure{d.a.name, d.ratio.Ratio, d.ratio.N})
		}
	}
	return ratios
}

// counted tells of each row how many trials are behind the figures before column at, if rows differ in that.
func counted(f *reports.Finding, at int, trials []int) {
	if slices.Min(trials) == slices.Max(trials) {
		return
	}
	f.Columns = slices.Insert(f.Columns, at, "n")
	for i, n := range trials {
		f.Rows[i].Cells = slices.Insert(f.Rows[i].Cells, at, reports.FindingCell{Text: strconv.Itoa(n)})
	}
}

// behind are the numbers of trials of measures.
func behind(measures []measure) (trials []int) {
	for _, m := range measures {
		trials = append(trials, len(m.byBlock))
	}
	return trials
}

// row makes the row of a measure.
func row(m measure, verdict string, cells ...reports.FindingCell) reports.FindingRow {
	return reports.FindingRow{Name: m.name, Label: m.label, Cells: cells, Verdict: verdict}
}

// A contest compares series with the first of them.
type contest struct {
	metric    string
	series    []series
	at        where
	title     string // begins a sentence that goes on with "81 ms under coop"
	baseline  string // the series that the title leaves out, because it does less than the others; the table has it
	column    string // what the figure is called, if not as the metric
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
	return versus(measures, m, v.noise(c.series, c.at, m), c, missing)
}

// versus compares measures with the first of them.
func versus(measures []measure, m digest.Metric, noise noise, c contest, missing []string) (reports.Finding, bool) {
	if len(measures) < 2 {
		return reports.Finding{}, false
	}
	var pairs [][2]measure
	for _, x := range measures[1:] {
		pairs = append(pairs, [2]measure{x, measures[0]})
	}
	list := duels(pairs, noise.floor)
	if len(list) == 0 {
		return reports.Finding{}, false
	}
	f := reports.Finding{
		Level: level(list), Charts: c.charts,
		Title:   c.title + " " + extremes(figuresOf(measures, c.baseline), m.Unit, "", level(except(list, c.baseline))),
		Columns: []string{cmp.Or(c.column, m.Short), "against " + measures[0].name},
		Text:    evidence(list, noise, c.condition, missing),
	}
	for i, x := range measures {
		ratio, verdict := held(list, x, i == 0)
		f.Rows = append(f.Rows, row(x, verdict, x.cell(m.Unit), ratio))
	}
	counted(&f, 1, behind(measures))
	return f, true
}

// held shows a measure against the one that all are held against, which is itself when base says so.
func held(list []duel, m measure, base bool) (ratio reports.FindingCell, verdict string) {
	d := duelOf(list, m.name)
	switch {
	case base:
		return nothing, ""
	case d == nil:
		return nothing, reports.NotTogether
	}
	return d.cell(), d.verdict
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
	var twins [][2]measure
	var missing []string
	for _, s := range r.series {
		x := slopesOf(s, v.trials, r, m)
		if len(x.byBlock) == 0 {
			missing = v.missed(missing, s, r.at)
			continue
		}
		measures, twins = append(measures, x), append(twins, [2]measure{slopesOf(s, v.again, r, m), x})
	}
	c := contest{column: m.Short + " each", title: r.title, condition: r.condition, charts: r.charts}
	return versus(measures, m, noiseOf(twins), c, missing)
}

func slopesOf(s series, trials []*record.Trial, r slopeRule, m digest.Metric) measure {
	out := measure{name: s.name, byBlock: map[int]float64{}}
	xs, ys := map[int][]float64{}, map[int][]float64{}
	for _, t := range trials {
		if y, ok := m.Of(t); ok && s.is(t.Point) && r.at(t.Point) {
			out.label = t.Label()
			xs[t.Block], ys[t.Block] = append(xs[t.Block], t.Number(r.x)), append(ys[t.Block], y)
		}
	}
	for block := range xs {
		// A slope that is not above zero is scatter, and stays: without it the median would be of those that scatter upwards.
		if line, err := stat.Slope(xs[block], ys[block]); err == nil {
			out.byBlock[block] = line.Slope.Value
		}
	}
	return out
}

// evidence says what stands behind a finding, under which conditions it was found, and what is missing.
func evidence(list []duel, n noise, condition string, missing []string) string {
	return sentences(surety(list), glanced(list), unrated(list), n.said(list), stop(condition), absent(missing))
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

// absent says which series have no figure.
func absent(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return "No figure of a valid trial: " + strings.Join(missing, ", ") + "."
}

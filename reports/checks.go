package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// A check is a doubt about one or more trials of one kind, or a fact about trials that are missing.
type check struct {
	Level  string // record.Invalid, record.Warn, or one of the two below
	Code   string
	Count  int    // of trials
	Figure string // what was measured, over all of them
	Bound  string
	unit   string // of both
	Advice string
	Where  []string // the points, without repetition

	low, high           float64 // of the figures
	lowBound, highBound float64 // which may follow from how long a trial was
}

// Levels of checks that are no flags.
const (
	levelFailed  = "failed"  // the trial gave no measurement
	levelMissing = "missing" // the point was planned and has no trial
)

// checks gathers all doubts, the gravest first.
func checks(d *digest.Digest) []check {
	g := gathering{}
	for i := range d.Trials {
		t := &d.Trials[i]
		if t.Failed != "" {
			g.add(levelFailed, "failed", t.Failed, t)
		}
		for _, f := range t.Flags {
			c := g.add(f.Level, f.Code, f.Advice, t)
			c.low, c.high = math.Min(c.low, f.Figure), math.Max(c.high, f.Figure)
			c.lowBound, c.highBound = math.Min(c.lowBound, f.Bound), math.Max(c.highBound, f.Bound)
			c.Figure, c.Bound, c.unit = figureRange(c.low, c.high, f.Unit), figureRange(c.lowBound, c.highBound, f.Unit), f.Unit
		}
	}
	all := missing(d)
	for _, c := range g {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b check) int {
		return cmp.Or(cmp.Compare(gravity(a.Level), gravity(b.Level)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return all
}

// A gathering holds one check for each level and code.
type gathering map[[2]string]*check

// add counts a doubt about t and returns its check. The advice of the first is kept: it may speak of that trial alone, but
// a list of all would bury what is to be done.
func (g gathering) add(level, code, advice string, t *record.Trial) *check {
	key := [2]string{level, code}
	if g[key] == nil {
		g[key] = &check{Level: level, Code: code, Advice: advice, low: math.Inf(1), high: math.Inf(-1), lowBound: math.Inf(1), highBound: math.Inf(-1)}
	}
	c := g[key]
	c.Count++
	if where := pointText(t.Point); !slices.Contains(c.Where, where) {
		c.Where = append(c.Where, where)
	}
	return c
}

func gravity(level string) int {
	return slices.Index([]string{levelFailed, levelMissing, record.Invalid, record.Warn}, level)
}

// missing finds the points that were planned and have no trial: what was not measured must not look as if it were fine.
func missing(d *digest.Digest) []check {
	c := check{Level: levelMissing, Code: "not_run",
		Advice: "planned and not measured: the run was interrupted or gave up; continue it, or read the charts without these"}
	for _, s := range d.Sections {
		for _, p := range s.Panels {
			for _, series := range p.Series {
				c.addMissing(s, p, series)
			}
		}
	}
	if c.Count == 0 {
		return nil
	}
	return []check{c}
}

func (c *check) addMissing(s digest.Section, p digest.Panel, series digest.Series) {
	var at []string
	for _, cell := range series.Cells {
		if len(cell.Trials) == 0 {
			c.Count++
			at = append(at, digest.Setting{Name: s.Axis.Name, Value: cell.X}.Text())
		}
	}
	if len(at) == 0 {
		return
	}
	where := s.Workload + " " + p.Text() + " " + series.Name
	if s.Axis.Name != "" {
		where += " " + s.Axis.Name + " " + strings.Join(at, ", ")
	}
	c.Where = append(c.Where, strings.Join(strings.Fields(where), " "))
}

// pointText names a point by what people vary most.
func pointText(p record.Point) string {
	text := fmt.Sprintf("%s %s conns %s", p.Workload, p.Label(), p.Text("conns"))
	if p.Number("rate") > 0 {
		text += " rate " + p.Text("rate")
	}
	return text
}

func figureRange(low, high float64, of string) string {
	if figureText(low, of) == figureText(high, of) {
		return figureText(low, of)
	}
	if of == "ns" {
		return figureText(low, of) + " to " + figureText(high, of)
	}
	return figureText(low, "") + " to " + figureText(high, of)
}

func figureText(x float64, of string) string {
	if of == "ns" {
		return unit.Nanos.Format(x)
	}
	return strings.TrimSpace(strconv.FormatFloat(x, 'g', 3, 64) + " " + of)
}

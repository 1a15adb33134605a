package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/plot/vg"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// dotted tells a companion line from the one it belongs to.
var dotted = []vg.Length{1.5, 2.5}

// companionDashes are those of further metrics.
var companionDashes = [][]vg.Length{dotted, {6, 3}}

// readQuantiles are the quantiles of a spectrum whose values are listed.
var readQuantiles = []float64{0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999}

// spectrum draws the whole distribution of latencies at one point of the axis: every further nine takes the same space, so
// the tail, which is where engines differ, is not pressed into the last pixel. Histograms of trials are merged; percentiles
// of trials could not be.
func (il illustrator) spectrum(p digest.Panel) (figure, bool) {
	return il.spectrumOf(p, "", digest.Panel.Middle)
}

// A picker chooses a value of a panel's axis among those at which trials have something.
type picker func(digest.Panel, func(*record.Trial) bool) (digest.Value, bool)

// spectrumOf draws the spectrum of a class of requests, or of a kind of latency; without a name, that of all requests. Only
// the last has the service time as well: a second line for each series must earn its room.
func (il illustrator) spectrumOf(p digest.Panel, of string, pick picker) (figure, bool) {
	kinds, class := []string{"service"}, ""
	if p.Mode == record.Open {
		kinds = []string{"response", "service"}
	}
	switch of {
	case "", "p50", "p90", "p99", "p999", "p9999":
	case "response", "service", "slip", "delivery":
		kinds = []string{of}
	default:
		class, kinds = of, kinds[:1]
	}
	x, ok := pick(p, func(t *record.Trial) bool { return histogram(t, class, kinds[0]) != "" })
	if !ok {
		return figure{}, false
	}
	c := chart.Chart{
		ID: slug(il.section.Workload, p.Mode, p.Text(), "spectrum"), Title: "Latency spectrum, " + kinds[0] + " time",
		Subtitle: il.subtitle(p, il.at(x)),
		X:        chart.Axis{Label: "percentile", Scale: chart.Nines}, Y: chart.Axis{Unit: unit.Nanos},
	}
	if class != "" {
		c.Title += " of " + class + " requests"
	}
	var all []latencies
	for _, kind := range kinds {
		for _, s := range drawn(p) {
			l, ok := merged(s, x, class, kind)
			if !ok || len(c.Series) == chart.MaxSeries {
				continue
			}
			c.Series = append(c.Series, il.spectrumLine(s, l, kind, kind != kinds[0]))
			all = append(all, l)
		}
	}
	c.Footnote = mergedText(all)
	if len(kinds) > 1 {
		c.Footnote += " · dotted: service time"
	}
	return il.spectrumFigure(c, all), len(c.Series) > 0
}

// mergedText says how many trials and requests stand behind the lines, and what their bands are.
func mergedText(all []latencies) string {
	least, most, requests := math.MaxInt, 0, int64(math.MaxInt64)
	for _, l := range all {
		least, most, requests = min(least, len(l.trials)), max(most, len(l.trials)), min(requests, l.TotalCount())
	}
	of := fmt.Sprintf("%s requests or more each", unit.Plain.Format(float64(requests)))
	if most <= 1 {
		return "one trial each, so no spread is known · " + of
	}
	trials := plural(most, "trial")
	if least < most {
		trials = fmt.Sprintf("%d–%d trials", least, most)
	}
	return trials + " merged, " + of + " · band: range of the trials"
}

// histogram returns a trial's histogram of a kind of latency, of one class of requests or of all.
func histogram(t *record.Trial, class, kind string) string {
	if class != "" {
		return t.Classes[class].Histograms[kind]
	}
	return t.Histograms[kind]
}

func (il illustrator) spectrumLine(s digest.Series, l latencies, kind string, companion bool) chart.Series {
	line := chart.Series{Name: s.Name, Key: s.Label, Look: il.look(s), Bare: true}
	if companion {
		line.Name, line.Unnamed, line.Look.Dashes = s.Name+" "+kind, true, dotted
	}
	const perNine = 12
	for k := 0; ; k++ {
		q := 1 - math.Pow(10, -float64(k)/perNine)
		if float64(l.TotalCount())*(1-q) < 1 {
			return line // no request is rarer than one in all
		}
		lo, hi := l.spread(q)
		line.Points = append(line.Points, chart.Point{X: q, Y: float64(l.ValueAtQuantile(100 * q)), Lo: lo, Hi: hi})
	}
}

// spectrumFigure adds what the lines need to be read: scales, the quantiles with names, and a table of them.
func (il illustrator) spectrumFigure(c chart.Chart, all []latencies) figure {
	t := dataTable{Columns: []column{{Name: percentileHead(all)}}}
	r := chart.Range{Min: math.Inf(1), Max: math.Inf(-1)}
	most := int64(0)
	for i, s := range c.Series {
		t.Columns = append(t.Columns, column{Name: s.Name, Key: s.Key})
		most = max(most, all[i].TotalCount())
		for _, p := range s.Points {
			r.Min, r.Max = math.Min(r.Min, p.Y), math.Max(r.Max, p.Y)
			if !s.Unnamed && p.Lo <= p.Hi { // not where the trials do not reach
				r.Min, r.Max = math.Min(r.Min, p.Lo), math.Max(r.Max, p.Hi)
			}
		}
	}
	for _, q := range readQuantiles {
		if float64(most)*(1-q) < 1 {
			break
		}
		c.Columns = append(c.Columns, q)
		row := []cell{{Text: percentile(q), Sort: q}}
		for _, l := range all {
			row = append(row, quantileCell(l, q))
		}
		t.Rows = append(t.Rows, row)
	}
	c.Alt = fmt.Sprintf("%s, %s. %s", c.Title, c.Subtitle, tailText(c, all))
	b := builder{illustrator: il, shared: r}
	scale := chart.UpperScale(r.Min, r.Max)
	return figure{Chart: b.scaled(c, scale), Other: b.other(c, scale), Table: t}
}

// percentileHead heads the quantiles. Those of merged trials are not medians of trials, which other tables show with the same
// ranges, so the head says it.
func percentileHead(all []latencies) string {
	if slices.ContainsFunc(all, func(l latencies) bool { return len(l.trials) > 1 }) {
		return "percentile, all trials merged"
	}
	return "percentile"
}

func quantileCell(l latencies, q float64) cell {
	if float64(l.TotalCount())*(1-q) < 1 {
		return textCell("–")
	}
	v := float64(l.ValueAtQuantile(100 * q))
	out := cell{Text: unit.Nanos.Format(v), Sort: v, Small: fmt.Sprintf("n %d", len(l.trials))}
	if lo, hi := l.spread(q); len(l.trials) > 1 && lo <= hi {
		out.Small = spread(unit.Nanos, lo, hi, len(l.trials))
	}
	return out
}

func percentile(q float64) string {
	if q == 0 {
		return "least"
	}
	return "p" + chart.Percent(q)
}

func tailText(c chart.Chart, all []latencies) string {
	var parts []string
	for i, s := range c.Series {
		h := all[i]
		parts = append(parts, fmt.Sprintf("%s: p50 %s, p99 %s, most %s", s.Name, unit.Nanos.Format(float64(h.ValueAtQuantile(50))),
			unit.Nanos.Format(float64(h.ValueAtQuantile(99))), unit.Nanos.Format(float64(h.Max()))))
	}
	return strings.Join(parts, "; ") + "."
}

// latencies are those of a point's valid trials, together and of each.
type latencies struct {
	*hdrhistogram.Histogram
	trials []*hdrhistogram.Histogram
}

// spread returns the least and the greatest that the trials have at a quantile; no numbers where one of them has too few
// requests to know. What they have together lies between, but for ranks that are rounded.
func (l latencies) spread(q float64) (lo, hi float64) {
	lo = float64(l.ValueAtQuantile(100 * q))
	hi = lo
	for _, h := range l.trials {
		if float64(h.TotalCount())*(1-q) < 1 {
			return math.NaN(), math.NaN()
		}
		v := float64(h.ValueAtQuantile(100 * q))
		lo, hi = math.Min(lo, v), math.Max(hi, v)
	}
	return lo, hi
}

// merged adds up the histograms of a point's valid trials; ok is false when there is none. A histogram that cannot be read,
// or that does not fit the others, would make the sum a lie, so then there is none either.
func merged(s digest.Series, x digest.Value, class, kind string) (l latencies, ok bool) {
	c, _ := s.At(x)
	for _, t := range c.Valid() {
		text := histogram(t, class, kind)
		if text == "" {
			continue
		}
		h, err := hdrhistogram.Decode([]byte(text))
		if err != nil {
			return latencies{}, false
		}
		if l.Histogram == nil {
			l.Histogram = hdrhistogram.New(h.LowestTrackableValue(), h.HighestTrackableValue(), int(h.SignificantFigures()))
		}
		if dropped := l.Merge(h); dropped > 0 {
			return latencies{}, false
		}
		l.trials = append(l.trials, h)
	}
	return l, l.Histogram != nil
}

package reports

import (
	"fmt"
	"math"
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
func (il illustrator) spectrum(p digest.Panel) (figure, bool) { return il.spectrumOf(p, "") }

// spectrumOf draws the spectrum of a class of requests, or of a kind of latency; without a name, that of all requests.
func (il illustrator) spectrumOf(p digest.Panel, of string) (figure, bool) {
	kinds, class := []string{"service"}, ""
	if p.Mode == record.Open {
		kinds = []string{"response", "service"}
	}
	switch of {
	case "", "p50", "p90", "p99", "p999", "p9999":
	case "response", "service", "slip", "delivery":
		kinds = []string{of}
	default:
		class = of
	}
	x, ok := p.Middle(func(t *record.Trial) bool { return histogram(t, class, kinds[0]) != "" })
	if !ok {
		return figure{}, false
	}
	c := chart.Chart{
		ID: slug(il.section.Workload, p.Mode, p.Text(), "spectrum"), Title: "Latency spectrum, " + kinds[0] + " time",
		Subtitle: il.subtitle(p, il.at(x)),
		X:        chart.Axis{Label: "percentile", Scale: chart.Nines}, Y: chart.Axis{Unit: unit.Nanos},
		Footnote: "trials of a point merged",
	}
	if class != "" {
		c.Title += " of " + class + " requests"
	}
	if len(kinds) > 1 {
		c.Footnote += " · dotted: service time"
	}
	var histograms []*hdrhistogram.Histogram
	for _, kind := range kinds {
		for _, s := range drawn(p) {
			h := merged(s, x, class, kind)
			if h == nil || len(c.Series) == chart.MaxSeries {
				continue
			}
			c.Series = append(c.Series, il.spectrumLine(p, s, h, kind, kind != kinds[0]))
			histograms = append(histograms, h)
		}
	}
	return il.spectrumFigure(c, histograms), len(c.Series) > 0
}

// histogram returns a trial's histogram of a kind of latency, of one class of requests or of all.
func histogram(t *record.Trial, class, kind string) string {
	if class != "" {
		return t.Classes[class].Histograms[kind]
	}
	return t.Histograms[kind]
}

func (il illustrator) spectrumLine(p digest.Panel, s digest.Series, h *hdrhistogram.Histogram, kind string, companion bool) chart.Series {
	line := chart.Series{Name: s.Name, Key: s.Label, Look: il.look(p, s), Bare: true}
	if companion {
		line.Name, line.Unnamed, line.Look.Dashes = s.Name+" "+kind, true, dotted
	}
	const perNine = 12
	for k := 0; ; k++ {
		q := 1 - math.Pow(10, -float64(k)/perNine)
		if float64(h.TotalCount())*(1-q) < 1 {
			return line // no request is rarer than one in all
		}
		v := float64(h.ValueAtQuantile(100 * q))
		line.Points = append(line.Points, chart.Point{X: q, Y: v, Lo: v, Hi: v})
	}
}

// spectrumFigure adds what the lines need to be read: scales, the quantiles with names, and a table of them.
func (il illustrator) spectrumFigure(c chart.Chart, histograms []*hdrhistogram.Histogram) figure {
	t := dataTable{Columns: []column{{Name: "percentile"}}}
	r := chart.Range{Min: math.Inf(1), Max: math.Inf(-1)}
	most := int64(0)
	for i, s := range c.Series {
		t.Columns = append(t.Columns, column{Name: s.Name, Key: s.Key})
		most = max(most, histograms[i].TotalCount())
		for _, p := range s.Points {
			r.Min, r.Max = math.Min(r.Min, p.Y), math.Max(r.Max, p.Y)
		}
	}
	for _, q := range readQuantiles {
		if float64(most)*(1-q) < 1 {
			break
		}
		c.Columns = append(c.Columns, q)
		row := []cell{{Text: percentile(q), Sort: q}}
		for _, h := range histograms {
			row = append(row, quantileCell(h, q))
		}
		t.Rows = append(t.Rows, row)
	}
	c.Alt = fmt.Sprintf("%s, %s. %s", c.Title, c.Subtitle, tailText(c, histograms))
	b := builder{illustrator: il, shared: r}
	scale := chart.UpperScale(r.Min, r.Max)
	return figure{Chart: b.scaled(c, scale), Other: b.other(c, scale), Table: t}
}

func quantileCell(h *hdrhistogram.Histogram, q float64) cell {
	if float64(h.TotalCount())*(1-q) < 1 {
		return textCell("–")
	}
	v := float64(h.ValueAtQuantile(100 * q))
	return cell{Text: unit.Nanos.Format(v), Sort: v}
}

func percentile(q float64) string {
	if q == 0 {
		return "least"
	}
	return "p" + chart.Percent(q)
}

func tailText(c chart.Chart, histograms []*hdrhistogram.Histogram) string {
	var parts []string
	for i, s := range c.Series {
		h := histograms[i]
		parts = append(parts, fmt.Sprintf("%s: p50 %s, p99 %s, most %s", s.Name, unit.Nanos.Format(float64(h.ValueAtQuantile(50))),
			unit.Nanos.Format(float64(h.ValueAtQuantile(99))), unit.Nanos.Format(float64(h.Max()))))
	}
	return strings.Join(parts, "; ") + "."
}

// merged adds up the histograms of a point's valid trials; nil when there is none. A histogram that cannot be read, or
// that does not fit the others, would make the sum a lie, so then there is none either.
func merged(s digest.Series, x digest.Value, class, kind string) *hdrhistogram.Histogram {
	c, ok := s.At(x)
	if !ok {
		return nil
	}
	var sum *hdrhistogram.Histogram
	for _, t := range c.Valid() {
		text := histogram(t, class, kind)
		if text == "" {
			continue
		}
		h, err := hdrhistogram.Decode([]byte(text))
		if err != nil {
			return nil
		}
		if sum == nil {
			sum = h
		} else if dropped := sum.Merge(h); dropped > 0 {
			return nil
		}
	}
	return sum
}

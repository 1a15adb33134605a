package reports

import (
	"fmt"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
)

// An exhibit is an experiment with its trials: what its section shows.
type exhibit struct {
	Experiment
	digest    *digest.Digest
	looks     map[string]chart.Look
	timelines []record.Timeline
	findings  []Finding
	plots     []exhibitPlot // empty until illustrate
}

// An exhibitPlot is a drawing of an experiment, or its small multiples.
type exhibitPlot struct {
	Plot
	Figures []figure
	Notes   []string // what a reader has to know before he believes them
	Left    string   // which drawings are left out, and why
}

// newExhibits makes an exhibit of every experiment that the run has points of. One that nobody declares is shown as a
// sweep is.
func newExhibits(d *digest.Digest, looks map[string]chart.Look, o Options) (list []*exhibit, rest *digest.Digest) {
	known := []string{}
	for _, e := range o.Experiments {
		of := d.Of(e.Name)
		if len(of.Sections) == 0 || slices.Contains(known, e.Name) {
			continue
		}
		known = append(known, e.Name)
		x := &exhibit{Experiment: e, digest: of, looks: looks}
		for _, t := range o.Timelines {
			if t.Experiment == "" || t.Experiment == e.Name {
				x.timelines = append(x.timelines, t)
			}
		}
		for _, f := range o.Findings {
			if f.Experiment == e.Name {
				x.findings = append(x.findings, f)
			}
		}
		list = append(list, x)
	}
	return list, d.Except(known)
}

// illustrate describes the drawings, in the order of their declaration.
func (x *exhibit) illustrate() {
	for _, p := range x.Plots {
		figures, left := dense(x.figures(p), p.Title)
		for i := range figures {
			figures[i].Experiment, figures[i].Plot = x.Name, p.ID
		}
		x.plots = append(x.plots, exhibitPlot{p, figures, x.notes(p), left})
	}
	x.dropPlaces()
}

// notes are what is to be known of a plot's timelines.
func (x *exhibit) notes(p Plot) []string {
	if p.Kind != Gantt {
		return nil
	}
	return ganttNotes(x.timelines)
}

// figures draws a plot. An unknown metric or kind is the declaration's mistake, which no reader can mend.
func (x *exhibit) figures(p Plot) []figure {
	if p.Kind == Bounds {
		return x.bounds(p)
	}
	if p.Kind == Gantt {
		return ganttFigures(x.timelines)
	}
	var metrics []digest.Metric
	for _, id := range p.Metrics {
		m, ok := digest.MetricByID(id)
		if !ok {
			panic(fmt.Sprintf("experiment %s, plot %s: there is no metric %q", x.Name, p.ID, id))
		}
		metrics = append(metrics, m)
	}
	s := x.digest.Select(p.Where, p.X, p.Y)
	e := easel{illustrator{digest: x.digest, section: s, looks: x.looks}, x.Name, p, metrics}
	switch p.Kind {
	case Lines:
		return e.lines()
	case Bars, Strips, Stacked:
		return e.rows()
	case HeatMap:
		return e.heatMaps()
	case Spectra:
		return e.detailed(e.distribution)
	case Ratios:
		return e.detailed(e.forest)
	case Course:
		return e.detailed(e.progress)
	}
	panic(fmt.Sprintf("experiment %s, plot %s: there is no kind %q", x.Name, p.ID, p.Kind))
}

// An easel draws one plot of an experiment.
type easel struct {
	illustrator
	experiment string
	plot       Plot
	metrics    []digest.Metric
}

// label gives a chart its place and its words. What is in its title need not be in its subtitle.
func (e easel) label(c *chart.Chart, m digest.Metric, p digest.Panel, extra string) {
	c.ID = slug(e.experiment, e.plot.ID, p.Text(), extra)
	c.Title = e.plot.Title
	if extra != "" {
		c.Title += ", " + extra
	}
	parts := []string{}
	if m.Title != "" && !strings.EqualFold(m.Title, e.plot.Title) {
		parts = append(parts, m.Title)
	}
	parts = append(parts, panelName(p))
	if m.Better != "" {
		parts = append(parts, m.Better)
	}
	c.Subtitle = strings.Join(parts, " · ")
	alt := c.Alt
	if _, values, ok := strings.Cut(alt, ". "); ok {
		alt = values
	}
	c.Alt = c.Title + ": " + c.Subtitle + ". " + alt
}

// lines draws a chart for each panel: the first metric with its bands, others as companions of the same colour.
func (e easel) lines() []figure {
	panels := e.section.Panels[:min(len(e.section.Panels), digest.MaxPanels)]
	var figures []figure
	for _, p := range panels {
		first := e.metrics[0].In(p.Mode)
		if !e.measured(p, first) {
			continue
		}
		b := builder{e.illustrator, first, e.sharedExtent(panels, p.Mode)}
		if len(p.Values()) < 2 {
			e.section.Axis = digest.Axis{}
		}
		f := b.figure(p)
		for i, m := range e.metrics[1:] {
			e.companion(&f, b, p, m.In(p.Mode), i)
		}
		e.label(&f.Chart, first, p, "")
		if f.Other != nil {
			e.label(f.Other, first, p, "")
		}
		figures = append(figures, f)
	}
	return figures
}

// sharedExtent returns what all metrics of all panels need.
func (e easel) sharedExtent(panels []digest.Panel, mode string) chart.Range {
	r := e.extent(panels, mode, e.metrics[0])
	for _, m := range e.metrics[1:] {
		if other := e.extent(panels, mode, m); other != (chart.Range{}) {
			r.Min, r.Max = min(r.Min, other.Min), max(r.Max, other.Max)
		}
	}
	return r
}

// companion adds a further metric to a line chart: thin lines, which the footnote explains.
func (e easel) companion(f *figure, b builder, p digest.Panel, m digest.Metric, n int) {
	if f.Chart.Rows || !e.measured(p, m) {
		return
	}
	b.metric = m
	var extra chart.Chart
	b.lines(&extra, p)
	t := b.table(p)
	for i, s := range extra.Series {
		if len(f.Chart.Series) == chart.MaxSeries {
			return
		}
		s.Name, s.Unnamed, s.Bare, s.Strays = s.Name+" "+m.Short, true, true, nil
		s.Look.Dashes = companionDashes[n%len(companionDashes)]
		f.Chart.Series = append(f.Chart.Series, s)
		if f.Other != nil {
			f.Other.Series = append(f.Other.Series, s)
		}
		column := t.Columns[i+1]
		column.Name = s.Name
		f.Table.Columns = append(f.Table.Columns, column)
		for row := range f.Table.Rows {
			f.Table.Rows[row] = append(f.Table.Rows[row], t.Rows[row][i+1])
		}
	}
	note := " · " + []string{"dotted", "dashed"}[n%2] + ": " + m.Short
	f.Chart.Footnote += note
	if f.Other != nil {
		f.Other.Footnote += note
	}
}

// detailed draws what sweeps have too, a drawing for each panel.
func (e easel) detailed(draw func(digest.Panel) (figure, bool)) []figure {
	var figures []figure
	for _, p := range e.section.Panels[:min(len(e.section.Panels), digest.MaxPanels)] {
		f, ok := draw(p)
		if !ok {
			continue
		}
		_, beside, _ := strings.Cut(f.Chart.Subtitle, " · ") // at which value of the axis, or which side is better
		m := digest.Metric{Title: f.Chart.Title, Better: beside}
		e.label(&f.Chart, m, p, "")
		if f.Other != nil {
			e.label(f.Other, m, p, "")
		}
		figures = append(figures, f)
	}
	return figures
}

// distribution draws the spectrum of the latencies that the plot's first metric names; without any, or where there are no
// histograms of them, of all requests.
func (e easel) distribution(p digest.Panel) (figure, bool) {
	if len(e.metrics) > 0 {
		of, _, _ := strings.Cut(e.plot.Metrics[0], "-")
		if f, ok := e.spectrumOf(p, of, digest.Panel.Last); ok {
			return f, true
		}
	}
	return e.spectrumOf(p, "", digest.Panel.Last)
}

// forest draws the ratios of the plot's first metric.
func (e easel) forest(p digest.Panel) (figure, bool) {
	e.against = e.plot.Against
	return e.ratios(p, e.metrics[0].In(p.Mode))
}

// Package reports turns a run's records into what people look at: charts, a page, text.
//
// Everything here is made from records and can be made again; nothing is run and no clock is read, so the same records
// give the same bytes. The same numbers, medians and intervals go into the page, the charts and the terminal, because they
// all come from one [digest.Digest].
//
// The page is one file that works without a network: style, script and drawings are in it, and its content security policy
// refuses everything else. Names in records may come from anywhere, so all text passes through html/template. The script
// only adds to what is there; with scripts off, on paper, or read aloud, nothing is lost.
//
// Limits: a page holds all medians and the drawings, which is about 20 KB for each chart; single trials are in the files.
package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
)

// Files and folders that Write makes in a run's folder.
const (
	PageFile = "report.html"
	TextFile = "report.md"
	ChartDir = "charts"
)

// Options are what is known of a run besides its records.
type Options struct {
	Experiments []Experiment // declarations, in the order of the page; those that the run has no points of are left out
	Findings    []Finding    // in the order in which a reader should meet them
	Timelines   []record.Timeline
	Runs        []string // names of two runs that Together joined
	Sources     []Source // of the engines; those that the run has are laid side by side
	Formats     []string // of Formats; nil for all but Markdown
	Apart       bool     // the report does not lie beside the records that it was made from
}

// The forms that a report can have.
const (
	HTML       = "html"
	PNG        = "png"
	SVG        = "svg"
	MarkdownMD = "md"
)

// Formats lists them.
var Formats = []string{HTML, PNG, SVG, MarkdownMD}

// has reports whether a form is wanted.
func (o Options) has(format string) bool {
	if o.Formats == nil {
		return format != MarkdownMD
	}
	return slices.Contains(o.Formats, format)
}

// Write makes charts/*.png, charts/*.svg and report.html in dir from a run's records, or the forms that the options name,
// and returns the path of the page; without a page, of the text or of the folder of charts.
// Charts of an earlier report that this one does not have are removed: a folder must not show two runs' charts as one's.
// Trials of a second arm (record.Again) may be among them: they give the floor of ratios and nothing else.
func Write(run *record.Run, trials []record.Trial, dir string, o Options) (path string, err error) {
	r := newReport(run, trials, o)
	r.illustrate()
	path = filepath.Join(dir, ChartDir)
	if o.has(PNG) || o.has(SVG) {
		if err := r.writeCharts(path, o); err != nil {
			return "", err
		}
	}
	for _, f := range []struct {
		format, name string
		write        func(io.Writer) error
	}{{MarkdownMD, TextFile, r.markdown}, {HTML, PageFile, r.page}} {
		if !o.has(f.format) {
			continue
		}
		var text bytes.Buffer
		if err := f.write(&text); err != nil {
			return "", fmt.Errorf("make %s: %w", f.name, err)
		}
		path = filepath.Join(dir, f.name)
		if err := replaceFile(path, text.Bytes()); err != nil {
			return "", err
		}
	}
	return path, nil
}

// A report is everything that is shown, before it has a form.
type report struct {
	digest   *digest.Digest // of everything
	exhibits []*exhibit
	rest     *digest.Digest // of what belongs to no exhibit
	findings []Finding      // of all
	checks   []check
	looks    map[string]chart.Look // by name, of engines and of series
	runs     []string
	apart    bool
	sources  []Source
	figures  [][][]figure // of the rest, by section, panel and metric; empty until illustrate
}

func newReport(run *record.Run, trials []record.Trial, o Options) *report {
	d := digest.New(run, trials)
	r := &report{digest: d, findings: o.Findings, checks: checks(d), looks: map[string]chart.Look{}, runs: o.Runs, apart: o.Apart}
	for _, s := range o.Sources {
		if slices.Contains(d.Labels, s.Label) {
			r.sources = append(r.sources, s)
		}
	}
	r.exhibits, r.rest = newExhibits(d, r.looks, o)
	r.chooseLooks()
	return r
}

// illustrate describes the charts.
func (r *report) illustrate() {
	for _, x := range r.exhibits {
		x.illustrate()
	}
	for _, s := range r.rest.Sections {
		r.figures = append(r.figures, illustrator{digest: r.rest, section: s, looks: r.looks, runs: r.runs}.figures())
	}
	r.nameCharts()
}

// nameCharts makes the names of charts unique: two names can differ in nothing but what a file name cannot hold. The first of
// them keeps it, and no other is given one that a chart has by itself.
func (r *report) nameCharts() {
	figures, names := r.allFigures(), map[string]bool{}
	for _, f := range figures {
		names[f.Chart.ID] = true
	}
	used := map[string]bool{}
	for _, f := range figures {
		if used[f.Chart.ID] {
			f.Chart.ID = numbered(f.Chart.ID, names)
			names[f.Chart.ID] = true
		}
		used[f.Chart.ID] = true
		if f.Other != nil {
			f.Other.ID = f.Chart.ID
		}
	}
}

// numbered returns a name with the first number that makes it one of its own.
func numbered(name string, names map[string]bool) string {
	for n := 2; ; n++ { // there are no more names than charts
		if with := fmt.Sprintf("%s-%d", name, n); !names[with] {
			return with
		}
	}
}

// allFigures lists the figures in the order of the page.
func (r *report) allFigures() []*figure {
	var all []*figure
	for _, x := range r.exhibits {
		for _, p := range x.plots {
			for i := range p.Figures {
				all = append(all, &p.Figures[i])
			}
		}
	}
	for _, section := range r.figures {
		for _, panel := range section {
			for i := range panel {
				all = append(all, &panel[i])
			}
		}
	}
	return all
}

func (r *report) writeCharts(dir string, o Options) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the charts: %w", err)
	}
	kept := map[string]bool{}
	figures := r.allFigures()
	errs := make([]error, len(figures))
	var drawn sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0)) // to draw is to compute: more at once than CPUs gains nothing
	for i, f := range figures {
		for _, ext := range []string{PNG, SVG} {
			if o.has(ext) {
				kept[f.Chart.ID+"."+ext] = true
			}
		}
		places <- struct{}{}
		drawn.Go(func() {
			errs[i] = writeChart(f.Chart, dir, o)
			<-places
		})
	}
	drawn.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return removeOthers(dir, kept)
}

func writeChart(c chart.Chart, dir string, o Options) error {
	for ext, write := range map[string]func(io.Writer) error{PNG: c.PNG, SVG: c.SVGFile} {
		if !o.has(ext) {
			continue
		}
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		if err := replaceFile(filepath.Join(dir, c.ID+"."+ext), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// removeOthers removes the charts in dir that are not kept. Files of other kinds are not ours.
func removeOthers(dir string, kept map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look for old charts: %w", err)
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if kept[e.Name()] || e.IsDir() || ext != ".png" && ext != ".svg" {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove an old chart: %w", err)
		}
	}
	return nil
}

// replaceFile writes a file as a whole or not at all: whoever reloads the page while it is written sees the old one.
func replaceFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	if chmod := tmp.Chmod(0o644); err == nil {
		err = chmod
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

package reports

import (
	"bytes"
	_ "embed" // for the page
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"turnlab/harness/record"
	"turnlab/reports/chart"
)

//go:embed assets/timeline.html
var timelinePageText string

// timelineTemplate is the page of a folder that holds timelines and no run. Its figures are those of a report.
var timelineTemplate = template.Must(template.Must(pageTemplate.Clone()).New("timelines").Parse(timelinePageText))

// timelinePage is what the template fills in.
type timelinePage struct {
	Title, Policy, Version, Command string
	CSS                             template.CSS
	JS                              template.JS
	Facts, Machine                  []fact
	Hogs                            bool // requests are hogs and innocents
	Figures                         []figure
	Notes                           []string
	Files                           []string
}

// WriteTimelines makes charts/*.png, charts/*.svg and report.html in dir, or the forms that are named, of timelines that were
// not made with a run, and returns the path of the page, or of the folder of the charts. Of run only what says where and how
// they were made is shown, as far as it is known.
func WriteTimelines(run *record.Run, timelines []record.Timeline, dir string, formats ...string) (path string, err error) {
	if len(timelines) == 0 {
		return "", errors.New("there are no timelines to show")
	}
	figures, o := ganttFigures(timelines), Options{Formats: formats}
	path = filepath.Join(dir, ChartDir)
	if o.has(PNG) || o.has(SVG) {
		if err := writeFigures(path, figures, o); err != nil {
			return "", err
		}
	}
	if !o.has(HTML) {
		return path, nil
	}
	p, err := newTimelinePage(run, timelines, figures, dir)
	if err != nil {
		return "", err
	}
	var html bytes.Buffer
	if err := timelineTemplate.Execute(&html, p); err != nil {
		return "", fmt.Errorf("make the page: %w", err)
	}
	path = filepath.Join(dir, PageFile)
	return path, replaceFile(path, html.Bytes())
}

func newTimelinePage(run *record.Run, timelines []record.Timeline, figures []figure, dir string) (p timelinePage, err error) {
	css := pageCSS + chart.InkCSS("")
	p = timelinePage{
		Title: timelinesTitle(timelines), CSS: template.CSS(css), JS: template.JS(pageJS), Policy: policy(css, pageJS),
		Version: run.Version, Command: shellLine(run.Command), Figures: figures, Notes: ganttNotes(timelines),
	}
	if run.StartedUnix != 0 {
		p.Facts = append(p.Facts, fact{"Traced", time.Unix(0, run.StartedUnix).UTC().Format("2 January 2006, 15:04 UTC")})
	}
	if run.Host.CPUs != 0 {
		p.Facts, p.Machine = append(p.Facts, fact{"Machine", machineLine(run.Host)}), machine(run.Host)
	}
	for i := range timelines {
		p.Hogs = p.Hogs || ganttPainter{Timeline: &timelines[i]}.classed()
	}
	p.Files, err = timelineFiles(dir)
	return p, err
}

// timelinesTitle says what is shown: "hog under coop and threads".
func timelinesTitle(timelines []record.Timeline) string {
	var workloads, labels []string
	for i := range timelines {
		workloads = append(workloads, timelines[i].Workload)
		labels = append(labels, timelines[i].Label())
	}
	slices.Sort(workloads)
	return listed(slices.Compact(workloads)) + " under " + listed(slices.Compact(labels))
}

// timelineFiles lists the files behind the pictures, as links from the page; none when they do not lie beside it.
func timelineFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, record.TimelineDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for timelines: %w", err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") {
			files = append(files, record.TimelineDir+"/"+e.Name())
		}
	}
	return files, nil
}

// writeFigures writes drawings as files of their own.
func writeFigures(dir string, figures []figure, o Options) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the charts: %w", err)
	}
	for i := range figures {
		if err := writeChart(figures[i].Chart, dir, o); err != nil {
			return err
		}
	}
	return nil
}

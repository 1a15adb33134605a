package reports

import (
	"bytes"
	_ "embed" // for the page
	"fmt"
	"html/template"
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

// WriteTimelines makes charts/*.png, charts/*.svg and report.html in a folder of timelines that were not made with a run, and
// returns the path of the page. Of run only what says where and how they were made is shown.
func WriteTimelines(run *record.Run, timelines []record.Timeline, dir string) (page string, err error) {
	figures := ganttFigures(timelines)
	if err := writeFigures(filepath.Join(dir, ChartDir), figures); err != nil {
		return "", err
	}
	css := pageCSS + chart.InkCSS("")
	p := timelinePage{
		Title: timelinesTitle(timelines), CSS: template.CSS(css), JS: template.JS(pageJS), Policy: policy(css, pageJS),
		Version: run.Version, Command: shellLine(run.Command), Machine: machine(run.Host), Figures: figures,
		Facts: []fact{
			{"Traced", time.Unix(0, run.StartedUnix).UTC().Format("2 January 2006, 15:04 UTC")}, {"Machine", machineLine(run.Host)},
		},
	}
	for i := range timelines {
		t := &timelines[i]
		p.Hogs = p.Hogs || ganttPainter{Timeline: t}.classed()
		for _, note := range (ganttPainter{Timeline: t}).notes() {
			p.Notes = append(p.Notes, t.Name+": "+note+".")
		}
	}
	if p.Files, err = timelineFiles(dir); err != nil {
		return "", err
	}
	var html bytes.Buffer
	if err := timelineTemplate.Execute(&html, p); err != nil {
		return "", fmt.Errorf("make the page: %w", err)
	}
	page = filepath.Join(dir, PageFile)
	return page, replaceFile(page, html.Bytes())
}

// timelinesTitle says what is shown: "hog under coop and threads".
func timelinesTitle(timelines []record.Timeline) string {
	var workloads, labels []string
	for i := range timelines {
		workloads = append(workloads, timelines[i].Workload)
		labels = append(labels, timelines[i].Label())
	}
	if len(labels) == 0 {
		return "No timelines"
	}
	slices.Sort(workloads)
	return listed(slices.Compact(workloads)) + " under " + listed(slices.Compact(labels))
}

// timelineFiles lists the files behind the pictures, as links from the page.
func timelineFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, record.TimelineDir))
	if err != nil {
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
func writeFigures(dir string, figures []figure) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the charts: %w", err)
	}
	for i := range figures {
		c := &figures[i].Chart
		var png, svg bytes.Buffer
		if err := c.PNG(&png); err != nil {
			return err
		}
		if err := c.SVGFile(&svg); err != nil {
			return err
		}
		for ext, content := range map[string][]byte{".png": png.Bytes(), ".svg": svg.Bytes()} {
			if err := replaceFile(filepath.Join(dir, c.ID+ext), content); err != nil {
				return err
			}
		}
	}
	return nil
}

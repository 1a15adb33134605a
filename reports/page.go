package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page's parts
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

var (
	//go:embed assets/page.html
	pageText string
	//go:embed assets/page.css
	pageCSS string
	//go:embed assets/page.js
	pageJS string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"svg": inlineSVG, "label": rowLabel}).Parse(pageText))

// A page is what the template fills in.
type page struct {
	Title    string
	Policy   string
	CSS      template.CSS
	JS       template.JS
	Verdict  string
	Facts    []topFact
	Findings []pageFinding
	Exhibits []pageExhibit
	Absent   []string // questions that have nothing to draw, by their names
	Engines  []engineKey
	Icons    map[string]template.HTML // by the names of engines and series
	Checks   []check
	Counts   counts
	Sections []pageSection
	Machine  []fact
	Notes    []string
	Command  string
	Version  string
	RunID    string
	Data     []download
	Beside   bool // the page lies beside its records
	Code     []sourceRow
}

// A pageFinding is a finding with its chart.
type pageFinding struct {
	Finding
	Link    string // to its experiment
	Figures []*figure
}

// A fact is a name and a value.
type fact struct{ Name, Value string }

// A topFact is a fact that stands at the top, with what it leaves in doubt.
type topFact struct {
	fact
	Doubts string // that Checks tells more of
}

// counts says what became of the trials.
type counts struct{ Trials, Valid, Warned, Invalid, Failed int }

// A pageExhibit is the section of an experiment.
type pageExhibit struct {
	Experiment
	ID     string
	Said   []Finding
	Plots  []exhibitPlot // that answer the question
	More   []exhibitPlot // that tell more, folded away
	Absent string        // which drawings there are not, and why
	Tables []namedTable
	Fixed  []fact
}

type pageSection struct {
	ID, Name string
	Axis     string
	Fixed    []fact // what was the same in all points
	Panels   []pagePanel
	Hidden   int // panels beyond what is drawn
}

type pagePanel struct {
	ID, Name string
	Closed   bool
	Figures  []figure
	Medians  dataTable
	Open     bool // show the medians at once
}

// maxOpenRows is the length of a table that may stand open between the charts without burying what follows.
const maxOpenRows = 40

func (r *report) page(w io.Writer) error {
	css := pageCSS + chart.InkCSS("")
	d := r.digest
	p := page{
		Title: r.title(), CSS: template.CSS(css), JS: template.JS(pageJS), Policy: policy(css, pageJS),
		Verdict: r.verdict(), Facts: r.facts(), Checks: r.checks, Counts: count(d.Trials),
		Machine: machine(d.Run.Host), Notes: d.Run.Notes, Command: shellLine(d.Run.Command), Version: d.Run.Version, RunID: d.Run.ID, Beside: !r.apart, Code: sideBySide(r.sources),
	}
	p.Icons = map[string]template.HTML{}
	data, err := downloads(d)
	if err != nil {
		return err
	}
	p.Data, p.Findings = data, r.pageFindings()
	p.Engines = r.key()
	for name, look := range r.looks {
		p.Icons[name] = template.HTML(look.Icon())
	}
	p.Absent = r.unseen()
	for _, x := range r.exhibits {
		if !x.empty() {
			p.Exhibits = append(p.Exhibits, x.onPage())
		}
	}
	for i, s := range r.rest.Sections {
		p.Sections = append(p.Sections, r.pageSection(s, r.figures[i]))
	}
	return pageTemplate.Execute(w, p)
}

// pageFindings looks up the chart of each finding. One that does not exist is left out, because a finding stands without it,
// and so is one that an earlier finding has shown.
func (r *report) pageFindings() []pageFinding {
	var out []pageFinding
	pictured := map[*figure]bool{}
	for _, f := range r.findings {
		shown := pageFinding{Finding: f}
		if slices.ContainsFunc(r.exhibits, func(x *exhibit) bool { return x.Name == f.Experiment && !x.empty() }) {
			shown.Link = slug("experiment", f.Experiment)
		}
		if figure := r.pictureOf(f); figure != nil && !pictured[figure] {
			pictured[figure] = true
			shown.Figures = append(shown.Figures, figure)
		}
		out = append(out, shown)
	}
	return out
}

// pictureOf chooses the chart that stands beside a finding: the first that shows all engines in one drawing, or the first.
func (r *report) pictureOf(f Finding) *figure {
	var first *figure
	for _, id := range f.Charts {
		figure := r.chart(f.Experiment, id)
		if figure == nil {
			continue
		}
		if figure.Key == "" {
			return figure
		}
		if first == nil {
			first = figure
		}
	}
	return first
}

// chart finds the first drawing of an experiment's plot, or the chart of a name; nil when there is none.
func (r *report) chart(experiment, id string) *figure {
	for _, f := range r.allFigures() {
		if f.Chart.ID == id || experiment != "" && f.Experiment == experiment && f.Plot == id {
			return f
		}
	}
	return nil
}

func (r *report) pageSection(s digest.Section, figures [][]figure) pageSection {
	out := pageSection{ID: slug("workload", s.Workload), Name: s.Workload, Fixed: fixed(r.rest, s.Workload), Hidden: len(s.Panels) - len(figures)}
	if s.Axis.Name != "" {
		out.Axis = axisLabel(s.Axis.Name)
	}
	for i, p := range s.Panels {
		panel := pagePanel{
			ID: slug("panel", s.Workload, p.Mode, p.Text()), Closed: p.Mode == record.Closed, Medians: medians(r.rest, s, p),
			Name: strings.ToUpper(panelName(p)[:1]) + panelName(p)[1:],
		}
		panel.Open = len(panel.Medians.Rows) <= maxOpenRows
		if i < len(figures) {
			panel.Figures = figures[i]
		}
		out.Panels = append(out.Panels, panel)
	}
	return out
}

// Icon returns the marker that stands before the name of an engine or a series.
func (p page) Icon(c cell) template.HTML {
	if icon, ok := p.Icons[c.Text]; ok {
		return icon
	}
	return p.Icons[c.Label]
}

// rowLabel returns the engine whose figures a row holds.
func rowLabel(row []cell, lead int) string { return row[lead-1].Label }

// policy lets the page use its own style and script and nothing else, whatever a name in a record tries.
func policy(css, js string) string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; img-src data:; base-uri 'none'; form-action 'none'",
		hash(css), hash(js))
}

// inlineSVG returns the drawing for the page. It is trusted because the package chart escapes every text it writes.
func inlineSVG(c chart.Chart) (template.HTML, error) {
	var b bytes.Buffer
	err := c.SVG(&b)
	return template.HTML(b.String()), err
}

// title names what the page is about: its question when it has one, otherwise what was compared.
func (r *report) title() string {
	if len(r.exhibits) == 1 && len(r.rest.Sections) == 0 {
		return r.exhibits[0].Question
	}
	if len(r.exhibits) > 0 {
		return "Who should decide when a task gives up the CPU?"
	}
	if r.runs != nil {
		return r.runs[0] + " and " + r.runs[1] + ", side by side"
	}
	var workloads []string
	for _, s := range r.rest.Sections {
		workloads = append(workloads, s.Workload)
	}
	if len(workloads) == 0 {
		return "An empty run"
	}
	return listed(workloads) + " under " + listed(r.digest.Labels)
}

// maxListed is how many names a heading holds.
const maxListed = 6

// listed joins names as a sentence does.
func listed(names []string) string {
	if len(names) > maxListed {
		names = append(slices.Clone(names[:maxListed-1]), fmt.Sprintf("%d more", len(names)-maxListed+1))
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// verdict says how much may be concluded at all.
func (r *report) verdict() string {
	d := r.digest
	switch {
	case len(d.Trials) == 0:
		return "Nothing was measured."
	case d.Intervals():
		text := blocksText(d) + ": bands are 95 % intervals of the median, and ratios are taken within blocks."
		if least, _ := d.Blocks(); least < stat.MinTrials {
			text += fmt.Sprintf(" Where there are fewer than %d, bands are ranges and no winner is named: seen far above or below is what lies more than 2× apart in all of at least three trials each, which is no claim.", stat.MinTrials)
		}
		return text
	default:
		return fmt.Sprintf("Quick run: %s. Bands are ranges of trials, and no winner is named: that takes %d blocks. Seen far above or below is what lies more than 2× apart in all of at least three trials each, which is no claim.",
			blocksText(d), stat.MinTrials)
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func (r *report) facts() []topFact {
	run := r.digest.Run
	trials, doubts := r.trialsText()
	return []topFact{
		{fact: fact{"Measured", time.Unix(0, run.StartedUnix).UTC().Format("2 January 2006, 15:04 UTC")}},
		{fact{"Trials", trials}, doubts},
		{fact: fact{"Machine", machineLine(run.Host)}},
	}
}

func count(trials []record.Trial) counts {
	c := counts{Trials: len(trials)}
	for i := range trials {
		t := &trials[i]
		switch {
		case t.Failed != "":
			c.Failed++
		case !t.Valid():
			c.Invalid++
		case len(t.Flags) > 0:
			c.Warned++
			c.Valid++
		default:
			c.Valid++
		}
	}
	return c
}

func machine(h record.Host) []fact {
	facts := []fact{
		{"host", h.Hostname}, {"CPU", h.CPU}, {"CPUs", fmt.Sprint(h.CPUs)}, {"server on CPUs", h.ServerCPUs},
		{"generator on CPUs", h.ClientCPUs}, {"memory", unit.Bytes.Format(float64(h.MemoryBytes))},
		{"system", strings.TrimSpace(h.OS + " " + h.Kernel + " " + h.Arch)}, {"Go", h.Go},
	}
	for _, name := range slices.Sorted(maps.Keys(h.Settings)) {
		facts = append(facts, fact{name, h.Settings[name]})
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

// fixed lists the parameters that had one value in all points of a workload; without a name, of all workloads.
func fixed(d *digest.Digest, workload string) []fact {
	values := map[string][]string{}
	for _, p := range d.Points() {
		if workload != "" && p.Workload != workload {
			continue
		}
		for name := range p.Params {
			if text := p.Text(name); !slices.Contains(values[name], text) {
				values[name] = append(values[name], text)
			}
		}
	}
	var facts []fact
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(values[name]) == 1 && values[name][0] != "" {
			facts = append(facts, fact{name, values[name][0]})
		}
	}
	return facts
}

// shellLine writes a command so that a shell reads it back.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=+@%") != "" {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

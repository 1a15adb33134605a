package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/unit"
)

// ganttFigures draws timelines, one figure each, on the same time and with the same rows in the same order, so that they can
// be laid side by side: a load for timelines gives a connection the same requests under every engine.
func ganttFigures(timelines []record.Timeline) []figure {
	span := int64(0)
	for i := range timelines {
		span = max(span, timelines[i].SpanNS)
	}
	rows := ganttRows(timelines)
	var figures []figure
	for i := range timelines {
		t := &timelines[i]
		p := ganttPainter{t, rows}
		figures = append(figures, figure{Chart: p.chart(span), Table: p.table(), Key: t.Label()})
	}
	return figures
}

// ganttRows chooses the tasks that are drawn, as many as fit: those whose wait a picture points at, then those with hogs, then
// those that waited longest under any engine. They are drawn with the hogs at the top, and by their numbers.
func ganttRows(timelines []record.Timeline) []int {
	victims, hogs, waits := map[int]bool{}, map[int]bool{}, map[int]int64{}
	for i := range timelines {
		t := &timelines[i]
		for n, task := range t.Tasks {
			waits[n] = max(waits[n], 0)
			hogs[n] = hogs[n] || task.Class == record.Hog
		}
		for _, r := range t.Requests {
			waits[r.Task] = max(waits[r.Task], t.WaitNS(r))
		}
		if r, _, ok := (ganttPainter{Timeline: t}).victim(); ok {
			victims[r.Task] = true
		}
	}
	rows := slices.Collect(maps.Keys(waits))
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(first(victims, a, b), first(hogs, a, b), cmp.Compare(waits[b], waits[a]), cmp.Compare(a, b))
	})
	rows = rows[:min(len(rows), chart.GanttRowsMax)]
	slices.SortFunc(rows, func(a, b int) int { return cmp.Or(first(hogs, a, b), cmp.Compare(a, b)) })
	return rows
}

// first compares two numbers by which of them is in a set.
func first(set map[int]bool, a, b int) int {
	switch {
	case set[a] == set[b]:
		return 0
	case set[a]:
		return -1
	}
	return 1
}

// ganttPainter makes the figure of one timeline.
type ganttPainter struct {
	*record.Timeline
	rows []int // tasks, from the top
}

func (p ganttPainter) chart(span int64) chart.Chart {
	return chart.Chart{
		ID: slug("timeline", strings.ReplaceAll(p.Name, "µ", "u")), Title: "Who ran when: " + p.Name, Subtitle: p.subtitle(), Footnote: p.footnote(), Alt: p.alt(),
		X:     chart.Axis{Label: "time", Unit: unit.Nanos, Range: chart.Range{Min: 0, Max: float64(span)}},
		Gantt: &chart.Gantt{Rows: p.ganttRows(), Key: p.key(), Callout: p.callout()},
	}
}

func (p ganttPainter) subtitle() string {
	return fmt.Sprintf("%s, %s connections, %s requests/s · source: %s", p.Workload, p.Text("conns"), p.Text("rate"), p.Source)
}

// footnote says how far the picture can be trusted.
func (p ganttPainter) footnote() string {
	text := "one traced trial, not measured"
	if share, ok := p.Coverage(); ok {
		text += fmt.Sprintf(" · drawn: %.0f %% of the server’s CPU time", 100*share)
	}
	if p.Disturbed() {
		text += " · disturbed by others"
	}
	if hidden := len(p.Tasks) - len(p.rows); hidden > 0 {
		text += fmt.Sprintf(" · %d more connections", hidden)
	}
	return text
}

// notes are what a reader has to know before he believes the picture.
func (p ganttPainter) notes() []string {
	var notes []string
	if p.Disturbed() {
		notes = append(notes, fmt.Sprintf("disturbed: other processes had the server’s CPUs for %s, and the client was up to %s late; "+
			"repeat it on a quiet machine", unit.Nanos.Format(float64(p.StolenNS)), unit.Nanos.Format(float64(p.LateNS))))
	}
	return append(notes, slices.DeleteFunc([]string{p.Note, p.Cut}, func(s string) bool { return s == "" })...)
}

// ganttNotes are the notes of timelines, under their names.
func ganttNotes(timelines []record.Timeline) []string {
	var notes []string
	for i := range timelines {
		for _, note := range (ganttPainter{Timeline: &timelines[i]}).notes() {
			notes = append(notes, timelines[i].Name+": "+note+".")
		}
	}
	return notes
}

// classed reports whether requests are of classes that a colour tells apart.
func (p ganttPainter) classed() bool {
	return slices.ContainsFunc(p.Tasks, func(t record.Task) bool { return t.Class != "" })
}

func (p ganttPainter) key() []chart.GanttKey {
	if !p.classed() {
		return []chart.GanttKey{{Name: "runs", Form: chart.Solid, Ink: chart.InnocentInk}, {Name: "ready, waits", Form: chart.Line, Ink: chart.InnocentInk}}
	}
	key := []chart.GanttKey{
		{Name: "hog runs", Form: chart.Solid, Ink: chart.HogInk}, {Name: "hog waits", Form: chart.Dashed, Ink: chart.HogInk},
		{Name: "innocent runs", Form: chart.Solid, Ink: chart.InnocentInk}, {Name: "innocent waits", Form: chart.Line, Ink: chart.InnocentInk},
	}
	if slices.ContainsFunc(p.Slices, func(s record.Slice) bool { return s.State == record.Away }) {
		key = slices.Insert(key, 2, chart.GanttKey{Name: "offloaded", Form: chart.Hollow, Ink: chart.HogInk})
	}
	behind := func(r record.Request) bool { form, _ := ganttWait(r.Class); return form == chart.Dotted }
	if slices.ContainsFunc(p.Requests, behind) {
		key = append(key, chart.GanttKey{Name: "waits behind a hog", Form: chart.Dotted, Ink: chart.BehindInk})
	}
	return key
}

func (p ganttPainter) ganttRows() []chart.GanttRow {
	place := map[int]int{}
	rows := make([]chart.GanttRow, len(p.rows))
	for i, task := range p.rows {
		place[task] = i
		rows[i] = p.row(task)
	}
	for _, s := range p.Slices {
		if i, ok := place[s.Task]; ok {
			rows[i].Bars = append(rows[i].Bars, ganttBar(s))
		}
	}
	for _, r := range p.Requests {
		i, ok := place[r.Task]
		if !ok {
			continue
		}
		if r.ArrivedNS >= 0 {
			rows[i].Arrivals = append(rows[i].Arrivals, float64(r.ArrivedNS))
		}
		if r.RepliedNS > 0 && r.RepliedNS <= p.SpanNS {
			rows[i].Replies = append(rows[i].Replies, float64(r.RepliedNS))
		}
	}
	return rows
}

func (p ganttPainter) row(task int) chart.GanttRow {
	if task >= len(p.Tasks) {
		return chart.GanttRow{Ink: chart.Muted} // another engine's, which had more
	}
	t := p.Tasks[task]
	if t.Class == record.Hog {
		return chart.GanttRow{Name: t.Name + ", hog", Ink: chart.HogInk}
	}
	return chart.GanttRow{Name: t.Name, Ink: chart.Muted}
}

func ganttBar(s record.Slice) chart.Bar {
	b := chart.Bar{From: float64(s.FromNS), To: float64(s.ToNS), Form: chart.Solid, Ink: chart.InnocentInk}
	switch {
	case s.State == record.Away:
		b.Form, b.Ink = chart.Hollow, chart.HogInk
	case s.State == record.Running && s.Class == record.Hog:
		b.Ink = chart.HogInk
	case s.State == record.Ready:
		b.Form, b.Ink = ganttWait(s.Class)
	}
	return b
}

// ganttWait returns how waiting is drawn. A request that is neither a hog nor an innocent came behind a hog on its own
// connection, and has to wait for it under every engine.
func ganttWait(class string) (chart.Form, chart.Ink) {
	switch class {
	case record.Hog:
		return chart.Dashed, chart.HogInk
	case record.Innocent, "":
		return chart.Line, chart.InnocentInk
	}
	return chart.Dotted, chart.BehindInk
}

// victim returns the request whose wait is to be looked at: the longest of an innocent, where there are innocents.
func (p ganttPainter) victim() (r record.Request, waitNS int64, ok bool) {
	if p.classed() {
		return p.Longest(record.Innocent)
	}
	return p.Longest("")
}

func (p ganttPainter) callout() *chart.Callout {
	r, wait, ok := p.victim()
	row := slices.Index(p.rows, r.Task)
	if !ok || row < 0 {
		return nil
	}
	return &chart.Callout{Row: row, From: float64(r.ArrivedNS), To: float64(r.ArrivedNS + wait), Text: unit.Nanos.Format(float64(wait))}
}

// alt says in words what the picture is there to show.
func (p ganttPainter) alt() string {
	text := fmt.Sprintf("Who ran when under %s, %s, during %s.", p.Name, p.subtitle(), unit.Nanos.Format(float64(p.SpanNS)))
	hogs, hogNS := 0, int64(0)
	for _, r := range p.Requests {
		if r.Class == record.Hog {
			hogs++
		}
	}
	for _, s := range p.Slices {
		if s.State == record.Running && s.Class == record.Hog {
			hogNS += s.ToNS - s.FromNS
		}
	}
	if p.classed() {
		text += fmt.Sprintf(" %s computed for %s in all.", plural(hogs, "hog"), unit.Nanos.Format(float64(hogNS)))
	}
	if r, wait, ok := p.victim(); ok {
		who := "request"
		if p.classed() {
			who = "innocent request"
		}
		text += fmt.Sprintf(" The longest wait of an %s was %s, on %s.", who, unit.Nanos.Format(float64(wait)), p.Tasks[r.Task].Name)
		if !p.classed() {
			text = strings.Replace(text, "of an request", "of a request", 1)
		}
	}
	return text
}

// table lists the rows in numbers.
func (p ganttPainter) table() dataTable {
	t := dataTable{Columns: []column{{Name: "connection", Text: true}, {Name: "has", Text: true}, {Name: "requests"}, {Name: "ran"},
		{Name: "ready", Title: "could run and did not"}, {Name: "longest wait"}}}
	for _, task := range p.rows {
		if task >= len(p.Tasks) {
			continue
		}
		ran, ready, requests, longest := int64(0), int64(0), 0, int64(0)
		for _, s := range p.Slices {
			switch {
			case s.Task != task:
			case s.State == record.Running:
				ran += s.ToNS - s.FromNS
			case s.State == record.Ready:
				ready += s.ToNS - s.FromNS
			}
		}
		for _, r := range p.Requests {
			if r.Task == task {
				requests++
				longest = max(longest, p.WaitNS(r))
			}
		}
		t.Rows = append(t.Rows, []cell{
			textCell(p.Tasks[task].Name), textCell(cmp.Or(p.Tasks[task].Class, "–")), {Text: fmt.Sprint(requests), Sort: float64(requests)},
			nanosCell(ran), nanosCell(ready), nanosCell(longest),
		})
	}
	return t
}

func nanosCell(ns int64) cell { return cell{Text: unit.Nanos.Format(float64(ns)), Sort: float64(ns)} }

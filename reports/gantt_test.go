package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"turnlab/harness/record"
	"turnlab/reports/chart"
)

// aTimeline is of two connections: a hog on the second computes for 30 ms, and the first has to wait for it.
func aTimeline(name string) record.Timeline {
	const ms = 1_000_000
	return record.Timeline{
		Schema: record.Schema, Name: name, Source: record.SourcePolls, SpanNS: 100 * ms, CPUNS: 40 * ms, OnCPUNS: 40 * ms,
		Point:  record.Point{Engine: "coop", Workload: "hog", Mode: record.Open, Params: map[string]any{"conns": 2.0, "rate": 100.0}},
		Tracks: []string{"executor 1"},
		Tasks:  []record.Task{{Name: "conn 1", Class: record.Innocent}, {Name: "conn 2", Class: record.Hog}},
		Slices: []record.Slice{
			{Task: 0, Track: -1, State: record.Ready, FromNS: 15 * ms, ToNS: 40 * ms, Class: record.Innocent},
			{Task: 0, State: record.Running, FromNS: 40 * ms, ToNS: 41 * ms, Class: record.Innocent},
			{Task: 1, State: record.Running, FromNS: 10 * ms, ToNS: 40 * ms, Class: record.Hog},
			{Task: 1, Track: -1, State: record.Ready, FromNS: 42 * ms, ToNS: 43 * ms, Class: "behind"},
		},
		Requests: []record.Request{
			{Task: 1, Class: record.Hog, ArrivedNS: 10 * ms, RepliedNS: 40 * ms},
			{Task: 1, Class: "behind", ArrivedNS: 11 * ms, RepliedNS: 43 * ms},
			{Task: 0, Class: record.Innocent, ArrivedNS: 15 * ms, RepliedNS: 41 * ms},
		},
	}
}

func rowNames(f figure) (names []string) {
	for _, r := range f.Chart.Gantt.Rows {
		names = append(names, r.Name)
	}
	return names
}

func TestTimelinesShareTheirTimeAndTheirRows(t *testing.T) {
	long, other := aTimeline("coop"), aTimeline("threads")
	other.SpanNS *= 2
	figures := ganttFigures([]record.Timeline{long, other})
	a, b := figures[0], figures[1]
	if a.Chart.X.Range != b.Chart.X.Range || a.Chart.X.Range.Max != 200e6 {
		t.Errorf("times to %v and %v", a.Chart.X.Range, b.Chart.X.Range)
	}
	if want := []string{"conn 2, hog", "conn 1"}; !slices.Equal(rowNames(a), want) || !slices.Equal(rowNames(b), want) {
		t.Errorf("rows %q and %q, want hogs first", rowNames(a), rowNames(b))
	}
}

func TestOfManyConnectionsThoseAreDrawnThatHaveHogsOrWaitedLongest(t *testing.T) {
	tl := aTimeline("coop")
	for len(tl.Tasks) < 60 {
		tl.Requests = append(tl.Requests, record.Request{Task: len(tl.Tasks), Class: record.Innocent, ArrivedNS: 1, RepliedNS: int64(100 * len(tl.Tasks))})
		tl.Tasks = append(tl.Tasks, record.Task{Name: "another", Class: record.Innocent})
	}
	rows := ganttRows([]record.Timeline{tl})
	if len(rows) != chart.GanttRowsMax || rows[0] != 1 || rows[1] != 0 || rows[2] != 60-(chart.GanttRowsMax-2) || rows[len(rows)-1] != 59 {
		t.Errorf("rows %v", rows)
	}
	if note := ganttFigures([]record.Timeline{tl})[0].Chart.Footnote; !strings.Contains(note, "36 more connections") {
		t.Error(note)
	}
}

func TestTheWaitThatIsPointedAtIsDrawnHoweverManyHogsThereAre(t *testing.T) {
	tl := aTimeline("coop")
	for len(tl.Tasks) < 60 {
		tl.Tasks = append(tl.Tasks, record.Task{Name: "another", Class: record.Hog})
	}
	if f := ganttFigures([]record.Timeline{tl})[0]; f.Chart.Gantt.Callout == nil {
		t.Error("nothing is pointed at")
	}
}

func TestAPictureSaysInWordsWhatItShows(t *testing.T) {
	tl := aTimeline("coop")
	f := ganttFigures([]record.Timeline{tl})[0]
	for _, want := range []string{"under coop", "1 hog computed for 30.0\u00a0ms", "longest wait of an innocent request was 26.0\u00a0ms, on conn 1"} {
		if !strings.Contains(f.Chart.Alt, want) {
			t.Errorf("%q is not in %q", want, f.Chart.Alt)
		}
	}
	if c := f.Chart.Gantt.Callout; c == nil || c.Row != 1 || c.Text != "26.0\u00a0ms" {
		t.Errorf("callout %+v", c)
	}
	if !strings.Contains(f.Chart.Footnote, "78 %") && !strings.Contains(f.Chart.Footnote, "77 %") {
		t.Errorf("footnote %q; 31 of 40 ms are drawn", f.Chart.Footnote)
	}
	tl.StolenNS = tl.SpanNS / 10
	if note := ganttFigures([]record.Timeline{tl})[0].Chart.Footnote; !strings.Contains(note, "disturbed by others") {
		t.Error(note)
	}
}

func TestFormAndColourSayWhatATaskDid(t *testing.T) {
	var forms []chart.Form
	var inks []string
	for _, row := range ganttFigures([]record.Timeline{aTimeline("coop")})[0].Chart.Gantt.Rows {
		for _, b := range row.Bars {
			forms, inks = append(forms, b.Form), append(inks, b.Ink.Name)
		}
	}
	if !slices.Equal(forms, []chart.Form{chart.Solid, chart.Dotted, chart.Line, chart.Solid}) {
		t.Errorf("forms %v", forms)
	}
	if want := []string{chart.HogInk.Name, chart.BehindInk.Name, chart.InnocentInk.Name, chart.InnocentInk.Name}; !slices.Equal(inks, want) {
		t.Errorf("inks %v, want %v", inks, want)
	}
}

func TestATimelineOfFewerConnectionsThanTheOthersHasEmptyRows(t *testing.T) {
	small, large := aTimeline("coop"), aTimeline("threads")
	large.Tasks = append(large.Tasks, record.Task{Name: "conn 3"})
	large.Requests = append(large.Requests, record.Request{Task: 2, ArrivedNS: 5})
	f := ganttFigures([]record.Timeline{small, large})
	if got := rowNames(f[0]); len(got) != 3 || got[2] != "" {
		t.Errorf("rows %q", got)
	}
	if len(f[0].Table.Rows) != 2 || len(f[1].Table.Rows) != 3 {
		t.Errorf("tables of %d and %d rows", len(f[0].Table.Rows), len(f[1].Table.Rows))
	}
}

func TestTimelinesHaveAPageOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	tl := aTimeline("coop, <yield> 100µs")
	tl.Note = `a "note" <b>`
	if err := record.SaveTimeline(dir, "01-coop", &tl); err != nil {
		t.Fatal(err)
	}
	page, err := WriteTimelines(&record.Run{Version: "v1", Command: []string{"lab", "timeline"}}, []record.Timeline{tl}, dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"hog under coop", `<a href="timeline/01-coop.json">`, "Who ran when: coop, &lt;yield&gt; 100µs", "a &#34;note&#34; &lt;b&gt;",
		`role="img" aria-label="Who ran when under coop`, "lab timeline</code>",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, name := range []string{"timeline-coop-yield-100us.png", "timeline-coop-yield-100us.svg"} {
		if _, err := os.Stat(filepath.Join(dir, ChartDir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := WriteTimelines(&record.Run{}, nil, t.TempDir()); err == nil {
		t.Error("a page of a folder without timelines was written")
	}
}

func TestAPageOfTimelinesAsksTheNetworkForNothing(t *testing.T) {
	dir := t.TempDir()
	tl := aTimeline("coop")
	if err := record.SaveTimeline(dir, "01-coop", &tl); err != nil {
		t.Fatal(err)
	}
	page, err := WriteTimelines(&record.Run{Version: "v1"}, []record.Timeline{tl}, dir)
	if err != nil {
		t.Fatal(err)
	}
	b := openTab(t)
	b.open("file://"+page, 390, "dark")
	if wide := js[bool](b, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("the page is wider than a phone")
	}
	if n := js[int](b, `document.querySelectorAll("figure svg").length`); n != 1 {
		t.Errorf("%d drawings", n)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) != 1 || len(b.trouble) > 0 {
		t.Errorf("asked for %q, trouble %q", b.requests, b.trouble)
	}
}

func TestTimelinesWithoutARecordOfTheirMakingShowWhatIsKnown(t *testing.T) {
	dir, tl := t.TempDir(), aTimeline("coop")
	page, err := WriteTimelines(&record.Run{}, []record.Timeline{tl}, dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, unknown := range []string{"1970", "0 CPUs", "Machine and versions", "Repeat it", "Look closer"} {
		if bytes.Contains(text, []byte(unknown)) {
			t.Errorf("the page says %q, which nobody knows", unknown)
		}
	}
	if !bytes.Contains(text, []byte("Who ran when: coop")) {
		t.Error("the picture is not there")
	}
}

func TestOfTimelinesTheFormsThatAreNamedAreMade(t *testing.T) {
	dir := t.TempDir()
	path, err := WriteTimelines(&record.Run{}, []record.Timeline{aTimeline("coop")}, dir, SVG)
	if err != nil || path != filepath.Join(dir, ChartDir) {
		t.Fatalf("%s, %v", path, err)
	}
	if got := append(filesIn(t, dir), filesIn(t, path)...); !slices.Equal(got, []string{"charts", "timeline-coop.svg"}) {
		t.Errorf("made %q", got)
	}
}

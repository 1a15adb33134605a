package reports

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"turnlab/harness/record"
	"turnlab/reports/chart"
)

// heatOf is a drawing of cells: a number has a figure, a word says why there is none, nothing was not planned.
func heatOf(title string, cells ...string) figure {
	var row []chart.Tile
	for _, text := range cells {
		switch {
		case text == "":
			row = append(row, chart.Tile{Value: math.NaN()})
		case text[0] <= '9':
			row = append(row, chart.Tile{Value: 1, Text: text})
		default:
			row = append(row, chart.Tile{Value: math.NaN(), Doubt: text})
		}
	}
	return figure{Chart: chart.Chart{Title: title, Heat: &chart.Heat{Cells: [][]chart.Tile{row}}}}
}

func TestADrawingOfEmptyCellsBecomesASentence(t *testing.T) {
	kept, left := dense([]figure{
		heatOf("p99.9, coop", "1 ms", "2 ms", "too few"), heatOf("p99.9, preempt", "1 ms", "too few", "not run"),
		heatOf("p99.9, threads", "too few", "too few", "", ""), heatOf("p99.9, loop", "1 ms", "", "", ""), {Chart: chart.Chart{Title: "lines"}},
	}, "p99.9")
	var titles []string
	for _, f := range kept {
		titles = append(titles, f.Chart.Title)
	}
	if got := strings.Join(titles, "; "); got != "p99.9, coop; p99.9, loop; lines" {
		t.Errorf("kept %s", got)
	}
	if want := "Not drawn for preempt and threads: most cells have no figure (not run: 1, too few requests: 3)."; left != want {
		t.Errorf("%q, want %q", left, want)
	}
	if kept, left := dense(nil, "p99.9"); kept != nil || left != "" {
		t.Errorf("of nothing %v is kept and %q said", kept, left)
	}
}

// pageOf makes the page of some trials of the experiments fixture, after a change of what is declared.
func pageOf(t *testing.T, keep func(*record.Trial) bool, change func([]Experiment)) (page, markdown string) {
	t.Helper()
	run, all := loadFixture(t, "experiments")
	var trials []record.Trial
	for i := range all {
		if keep(&all[i]) {
			trials = append(trials, all[i])
		}
	}
	o := fixtureOptions("experiments")
	change(o.Experiments)
	r := newReport(run, trials, o)
	r.illustrate()
	var a, b bytes.Buffer
	if err := r.page(&a); err != nil {
		t.Fatal(err)
	}
	if err := r.markdown(&b); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

func TestAQuestionWithoutADrawingHasNoSectionAndIsNamedOnce(t *testing.T) {
	page, markdown := pageOf(t, func(tr *record.Trial) bool { return tr.Experiment != "memory" }, func([]Experiment) {})
	for _, bad := range []string{`id="experiment-memory"`, `href="#experiment-memory"`} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s, and nothing to show there", bad)
		}
	}
	for form, text := range map[string]string{"page": page, "Markdown": markdown} {
		if n := strings.Count(text, "Not measured, or no trial of it counts: memory."); n != 1 {
			t.Errorf("the %s names the question %d times", form, n)
		}
	}
	if strings.Contains(markdown, "## memory") {
		t.Error("Markdown has a section of it")
	}
}

func TestDrawingsThatAreNotThereCostOneLine(t *testing.T) {
	page, markdown := pageOf(t, func(*record.Trial) bool { return true }, func(list []Experiment) {
		for i := range list {
			if list[i].Name == "hog" {
				list[i].Plots = append(list[i].Plots, Plot{ID: "no", Title: "Nobody asked", Kind: Lines, Metrics: []string{"delivery-p99"}, X: "hog.burst", Note: "Hidden words."},
					Plot{ID: "never", Title: "Nor this", Kind: Bounds, Note: "Hidden words."})
			}
		}
	})
	for form, text := range map[string]string{"page": page, "Markdown": markdown} {
		if n := strings.Count(text, "Not measured in this run: Nobody asked; Nor this."); n != 1 || strings.Contains(text, "Hidden words.") {
			t.Errorf("the %s says it %d times, or shows their notes", form, n)
		}
	}
}

func TestWhatOnlyTellsMoreIsFoldedAway(t *testing.T) {
	page, _ := pageOf(t, func(*record.Trial) bool { return true }, func(list []Experiment) {
		for i := range list[0].Plots {
			list[0].Plots[i].More = list[0].Plots[i].ID == "innocents"
		}
	})
	fold := strings.Index(page, `<details class="extra">`)
	end := fold + strings.Index(page[fold:], `<details class="medians">`)
	if fold < 0 || !strings.Contains(page[fold:end], `<figure id="hog-innocents-coop"`) || strings.Contains(page[:fold], `<figure id="hog-innocents-coop"`) {
		t.Error("the drawings are not in the fold alone")
	}
	if !strings.Contains(page[fold:end], "What innocents wait at p99") || strings.Contains(page[fold:end], `<figure id="hog-burst`) {
		t.Error("the fold does not say what is in it, or holds too much")
	}
}

func TestEverySettingHasItsOwnSentenceOfWhoDecides(t *testing.T) {
	seen := map[string]string{}
	for _, c := range []struct {
		label   string
		options []string
	}{
		{"coop", nil}, {"coop/await", nil}, {"coop", []string{"yield"}}, {"coop", []string{"offload"}}, {"coop", []string{"executors"}},
		{"preempt", nil}, {"preempt/nopreempt", nil}, {"preempt", []string{"procs"}}, {"preempt/nopreempt", []string{"procs"}},
		{"preempt", []string{"gc-every", "procs"}}, {"threads", nil}, {"threads/pool", nil}, {"threads/pool", []string{"size"}},
		{"threads", []string{"procs"}}, {"loop", nil}, {"exec/c", nil}, {"coop", []string{"gogc"}},
	} {
		name := c.label + " " + strings.Join(c.options, " ")
		text := decides(c.label, c.options)
		if before, taken := seen[text]; taken || text == "" {
			t.Errorf("%s has the sentence of %s: %q", name, before, text)
		}
		seen[text] = name
	}
	if got := decides("preempt (before)", nil); got != decides("preempt", nil) {
		t.Errorf("of one of two runs: %q", got)
	}
	if got := decides("preempt", []string{"gc-every", "procs"}); !strings.Contains(got, "Ps") || !strings.Contains(got, "garbage") {
		t.Errorf("of two options one is left out: %q", got)
	}
}

func TestTheKeyListsEachSettingAfterItsEngine(t *testing.T) {
	run, trials := loadFixture(t, "experiments")
	r := newReport(run, trials, fixtureOptions("experiments"))
	var got []string
	for _, k := range r.key() {
		got = append(got, k.Name)
		if k.Decides == "" || !strings.Contains(string(k.Icon), "<svg") {
			t.Errorf("%s: %+v", k.Name, k)
		}
	}
	if text := strings.Join(got, ", "); text != "coop, coop yield=100us, coop/await, preempt, threads" {
		t.Errorf("the key has %s", text)
	}
}

func TestTheTerminalShowsTheHeaviestLoadsWhole(t *testing.T) {
	table := dataTable{Columns: []column{{Name: "burst"}, {Name: "engine", Text: true}, {Name: "p99"}}}
	for _, burst := range []string{"1ms", "10ms", "50ms"} {
		for _, engine := range []string{"coop", "preempt", "threads"} {
			table.Rows = append(table.Rows, []cell{textCell(burst), textCell(engine), textCell("1")})
		}
	}
	for most, want := range map[int]int{2: 7, 3: 6, 5: 6, 6: 3, 8: 3, 9: 0, 20: 0} {
		got, before := table.last(most)
		if before != want || len(got.Rows) != 9-want || got.Rows[len(got.Rows)-1][0].Text != "50ms" {
			t.Errorf("of at most %d rows: %d before and %d shown", most, before, len(got.Rows))
		}
	}
	if got, before := (dataTable{Columns: table.Columns}).last(5); before != 0 || len(got.Rows) != 0 {
		t.Errorf("of no rows: %d before, %d shown", before, len(got.Rows))
	}
}

func TestNoUnitOfACheckIsCut(t *testing.T) {
	long := record.Flag{Code: "a_flag_with_a_long_name", Level: record.Warn, Figure: 1234.5, Bound: 800, Unit: "of its connections, of which there are many more", Advice: "do something"}
	run := fixtureRun(1, nil)
	var b strings.Builder
	if err := Terminal(&b, run, []record.Trial{{Flags: []record.Flag{long}}}, TerminalOptions{}); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	if !strings.Contains(text, "once: 1.23e+03 of its connections, of which there are many more (bound 800)") {
		t.Errorf("the check is cut:\n%s", b.String())
	}
}

func TestTheTerminalLeavesOutAParameterThatFollowsFromTheOthers(t *testing.T) {
	head := []column{{Name: "duration"}, {Name: "burst"}, {Name: "engine", Text: true}, {Name: "p99"}}
	row := func(texts ...string) (cells []cell) {
		for _, text := range texts {
			cells = append(cells, textCell(text))
		}
		return cells
	}
	follows := dataTable{head, [][]cell{row("1s", "1ms", "coop", "1"), row("1s", "1ms", "preempt", "2"), row("2s", "50ms", "coop", "3")}}
	if got := follows.without("duration"); len(got.Columns) != 3 || got.Rows[2][0].Text != "50ms" || got.Rows[2][2].Text != "3" {
		t.Errorf("%+v", got)
	}
	tells := dataTable{head, [][]cell{row("1s", "1ms", "coop", "1"), row("2s", "1ms", "coop", "2")}}
	if got := tells.without("duration"); len(got.Columns) != 4 {
		t.Errorf("two loads have become one: %+v", got)
	}
	if len(follows.Columns) != 4 || len(follows.Rows[0]) != 4 {
		t.Error("the table itself has lost a column")
	}
}

func TestThePageCarriesNoHistogramsOfClasses(t *testing.T) {
	trial := record.Trial{Classes: map[string]record.Class{"hog": {Requests: 7, Histograms: map[string]string{"response": "HISTFAAA"}}}}
	got := withoutHistograms(trial.Classes)
	if got["hog"].Requests != 7 || got["hog"].Histograms != nil || trial.Classes["hog"].Histograms == nil {
		t.Errorf("%+v of %+v", got, trial.Classes)
	}
	if withoutHistograms(nil) != nil {
		t.Error("a trial without classes has got some")
	}
}

package reports

import (
	"slices"
	"testing"
)

func TestAFindingTooWideForATerminalLosesItsLastFiguresAndKeepsNamesAndVerdicts(t *testing.T) {
	f := Finding{Columns: []string{"p99", "n", "no hogs", "× coop", "CPU/req", "hog p50"}}
	ms := FindingCell{Text: "65.5 ms", Spread: "51.7 ms to 104 ms"}
	for _, verdict := range []string{"", NotShown} {
		f.Rows = append(f.Rows, FindingRow{Name: "preempt/nopreempt", Verdict: verdict, Cells: []FindingCell{ms, {Text: "6"}, ms, {Text: "1.16×"}, ms, ms}})
	}
	shown := f.within(80)
	var names []string
	for _, c := range shown.Columns {
		names = append(names, c.Name)
	}
	if want := []string{"engine", "p99", "n", "no hogs", "× coop", "CPU/req", "told apart"}; !slices.Equal(names, want) {
		t.Errorf("columns %v, want %v", names, want)
	}
	if last := shown.Rows[1]; shown.width() > 80 || last[0].Text != "preempt/nopreempt" || last[len(last)-1].Text != NotShown {
		t.Errorf("%d wide: %v", shown.width(), last)
	}
	f.Rows[1].Verdict = TooFew
	if all := f.within(80); len(all.Columns) != len(f.Columns)+2 {
		t.Errorf("%d columns of what fits", len(all.Columns))
	}
	if len(f.Table().Columns) != len(f.Columns)+2 || len(f.Rows[0].Cells) != len(f.Columns) {
		t.Error("the page lost what a terminal has no room for")
	}
}

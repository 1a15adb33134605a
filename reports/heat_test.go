package reports

import (
	"strings"
	"testing"
)

func TestACellOfFewerTrialsSaysSo(t *testing.T) {
	run, trials := loadFixture(t, "experiments")
	kept := trials[:0]
	for _, trial := range trials {
		// The last two trials of one cell of threads and the last of another are lost.
		lost := map[string]int{"1ms": 2, "10ms": 1}[trial.Text("hog.burst")]
		if trial.Engine == "threads" && trial.Number("hog.share") == 0.01 && trial.Block >= 3-lost {
			continue
		}
		kept = append(kept, trial)
	}
	r := newReport(run, kept, fixtureOptions("experiments"))
	r.illustrate()
	f := r.chart("", "hog-innocents-threads")
	if f == nil {
		t.Fatal("no heat map")
	}
	row := f.Chart.Heat.Cells[0]
	if row[0].Note != "1 trial" || row[1].Note != "2 trials" || row[2].Note != "" {
		t.Errorf("the cells say %q, %q and %q", row[0].Note, row[1].Note, row[2].Note)
	}
	if !strings.HasPrefix(f.Chart.Footnote, "medians of 1–3 trials · their range: in the table") {
		t.Errorf("footnote %q", f.Chart.Footnote)
	}
	if tip := strings.ReplaceAll(row[2].Tip, "\u00a0", " "); !strings.HasPrefix(tip, "share 1 %, burst 50ms: ") || !strings.HasSuffix(tip, ", n 3)") {
		t.Errorf("whoever points at a cell is told %q", tip)
	}
	if tip, shown := row[0].Tip, f.Table.Rows[0][1].Small; !strings.HasSuffix(tip, "(n 1)") || shown != "n 1" {
		t.Errorf("of one trial the drawing tells %q and the table %q", tip, shown)
	}
	if !strings.Contains(f.Chart.Alt, "(1 trial)") {
		t.Errorf("in words: %s", f.Chart.Alt)
	}
}

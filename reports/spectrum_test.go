package reports

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"turnlab/harness/record"
)

func TestASpectrumSaysHowManyTrialsItMergesAndShowsTheirRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var trials []record.Trial
	for block := range 3 {
		one := fixtureTrial(fixturePoint("coop", "echo", 64, 0), 0, block, rng) // only those of the first block have histograms
		one.Block = block
		trials = append(trials, one)
	}
	draw := func(trials []record.Trial) *figure {
		r := newReport(fixtureRun(3, nil), trials, Options{})
		r.illustrate()
		f := r.chart("", "echo-closed-spectrum")
		if f == nil {
			t.Fatal("no spectrum")
		}
		return f
	}
	f := draw(trials)
	if want := "3 trials merged, 12.0k requests or more each · band: range of the trials"; f.Chart.Footnote != want {
		t.Errorf("footnote %q, want %q", f.Chart.Footnote, want)
	}
	wide, beyond := 0, 0
	for _, p := range f.Chart.Series[0].Points {
		switch {
		case math.IsNaN(p.Lo) && math.IsNaN(p.Hi):
			beyond++ // a quantile for which a trial alone has too few requests
		case p.Lo > p.Y || p.Y > p.Hi:
			t.Errorf("at %v the trials have %v to %v, together %v", p.X, p.Lo, p.Hi, p.Y)
		case p.Lo < p.Hi:
			wide++
		}
	}
	if wide < 20 || beyond == 0 || beyond > 6 {
		t.Errorf("%d quantiles with a range and %d without", wide, beyond)
	}
	if small := f.Table.Rows[1][1].Small; !strings.HasSuffix(small, ", n 3") {
		t.Errorf("the table has the spread %q", small)
	}
	alone := draw(trials[:1])
	if want := "one trial each, so no spread is known · 4.00k requests or more each"; alone.Chart.Footnote != want || alone.Table.Rows[1][1].Small != "n 1" {
		t.Errorf("of one trial: %q, %q", alone.Chart.Footnote, alone.Table.Rows[1][1].Small)
	}
}

package reports

import (
	"bytes"
	"strings"
	"testing"

	"turnlab/harness/record"
)

// drawnFor returns the first drawing of a plot of the fixture, after a change of its declaration.
func drawnFor(t *testing.T, experiment, plot string, change func(*Plot)) *figure {
	t.Helper()
	run, trials := loadFixture(t, "experiments")
	o := fixtureOptions("experiments")
	for i := range o.Experiments {
		for j := range o.Experiments[i].Plots {
			if p := &o.Experiments[i].Plots[j]; o.Experiments[i].Name == experiment && p.ID == plot {
				change(p)
			}
		}
	}
	r := newReport(run, trials, o)
	r.illustrate()
	return r.chart(experiment, plot)
}

func asDeclared(*Plot) {}

func TestRatiosAreAgainstTheSeriesThatAPlotNames(t *testing.T) {
	for against, want := range map[string]string{"coop": "coop", "threads": "threads", "": "preempt", "nobody": "preempt"} {
		f := drawnFor(t, "load", "ratios", func(p *Plot) { p.Against = against })
		if f == nil || !strings.HasPrefix(f.Chart.Subtitle, "CPU per request against "+want+" ·") {
			t.Fatalf("against %q: %+v", against, f)
		}
		for _, s := range f.Chart.Series {
			if s.Key == want {
				t.Errorf("%s is compared with itself", want)
			}
		}
		if !strings.Contains(f.Chart.Subtitle, "left of 1 is cheaper") {
			t.Errorf("which side is better? %q", f.Chart.Subtitle)
		}
	}
}

func TestRatiosShadeWhatAnEngineDiffersByFromItself(t *testing.T) {
	f := drawnFor(t, "load", "ratios", asDeclared)
	if rule := f.Chart.Rule; rule == nil || !(rule.Lo < 1 && rule.Hi > 1) {
		t.Errorf("rule %+v; coop was measured twice in each block", rule)
	}
	if !strings.Contains(f.Chart.Footnote, "an engine against itself") {
		t.Errorf("footnote %q", f.Chart.Footnote)
	}
}

func TestASpectrumIsOfTheHighestLoadThatMostEnginesHave(t *testing.T) {
	point := func(engine string, rate float64) record.Point {
		p := fixturePoint(engine, "http", 64, rate)
		p.Experiment = "load"
		return p
	}
	var trials []record.Trial
	var plan []record.Point
	for _, p := range []record.Point{point("coop", 1000), point("coop", 2000), point("coop", 3000), point("preempt", 1000), point("preempt", 2000)} {
		plan = append(plan, p)
		trials = append(trials, record.Trial{Point: p, Requests: 1000, WindowSeconds: 1, Histograms: map[string]string{
			"response": fixtureHistogram(p.Number("rate")), "service": fixtureHistogram(500),
		}})
	}
	r := newReport(fixtureRun(1, plan), trials, Options{Experiments: []Experiment{
		{Name: "load", Plots: []Plot{{ID: "spectrum", Title: "All", Kind: Spectra, X: "rate"}}},
	}})
	r.illustrate()
	f := r.chart("load", "spectrum")
	if f == nil || !strings.Contains(f.Chart.Subtitle, "2k") || strings.Contains(f.Chart.Title, "2k") {
		t.Fatalf("%+v, want the spectrum at 2,000 requests/s", f)
	}
	if len(f.Chart.Series) != 4 || f.Chart.Series[3].Name != "preempt service" {
		t.Errorf("%d lines, want response and service time of two engines", len(f.Chart.Series))
	}
}

func TestASpectrumIsOfAClassOfRequestsOrElseOfAll(t *testing.T) {
	f := drawnFor(t, "hog", "spectrum", asDeclared)
	if f == nil || len(f.Chart.Series) != 4 || !strings.Contains(f.Chart.Subtitle, "of innocent requests") {
		t.Fatalf("%+v, want a line for each of four series", f)
	}
	f = drawnFor(t, "load", "spectrum", func(p *Plot) { p.Metrics = []string{"innocent-p99"} })
	if f == nil || strings.Contains(f.Chart.Subtitle, "innocent") || !strings.Contains(f.Chart.Subtitle, "response time") {
		t.Errorf("%+v, want that of all requests, said so", f)
	}
}

func TestTheCourseOfATrialShadesItsWarmUpAndNamesItsFlags(t *testing.T) {
	f := drawnFor(t, "load", "course", asDeclared)
	if f == nil || len(f.Chart.Series) != 3 || len(f.Chart.Spans) == 0 || f.Chart.Spans[0].Name != "warm-up" {
		t.Fatalf("%+v", f)
	}
	for _, text := range []string{f.Chart.Footnote, f.Chart.Alt} {
		if !strings.Contains(text, "flags: slip_high (threads)") {
			t.Errorf("%q does not say that a trial has a flag", text)
		}
	}
	if !strings.HasPrefix(f.Chart.Subtitle, "Throughput") {
		t.Errorf("subtitle %q does not say what is drawn", f.Chart.Subtitle)
	}
}

func TestWhatTimelinesCannotShowIsSaidInEveryForm(t *testing.T) {
	run, trials := loadFixture(t, "experiments")
	_, page := reportOf(t, "experiments")
	var terminal, markdown bytes.Buffer
	if err := Terminal(&terminal, run, trials, TerminalOptions{Options: fixtureOptions("experiments")}); err != nil {
		t.Fatal(err)
	}
	r := newReport(run, trials, fixtureOptions("experiments"))
	r.illustrate()
	if err := r.markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{"page": page, "terminal": terminal.String(), "Markdown": markdown.String()} {
		text = strings.Join(strings.Fields(text), " ")
		for _, want := range []string{"coop: the kernel was not seen: a bar shows at most what ran.", "threads: 4 events were lost."} {
			if n := strings.Count(text, want); n != 1 {
				t.Errorf("the %s says %d times %q", form, n, want)
			}
		}
	}
}

func TestTheTerminalHasTheBoundsOfAllServiceLevels(t *testing.T) {
	no := false
	for _, experiment := range []string{"capacity", ""} { // of an experiment, and of nobody's
		p := fixturePoint("coop", "http", 64, 0)
		p.Experiment = experiment
		run := fixtureRun(1, []record.Point{p})
		run.Capacities = []record.Capacity{
			{Experiment: experiment, Engine: "coop", Workload: "http", Conns: 64, SLO: "p99<1ms", LowerRPS: 20_000, UpperRPS: 21_000, Probes: 11},
			{Experiment: experiment, Engine: "coop", Workload: "http", Conns: 64, SLO: "p99<5ms", LowerRPS: 30_000, Probes: 9, Confirmed: &no,
				Irregular: "only the generator failed"},
		}
		var b bytes.Buffer
		o := Options{Experiments: []Experiment{{Name: "capacity", Plots: []Plot{{ID: "bounds", Title: "Bounds", Kind: Bounds}}}}}
		if err := Terminal(&b, run, []record.Trial{{Point: p, Requests: 10, WindowSeconds: 1}}, TerminalOptions{Options: o}); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		for _, want := range []string{"p99<1ms coop 20.0k/s 21.0k/s 11 –", "p99<5ms coop 30.0k/s – 9 no", "p99<5ms, coop: only the generator failed"} {
			if !strings.Contains(text, want) {
				t.Errorf("experiment %q: no %q in\n%s", experiment, want, b.String())
			}
		}
	}
}

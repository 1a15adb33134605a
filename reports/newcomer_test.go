package reports

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/HdrHistogram/hdrhistogram-go"

	"turnlab/harness/record"
)

func TestALineChartOfOnePlaceIsLeftOutUnlessItIsAll(t *testing.T) {
	for _, c := range []struct{ others, drawn int }{{1, 0}, {0, 1}} {
		p := fixturePoint("coop", "http", 64, 1000)
		p.Experiment = "load"
		trials := []record.Trial{{Point: p, Requests: 9, WindowSeconds: 1, ThroughputRPS: 1000, CPU: &record.CPU{ServerNSPerReq: 100}}}
		plots := []Plot{{ID: "course", Title: "Against the rate", Kind: Lines, Metrics: []string{"cpu"}, X: "rate"}}
		for range c.others {
			plots = append(plots, Plot{ID: "bars", Title: "In bars", Kind: Bars, Metrics: []string{"cpu"}})
		}
		r := newReport(fixtureRun(1, []record.Point{p}), trials, Options{Experiments: []Experiment{{Name: "load", Plots: plots}}})
		r.illustrate()
		x := r.exhibits[0]
		if got := len(x.plots[0].Figures); got != c.drawn {
			t.Errorf("beside %d other plots %d drawings of one place", c.others, got)
		}
		want := map[int]string{1: "Against the rate: only one value of offered requests per second was measured."}[c.others]
		if got := x.absent(); got != want {
			t.Errorf("%q is said, want %q", got, want)
		}
	}
}

func TestBoundsThatDifferAreARange(t *testing.T) {
	p := fixturePoint("coop", "http", 64, 0)
	var trials []record.Trial
	for i, bound := range []float64{0.143, 0.118, 0.299} {
		trials = append(trials, record.Trial{Point: p, Block: i, Flags: []record.Flag{
			{Code: "stolen_cpu", Level: record.Invalid, Figure: 0.4, Bound: bound, Unit: "of the trial's CPUs"},
			{Code: "client_limited", Level: record.Warn, Figure: 0.9, Bound: 0.8, Unit: "of its CPUs"},
		}})
	}
	run := fixtureRun(3, []record.Point{p})
	list := newReport(run, trials, Options{}).checks
	if got := list[0].figureAndBound(); got != "0.4 of the trial's CPUs (bound 0.118 to 0.299)" {
		t.Errorf("different bounds: %s", got)
	}
	if got := list[1].Bound; got != "0.8 of its CPUs" {
		t.Errorf("one bound: %s", got)
	}
}

func TestTheTopSaysHowManyValidTrialsAreInDoubt(t *testing.T) {
	page, markdown := pageOf(t, func(*record.Trial) bool { return true }, func([]Experiment) {})
	const doubts = "1 of these with a warning"
	if !strings.Contains(page, ` <a href="#checks">`+doubts+`</a>`) {
		t.Error("the page does not, or without a link")
	}
	if !strings.Contains(markdown, "valid, "+doubts) {
		t.Error("Markdown does not")
	}
}

func TestTheKeyIsFoldedUnderTheEnginesBeforeAnyFinding(t *testing.T) {
	page, _ := pageOf(t, func(*record.Trial) bool { return true }, func([]Experiment) {})
	key, findings := strings.Index(page, `<details class="key">`), strings.Index(page, `<section id="findings">`)
	if key < 0 || key > findings || !strings.Contains(page[key:findings], "coop yield=100us") {
		t.Errorf("the key stands at byte %d, findings at %d, or a setting is not in it", key, findings)
	}
}

func TestTheTerminalHasALineForEachEngine(t *testing.T) {
	var b bytes.Buffer
	long := strings.Repeat("long", 20)
	tm := &terminal{}
	tm.key([]engineKey{
		{Name: "coop", Decides: decides("coop", nil)}, {Name: "preempt/nopreempt", Decides: decides("preempt/nopreempt", nil)},
		{Name: "exec/" + long, Decides: strings.Repeat("no end ", 20)},
	})
	b.WriteString(tm.text.String())
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines:\n%s", len(lines), b.String())
	}
	for _, line := range lines {
		if utf8.RuneCountInString(line) > terminalWidth {
			t.Errorf("too wide: %s", line)
		}
	}
}

func TestASentenceIsCutBetweenItsParts(t *testing.T) {
	const text = "the task decides: futures, which nobody interrupts"
	for columns, want := range map[int]string{80: text, 30: "the task decides: futures", 20: "the task decides", 10: "the task …"} {
		if got := inBrief(text, columns); got != want {
			t.Errorf("in %d columns %q, want %q", columns, got, want)
		}
	}
}

func TestTextAfterATitleFollowsAFullStop(t *testing.T) {
	for title, want := range map[string]string{"Why?": "Why?", "It is so (in 3 trials)": "It is so (in 3 trials).", "So.": "So."} {
		if got := (Finding{Title: title, Text: "More."}).Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (Finding{Title: "Alone"}).Sentence(); got != "Alone" {
		t.Errorf("without text: %q", got)
	}
}

func TestASpectrumOfSeveralTrialsSaysThatTheyAreMerged(t *testing.T) {
	for most, want := range map[int]string{1: "percentile", 3: "percentile, all trials merged"} {
		if got := percentileHead([]latencies{{}, {trials: make([]*hdrhistogram.Histogram, most)}}); got != want {
			t.Errorf("of %d trials %q, want %q", most, got, want)
		}
	}
}

func TestWaysToDoAnOperationHaveTheMarkerOfTheirEngineInRows(t *testing.T) {
	for kind, same := range map[Kind]bool{Bars: true, Lines: false} {
		var plan []record.Point
		var trials []record.Trial
		for _, via := range []string{"channel", "gosched"} {
			for _, size := range []float64{64, 1024} {
				p := record.Point{Engine: "preempt", Workload: "switch", Mode: record.Primitive, Experiment: "primitives",
					Params: map[string]any{"preempt.via": via, "switch.size": size}}
				plan = append(plan, p)
				trials = append(trials, record.Trial{Point: p, Micro: &record.Micro{Operations: 1e6, NSPerOp: size}})
			}
		}
		r := newReport(fixtureRun(1, plan), trials, Options{Experiments: []Experiment{{Name: "primitives",
			Plots: []Plot{{ID: "plot", Title: "Plot", Kind: kind, Metrics: []string{"ns-per-op"}, X: "switch.size"}}}}})
		own, via := r.looks["preempt"], r.looks["preempt via=channel"]
		if via.Ink.Name == "" || (own.Shape == via.Shape) != same {
			t.Errorf("%s: the engine has marker %d, a way of it %d", kind, own.Shape, via.Shape)
		}
	}
}

func TestShortNamesTakeNoMoreOfALineThanTheyNeed(t *testing.T) {
	tm := &terminal{}
	tm.columns([][]string{{"engine", "figure"}, {"threads", strings.Repeat("x", terminalWidth-columnGap-len("threads"))}}, 0)
	for line := range strings.Lines(tm.text.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > terminalWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

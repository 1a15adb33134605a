package digest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"turnlab/harness/record"
)

func point(label, workload string, params map[string]any) record.Point {
	engine, variant, _ := strings.Cut(label, "/")
	p := record.Point{Engine: engine, Variant: variant, Workload: workload, Mode: record.Closed, Params: params}
	if p.Number("rate") > 0 {
		p.Mode = record.Open
	}
	return p
}

// sweep makes the points of every engine with every value of every axis, in nested order.
func sweep(engines []string, axes ...any) []record.Point {
	params := []map[string]any{{}}
	for i := 0; i < len(axes); i += 2 {
		var next []map[string]any
		for _, v := range axes[i+1].([]any) {
			for _, p := range params {
				q := map[string]any{axes[i].(string): v}
				for name, w := range p {
					q[name] = w
				}
				next = append(next, q)
			}
		}
		params = next
	}
	var points []record.Point
	for _, e := range engines {
		for _, p := range params {
			points = append(points, point(e, "echo", p))
		}
	}
	return points
}

func values(xs ...any) []any { return xs }

// outline writes a section as text: its axis, and for each panel its name and its series with the number of cells.
func outline(s Section) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", s.Axis.Name, strings.Join(s.Axis.Names(), ","))
	for _, p := range s.Panels {
		fmt.Fprintf(&b, "; %s[%s]:", p.Mode, p.Text())
		for _, series := range p.Series {
			fmt.Fprintf(&b, " %s(%d)", series.Name, len(series.Cells))
		}
	}
	return b.String()
}

func TestSweptParametersBecomeAxisPanelsAndSeriesByTheRule(t *testing.T) {
	two := []string{"preempt", "coop"}
	withYield := append(sweep([]string{"preempt"}, "conns", values(1.0, 4.0)),
		sweep([]string{"coop"}, "conns", values(1.0, 4.0), "coop.yield", values("1ms", "10us"))...)
	for _, c := range []struct {
		name string
		plan []record.Point
		want string
	}{
		{"one axis", sweep(two, "conns", values(1.0, 4.0, 16.0), "depth", values(1.0)),
			"conns 1,4,16; closed[]: coop(3) preempt(3)"},
		{"the axis with the most values is drawn, the other makes panels", sweep(two, "conns", values(1.0, 4.0), "echo.payload", values(64.0, 1024.0, 65536.0)),
			"echo.payload 64 B,1 KiB,64 KiB; closed[conns 1]: coop(3) preempt(3); closed[conns 4]: coop(3) preempt(3)"},
		{"at a tie conns wins", sweep(two, "rate", values(1000.0, 20000.0), "conns", values(1.0, 4.0), "a", values(1.0, 2.0)),
			"conns 1,4; open[a 1, rate 1k/s]: coop(2) preempt(2); open[a 1, rate 20k/s]: coop(2) preempt(2); " +
				"open[a 2, rate 1k/s]: coop(2) preempt(2); open[a 2, rate 20k/s]: coop(2) preempt(2)"},
		{"closed and open loops are never in one panel", sweep(two, "rate", values(0.0, 1000.0), "conns", values(1.0, 4.0)),
			"conns 1,4; closed[]: coop(2) preempt(2); open[rate 1k/s]: coop(2) preempt(2)"},
		{"a rate of zero is no rate", sweep(two, "rate", values(0.0, 1000.0, 2000.0, 5000.0)),
			"rate 1k/s,2k/s,5k/s; closed[]: coop(1) preempt(1); open[]: coop(3) preempt(3)"},
		{"an engine's own option makes series", withYield,
			"conns 1,4; closed[]: coop yield=10us(2) coop yield=1ms(2) preempt(2)"},
		{"words make panels", sweep(two, "conns", values(1.0, 4.0), "transport", values("tcp", "unix")),
			"conns 1,4; closed[transport tcp]: coop(2) preempt(2); closed[transport unix]: coop(2) preempt(2)"},
		{"durations are an axis", sweep(two, "echo.delay", values("5ms", "100us", "1s")),
			"echo.delay 100us,5ms,1s; closed[]: coop(3) preempt(3)"},
		{"nothing was swept", sweep(two, "conns", values(64.0)), " ; closed[]: coop(1) preempt(1)"},
		{"engines keep their order", sweep([]string{"exec/z", "loop", "threads", "coop/await", "preempt", "coop"}, "conns", values(1.0)),
			" ; closed[]: coop(1) coop/await(1) preempt(1) threads(1) loop(1) exec/z(1)"},
	} {
		d := New(&record.Run{Plan: c.plan}, nil)
		if len(d.Sections) != 1 {
			t.Fatalf("%s: %d sections", c.name, len(d.Sections))
		}
		if got := strings.ReplaceAll(outline(d.Sections[0]), "\u00a0", " "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func trial(p record.Point, block int, cpuNS float64) record.Trial {
	return record.Trial{Point: p, Block: block, WindowSeconds: 1, Requests: 1000, ThroughputRPS: 1000, CPU: &record.CPU{ServerNSPerReq: cpuNS}}
}

func cpuMetric(t *testing.T) Metric {
	t.Helper()
	for _, m := range Metrics(record.Closed) {
		if m.ID == "cpu" {
			return m
		}
	}
	t.Fatal("CPU per request is no metric")
	return Metric{}
}

func TestOnlyValidTrialsEnterAMedian(t *testing.T) {
	p := point("coop", "echo", map[string]any{"conns": 1.0})
	trials := []record.Trial{trial(p, 0, 10), trial(p, 1, 30), trial(p, 2, 20), trial(p, 0, 1000), trial(p, 1, 2000)}
	trials[3].Flags = []record.Flag{{Code: "bad_answers", Level: record.Invalid}}
	trials[4].Failed = "no server"
	trials[2].Flags = []record.Flag{{Code: "slip_high", Level: record.Warn}}
	d := New(&record.Run{Blocks: 3}, trials)
	s := d.Summarise(d.Sections[0].Panels[0].Series[0].Cells[0], cpuMetric(t))
	if s.Median != 20 || s.Lo != 10 || s.Hi != 30 || s.N != 3 {
		t.Errorf("summary %+v, want the median 20 of 10, 20 and 30", s)
	}
	if len(s.Strays) != 1 || s.Strays[0] != 1000 {
		t.Errorf("strays %v, want the invalid trial and not the failed one", s.Strays)
	}
}

func TestAPointWithoutAValidTrialHasNoMedian(t *testing.T) {
	p := point("coop", "echo", map[string]any{"conns": 1.0})
	d := New(&record.Run{Plan: []record.Point{p}}, nil)
	cell := d.Sections[0].Panels[0].Series[0].Cells[0]
	if s := d.Summarise(cell, cpuMetric(t)); !math.IsNaN(s.Median) || s.N != 0 {
		t.Errorf("summary of nothing: %+v", s)
	}
	if codes := cell.Codes(); len(codes) != 1 || codes[0] != "not run" {
		t.Errorf("codes %v, want: not run", codes)
	}
}

func TestShortRunsShowRangesAndLongOnesIntervals(t *testing.T) {
	p := point("coop", "echo", map[string]any{"conns": 1.0})
	for _, c := range []struct {
		blocks, trials int
		lo, hi         float64
	}{
		{5, 5, 1, 5},
		{10, 10, 2, 9},                     // order statistics: 97.9 % for the second and the ninth of ten
		{10, 4, math.Inf(-1), math.Inf(1)}, // too few of them are there: the range would look like the narrower claim
	} {
		var trials []record.Trial
		for i := range c.trials {
			trials = append(trials, trial(p, i, float64(i+1)))
		}
		other := point("preempt", "echo", map[string]any{"conns": 1.0})
		for i := range c.blocks { // the section has as many blocks as any of its points
			trials = append(trials, trial(other, i, 1))
		}
		d := New(&record.Run{}, trials)
		s := d.Summarise(d.Sections[0].Panels[0].Series[0].Cells[0], cpuMetric(t))
		if s.Lo != c.lo || s.Hi != c.hi {
			t.Errorf("%d of %d blocks: %v to %v, want %v to %v", c.trials, c.blocks, s.Lo, s.Hi, c.lo, c.hi)
		}
	}
}

func TestRatiosArePairedWithinBlocks(t *testing.T) {
	params := map[string]any{"conns": 1.0}
	coop, preempt := point("coop", "echo", params), point("preempt", "echo", params)
	// Block 1 is twice as slow for both; unpaired, that would look like noise between engines.
	trials := []record.Trial{
		trial(coop, 0, 50), trial(preempt, 0, 100), trial(coop, 1, 100), trial(preempt, 1, 200), trial(coop, 2, 60), trial(preempt, 2, 100),
		trial(coop, 3, 70), // preempt has no trial in this block
	}
	d := New(&record.Run{Blocks: 4}, trials)
	p := d.Sections[0].Panels[0]
	if base := p.Series[p.Baseline()].Name; base != "preempt" {
		t.Fatalf("the baseline is %s", base)
	}
	r, ok := d.Ratio(p, cpuMetric(t), 1-p.Baseline(), p.Baseline(), p.Values()[0])
	if !ok || r.Median != 0.5 || r.Lo != 0.5 || r.Hi != 0.6 || len(r.Values) != 3 {
		t.Errorf("ratio %+v, want 0.5 (0.5 to 0.6) of three blocks", r)
	}
}

func TestDetailsAreShownWhereTheMostSeriesHaveThem(t *testing.T) {
	var trials []record.Trial
	for engine, rates := range map[string][]any{"coop": values(1.0, 2.0, 3.0, 4.0, 5.0), "preempt": values(2.0, 3.0, 4.0)} {
		for _, p := range sweep([]string{engine}, "rate", rates) {
			trials = append(trials, trial(p, 0, 100))
		}
	}
	p := New(&record.Run{Blocks: 1}, trials).Sections[0].Panels[0]
	has := func(*record.Trial) bool { return true }
	middle, _ := p.Middle(has)
	if last, ok := p.Last(has); !ok || middle.Number != 3 || last.Number != 4 {
		t.Errorf("middle %v and last %v of what both have, want 3 and 4", middle.Number, last.Number)
	}
	if x, ok := p.Last(func(*record.Trial) bool { return false }); ok {
		t.Errorf("nothing was found at %v", x)
	}
}

func TestLatencyIsServiceInTheClosedLoopAndResponseInTheOpen(t *testing.T) {
	tr := record.Trial{LatencyNS: map[string]record.Latency{"service": {P99: 1000}, "response": {P99: 5000}}}
	for mode, want := range map[string]float64{record.Closed: 1000, record.Open: 5000} {
		for _, m := range Metrics(mode) {
			if m.ID != "p99" {
				continue
			}
			x, ok := m.Of(&tr)
			if !ok || x != want || !strings.Contains(m.Title, map[string]string{record.Closed: "service", record.Open: "response"}[mode]) {
				t.Errorf("%s loop: %s is %v", mode, m.Title, x)
			}
		}
	}
}

func TestAPercentileThatWasWithheldIsNotZero(t *testing.T) {
	tr := record.Trial{LatencyNS: map[string]record.Latency{"service": {P50: 1000}}}
	for _, m := range Metrics(record.Closed) {
		if _, ok := m.Of(&tr); m.ID == "p999" && ok {
			t.Error("an absent p99.9 was read as a figure")
		}
	}
}

func TestWithoutARequestNothingCostsNothingPerRequest(t *testing.T) {
	tr := record.Trial{WindowSeconds: 1, CPU: &record.CPU{ServerUtil: 1}, Switches: &record.Switches{}}
	for _, m := range Metrics(record.Closed) {
		x, ok := m.Of(&tr)
		if want := m.ID == "throughput"; ok != want {
			t.Errorf("%s of a trial without requests is %v (%v)", m.ID, x, ok)
		}
	}
}

func TestRSSStandsInOnlyWhereThereIsNoPSS(t *testing.T) {
	both := record.Trial{Memory: map[string]uint64{"pss": 1, "rss": 2}}
	only := record.Trial{Memory: map[string]uint64{"rss": 2}}
	for _, m := range Metrics(record.Closed) {
		_, inBoth := m.Of(&both)
		_, inOnly := m.Of(&only)
		if m.ID == "pss" && (!inBoth || inOnly) || m.ID == "rss" && (inBoth || !inOnly) {
			t.Errorf("%s: with both %v, with RSS alone %v", m.ID, inBoth, inOnly)
		}
	}
}

func TestRepresentativeValuesReachFromTheFirstToTheLast(t *testing.T) {
	d := New(&record.Run{Plan: sweep([]string{"coop"}, "conns", values(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0))}, nil)
	var got []string
	for _, v := range d.Sections[0].Panels[0].Representative(3) {
		got = append(got, v.Text)
	}
	if strings.Join(got, " ") != "1 4 7" {
		t.Errorf("three of 1 to 7: %v", got)
	}
}

// experiment gives a point to one.
func experiment(name string, p record.Point) record.Point {
	p.Experiment = name
	return p
}

func TestExperimentsHaveSectionsAndBlocksOfTheirOwn(t *testing.T) {
	p := point("coop", "echo", map[string]any{"conns": 1.0})
	var trials []record.Trial
	for block := range 6 {
		trials = append(trials, trial(experiment("long", p), block, 10))
		if block < 3 {
			trials = append(trials, trial(experiment("short", p), block, 20), trial(p, block, 30))
		}
	}
	d := New(&record.Run{}, trials)
	var got []string
	for _, s := range d.Sections {
		got = append(got, fmt.Sprintf("%s: %d blocks, %v", s.Experiment, s.Blocks, s.Intervals()))
	}
	if text := strings.Join(got, "; "); text != ": 3 blocks, false; long: 6 blocks, true; short: 3 blocks, false" {
		t.Errorf("sections %s", text)
	}
	for name, want := range map[string]int{"": 3, "short": 3, "long": 6, "none": 0} {
		if of := d.Of(name); len(of.Trials) != want || want > 0 && len(of.Sections) != 1 {
			t.Errorf("%q has %d trials in %d sections, want %d", name, len(of.Trials), len(of.Sections), want)
		}
	}
	if least, most := d.Blocks(); least != 3 || most != 6 {
		t.Errorf("%d to %d blocks", least, most)
	}
}

func TestAnAxisCanBeChosen(t *testing.T) {
	plan := sweep([]string{"coop", "preempt"}, "echo.share", values(0.01, 0.1), "echo.burst", values("1ms", "10ms", "100ms"), "conns", values(1.0, 2.0))
	d := New(&record.Run{Plan: plan}, nil)
	ten := func(p record.Point) bool { return p.Number("conns") == 1 }
	for _, c := range []struct{ x, y, want string }{
		{"share", "", "echo.share 1 %,10 %; closed[burst 1ms]: coop(2) preempt(2); closed[burst 10ms]: coop(2) preempt(2); closed[burst 100ms]: coop(2) preempt(2)"},
		{"burst", "share", "echo.burst 1ms,10ms,100ms; closed[share 1 %]: coop(3) preempt(3); closed[share 10 %]: coop(3) preempt(3)"},
		{"none", "", "none "},
	} {
		if got := strings.ReplaceAll(outline(d.Select(ten, c.x, c.y)), "\u00a0", " "); got != c.want {
			t.Errorf("along %s, %s:\n got %s\nwant %s", c.x, c.y, got, c.want)
		}
	}
	two := New(&record.Run{Plan: append(plan, point("coop", "http", map[string]any{"conns": 1.0}))}, nil)
	if got := outline(two.Select(ten, "workload", "")); !strings.HasPrefix(got, "workload echo,http;") {
		t.Errorf("along workloads: %s", got)
	}
}

func TestWhatFollowsTheAxisMakesNoPanels(t *testing.T) {
	var plan []record.Point
	for i, burst := range []string{"1ms", "10ms"} {
		for j, share := range []float64{0.01, 0.1} {
			for _, yield := range []string{"0s", "100us"} {
				plan = append(plan, point("coop", "hog", map[string]any{
					"hog.burst": burst, "hog.share": share, "rate": float64(1000 - 100*i - 10*j), "coop.yield": yield, "coop.offload": float64(2 * (len(yield) - 2)),
				}))
			}
		}
	}
	d := New(&record.Run{Plan: plan}, nil)
	want := "hog.burst 1ms,10ms; open[share 1 %]: coop(2) coop offload=6 yield=100us(2); open[share 10 %]: coop(2) coop offload=6 yield=100us(2)"
	if got := strings.ReplaceAll(outline(d.Select(nil, "hog.burst", "hog.share")), "\u00a0", " "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := d.Select(nil, "hog.burst", ""); len(got.Panels) != 4 {
		t.Errorf("%d panels without the shares, want one for each rate", len(got.Panels))
	}
}

func TestASecondArmGivesTheFloorAndCountsForNothingElse(t *testing.T) {
	p := point("coop", "echo", map[string]any{"conns": 1.0})
	again := p
	again.Arm = record.Again
	probe := p
	probe.Arm = "probe"
	var trials []record.Trial
	for block := range 8 {
		trials = append(trials, trial(p, block, 100), trial(again, block, 100+float64(block)-3), trial(probe, block, 1))
	}
	d := New(&record.Run{Plan: []record.Point{p, again, probe}}, trials)
	panel := d.Sections[0].Panels[0]
	if s := d.Summarise(panel.Series[0].Cells[0], cpuMetric(t)); s.N != 8 || s.Median != 100 || len(d.Trials) != 8 || d.Sections[0].Trials != 8 {
		t.Errorf("%d trials with a median of %v, %d in all, want the 8 of the first arm", s.N, s.Median, len(d.Trials))
	}
	if floor := d.Floor(panel, cpuMetric(t), panel.Values()[0]); floor < 0.02 || floor > 0.04 {
		t.Errorf("the floor is %v, want the farther end of the interval of 0.97 to 1.04", floor)
	}
	alone := New(&record.Run{}, trials[:1])
	if floor := alone.Floor(alone.Sections[0].Panels[0], cpuMetric(t), panel.Values()[0]); !math.IsNaN(floor) {
		t.Errorf("without a second arm the floor is %v", floor)
	}
}

func TestSharesOfARateLieTogetherWhateverTheRateIs(t *testing.T) {
	var plan []record.Point
	for i, share := range []float64{0.2, 0.8} {
		for j, engine := range []string{"coop", "preempt"} {
			plan = append(plan, point(engine, "echo", map[string]any{"rate-share": share, "rate": float64(1000 * (1 + 3*i + j))}))
		}
	}
	if got, want := outline(New(&record.Run{Plan: plan}, nil).Select(nil, "rate-share", "")), "rate-share 20 %,80 %; open[]: coop(2) preempt(2)"; strings.ReplaceAll(got, "\u00a0", " ") != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

package experiments

import (
	"slices"
	"strings"
	"testing"

	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// made builds trials of an engine: one in each block, with the p99 that the test names, in microseconds.
func made(engine string, params map[string]any, p99 ...float64) []record.Trial {
	var list []record.Trial
	for block, us := range p99 {
		p := map[string]any{"conns": 64.0, "rate": 1000.0}
		for name, v := range params {
			p[name] = v
		}
		list = append(list, record.Trial{
			Block: block, Requests: 1000, WindowSeconds: 1,
			Point:     record.Point{Engine: engine, Workload: "hog", Mode: record.Open, Experiment: "x", Params: p},
			LatencyNS: map[string]record.Latency{"response": {P50: 1000, P99: int64(us * 1000)}},
			Memory:    map[string]uint64{"pss": uint64(us * 1000)},
		})
	}
	return list
}

func digestOf(groups ...[]record.Trial) *digest.Digest {
	d := &digest.Digest{Run: &record.Run{}}
	for _, g := range groups {
		d.Trials = append(d.Trials, g...)
	}
	return d
}

// two compares b with a, by p99.
var two = contest{
	metric: "response-p99", series: []series{plainly("a"), plainly("b")}, at: everything, title: "It took", condition: "somewhere",
}

// text is a finding as a reader meets it: title, rows, conditions.
func text(f reports.Finding) string {
	out := f.Title
	for _, r := range f.Rows {
		out += " | " + r.Name
		for _, c := range r.Cells {
			out += " " + c.Text
			if c.Spread != "" {
				out += " (" + c.Spread + ")"
			}
		}
		out += " " + r.Verdict
	}
	return strings.ReplaceAll(out+" | "+f.Text, "\u00a0", " ")
}

func must(t *testing.T, f reports.Finding, ok bool, level string, contains ...string) {
	t.Helper()
	if !ok || f.Level != level {
		t.Fatalf("found %v, level %q, want %q: %s", ok, f.Level, level, text(f))
	}
	for _, want := range contains {
		if !strings.Contains(text(f), want) {
			t.Errorf("%q is not in: %s", want, text(f))
		}
	}
}

func mustNot(t *testing.T, f reports.Finding, words ...string) {
	t.Helper()
	for _, word := range words {
		if strings.Contains(text(f), word) {
			t.Errorf("%q must not be in: %s", word, text(f))
		}
	}
}

func TestSixBlocksThatAgreeMakeAClaimWithAnInterval(t *testing.T) {
	d := digestOf(made("a", nil, 100, 101, 102, 103, 104, 105), made("b", nil, 200, 202, 204, 206, 208, 210))
	f, ok := viewOf(d, "x").against(two)
	must(t, f, ok, reports.Claim, "It took 205 µs under b and 102 µs under a |", "a 102 µs (100 µs to 105 µs) –  | b 205 µs (200 µs to 210 µs) 2.00× (2.00× to 2.00×) higher",
		"95 % intervals over 6 blocks.", "Somewhere.")
	mustNot(t, f, "no difference", "Ranges", "trials")
}

func TestSixBlocksThatOverlapMakeNoClaim(t *testing.T) {
	d := digestOf(made("a", nil, 100, 110, 90, 105, 95, 100), made("b", nil, 101, 100, 99, 104, 97, 102))
	f, ok := viewOf(d, "x").against(two)
	must(t, f, ok, reports.Open, "1.02× (0.91× to 1.10×) no difference shown", "under a (not told apart)")
	mustNot(t, f, "higher", "lower")
}

func TestADifferenceWithinTheNoiseOfAnEngineAgainstItselfIsNotClaimed(t *testing.T) {
	a, b := made("a", nil, 100, 100, 100, 100, 100, 100), made("b", nil, 105, 106, 107, 105, 106, 107)
	twice := again(made("a", nil, 110, 92, 111, 91, 110, 92))
	f, ok := viewOf(digestOf(a, b), "x").against(two)
	must(t, f, ok, reports.Claim)
	f, ok = viewOf(digestOf(a, b, twice), "x").against(two)
	must(t, f, ok, reports.Open, "1.06× (", "no difference shown")
}

func TestFewBlocksClaimNothingAndTellWhatLayFarApartInAllOfThemAsSeen(t *testing.T) {
	f, ok := viewOf(digestOf(made("a", nil, 100, 120, 140), made("b", nil, 300, 320, 340)), "x").against(two)
	must(t, f, ok, reports.Seen, "320 µs under b and 120 µs under a (in 3 trials)", "2.67× (2.43× to 3.00×) seen far above", "Ranges over 3 blocks, too few for a claim. Seen far is more than 2× apart in all trials.")
	mustNot(t, f, "higher", "A/A")
	f, ok = viewOf(digestOf(made("a", nil, 300, 320, 340), made("b", nil, 100, 120, 140)), "x").against(two)
	must(t, f, ok, reports.Seen, "seen far below")
	mustNot(t, f, "lower")
	// Twice as much in the middle, but the ranges are not two times apart.
	f, ok = viewOf(digestOf(made("a", nil, 100, 120, 160), made("b", nil, 300, 320, 340)), "x").against(two)
	must(t, f, ok, reports.Open, "(in 3 trials)", "b 320 µs (300 µs to 340 µs) 2.67× (2.12× to 3.00×) too few blocks")
	mustNot(t, f, "no difference", "higher", "lower", "seen", "Seen")
	// Far apart, but there are only two.
	f, ok = viewOf(digestOf(made("a", nil, 100, 120), made("b", nil, 900, 920)), "x").against(two)
	must(t, f, ok, reports.Open, "(in 2 trials)", "far apart, n 2", "Ranges over 2 blocks", "more than 2× apart where one has two trials, too few to be called seen.")
	mustNot(t, f, "seen far", "Seen far", "too few blocks")
	f, ok = viewOf(digestOf(made("a", nil, 900, 920, 910), made("b", nil, 100, 120)), "x").against(two)
	must(t, f, ok, reports.Open, "(in 2 to 3 trials)", "far apart, n 2")
	f, ok = viewOf(digestOf(made("a", nil, 100, 120), made("b", nil, 210, 230)), "x").against(two) // not two times apart
	must(t, f, ok, reports.Open, "too few blocks | Ranges over 2 blocks, too few for a claim. Somewhere.")
	f, ok = viewOf(digestOf(made("a", nil, 100), made("b", nil, 900)), "x").against(two)
	must(t, f, ok, reports.Open, "under a (one valid trial)", "9.00× one valid trial", "One valid trial each.")
}

// without drops the trial of a block.
func without(block int, trials []record.Trial) []record.Trial {
	return slices.DeleteFunc(trials, func(t record.Trial) bool { return t.Block == block })
}

func TestARowWithFewBlocksBesideOneWithEnoughIsNeverToldApart(t *testing.T) {
	three := two
	three.series = append(three.series[:2:2], plainly("c"))
	a, b := made("a", nil, 100, 101, 102, 103, 104, 105), made("b", nil, 200, 202, 204, 206, 208, 210)
	c := without(2, made("c", nil, 900, 900, 900, 900, 900, 900))
	f, ok := viewOf(digestOf(a, b, c), "x").against(three)
	must(t, f, ok, reports.Claim, "2.00× (2.00× to 2.00×) higher", "c 900 µs (900 µs to 900 µs) 5 8.74× (8.57× to 9.00×) too few blocks",
		"95 % intervals over 6 blocks; ranges where there are fewer: c (5).")
	mustNot(t, f, "seen", "Seen", "Ranges over")
	// When the row that all are held against has lost one, no ratio has an interval, though figures have.
	f, ok = viewOf(digestOf(without(2, a), b, made("c", nil, 900, 900, 900, 900, 900, 900)), "x").against(three)
	must(t, f, ok, reports.Seen, "c 900 µs (900 µs to 900 µs) 6 8.74× (8.57× to 9.00×) seen far above", "(in 5 to 6 trials)",
		"Ratios are ranges over 5 blocks, too few for a claim; figures of 6 trials or more have 95 % intervals.")
	mustNot(t, f, "higher")
}

func TestTrialsWithoutEnoughCommonBlocksMakeNoClaimHoweverManyTheyAre(t *testing.T) {
	a, b := made("a", nil, 100, 100, 100, 100, 100, 100, 100, 100, 100), made("b", nil, 900, 900, 900, 900, 900, 900)
	for i := range b {
		b[i].Block += 6
	}
	f, ok := viewOf(digestOf(a, b), "x").against(two)
	must(t, f, ok, reports.Seen, "under a (seen, not claimed)", "seen far above", "Ratios are ranges over 3 blocks")
	b = b[2:]
	f, ok = viewOf(digestOf(a, b), "x").against(two)
	must(t, f, ok, reports.Open, "9.00× one common block", "One block in common.")
}

func TestNoRuleReadsATrialThatDoesNotCount(t *testing.T) {
	for name, spoil := range map[string]func(*record.Trial){
		"invalid": func(t *record.Trial) { t.Flags = []record.Flag{{Code: "bad_answers", Level: record.Invalid}} },
		"failed":  func(t *record.Trial) { t.Failed = "no server" },
		"a probe": func(t *record.Trial) { t.Arm = record.Probe },
		"another": func(t *record.Trial) { t.Experiment = "y" },
	} {
		b := made("b", nil, 900, 900, 900, 900, 900, 900)
		for i := range b {
			spoil(&b[i])
		}
		d := digestOf(made("a", nil, 100, 100, 100, 100, 100, 100), b)
		if f, ok := viewOf(d, "x").against(two); ok {
			t.Errorf("%s: %s", name, text(f))
		}
	}
}

func TestAFindingSaysWhichSeriesItHadToLeaveOut(t *testing.T) {
	three := two
	three.series = append(three.series[:2:2], plainly("c"))
	d := digestOf(made("a", nil, 100), made("b", nil, 900))
	f, ok := viewOf(d, "x").against(three)
	must(t, f, ok, reports.Open)
	mustNot(t, f, "No figure") // nobody wanted to measure c
	d.Run.Plan = []record.Point{{Engine: "c"}}
	f, ok = viewOf(d, "x").against(three)
	must(t, f, ok, reports.Open, "No figure of a valid trial: c.")
}

func TestGrowthComparesAnEngineWithItself(t *testing.T) {
	calm, hogged := map[string]any{"hog.share": 0.0}, map[string]any{"hog.share": 0.01}
	rule := growth{
		metric: "response-p99", series: two.series, from: is("", calm), to: is("", hogged),
		title: "Its p99 became", of: "as long", columns: [2]string{"with hogs", "without"}, condition: "somewhere",
	}
	d := digestOf(
		made("a", calm, 100, 100, 100, 100, 100, 100), made("a", hogged, 100, 101, 99, 100, 101, 99),
		made("b", calm, 50, 51, 52, 53, 54, 55), made("b", hogged, 5000, 5100, 5200, 5300, 5400, 5500),
	)
	f, ok := viewOf(d, "x").grown(rule)
	must(t, f, ok, reports.Claim, "Its p99 became 100× as long under b and 1.00× under a |", "100× (100× to 100×) higher", "1.00× (0.99× to 1.01×) no difference shown")
	if f, ok := viewOf(digestOf(made("a", hogged, 100)), "x").grown(rule); ok {
		t.Errorf("a growth from nothing: %s", text(f))
	}
}

func TestBesideHogsFewTrialsAreToldAsSeen(t *testing.T) {
	us := func(x ...float64) measure {
		m := measure{byBlock: map[int]float64{}}
		for block, v := range x {
			m.byBlock[block] = v * 1000
		}
		return m
	}
	named := func(name string, m measure) measure { m.name = name; return m }
	coop, threads := named("coop", us(80_000, 81_000, 82_000)), named("threads", us(300, 310, 320))
	quiet := []measure{named("coop", us(200, 210, 220)), named("threads", us(200, 210, 220))}
	none := []measure{{}, {}}
	b := besides{hogged: []measure{coop, threads}, quiet: quiet, cpu: none, hogs: none, noise: noise{from: nowhere}}
	b.compare()
	f, ok := b.finding(metric("innocent-p99").Unit, "somewhere", nil)
	must(t, f, ok, reports.Seen, "innocents' p99: coop 81.0 ms and threads 310 µs (in 3 trials)", "seen far below", "Seen far from the same engine without hogs: coop.", "Ranges over 3 blocks, too few for a claim.")
	mustNot(t, f, "Told", "lower", "A/A")
}

// sized builds trials of an engine at some sizes in each of six blocks: base and each for every connection.
func sized(engine string, base, each float64, sizes ...float64) []record.Trial {
	var list []record.Trial
	for block := range 6 {
		for _, n := range sizes {
			one := made(engine, map[string]any{"conns": n}, 1)[0]
			one.Block, one.Memory = block, map[string]uint64{"pss": uint64(base + n*each*(1+float64(block)/100))}
			list = append(list, one)
		}
	}
	return list
}

func TestMemoryIsComparedBySlopeAndNotByWhatThereIsAnyway(t *testing.T) {
	rule := slopeRule{metric: "pss", x: "conns", series: two.series, at: everything, title: "A connection took"}
	d := digestOf(sized("a", 50<<20, 1024, 100, 200, 400, 800, 1600), sized("b", 1<<20, 4096, 100, 200, 400, 800, 1600))
	f, ok := viewOf(d, "x").slopes(rule)
	must(t, f, ok, reports.Claim, "4.10 KiB under b and 1.02 KiB under a", " 4.00× (", "higher")
	d = digestOf(sized("a", 0, 1024, 100, 200, 400), sized("b", 0, 4096, 100, 200, 400))
	if f, ok := viewOf(d, "x").slopes(rule); ok {
		t.Errorf("three sizes made a line: %s", text(f))
	}
}

func TestASweepWithoutAQuestionComparesEnginesOfTheSameLoad(t *testing.T) {
	var groups [][]record.Trial
	for _, engine := range []string{"coop", "preempt"} {
		for _, conns := range []float64{1, 64} {
			g := made(engine, map[string]any{"conns": conns}, 100*conns, 100*conns, 100*conns)
			for i := range g {
				g[i].Experiment = ""
			}
			groups = append(groups, g)
		}
	}
	d := digestOf(groups...)
	found := Findings(d.Run, d.Trials)
	if len(found) != 2 { // no CPU time was measured
		t.Fatalf("%d findings", len(found))
	}
	must(t, found[0], true, reports.Open, "6.40 ms under preempt and 6.40 ms under coop", "Hog over 64 connections, 1000 requests/s in an open loop.")
	for i := range d.Trials {
		d.Trials[i].Mode, d.Trials[i].Micro = record.Primitive, &record.Micro{NSPerOp: 50}
	}
	found = Findings(d.Run, d.Trials)
	if len(found) != 1 {
		t.Fatalf("%d findings of an operation", len(found))
	}
	must(t, found[0], true, reports.Open, "An operation took 50.0 ns under preempt and 50.0 ns under coop", "Hog, without client and server.")
	one := digestOf(groups[0])
	if found := Findings(one.Run, one.Trials); len(found) > 0 {
		t.Errorf("one engine was compared with nothing: %v", found)
	}
}

func TestTheHogFindingsSayWhoSuffered(t *testing.T) {
	d := digestOf()
	d.Run.Plan = []record.Point{{Experiment: "hog"}}
	for name, waits := range map[string][2]float64{"coop": {200, 80_000}, "preempt": {220, 20_000}, "threads": {250, 5_000}} {
		for i, c := range []hogCell{hogCalm, hogShown} {
			params := c.params()
			if name == "coop" {
				params["coop.yield"], params["coop.offload"] = "0s", 0.0
			}
			for block := range 6 {
				one := made(name, params, 1)[0]
				one.Experiment, one.Block = "hog", block
				one.CPU = &record.CPU{ServerNSPerReq: 700_000}
				one.Classes = map[string]record.Class{
					"innocent": {LatencyNS: map[string]record.Latency{"response": {P99: int64(1000 * waits[i] * (1 + float64(block)/50))}}},
					"hog":      {LatencyNS: map[string]record.Latency{"response": {P50: 60e6}}},
				}
				d.Trials = append(d.Trials, one)
			}
		}
	}
	spoilt := d.Trials[0]
	spoilt.Flags = []record.Flag{{Code: "bad_answers", Level: record.Invalid}}
	d.Trials = append(d.Trials, spoilt)
	found := Findings(d.Run, d.Trials)
	if len(found) != 2 {
		t.Fatalf("%d findings", len(found))
	}
	must(t, found[1], true, reports.Limit, "Not measured: several server CPUs", "1 of 37 trials do not count: bad_answers (1).")
	must(t, found[0], true, reports.Claim, "Beside 50 ms hogs, innocents' p99: coop 84.0 ms, preempt 21.0 ms and threads 5.25 ms |",
		"coop 84.0 ms (80.0 ms to 88.0 ms) 210 µs (200 µs to 220 µs) – 700 µs 60.0 ms  | preempt",
		"0.25× (0.25× to 0.25×) 700 µs 60.0 ms lower", "0.06× (0.06× to 0.06×) 700 µs",
		"Told from the same engine without hogs: coop, preempt and threads.",
		"1 % of the requests computed for 50 ms")
}

func TestAnExperimentWhoseTrialsDoNotCountHasNoAnswerAndSaysSo(t *testing.T) {
	d := digestOf(made("coop", nil, 100), made("preempt", nil, 200))
	d.Run.Plan = []record.Point{{Experiment: "hog"}}
	for i := range d.Trials {
		d.Trials[i].Experiment = "hog"
		d.Trials[i].Flags = []record.Flag{{Code: "foreign_cpu", Level: record.Invalid}}
	}
	found := Findings(d.Run, d.Trials)
	if len(found) != 1 {
		t.Fatalf("%d findings", len(found))
	}
	must(t, found[0], true, reports.Limit, "No answer to this question: What happens to everyone else", "2 of 2 trials do not count: foreign_cpu (2).")
}

func TestAFindingSaysHowManyBlocksStandBehindIt(t *testing.T) {
	for blocks, want := range map[int]string{1: "One valid trial each", 3: "Ranges over 3 blocks, too few for a claim", 6: "95 % intervals over 6 blocks"} {
		var same []float64
		for range blocks {
			same = append(same, 100)
		}
		f, ok := viewOf(digestOf(made("a", nil, same...), made("b", nil, same...)), "x").against(two)
		must(t, f, ok, reports.Open, want)
	}
}

func TestATitleNamesNoFigureOfOneTrialBesideTwoThatAreSurer(t *testing.T) {
	three := two
	three.series = append(three.series[:2:2], plainly("c"))
	f, ok := viewOf(digestOf(made("a", nil, 100, 100), made("b", nil, 200, 200), made("c", nil, 9000)), "x").against(three)
	must(t, f, ok, reports.Open, "It took 200 µs under b and 100 µs under a (in 2 trials)", "c 9.00 ms 1 90.0× one valid trial")
}

func TestSeriesWithoutACommonBlockKeepTheirFiguresAndAreNotCompared(t *testing.T) {
	three := two
	three.series = append(three.series[:2:2], plainly("c"))
	c := made("c", nil, 300)
	c[0].Block = 7
	f, ok := viewOf(digestOf(made("a", nil, 100), made("b", nil, 200), c), "x").against(three)
	must(t, f, ok, reports.Open, "c 300 µs – "+reports.NotTogether)
}

func TestASlopeThatIsNotAboveZeroStaysInTheMedianAndLeavesNoRatio(t *testing.T) {
	rule := slopeRule{metric: "pss", x: "conns", series: two.series, at: everything, title: "A connection took"}
	var b []record.Trial
	for block, each := range []float64{-200, 100, 200, 300, 400, 500} {
		for _, n := range []float64{100, 200, 400, 800, 1600} {
			one := made("b", map[string]any{"conns": n}, 1)[0]
			one.Block, one.Memory = block, map[string]uint64{"pss": uint64(10e6 + n*each)}
			b = append(b, one)
		}
	}
	a := sized("a", 50<<20, 2000, 100, 200, 400, 800, 1600)
	f, ok := viewOf(digestOf(a, b), "x").slopes(rule)
	must(t, f, ok, reports.Open, "and 250 B under b", "b 250 B (-200 B to 500 B) – no ratio", "No ratio where the figure of a block is not above 0: b.",
		"95 % intervals over 6 blocks.")
	mustNot(t, f, "lower", "far below", "common")
	f, ok = viewOf(digestOf(a, without(0, b)), "x").slopes(rule) // the others have a ratio
	must(t, f, ok, reports.Seen, "far below")
	mustNot(t, f, "No ratio")
}

func TestAMeasuredZeroCounts(t *testing.T) {
	busy := made("a", nil, 1, 1, 1)
	dead := made("b", nil, 1, 1, 1)
	for i := range busy {
		busy[i].ThroughputRPS = 1000
	}
	rule := two
	rule.metric = "throughput"
	dead[1].ThroughputRPS = 500
	f, ok := viewOf(digestOf(busy, dead), "x").against(rule)
	must(t, f, ok, reports.Open, "and 0/s under b", "b 0/s (0/s to 500/s) – no ratio", "not above 0: b.")
}

func TestATableCountsTheTrialsOfEachRowWhereRowsDiffer(t *testing.T) {
	f, ok := viewOf(digestOf(made("a", nil, 100, 100, 100), made("b", nil, 200, 200, 200)), "x").against(two)
	if must(t, f, ok, reports.Open, "a 100 µs (100 µs to 100 µs) –"); slices.Contains(f.Columns, "n") {
		t.Errorf("a column for what is the same everywhere: %v", f.Columns)
	}
	f, ok = viewOf(digestOf(made("a", nil, 100, 100, 100), made("b", nil, 200, 200)), "x").against(two)
	must(t, f, ok, reports.Open, "a 100 µs (100 µs to 100 µs) 3 –", "b 200 µs (200 µs to 200 µs) 2 2.00×")
	if !slices.Equal(f.Columns[1:], []string{"n", "against a"}) {
		t.Errorf("columns %v", f.Columns)
	}
	// A growth has as many as the smaller of its two sides.
	calm, hogged := map[string]any{"hog.share": 0.0}, map[string]any{"hog.share": 0.01}
	rule := growth{metric: "response-p99", series: two.series, from: is("", calm), to: is("", hogged), title: "It became", of: "as long", columns: [2]string{"with", "without"}}
	f, ok = viewOf(digestOf(
		made("a", calm, 100, 100, 100), made("a", hogged, 110, 110, 110), made("b", calm, 50, 50), made("b", hogged, 100, 100, 100),
	), "x").grown(rule)
	must(t, f, ok, reports.Open, "It became 2.00× as long under b and 1.10× under a (in 2 to 3 trials)", "a 110 µs (110 µs to 110 µs) 100 µs (100 µs to 100 µs) 3 1.10×", "50.0 µs (50.0 µs to 50.0 µs) 2 2.00×")
}

func TestATitleLeavesTheBaselineOutAndTheTableHasIt(t *testing.T) {
	three := two
	three.series, three.baseline = append(three.series[:2:2], plainly("c")), "c"
	f, ok := viewOf(digestOf(made("a", nil, 100, 100, 100), made("b", nil, 150, 150, 150), made("c", nil, 10, 10, 10)), "x").against(three)
	must(t, f, ok, reports.Seen, "It took 150 µs under b and 100 µs under a (in 3 trials) |", "c 10.0 µs", "seen far below")
	same := func(us float64) []float64 { return []float64{us, us, us, us, us, us} }
	f, ok = viewOf(digestOf(made("a", nil, same(100)...), made("b", nil, same(100)...), made("c", nil, same(10)...)), "x").against(three)
	must(t, f, ok, reports.Claim, "100 µs under a and 100 µs under b (not told apart) |", "lower") // what was told apart is not in the title
}

func TestBesideHogsThePlainEnginesAreTheTitleAndVariantsAreInTheTable(t *testing.T) {
	flat := func(name string, ms float64, n int) measure {
		m := measure{name: name, byBlock: map[int]float64{}}
		for block := range n {
			m.byBlock[block] = ms * 1e6
		}
		return m
	}
	title := func(hogged ...measure) string {
		b := besides{hogged: hogged, quiet: make([]measure, len(hogged)), cpu: hogged, hogs: hogged}
		for i, x := range hogged {
			b.quiet[i] = flat(x.name, 3, 1)
		}
		b.compare()
		f, ok := b.finding(metric("innocent-p99").Unit, "somewhere", nil)
		if !ok || len(f.Rows) != len(hogged) || !strings.Contains(f.Text, "Fewer trials stand behind the p99 without hogs: "+hogged[0].name+" (1)") {
			t.Errorf("%v: %s", ok, text(f))
		}
		return strings.ReplaceAll(f.Title, "\u00a0", " ")
	}
	for want, got := range map[string]string{
		"Beside 50 ms hogs, innocents' p99: coop 65.0 ms, preempt 34.0 ms and threads 4.00 ms (in 2 to 3 trials)": title(
			flat("coop", 65, 3), flat("coop yield=100µs", 2, 3), flat("preempt", 34, 3), flat("preempt/nopreempt", 77, 3), flat("threads", 4, 2)),
		"Beside 50 ms hogs, innocents' p99 was 77.0 ms under preempt/nopreempt and 34.0 ms under preempt (in 3 trials)": title(
			flat("preempt", 34, 3), flat("preempt/nopreempt", 77, 3)),
	} {
		if got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

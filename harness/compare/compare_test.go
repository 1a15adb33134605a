package compare

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/internal/misuse"
)

// folder makes a run in memory: engines with their cost per request, one load, noise of 1 % or as given.
func folder(id string, blocks int, noise float64, seed uint64, cost map[string]float64) *record.Folder {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &record.Folder{Dir: id, Run: record.Run{ID: id, Blocks: blocks}}
	for _, name := range []string{"coop", "coop again", "preempt"} {
		if _, ok := cost[name]; !ok {
			continue
		}
		engine, arm, _ := strings.Cut(name, " ")
		p := record.Point{Engine: engine, Workload: "echo", Mode: record.Closed, Arm: arm,
			Params: map[string]any{"conns": 64.0, "rate": 0.0, engine + ".procs": 1.0, "server-cpus": "0"}}
		f.Run.Plan = append(f.Run.Plan, p)
		for b := range blocks {
			x := cost[name] * (1 + noise*r.NormFloat64())
			f.Trials = append(f.Trials, record.Trial{
				Point: p, Block: b, ThroughputRPS: 1e9 / x, WindowSeconds: 1, CPU: &record.CPU{ServerNSPerReq: x},
				LatencyNS: map[string]record.Latency{"service": {P50: int64(64 * x), P99: int64(100 * x), Count: 1000}},
				Memory:    map[string]uint64{"pss": 1 << 20, "rss": 2 << 20},
			})
		}
	}
	return f
}

func engines(t *testing.T, f *record.Folder) *Table {
	t.Helper()
	table, err := Engines(f, Variant{Label: "coop"}, Variant{Label: "preempt"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func rowOf(t *testing.T, table *Table, metric string) Row {
	t.Helper()
	for _, r := range table.Rows {
		if r.Metric == metric {
			return r
		}
	}
	t.Fatalf("no row of %s", metric)
	return Row{}
}

func TestADifferenceIsShownInItsDirection(t *testing.T) {
	table := engines(t, folder("r", 10, 0.01, 1, map[string]float64{"coop": 10e3, "preempt": 12e3}))
	for metric, ratio := range map[string]float64{"cpu": 1.2, "throughput": 1 / 1.2, "p50": 1.2, "p99": 1.2} {
		r := rowOf(t, table, metric)
		if math.Abs(r.Ratio.Ratio-ratio) > 0.02 || r.Ratio.N != 10 || !r.Worse() || r.Improved() {
			t.Errorf("%s: %+v", metric, r)
		}
	}
	if r := rowOf(t, table, "memory"); r.Verdict != stat.NotSeen || r.Ratio.Ratio != 1 || r.A != 1<<20 {
		t.Errorf("memory: %+v", r)
	}
}

func TestFewerThanSixBlocksNameNoWinner(t *testing.T) {
	table := engines(t, folder("r", 5, 0.001, 1, map[string]float64{"coop": 10e3, "preempt": 20e3}))
	for _, r := range table.Rows {
		if r.Verdict != stat.TooFew || r.Worse() {
			t.Errorf("%+v", r)
		}
	}
	var out bytes.Buffer
	if table.Print(&out); !strings.Contains(out.String(), "5 blocks: fewer than 6") || strings.Contains(out.String(), "worse") {
		t.Error(out.String())
	}
	if found := table.Regressions([]Bound{{"cpu", 0.05}}); len(found) > 0 {
		t.Errorf("%v", found)
	}
}

func TestADifferenceMustExceedWhatAnEngineShowsAgainstItself(t *testing.T) {
	cost := map[string]float64{"coop": 10e3, "coop again": 10e3, "preempt": 10.5e3}
	quiet := folder("r", 10, 0.002, 1, cost)
	if r := rowOf(t, engines(t, quiet), "cpu"); !r.Worse() || r.Floor > 0.02 || r.Floor <= 0 {
		t.Errorf("a quiet machine: %+v", r)
	}
	cost["coop again"] = 11e3 // the same engine, ten per cent off: such a run cannot tell five
	if r := rowOf(t, engines(t, folder("r", 10, 0.002, 1, cost)), "cpu"); r.Verdict != stat.NotSeen || r.Floor < 0.1 {
		t.Errorf("an engine that differs from itself: %+v", r)
	}
}

func TestTheSecondArmCountsForNothingElse(t *testing.T) {
	with := engines(t, folder("r", 10, 0, 1, map[string]float64{"coop": 10e3, "coop again": 99e3, "preempt": 12e3}))
	if r := rowOf(t, with, "cpu"); r.A != 10e3 {
		t.Errorf("%+v", r)
	}
}

func TestAnEngineComparedWithItselfIsSeldomClaimedToDiffer(t *testing.T) {
	claimed, runs := 0, 200
	for seed := range runs {
		table := engines(t, folder("r", 10, 0.03, uint64(seed), map[string]float64{"coop": 10e3, "preempt": 10e3}))
		for _, r := range table.Rows {
			if r.Worse() || r.Improved() {
				claimed++
				break
			}
		}
	}
	if claimed > runs/20 {
		t.Errorf("%d of %d", claimed, runs)
	}
}

func TestOnlyAProvenRegressionBeyondTheBoundFails(t *testing.T) {
	table := engines(t, folder("r", 10, 0.005, 1, map[string]float64{"coop": 10e3, "preempt": 11e3}))
	for bound, want := range map[float64]int{0.05: 1, 0.15: 0} {
		if found := table.Regressions([]Bound{{"throughput", bound}}); len(found) != want {
			t.Errorf("bound %v: %v", bound, found)
		}
	}
	better := engines(t, folder("r", 10, 0.005, 1, map[string]float64{"coop": 11e3, "preempt": 10e3}))
	if found := better.Regressions([]Bound{{"cpu", 0}, {"p99", 0.01}}); len(found) > 0 {
		t.Errorf("an improvement: %v", found)
	}
}

func TestTwoRunsAreComparedByEngine(t *testing.T) {
	a := folder("a", 8, 0.01, 1, map[string]float64{"coop": 10e3, "preempt": 12e3})
	b := folder("b", 6, 0.01, 2, map[string]float64{"coop": 11e3, "preempt": 12e3})
	table, err := Runs(a, b, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := table.Rows[1]; len(table.Rows) != 10 || r.Ratio.N != 6 || math.Abs(r.Ratio.Ratio-1.1) > 0.03 || !strings.HasPrefix(r.Point, "coop echo") {
		t.Errorf("%d rows, %+v", len(table.Rows), r)
	}
	if table, err = Runs(a, b, []Variant{{Label: "preempt"}}, nil); err != nil || len(table.Rows) != 5 {
		t.Errorf("%+v, %v", table, err)
	}
}

func TestAnOptionThatOneRunDoesNotKnowIsAtItsDefault(t *testing.T) {
	cost := map[string]float64{"coop": 10e3, "preempt": 10e3}
	before, now := folder("a", 6, 0.01, 1, cost), folder("b", 6, 0.01, 2, cost)
	for i := range now.Trials {
		now.Trials[i].Params["echo.fresh"] = 0.0
		now.Trials[i].Params[now.Trials[i].Engine+".fresh"] = map[string]string{"coop": "0s", "preempt": "1s"}[now.Trials[i].Engine]
	}
	defaults := func(name string) (string, bool) {
		return map[string]string{"echo.fresh": "0", "coop.fresh": "0", "preempt.fresh": "0"}[name], strings.HasSuffix(name, ".fresh")
	}
	table, err := Runs(before, now, nil, defaults)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 5 || !strings.HasPrefix(table.Rows[0].Point, "coop") {
		t.Errorf("%d rows, %+v", len(table.Rows), table.Rows[0])
	}
	if _, err := Runs(before, now, nil, nil); !misuse.Is(err) {
		t.Errorf("without defaults: %v", err)
	}
}

func TestInvalidTrialsDoNotCount(t *testing.T) {
	f := folder("r", 7, 0, 1, map[string]float64{"coop": 10e3, "preempt": 12e3})
	f.Trials[0].Flags = []record.Flag{{Code: "bad_answers", Level: record.Invalid}}
	if r := rowOf(t, engines(t, f), "cpu"); r.Ratio.N != 6 {
		t.Errorf("%+v", r)
	}
}

func TestWhatCannotBeComparedIsTheUsersToMend(t *testing.T) {
	a := folder("a", 6, 0, 1, map[string]float64{"coop": 1e3, "preempt": 1e3})
	other := folder("b", 6, 0, 1, map[string]float64{"coop": 1e3})
	for i := range other.Run.Plan {
		other.Run.Plan[i].Params["conns"] = 65.0
	}
	twice := folder("c", 6, 0, 1, map[string]float64{"coop": 1e3, "preempt": 1e3})
	second := twice.Run.Plan[0]
	second.Params = map[string]any{"conns": 64.0, "rate": 0.0, "coop.procs": 2.0, "server-cpus": "0"}
	twice.Run.Plan = append(twice.Run.Plan, second)
	empty := folder("d", 0, 0, 1, map[string]float64{"coop": 1e3, "preempt": 1e3})
	for want, compare := range map[string]func() (*Table, error){
		"share no point":       func() (*Table, error) { return Runs(a, other, nil, nil) },
		"the same run":         func() (*Table, error) { return Runs(a, a, nil, nil) },
		`no engine "goop"`:     func() (*Table, error) { return Engines(a, Variant{Label: "coop"}, Variant{Label: "goop"}, nil) },
		"named twice":          func() (*Table, error) { return Engines(a, Variant{Label: "coop"}, Variant{Label: "coop"}, nil) },
		"differ in coop.procs": func() (*Table, error) { return Engines(twice, Variant{Label: "coop"}, Variant{Label: "preempt"}, nil) },
		"no valid trials":      func() (*Table, error) { return Engines(empty, Variant{Label: "coop"}, Variant{Label: "preempt"}, nil) },
	} {
		if _, err := compare(); !misuse.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestBoundsReadAsMeant(t *testing.T) {
	if b, err := ParseBound("p99 > 5%"); err != nil || b != (Bound{"p99", 0.05}) {
		t.Errorf("%+v, %v", b, err)
	}
	for _, text := range []string{"p99", "p98>5%", "p99>fast", "p99>-1%", ">5%"} {
		if _, err := ParseBound(text); !misuse.Is(err) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTheTableFitsIntoEightyColumns(t *testing.T) {
	f := folder("r", 10, 0.2, 3, map[string]float64{"coop": 10e3, "coop again": 10e3, "preempt": 120e3})
	var out bytes.Buffer
	if err := engines(t, f).Print(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := len(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestWhatDoesNotExistIsAbsentInJSON(t *testing.T) {
	text, err := json.Marshal(engines(t, folder("r", 3, 0, 1, map[string]float64{"coop": 10e3, "preempt": 12e3})))
	if err != nil || bytes.Contains(text, []byte("interval")) || bytes.Contains(text, []byte("floor")) || !bytes.Contains(text, []byte(`"ratio":1.2`)) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestOperationsAreComparedByTimeAndCPUTime(t *testing.T) {
	f := &record.Folder{Dir: "r", Run: record.Run{ID: "r", Blocks: 6}}
	for engine, ns := range map[string]float64{"coop": 50, "preempt": 200} {
		p := record.Point{Engine: engine, Workload: "switch", Mode: record.Primitive, Params: map[string]any{engine + ".procs": 0.0, "switch.pinned": "yes"}}
		f.Run.Plan = append(f.Run.Plan, p)
		for b := range 6 {
			x := ns * (1 + 0.001*float64(b))
			f.Trials = append(f.Trials, record.Trial{Point: p, Block: b, Micro: &record.Micro{Operations: 1000, NSPerOp: x, CPUNSPerOp: x}})
		}
	}
	table := engines(t, f)
	for _, metric := range []string{"time", "cpu"} {
		if r := rowOf(t, table, metric); r.Verdict != stat.Higher || strings.Contains(r.Point, "conns") {
			t.Errorf("%s: %+v", metric, r)
		}
	}
	if len(table.Rows) != 2 {
		t.Errorf("%d rows", len(table.Rows))
	}
	var text bytes.Buffer
	if err := table.Print(&text); err != nil || !strings.Contains(text.String(), "50.1ns") {
		t.Errorf("%v, %s", err, text.String())
	}
}

// yielding makes a run in which coop was measured without yields and with them.
func yielding() *record.Folder {
	f := folder("r", 6, 0, 1, map[string]float64{"coop": 10e3, "preempt": 12e3})
	for i := range f.Run.Plan {
		f.Run.Plan[i].Params[f.Run.Plan[i].Engine+".yield"] = "0s"
	}
	p := f.Run.Plan[0]
	p.Params = maps.Clone(p.Params)
	p.Params["coop.yield"] = "100µs"
	f.Run.Plan = append(f.Run.Plan, p)
	for b := range 6 {
		f.Trials = append(f.Trials, record.Trial{Point: p, Block: b, WindowSeconds: 1, CPU: &record.CPU{ServerNSPerReq: 11e3}})
	}
	return f
}

func TestOfSeveralSettingsTheDefaultIsComparedUnlessOneIsNamed(t *testing.T) {
	defaults := func(name string) (string, bool) { return "0", name == "coop.yield" }
	for text, want := range map[string]float64{"coop": 10e3, "coop yield=0s": 10e3, "coop yield=100us": 11e3} {
		v, err := ParseVariant(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		table, err := Engines(yielding(), v, Variant{Label: "preempt"}, defaults)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if r := rowOf(t, table, "cpu"); r.A != want || r.B != 12e3 || table.A != text {
			t.Errorf("%s: %+v", text, r)
		}
	}
	set, err := ParseVariant("coop", map[string]string{"coop.yield": "100us", "preempt.procs": "1"})
	if err != nil || len(set.Set) != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	table, err := Engines(yielding(), Variant{Label: "coop"}, set, defaults)
	if err != nil || rowOf(t, table, "cpu").Ratio.Ratio != 1.1 {
		t.Errorf("one engine with two settings: %+v, %v", table, err)
	}
}

func TestSettingsThatNobodyNamedAreToldWithWhatToWrite(t *testing.T) {
	_, err := Engines(yielding(), Variant{Label: "coop"}, Variant{Label: "preempt"}, nil)
	if !misuse.Is(err) || !strings.Contains(err.Error(), "coop.yield (0s, 100µs)") || !strings.Contains(err.Error(), "--engine 'coop yield=0s'") {
		t.Errorf("got %v", err)
	}
	_, err = Engines(yielding(), Variant{"coop", map[string]string{"coop.yield": "1ms"}}, Variant{Label: "preempt"}, nil)
	if !misuse.Is(err) || !strings.Contains(err.Error(), "it has coop with coop.yield (0s, 100µs)") {
		t.Errorf("got %v", err)
	}
	_, err = Engines(yielding(), Variant{"coop", map[string]string{"coop.spin": "1"}}, Variant{Label: "preempt"}, nil)
	if !misuse.Is(err) || !strings.Contains(err.Error(), "with no coop.spin") {
		t.Errorf("got %v", err)
	}
	for _, text := range []string{"", "coop yield", "coop yield="} {
		if _, err := ParseVariant(text, nil); !misuse.Is(err) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFiguresAreOfTheTrialsThatTheRatioIsOf(t *testing.T) {
	f := folder("r", 9, 0, 1, map[string]float64{"coop": 10e3, "preempt": 12e3})
	for i := range f.Trials {
		tr := &f.Trials[i]
		if tr.Engine == "preempt" && tr.Block < 5 {
			tr.Flags = []record.Flag{{Code: "bad_answers", Level: record.Invalid}}
		}
		if tr.Engine == "coop" && tr.Block < 5 {
			tr.CPU.ServerNSPerReq = 1 // without a partner, so it is in no figure
		}
	}
	if r := rowOf(t, engines(t, f), "cpu"); r.A != 10e3 || r.B != 12e3 || r.Ratio.N != 4 || math.Abs(r.Ratio.Ratio-1.2) > 1e-9 {
		t.Errorf("%+v", r)
	}
}

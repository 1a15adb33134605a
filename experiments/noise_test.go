package experiments

import (
	"slices"
	"strings"
	"testing"

	"turnlab/harness/record"
	"turnlab/reports"
)

// again makes second arms of trials.
func again(trials []record.Trial) []record.Trial {
	for i := range trials {
		trials[i].Arm = record.Again
	}
	return trials
}

func TestAClaimThatHadNoFloorToPassSaysSo(t *testing.T) {
	a, b := made("a", nil, 100, 100, 100, 100, 100, 100), made("b", nil, 205, 206, 207, 205, 206, 207)
	f, ok := viewOf(digestOf(a, b), "x").against(two)
	must(t, f, ok, reports.Claim, nowhere)
	f, ok = viewOf(digestOf(a, b, again(made("a", nil, 101, 99, 100, 101, 99, 100))), "x").against(two)
	must(t, f, ok, reports.Claim)
	mustNot(t, f, "A/A")
	f, ok = viewOf(digestOf(a, b, again(made("a", nil, 101, 99))), "x").against(two)
	must(t, f, ok, reports.Claim, nowhere) // two blocks are no measurement
	f, ok = viewOf(digestOf(a, made("b", nil, 101, 100, 99, 100, 101, 99)), "x").against(two)
	must(t, f, ok, reports.Open)
	mustNot(t, f, "A/A") // nothing was claimed
}

func TestAFloorOfAnotherLoadIsTakenWhereThereIsNoneAndIsToldAsThat(t *testing.T) {
	here, there := map[string]any{"conns": 512.0}, map[string]any{"conns": 64.0}
	at := two
	at.at = is("", here)
	a, b := made("a", here, 100, 100, 100, 100, 100, 100), made("b", here, 120, 121, 122, 120, 121, 122)
	first := made("a", there, 50, 50, 50, 50, 50, 50)
	f, ok := viewOf(digestOf(a, b, first, again(made("a", there, 51, 49, 50, 51, 49, 50))), "x").against(at)
	must(t, f, ok, reports.Claim, "higher", elsewhere)
	f, ok = viewOf(digestOf(a, b, first, again(made("a", there, 70, 50, 70, 30, 50, 70))), "x").against(at)
	must(t, f, ok, reports.Open, "no difference shown", elsewhere)
	// What another workload, kind of load or experiment was from itself says nothing here.
	for name, change := range map[string]func(*record.Trial){
		"workload":   func(t *record.Trial) { t.Workload = "echo" },
		"mode":       func(t *record.Trial) { t.Mode = record.Closed },
		"experiment": func(t *record.Trial) { t.Experiment = "y" },
	} {
		others, twice := made("a", there, 50, 50, 50, 50, 50, 50), again(made("a", there, 70, 50, 70, 30, 50, 70))
		for i := range others {
			change(&others[i])
			change(&twice[i])
		}
		if f, ok := viewOf(digestOf(a, b, others, twice), "x").against(at); !ok || f.Level != reports.Claim || !strings.Contains(f.Text, nowhere) {
			t.Errorf("%s: %s", name, text(f))
		}
	}
}

func TestASlopeHasTheFloorOfASecondArmAtAllSizes(t *testing.T) {
	rule := slopeRule{metric: "pss", x: "conns", series: two.series, at: everything, title: "A connection took"}
	sizes := []float64{100, 200, 400, 800, 1600}
	a, b := sized("a", 50<<20, 4000, sizes...), sized("b", 1<<20, 4400, sizes...)
	f, ok := viewOf(digestOf(a, b), "x").slopes(rule)
	must(t, f, ok, reports.Claim, "higher", nowhere)
	f, ok = viewOf(digestOf(a, b, again(sized("a", 50<<20, 6000, sizes...))), "x").slopes(rule)
	must(t, f, ok, reports.Open, "no difference shown")
}

func TestInTheFullSuiteEveryExperimentKnowsTheNoiseOfAFindingButThoseOfSlopesAndSearches(t *testing.T) {
	for _, e := range All {
		d := digestOf()
		for _, j := range planOf(t, []*Experiment{e}, Full, Changes{}).Jobs() {
			d.Trials = append(d.Trials, invented(j))
		}
		known := 0
		for _, f := range e.Findings(d) {
			if f.Level == reports.Claim && !strings.Contains(f.Text, nowhere) && !strings.Contains(f.Text, elsewhere) {
				known++
			}
		}
		if never := slices.Contains([]string{"memory", "sleepers", "capacity"}, e.Name); (known == 0) != never {
			t.Errorf("%s: %d findings have a floor of their own", e.Name, known)
		}
	}
}

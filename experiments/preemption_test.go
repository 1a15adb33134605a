package experiments

import (
	"slices"
	"testing"

	"turnlab/harness/record"
	"turnlab/reports"
)

// innocents are trials of an engine beside hogs, one in each block, with the innocents' p99 in milliseconds.
func innocents(label, variant string, params map[string]any, p99 ...float64) []record.Trial {
	list := made(label, params, p99...)
	for i := range list {
		t := &list[i]
		t.Experiment, t.Variant = preemption.Name, variant
		t.LatencyNS = map[string]record.Latency{"response": {P50: 1e6, P99: int64(p99[i] * 1e6), Count: 1000}}
		t.Classes = map[string]record.Class{record.Innocent: {Requests: 1000, LatencyNS: t.LatencyNS}}
	}
	return list
}

// onTwoPsFound returns the finding on collections, if there is one.
func onTwoPsFound(groups ...[]record.Trial) (f reports.Finding, ok bool) {
	list := preemptionFindings(digestOf(groups...))
	at := slices.IndexFunc(list, func(f reports.Finding) bool { return slices.Contains(f.Charts, "stop") })
	if at < 0 {
		return f, false
	}
	return list[at], true
}

func TestCollectionsAreSpokenOfWhereTheyWereForced(t *testing.T) {
	at := func(every string) map[string]any {
		return map[string]any{"preempt.procs": 2.0, "preempt.gc-every": every, "hog.burst": "20ms"}
	}
	f, ok := onTwoPsFound(
		innocents("preempt", "", at("20ms"), 4, 4, 4, 4, 4, 4), innocents("preempt", "nopreempt", at("20ms"), 20, 20, 20, 20, 20, 20),
		innocents("preempt", "", at("0s"), 4, 4, 4, 4, 4, 4), innocents("preempt", "nopreempt", at("0s"), 4, 4, 4, 4, 4, 4),
	)
	must(t, f, ok, reports.Claim, "On two Ps beside 20 ms hogs, p99 was 20.0 ms under preempt/nopreempt+gc", "5.00×")
	if len(f.Rows) != 4 {
		t.Errorf("%d rows: %s", len(f.Rows), text(f))
	}
}

func TestNothingIsSaidOfCollectionsThatNobodyForced(t *testing.T) {
	for name, params := range map[string]map[string]any{
		"on one P":                    {"preempt.procs": 0.0, "preempt.gc-every": "0s", "hog.burst": "100ms"},
		"before there was the option": {"preempt.procs": 2.0, "hog.burst": "20ms"},
	} {
		f, ok := onTwoPsFound(innocents("preempt", "", params, 4, 4, 4, 4, 4, 4), innocents("preempt", "nopreempt", params, 20, 20, 20, 20, 20, 20))
		if ok {
			t.Errorf("%s: %s", name, text(f))
		}
	}
}

func TestTheExperimentOnPreemptionHasItsPointsOnTwoPs(t *testing.T) {
	have, points := map[string]int{}, planOf(t, []*Experiment{preemption}, Full, Changes{}).Points
	for _, p := range points {
		if p.Workload == "hog" && p.Arm == "" && onTwo(p) {
			have[p.Label()+" "+p.Text("preempt.gc-every")]++
			if p.Text("hog.burst") != collectingBurst.String() || p.Number("rate") == 0 {
				t.Errorf("%v", p.Params)
			}
		}
	}
	for _, s := range collected {
		if !slices.ContainsFunc(points, s.is) {
			t.Errorf("no point is of %s", s.name)
		}
	}
	for _, want := range []string{"preempt 0s", "preempt 20ms", "preempt/nopreempt 0s", "preempt/nopreempt 20ms"} {
		if have[want] != 1 {
			t.Errorf("%s: %d points of %v", want, have[want], have)
		}
	}
}

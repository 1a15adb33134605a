package experiments

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"turnlab/engine/all"
	"turnlab/harness/micro"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/reports"
	"turnlab/reports/digest"
	"turnlab/workloads"
)

var catalog = plan.Catalog{Engines: all.Specs, Workloads: workloads.All, Operations: micro.All}

func planOf(t *testing.T, list []*Experiment, suite string, c Changes) *plan.Plan {
	t.Helper()
	cpus, err := proc.ParseCPUs("0-1")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Together(Parts(list, suite, c), plan.Sweep{Seed: 1}, catalog, cpus)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryExperimentIsDeclaredInFull(t *testing.T) {
	names := map[string]bool{}
	for _, e := range All {
		if names[e.Name] || !regexp.MustCompile(`^[a-z]+$`).MatchString(e.Name) {
			t.Errorf("%s: the name is taken, or no word", e.Name)
		}
		names[e.Name] = true
		if !strings.HasSuffix(e.Question, "?") || e.Held == "" || e.Limits == "" || len(e.Next) == 0 || len(e.Plots) == 0 || e.Findings == nil || e.Full == nil {
			t.Errorf("%s: something is not declared", e.Name)
		}
		if e.Full.Blocks < 6 {
			t.Errorf("%s: %d blocks give no interval", e.Name, e.Full.Blocks)
		}
	}
}

func TestPlotsNameMetricsAndParametersThatTheirPointsHave(t *testing.T) {
	for _, e := range All {
		ids := map[string]bool{}
		points := planOf(t, []*Experiment{e}, Full, Changes{}).Points
		for _, plot := range e.Plots {
			if ids[plot.ID] || plot.Title == "" || plot.Note == "" {
				t.Errorf("%s: plot %q is there twice, or has no title or note", e.Name, plot.ID)
			}
			ids[plot.ID] = true
			for _, id := range plot.Metrics {
				if _, ok := digest.MetricByID(id); !ok {
					t.Errorf("%s, %s: no metric %s", e.Name, plot.ID, id)
				}
			}
			taken := slices.DeleteFunc(slices.Clone(points), func(p record.Point) bool { return plot.Where != nil && !plot.Where(p) })
			if len(taken) == 0 {
				t.Errorf("%s, %s: no point", e.Name, plot.ID)
			}
			for _, axis := range []string{plot.X, plot.Y} {
				if axis == "" {
					continue
				}
				seen := map[any]bool{}
				for _, p := range taken {
					seen[p.Params[axis]] = true
				}
				if seen[nil] || len(seen) < 2 {
					t.Errorf("%s, %s: %s is not an axis of its points: %v", e.Name, plot.ID, axis, seen)
				}
			}
		}
	}
}

func TestSpectraRatiosAndCoursesAreOneDrawingEach(t *testing.T) {
	for _, e := range All {
		drawn := map[reports.Kind]bool{}
		run := &record.Run{Plan: planOf(t, []*Experiment{e}, Full, Changes{}).Points}
		for _, plot := range e.Plots {
			if !slices.Contains([]reports.Kind{reports.Spectra, reports.Ratios, reports.Course}, plot.Kind) {
				continue
			}
			if drawn[plot.Kind] {
				t.Errorf("%s has another drawing of kind %s", e.Name, plot.Kind)
			}
			drawn[plot.Kind] = true
			panels := digest.New(run, nil).Of(e.Name).Select(plot.Where, plot.X, plot.Y).Panels
			if len(panels) != 1 || len(panels[0].Series) < 3 {
				t.Errorf("%s, %s: %d panels, want one of three series or more", e.Name, plot.ID, len(panels))
				continue
			}
			is := func(s digest.Series) bool { return s.Name == plot.Against }
			if plot.Against != "" && !slices.ContainsFunc(panels[0].Series, is) {
				t.Errorf("%s, %s: there is no %s to compare with", e.Name, plot.ID, plot.Against)
			}
		}
	}
}

func TestNoExperimentMeasuresAPointTwice(t *testing.T) {
	for _, e := range All {
		for _, suite := range Suites {
			seen := map[string]bool{}
			for _, p := range planOf(t, []*Experiment{e}, suite, Changes{}).Points {
				params := map[string]any{}
				for name, v := range p.Params {
					if name != "duration" && name != "warmup" {
						params[name] = v
					}
				}
				key := fmt.Sprintf("%s %s %s %v", p.Label(), p.Arm, p.Workload, params)
				if seen[key] {
					t.Errorf("%s %s: %s is there twice", e.Name, suite, key)
				}
				seen[key] = true
			}
		}
	}
}

func TestTheSuitesFitIntoTheirTimes(t *testing.T) {
	for suite, most := range map[string]time.Duration{Quick: 5 * time.Minute, Full: 90 * time.Minute} {
		list, err := Suite(suite)
		if err != nil {
			t.Fatal(err)
		}
		if took := planOf(t, list, suite, Changes{}).Estimate(); took > most {
			t.Errorf("%s takes %v", suite, took)
		}
	}
}

func TestTheQuickSuiteAnswersTheMainQuestions(t *testing.T) {
	list, err := Suite(Quick)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name)
	}
	for _, want := range []string{"hog", "connections", "memory"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not in %v", want, names)
		}
	}
	if names[0] != "hog" {
		t.Errorf("%s comes first", names[0])
	}
}

func TestLengthsCanBeChangedWithoutTouchingTheDeclaration(t *testing.T) {
	p := planOf(t, []*Experiment{hog}, Quick, Changes{Blocks: 1, Duration: 200 * time.Millisecond})
	if len(p.Order) != 1 {
		t.Errorf("%d blocks", len(p.Order))
	}
	for _, point := range p.Points {
		if point.Duration("duration") != 200*time.Millisecond {
			t.Fatalf("a window of %s", point.Text("duration"))
		}
	}
	for _, point := range planOf(t, []*Experiment{hog}, Quick, Changes{}).Points {
		if point.Duration("duration") < time.Second {
			t.Fatalf("the declaration was changed: %s", point.Text("duration"))
		}
	}
}

func TestExperimentsAreFoundInTheOrderOfTheReport(t *testing.T) {
	list, err := Find([]string{"memory", "hog", "memory"})
	if err != nil || len(list) != 2 || list[0].Name != "hog" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := Find([]string{"nothing"}); !misuse.Is(err) || !strings.Contains(err.Error(), "hog, ") {
		t.Errorf("got %v", err)
	}
	if _, err := Suite("huge"); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestFindingsPointToPlotsOfTheirExperiment(t *testing.T) {
	// Every series of every experiment with figures that differ by engine, so that all rules have something to say.
	for _, e := range All {
		d := digestOf()
		p := planOf(t, []*Experiment{e}, Full, Changes{Blocks: 6})
		d.Run.Plan = p.Points
		for _, j := range p.Jobs() {
			d.Trials = append(d.Trials, invented(j))
		}
		for i, p := range p.Points {
			for _, slo := range e.Full.SLOs {
				yes := true
				d.Run.Capacities = append(d.Run.Capacities, record.Capacity{
					Experiment: e.Name, Engine: p.Label(), SLO: slo, LowerRPS: float64(1000 * (i + 1)), UpperRPS: float64(1050 * (i + 1)), Confirmed: &yes,
				})
			}
		}
		found := e.Findings(d)
		if len(found) == 0 || len(found) > 3 {
			t.Errorf("%s: %d findings", e.Name, len(found))
		}
		for _, f := range found {
			if f.Title == "" || f.Text == "" || len(f.Charts) == 0 && f.Level != reports.Limit {
				t.Errorf("%s: a finding lacks something: %+v", e.Name, f)
			}
			for _, id := range f.Charts {
				if !slices.ContainsFunc(e.Plots, func(p reports.Plot) bool { return p.ID == id }) {
					t.Errorf("%s: no plot %s", e.Name, id)
				}
			}
			if n := utf8.RuneCountInString(f.Title); n > 105 {
				t.Errorf("%s: a title of %d characters: %s", e.Name, n, f.Title)
			}
			if strings.Contains(f.Text, "No figure") {
				t.Errorf("%s: a series has no point: %s", e.Name, f.Text)
			}
		}
	}
}

func TestCapacitiesDifferWhereTheirBoundsLieApartAndTheLowerPassedAgain(t *testing.T) {
	yes, no := true, false
	bounds := func(engine string, low, high float64, again *bool) record.Capacity {
		return record.Capacity{Experiment: "capacity", Engine: engine, SLO: capacityShown, LowerRPS: low, UpperRPS: high, Confirmed: again}
	}
	unsure := func(c record.Capacity) record.Capacity {
		c.Probes, c.Disturbed, c.UpperUnsure = 9, 2, true
		return c
	}
	for _, c := range []struct {
		list  []record.Capacity
		level string
		want  string
	}{
		{[]record.Capacity{bounds("coop", 20000, 21000, &yes), bounds("preempt", 10000, 10500, &yes)}, reports.Seen, "seen above preempt"},
		{[]record.Capacity{bounds("coop", 20000, 21000, &no), bounds("preempt", 10000, 10500, &yes)}, reports.Open, "coop: the lower bound did not pass a second time"},
		{[]record.Capacity{bounds("coop", 10400, 21000, &yes), bounds("preempt", 10000, 10500, &yes)}, reports.Open, "coop 10.4k/s to 21.0k/s and preempt"},
		{[]record.Capacity{bounds("coop", 20000, 21000, &yes), unsure(bounds("preempt", 10000, 10500, &yes))}, reports.Open, "preempt: 2 of 9 probes disturbed: the upper bound is not sure"},
		{[]record.Capacity{bounds("coop", 20000, 0, &yes), bounds("preempt", 0, 500, nil)}, reports.Seen, "coop 20.0k/s or more and preempt less than 500/s"},
	} {
		d := digestOf()
		d.Run.Capacities = c.list
		found := capacityFindings(d)
		if len(found) != 1 {
			t.Fatalf("%d findings", len(found))
		}
		must(t, found[0], true, c.level, c.want)
	}
	if found := capacityFindings(digestOf()); len(found) > 0 {
		t.Errorf("found without a search: %v", found)
	}
}

// invented is a trial of a point with figures that only name and number of connections decide.
func invented(j plan.Job) record.Trial {
	cost := int64(1000 * (len(j.Point.Label()) + 1))
	for _, c := range fmt.Sprint(j.Point.Params) {
		cost += int64(c) % 7
	}
	l := record.Latency{P50: cost, P90: cost, P99: 2 * cost, P999: 3 * cost, P9999: 4 * cost, Max: 5 * cost, Mean: float64(cost), Count: 1000}
	times := map[string]record.Latency{"response": l, "service": l, "slip": l, "delivery": l}
	return record.Trial{
		Block: j.Block, Trial: j.Trial, Point: j.Point, Requests: 1000, WindowSeconds: 1, ThroughputRPS: 1e9 / float64(cost),
		LatencyNS: times, Classes: map[string]record.Class{"innocent": {LatencyNS: times}, "hog": {LatencyNS: times}},
		CPU: &record.CPU{ServerNSPerReq: float64(cost), ClientNSPerReq: 1, ServerUtil: 0.5, ClientUtil: 0.5}, Switches: &record.Switches{Voluntary: 1, Involuntary: 1},
		Memory:   map[string]uint64{"pss": uint64(cost) * uint64(1+j.Point.Number("conns")+j.Point.Number("sleepers.tasks"))},
		Connects: 1000, Fairness: 0.9, Micro: &record.Micro{Operations: 1000, NSPerOp: float64(cost)},
		Sched: map[string]float64{"go_mutex_wait_seconds": float64(cost) / 1e9},
	}
}

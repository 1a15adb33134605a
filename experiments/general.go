package experiments

import (
	"fmt"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// Findings returns what a run's records say, in the order in which a reader should meet it: the answers of its experiments,
// or, for a sweep that belongs to none, what engines of the same load differ in. It needs all records of the run: second arms
// are the noise that a difference must exceed.
func Findings(run *record.Run, trials []record.Trial) []reports.Finding {
	d := &digest.Digest{Run: run, Trials: trials}
	var found []reports.Finding
	for _, e := range Of(run) {
		if e.Findings != nil {
			for _, f := range e.answers(d) {
				f.Experiment = e.Name
				found = append(found, f)
			}
		}
	}
	return append(found, general(d)...)
}

// answers returns the findings of an experiment. One whose trials do not count says that it has no answer.
func (e *Experiment) answers(d *digest.Digest) []reports.Finding {
	found := e.Findings(d)
	if v := viewOf(d, e.Name); len(found) == 0 && len(v.doubted) > 0 {
		return []reports.Finding{{
			Level: reports.Limit, Title: "No answer to this question: " + e.Question, Text: v.lost(),
		}}
	}
	return found
}

// Declared returns what reports need to show of the experiments that a run measured something for.
func Declared(run *record.Run) []reports.Experiment {
	var list []reports.Experiment
	for _, e := range Of(run) {
		list = append(list, e.Experiment)
	}
	return list
}

// generalMetrics are what a sweep without a question is summed up by; operationMetrics the same for operations.
var (
	generalMetrics = []titled{
		{"cpu", "A request cost the server"}, {"p99", "At p99 a request took"}, {"pss", "The server held"},
	}
	operationMetrics = []titled{{"ns-per-op", "An operation took"}}
)

type titled struct{ id, title string }

// generalWorkloads is for how many workloads all of these are told; of more, only the first.
const generalWorkloads = 2

// general makes findings of the points that belong to no experiment: of each workload it takes the load that most engines
// met, the last of them in the plan, which is the heaviest, and compares engines with preempt, or with the first.
func general(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "")
	var f findings
	points := representatives(v.trials)
	for _, p := range points {
		list, metrics := labelled(v.trials, p), generalMetrics
		switch {
		case p.Mode == record.Primitive:
			metrics = operationMetrics
		case len(points) > generalWorkloads:
			metrics = generalMetrics[:1]
		}
		for _, m := range metrics {
			at := func(q record.Point) bool { return q.SameLoad() == p.SameLoad() }
			f.add(v.against(contest{metric: m.id, series: list, at: at, title: m.title, condition: describe(p)}))
		}
	}
	return f
}

// representatives returns, for each workload, a point of the load that speaks for it.
func representatives(trials []*record.Trial) []record.Point {
	engines := map[string]map[string]bool{} // by load
	var workloads []string
	best := map[string]record.Point{}
	for _, t := range trials {
		load := t.SameLoad()
		if engines[load] == nil {
			engines[load] = map[string]bool{}
		}
		engines[load][t.Label()] = true
		if !slices.Contains(workloads, t.Workload) {
			workloads = append(workloads, t.Workload)
		}
	}
	slices.Sort(workloads)
	for _, t := range trials {
		chosen, ok := best[t.Workload]
		n, most := len(engines[t.SameLoad()]), len(engines[chosen.SameLoad()])
		if !ok || n > most || n == most && heavier(t.Point, chosen) {
			best[t.Workload] = t.Point
		}
	}
	var points []record.Point
	for _, w := range workloads {
		points = append(points, best[w])
	}
	return points
}

// heavier reports whether p is more load than q, by the parameters that say so in this order.
func heavier(p, q record.Point) bool {
	for _, name := range []string{"conns", "rate", "depth"} {
		if a, b := p.Number(name), q.Number(name); a != b {
			return a > b
		}
	}
	return p.SameLoad() > q.SameLoad() // any order will do, but one that does not depend on the order of trials
}

// labelled lists the engines that met the load of p, preempt first, each in one setting: one that was swept has several, and
// which of them stands for it would be chance.
func labelled(trials []*record.Trial, p record.Point) []series {
	settings := map[string]string{}
	var names []string
	for _, t := range trials {
		if t.SameLoad() != p.SameLoad() {
			continue
		}
		options := fmt.Sprint(t.Options(t.Engine)) // maps are printed in order
		if had, seen := settings[t.Label()]; !seen {
			settings[t.Label()], names = options, append(names, t.Label())
		} else if had != options {
			names = slices.DeleteFunc(names, func(n string) bool { return n == t.Label() })
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if a == "preempt" || b == "preempt" {
			return map[bool]int{true: -1, false: 1}[a == "preempt"]
		}
		return strings.Compare(a, b)
	})
	var list []series
	for _, n := range names {
		list = append(list, series{n, is(n, nil)})
	}
	return list
}

// describe names a load in a few words.
func describe(p record.Point) string {
	if p.Mode == record.Primitive {
		return p.Workload + ", without client and server"
	}
	text := fmt.Sprintf("%s over %s connections, ", p.Workload, p.Text("conns"))
	switch share, ok := p.Params["rate-share"].(float64); {
	case p.Mode == record.Closed:
		return text + "closed loop, so times count from when a request was sent"
	case ok:
		return text + fmt.Sprintf("open loop at %.3g %% of what each could do", 100*share)
	}
	return text + p.Text("rate") + " requests/s in an open loop"
}

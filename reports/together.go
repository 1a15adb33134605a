package reports

import (
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
)

// Together joins two runs into one that shows them side by side: each engine appears twice, as a variant that is named after
// its run. Experiments are shown as sweeps, because what they find is found within one run.
//
// Limits: blocks of different runs are paired in their order. Nothing cancels, and what changed on the machine between the
// runs counts as a difference.
func Together(a, b *record.Folder, names [2]string) (*record.Run, []record.Trial) {
	run := a.Run
	run.ID = a.Run.ID + "+" + b.Run.ID
	run.Plan, run.Order = nil, nil
	run.Command = []string{"lab", "report", a.Dir, b.Dir}
	run.Notes = nil
	for i, f := range []*record.Folder{a, b} {
		for _, note := range f.Run.Notes {
			run.Notes = append(run.Notes, names[i]+": "+note)
		}
	}
	run.Notes = append(run.Notes, "two runs side by side: their blocks are paired in order, and what changed between them counts as a difference")
	var trials []record.Trial
	for i, f := range []*record.Folder{a, b} {
		counted, of := f.Counted()
		for _, p := range counted.Plan {
			run.Plan = append(run.Plan, inRun(p, names[i]))
		}
		for _, t := range of {
			if t.Arm == "" {
				t.Point = inRun(t.Point, names[i])
				trials = append(trials, t)
			}
		}
	}
	return &run, trials
}

// inRun marks a point as of a run.
func inRun(p record.Point, name string) record.Point {
	p.Experiment = ""
	p.Variant = strings.TrimSpace(p.Variant + runMark + name)
	return p
}

// runMark stands between a variant and the name of its run.
const runMark = "@"

// runLooks gives an engine the same colour in both runs, with a full line in the first and dashes in the second.
func runLooks(labels, runs []string) map[string]chart.Look {
	var plain []string
	for _, label := range labels {
		plain = append(plain, plainLabel(label))
	}
	looks := chart.Looks(plain)
	out := map[string]chart.Look{}
	for i, label := range labels {
		look := looks[plain[i]]
		if strings.HasSuffix(label, runMark+runs[1]) {
			look = look.Setting(1)
		}
		out[label] = look
	}
	return out
}

// plainLabel takes the run out of an engine's label.
func plainLabel(label string) string {
	plain, _, _ := strings.Cut(label, runMark)
	return strings.TrimRight(plain, "/ ")
}

// acrossRuns pairs each series of the second run with the same one of the first.
func (il illustrator) acrossRuns(p digest.Panel) []rival {
	var list []rival
	for i, s := range p.Series {
		if !strings.HasSuffix(s.Label, runMark+il.runs[1]) {
			continue
		}
		label := strings.TrimSuffix(s.Label, runMark+il.runs[1]) + runMark + il.runs[0]
		same := func(o digest.Series) bool {
			return o.Label == label && strings.TrimPrefix(o.Name, o.Label) == strings.TrimPrefix(s.Name, s.Label)
		}
		if j := slices.IndexFunc(p.Series, same); j >= 0 {
			list = append(list, rival{i, j})
		}
	}
	return list
}

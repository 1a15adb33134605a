package reports

import (
	"slices"

	"turnlab/harness/record"
	"turnlab/reports/digest"
)

// Together joins two runs into one that shows them side by side: each engine appears twice, with the name of its run.
// Experiments are shown as sweeps, because what they find is found within one run.
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
	run.Capacities = nil
	var trials []record.Trial
	for i, f := range []*record.Folder{a, b} {
		for _, c := range f.Run.Capacities {
			c.Experiment, c.Engine = "", record.LabelInRun(c.Engine, names[i])
			run.Capacities = append(run.Capacities, c)
		}
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
	p.Experiment, p.InRun = "", name
	return p
}

// acrossRuns pairs each series of the second run with the same one of the first.
func (il illustrator) acrossRuns(p digest.Panel) []rival {
	var list []rival
	for i, s := range p.Series {
		if s.Run != il.runs[1] {
			continue
		}
		same := func(o digest.Series) bool {
			return o.Run == il.runs[0] && o.Plain() == s.Plain() && o.Setting == s.Setting
		}
		if j := slices.IndexFunc(p.Series, same); j >= 0 {
			list = append(list, rival{i, j})
		}
	}
	return list
}

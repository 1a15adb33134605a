package run

import (
	"turnlab/harness/plan"
	"turnlab/harness/record"
)

// A Rest is what is left to do of a run that was begun.
type Rest struct {
	Jobs     []plan.Job // closed loops that settle rates, then trials of the plan; those that others will spoil are not foreseen
	Planned  int        // trials in all, with those closed loops
	Searches []record.Search
	Stopped  string // why the run ended before all blocks were done, if it did
}

// Remaining says what Resume would do with the run in dir. It only reads.
func Remaining(c plan.Catalog, dir string) (Rest, error) {
	folder, err := record.Load(dir)
	if err != nil {
		return Rest{}, err
	}
	p, err := plan.Continue(&folder.Run, c)
	if err != nil {
		return Rest{}, err
	}
	r := newRunner(p, Options{Dir: dir}, nil, folder.Run)
	for i := range folder.Trials {
		r.count(&folder.Trials[i])
	}
	rest := Rest{Planned: r.summary.Planned, Stopped: r.summary.Stopped, Jobs: r.remaining(folder.Trials)}
	if rest.Stopped == "" && !p.Settled() {
		rest.Jobs = append(notIn(folder.Trials, p.Probes()), rest.Jobs...)
	}
	if len(folder.Run.Capacities) == 0 && r.fits(p.SearchTime()) {
		rest.Searches = p.Searches
	}
	return rest, nil
}

// notIn lists the jobs that no record is of.
func notIn(have []record.Trial, jobs []plan.Job) []plan.Job {
	done := map[int]bool{}
	for i := range have {
		done[have[i].Trial] = true
	}
	var rest []plan.Job
	for _, j := range jobs {
		if !done[j.Trial] {
			rest = append(rest, j)
		}
	}
	return rest
}

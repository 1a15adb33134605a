package run

import (
	"math"
	"slices"

	"turnlab/harness/plan"
	"turnlab/harness/record"
)

// What others did to a machine is no property of an engine: a neighbour that took the CPUs, or the hypervisor that gave them
// to another guest, spoils a trial whatever was measured in it. Such trials are made once more at the end of their block, when
// the neighbour may be gone and while the other trials of the block are still near in time. Both stay in the files.
//
// Only flags that are read from outside of the two processes count here. To repeat what looks slow, or what an engine's own
// trouble made invalid, would be to choose results.

// DefaultRetries is how often a spoilt trial is made again.
const DefaultRetries = 1

// retryShare is the part of a block's trials that may be made again: a machine that spoils more is not going to be quiet.
const retryShare = 0.25

// spoilt reports whether others took the trial's CPUs, by its flags.
func spoilt(t *record.Trial) bool {
	return slices.ContainsFunc(t.Flags, func(f record.Flag) bool {
		return f.Level == record.Invalid && (f.Code == "foreign_cpu" || f.Code == "stolen_cpu")
	})
}

// heed notes whether a planned trial is to be made again.
func (r *runner) heed(t *record.Trial) {
	if t.Arm == record.Probe {
		return
	}
	if t.Repeat > 0 {
		r.repeats[t.Block]++
	}
	if delete(r.again, t.Trial); spoilt(t) && t.Repeat < r.plan.Retries {
		r.again[t.Trial] = t.Repeat + 1
	}
}

// spoiltOf lists the trials of a block that are to be made again, in their order. What was made again before, also by an
// earlier part of the run, counts towards its bound.
func (r *runner) spoiltOf(block int) []plan.Job {
	var jobs []plan.Job
	trials := 0
	for _, j := range r.plan.Jobs() {
		if j.Block != block {
			continue
		}
		trials++
		if j.Repeat = r.again[j.Trial]; j.Repeat > 0 {
			jobs = append(jobs, j)
		}
	}
	most := int(math.Ceil(retryShare * float64(trials)))
	return jobs[:max(0, min(len(jobs), most, most*r.plan.Retries-r.repeats[block]))]
}

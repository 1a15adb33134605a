package experiments

import (
	"fmt"
	"math"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// A noise is how far from 1 the ratio of an engine to itself was. A difference that is not larger may be the machine's.
type noise struct {
	floor float64 // 0 when nobody knows, which leaves the bound of package stat
	from  string  // where it was measured, if not where the finding was
}

// What findings say of a noise that was not measured where they were.
const (
	nowhere   = "No A/A floor was measured here."
	elsewhere = "The A/A floor was measured at another load."
)

// said is a sentence about the noise for those whom it concerns: a claim that had no floor to pass, and all that was held
// against a floor from elsewhere.
func (n noise) said(list []duel) string {
	judged := false
	for _, d := range list {
		judged = judged || d.ratio.N >= stat.MinTrials
	}
	if n.from == elsewhere && judged || n.from == nowhere && level(list) == reports.Claim {
		return n.from
	}
	return ""
}

// noise finds out how far an engine measured twice was from itself, at the load that at picks. If no engine was, it takes the
// largest of what the experiment knows of the same workload at other loads, so that a second arm at one of its loads is enough.
func (v view) noise(list []series, at where, m digest.Metric) noise {
	var here [][2]measure
	for _, s := range list {
		w := s.is.and(at)
		here = append(here, [2]measure{values(s.name, v.again, w, m), values(s.name, v.trials, w, m)})
	}
	n := noiseOf(here)
	if n.from == nowhere {
		if floor, ok := farthest(v.twins(at, m)); ok {
			return noise{floor, elsewhere}
		}
	}
	return n
}

// noiseOf returns what pairs of an engine and itself show.
func noiseOf(twins [][2]measure) noise {
	if floor, ok := farthest(twins); ok {
		return noise{floor: floor}
	}
	return noise{from: nowhere}
}

// farthest returns the farthest end from 1 of the intervals of pairs of an engine and itself, or of the range where trials do
// not count; ok is false when no pair shares enough blocks to be called a measurement.
func farthest(pairs [][2]measure) (floor float64, ok bool) {
	for _, p := range pairs {
		if d := compared(p[0], p[1]); d.ratio.N >= fewTrials && !d.none() {
			floor, ok = max(floor, math.Abs(d.low-1), math.Abs(d.top-1)), true
		}
	}
	return floor, ok
}

// twins pairs each point that was measured twice with itself, of the workloads and kinds of load that at picks.
func (v view) twins(at where, m digest.Metric) (pairs [][2]measure) {
	kinds := map[string]bool{}
	for _, t := range v.trials {
		if at(t.Point) {
			kinds[kindOf(t)] = true
		}
	}
	first := byPoint(v.trials, kinds)
	for point, again := range byPoint(v.again, kinds) {
		pairs = append(pairs, [2]measure{values(point, again, everything, m), values(point, first[point], everything, m)})
	}
	return pairs
}

func kindOf(t *record.Trial) string { return t.Workload + " " + t.Mode }

// byPoint sorts trials of some kinds by their points, whichever arm they are of.
func byPoint(trials []*record.Trial, kinds map[string]bool) map[string][]*record.Trial {
	groups := map[string][]*record.Trial{}
	for _, t := range trials {
		if kind := kindOf(t); kinds[kind] {
			point := fmt.Sprint(kind, " ", t.Label(), " ", t.Params) // maps are printed in order
			groups[point] = append(groups[point], t)
		}
	}
	return groups
}

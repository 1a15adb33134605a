package timeline

import (
	"cmp"
	"math"
	"slices"
	"time"

	"turnlab/harness/timeline/tracer"
)

// kernel is when each thread was on a CPU (the track), and when it was off one although it could have gone on.
type kernel struct {
	on, off map[int][]stretch
}

func newKernel(switches []tracer.Switch) kernel {
	k := kernel{on: map[int][]stretch{}, off: map[int][]stretch{}}
	last := map[int]tracer.Switch{} // of each thread
	for _, e := range switches {
		before, known := last[e.Thread]
		last[e.Thread] = e
		switch {
		case !known && !e.In: // it was on when the recording began
			k.on[e.Thread] = []stretch{{track: e.CPU, from: math.MinInt64, to: e.AtNS}}
		case known && before.In && !e.In:
			k.on[e.Thread] = append(k.on[e.Thread], stretch{track: e.CPU, from: before.AtNS, to: e.AtNS})
		case known && before.Preempted && e.In:
			k.off[e.Thread] = append(k.off[e.Thread], stretch{from: before.AtNS, to: e.AtNS})
		}
	}
	for thread, e := range last {
		switch {
		case e.In:
			k.on[thread] = append(k.on[thread], stretch{track: e.CPU, from: e.AtNS, to: math.MaxInt64})
		case e.Preempted:
			k.off[thread] = append(k.off[thread], stretch{from: e.AtNS, to: math.MaxInt64})
		}
	}
	return k
}

// total is how long all threads were on CPUs between two moments.
func (k kernel) total(from, to int64) (sum int64) {
	for _, list := range k.on {
		for _, s := range list {
			sum += max(0, min(s.to, to)-max(s.from, from))
		}
	}
	return sum
}

// stolen is how long between two moments there was something to do and no thread was on a CPU: other processes had them. What
// there is to do is told by the client's requests. Shorter times than noticed are not counted, because it takes some to wake a
// thread that sleeps.
func (k kernel) stolen(due []stretch, from, to int64) (sum int64) {
	const noticed = int64(500 * time.Microsecond)
	var on []stretch
	for _, list := range k.on {
		on = append(on, list...)
	}
	on = joined(on)
	for _, s := range joined(due) {
		s.from, s.to = max(s.from, from), min(s.to, to)
		at := s.from
		for _, x := range append(overlapping(on, s), stretch{from: s.to, to: s.to}) {
			if gap := x.from - at; gap >= noticed {
				sum += gap
			}
			at = x.to
		}
	}
	return sum
}

// correct takes the time out of what ran in which its thread was on no CPU, and calls it ready.
func (k kernel) correct(s seen) seen {
	out := seen{tracks: s.tracks, ready: s.ready}
	for _, x := range s.running {
		at := x.from
		for _, on := range k.during(x) {
			out.wait(x, at, on.from)
			piece := x
			piece.from, piece.to = on.from, on.to
			out.running = append(out.running, piece)
			at = on.to
		}
		out.wait(x, at, x.to)
	}
	slices.SortStableFunc(out.ready, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	return out
}

// wait adds a stretch of a task in which it was ready, if it is one.
func (s *seen) wait(of stretch, from, to int64) {
	if from < to {
		s.ready = append(s.ready, stretch{task: of.task, track: -1, from: from, to: to})
	}
}

// during lists when the threads of a stretch were on CPUs within it, in order and without overlap. Of a thread of which the
// kernel has told nothing it is taken to be on all the time.
func (k kernel) during(x stretch) []stretch {
	var all []stretch
	for _, thread := range x.threads {
		list, known := k.on[thread]
		if !known {
			return []stretch{x}
		}
		all = append(all, overlapping(list, x)...)
	}
	return joined(all)
}

// overlapping cuts what lies within x out of a list in order.
func overlapping(list []stretch, x stretch) (found []stretch) {
	first, _ := oldest(list, x.from)
	for _, s := range list[first:] {
		if s.from >= x.to {
			break
		}
		if from, to := max(s.from, x.from), min(s.to, x.to); from < to {
			found = append(found, stretch{from: from, to: to})
		}
	}
	return found
}

// joined puts stretches in order and makes one of those that touch.
func joined(all []stretch) (list []stretch) {
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	for _, s := range all {
		if n := len(list); n > 0 && s.from <= list[n-1].to {
			list[n-1].to = max(list[n-1].to, s.to)
			continue
		}
		list = append(list, s)
	}
	return list
}

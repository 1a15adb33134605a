package load

import (
	"fmt"
	"maps"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"turnlab/harness/control"
	"turnlab/harness/record"
)

// Merge makes one result of those of all generators of a load. Counts add up and histograms are merged as such, because
// percentiles of parts cannot be averaged. Of a time that each has for itself, such as the window's length, the longest counts.
func Merge(parts []control.LoadResult) (control.LoadResult, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	var all control.LoadResult
	squares := 0.0
	for _, p := range parts {
		addCounts(&all, p)
		if p.Fairness > 0 { // of which the sum of squares can be had back
			squares += float64(p.Requests) * float64(p.Requests) / (float64(p.Asking) * p.Fairness)
		}
	}
	if squares > 0 {
		all.Fairness = float64(all.Requests) * float64(all.Requests) / (float64(all.Asking) * squares)
	}
	err := mergeAll(&all, parts)
	return all, err
}

// addCounts adds what can simply be added.
func addCounts(all *control.LoadResult, p control.LoadResult) {
	all.WarmupNS, all.WindowNS = max(all.WarmupNS, p.WarmupNS), max(all.WindowNS, p.WindowNS)
	all.Due += p.Due
	all.Sent += p.Sent
	all.Requests += p.Requests
	all.Waited += p.Waited
	all.Unanswered += p.Unanswered
	all.Unrecorded += p.Unrecorded
	all.Connects += p.Connects
	all.Asking += p.Asking
	all.Errors = sums(all.Errors, p.Errors)
	if all.FirstError == "" {
		all.FirstError = p.FirstError
	}
	if p.Silent != nil {
		if all.Silent == nil {
			all.Silent = &record.Silent{}
		}
		all.Silent.Connections += p.Silent.Connections
		all.Silent.Right += p.Silent.Right
	}
	if p.Arrivals != nil {
		if all.Arrivals == nil {
			all.Arrivals = &control.Arrivals{}
		}
		all.Arrivals.Gaps = max(all.Arrivals.Gaps, p.Arrivals.Gaps)
		all.Arrivals.Places = append(all.Arrivals.Places, p.Arrivals.Places...)
	}
	for i, w := range p.Windows {
		if i == len(all.Windows) {
			all.Windows = append(all.Windows, record.Window{AtMS: w.AtMS, Measured: w.Measured})
		}
		all.Windows[i].Sent += w.Sent
		all.Windows[i].Received += w.Received
	}
	addUsage(&all.Usage, p.Usage)
}

func addUsage(all *control.Usage, p control.Usage) {
	all.MonotonicNS = max(all.MonotonicNS, p.MonotonicNS)
	all.CPUNS += p.CPUNS
	all.SpinNS += p.SpinNS
	all.Voluntary += p.Voluntary
	all.Involuntary += p.Involuntary
	all.Memory = sums(all.Memory, p.Memory)
	all.Counters = sums(all.Counters, p.Counters)
}

// sums adds the values of each key.
func sums[V int64 | uint64](to, from map[string]V) map[string]V {
	for key, n := range from {
		if to == nil {
			to = map[string]V{}
		}
		to[key] += n
	}
	return to
}

// mergeAll merges the histograms: of the window, of its intervals, and of each class.
func mergeAll(all *control.LoadResult, parts []control.LoadResult) (err error) {
	var whole []map[string]string
	intervals, classes := map[int64][]map[string]string{}, map[string][]map[string]string{}
	lengthMS := int64(0)
	for _, p := range parts {
		whole = append(whole, p.Histograms)
		for _, i := range p.Intervals {
			intervals[i.AtMS], lengthMS = append(intervals[i.AtMS], i.Histograms), i.LengthMS
		}
		for name, c := range p.Classes {
			classes[name] = append(classes[name], c.Histograms)
			all.Classes = sumClass(all.Classes, name, c)
		}
	}
	all.Latency = map[string]record.Latency{}
	if all.Histograms, err = merged(whole, all.Latency); err != nil {
		return err
	}
	for _, at := range slices.Sorted(maps.Keys(intervals)) {
		i := record.Interval{AtMS: at, LengthMS: lengthMS}
		if i.Histograms, err = merged(intervals[at], map[string]record.Latency{}); err != nil {
			return err
		}
		all.Intervals = append(all.Intervals, i)
	}
	for name, of := range classes {
		c := all.Classes[name]
		if c.Histograms, err = merged(of, c.LatencyNS); err != nil {
			return err
		}
		all.Classes[name] = c
	}
	return nil
}

// sumClass adds the requests of a class and makes room for the rest of it.
func sumClass(to map[string]record.Class, name string, c record.Class) map[string]record.Class {
	if to == nil {
		to = map[string]record.Class{}
	}
	to[name] = record.Class{Requests: to[name].Requests + c.Requests, LatencyNS: map[string]record.Latency{}}
	return to
}

// merged merges histograms of the same name, and summarises them into latencies.
func merged(parts []map[string]string, latencies map[string]record.Latency) (map[string]string, error) {
	sum := map[string]*hdrhistogram.Histogram{}
	for _, part := range parts {
		for kind, text := range part {
			h, err := hdrhistogram.Decode([]byte(text))
			if err != nil {
				return nil, fmt.Errorf("a generator's %s histogram is damaged: %w", kind, err)
			}
			if sum[kind] == nil {
				sum[kind] = h
			} else if lost := sum[kind].Merge(h); lost > 0 {
				return nil, fmt.Errorf("%d values of a generator's %s histogram do not fit into another's", lost, kind)
			}
		}
	}
	whole := map[string]string{}
	return whole, describe(sum, latencies, whole)
}

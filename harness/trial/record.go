package trial

import (
	"slices"

	"turnlab/harness/control"
	"turnlab/harness/load"
	"turnlab/harness/record"
)

// Record writes down what a generator has measured, its own usage included.
func Record(t *record.Trial, r *control.LoadResult) {
	t.WindowSeconds = float64(r.WindowNS) / 1e9
	t.WarmupSeconds, t.Steady, t.Extended = float64(r.WarmupNS)/1e9, r.Steady, r.Extended
	t.Requests, t.Errors, t.FirstError = r.Requests, r.Errors, r.FirstError
	t.Unanswered, t.Unrecorded = r.Unanswered, r.Unrecorded
	t.LatencyNS, t.Histograms, t.Windows = r.Latency, r.Histograms, r.Windows
	t.Intervals, t.Arrivals = r.Intervals, load.TestArrivals(r.Arrivals)
	t.Classes, t.Connects, t.Silent, t.Deliveries, t.Fairness = r.Classes, r.Connects, r.Silent, r.Deliveries, r.Fairness
	t.ThroughputRPS = throughput(r)
	if t.Mode == record.Open {
		t.Due, t.Sent, t.Waited, t.OfferedRPS = r.Due, r.Sent, r.Waited, t.Number("rate")
	}
	t.ClientMemory = r.Usage.Memory
	for name, n := range r.Usage.Counters {
		if t.ClientSched == nil {
			t.ClientSched = map[string]float64{}
		}
		t.ClientSched[name] = float64(n)
	}
	if seconds := float64(r.Usage.MonotonicNS) / 1e9; seconds > 0 {
		t.CPU = &record.CPU{}
		worked := float64(r.Usage.CPUNS - min(r.Usage.CPUNS, r.Usage.SpinNS))
		t.CPU.ClientUtil, t.CPU.ClientSpinUtil = worked/1e9/seconds, float64(r.Usage.SpinNS)/1e9/seconds
		t.CPU.ClientNSPerReq = perRequest(t, worked, seconds)
		if t.ThroughputRPS > 0 {
			t.Switches = &record.Switches{
				ClientVoluntary:   perRequest(t, float64(r.Usage.Voluntary), seconds),
				ClientInvoluntary: perRequest(t, float64(r.Usage.Involuntary), seconds),
			}
		}
	}
}

// throughput is replies that came in during the window, by second. Replies that came later, to requests of the window, are
// not in it: under overload every request is answered in the end, and counting them would make any rate look achieved.
// It is the mean of the slices of progress that lie in the window. A window too short to hold one (which no verdict will
// come from) has only its number of requests.
func throughput(r *control.LoadResult) float64 {
	var received uint64
	slices := 0
	for _, w := range r.Windows {
		if w.Measured {
			received += w.Received
			slices++
		}
	}
	if slices > 0 {
		return float64(received) / (float64(slices) * sliceSeconds)
	}
	if r.WindowNS == 0 {
		return 0
	}
	return float64(r.Requests) / (float64(r.WindowNS) / 1e9)
}

// sliceSeconds is the length of a record.Window.
const sliceSeconds = 0.1

// perRequest turns what was used in some seconds into what was used by request.
//
// It divides two rates: usage per second, between the two samples of a process, and requests per second, in the window.
// Dividing usage by a number of requests would need both to be of exactly the same moments, but a sample is late by as
// long as it takes to wake the process that takes it, which on busy CPUs is milliseconds; two rates of almost the same
// moments are almost the same rates.
//
// Without a reply there is no cost of one; the 0 is left out of the record.
func perRequest(t *record.Trial, used, seconds float64) float64 {
	if t.ThroughputRPS == 0 {
		return 0
	}
	return used / seconds / t.ThroughputRPS
}

// addTimes writes down what CPU time the server used between two readings.
func addTimes(t *record.Trial, before, after *control.Usage) {
	seconds := float64(after.MonotonicNS-before.MonotonicNS) / 1e9
	if seconds <= 0 || t.CPU == nil {
		return
	}
	used := float64(after.CPUNS - before.CPUNS)
	t.CPU.ServerUtil = used / 1e9 / seconds
	t.CPU.ServerNSPerReq = perRequest(t, used, seconds)
}

// addUpstream writes down what CPU time the server that a trial's server calls used between two readings.
func addUpstream(t *record.Trial, before, after *control.Usage) {
	if before == nil || after == nil || t.CPU == nil || after.MonotonicNS <= before.MonotonicNS {
		return
	}
	t.CPU.UpstreamUtil = float64(after.CPUNS-before.CPUNS) / float64(after.MonotonicNS-before.MonotonicNS)
}

// addCounts writes down what the server counted between two samples.
func addCounts(t *record.Trial, before, after *control.Usage) {
	seconds := float64(after.MonotonicNS-before.MonotonicNS) / 1e9
	if seconds <= 0 {
		return
	}
	if t.Switches != nil {
		t.Switches.Voluntary = perRequest(t, float64(after.Voluntary-before.Voluntary), seconds)
		t.Switches.Involuntary = perRequest(t, float64(after.Involuntary-before.Involuntary), seconds)
	}
	t.Sched = map[string]float64{}
	for name, n := range after.Counters {
		t.Sched[name] = change(name, float64(before.Counters[name]), float64(n))
	}
	for name, x := range after.Runtime {
		t.Sched["go_"+name] = change(name, before.Runtime[name], x)
	}
	percentiles(t.Sched)
}

// levels are counters that say how many there are, not how many there have been; of these the last value counts.
var levels = []string{
	"open", "threads", "waiting", "executors", "gomaxprocs", "goroutines", "goroutines_running", "goroutines_runnable",
	"goroutines_waiting", "goroutines_not_in_go",
}

func change(name string, before, after float64) float64 {
	if slices.Contains(levels, name) {
		return after
	}
	return after - before
}

// Package flags doubts trials.
//
// A doubt is a value: what was measured, what it should have kept, and what to do about it. A trial that merely raises an
// eyebrow is warned about; one whose figures would mislead is invalid and leaves medians and verdicts, but never the files:
// the reader may judge otherwise, and a point that is always invalid is a finding too.
//
// Every rule is a pure function of the record, so that anybody can apply it to the published files again. Only what the
// record holds is judged: a rule whose figure is absent says nothing.
package flags

import (
	"fmt"
	"math"
	"slices"

	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// A Rule looks at a trial and raises its flag or not.
type Rule struct {
	Code  string
	Doubt func(t *record.Trial) (flag record.Flag, raised bool) // the flag without its code
}

// Rules lists all rules in the order in which their flags are shown.
var Rules = []Rule{
	{"no_answers", noAnswers},
	{"bad_answers", badAnswers},
	{"unanswered", unanswered},
	{"unrecorded", unrecorded},
	{"rate_missed", rateMissed},
	{"arrivals_wrong", arrivalsWrong},
	{"overloaded", overloaded},
	{"client_limited", clientLimited},
	{"client_gc", clientGC},
	{"slip_high", slipHigh},
	{"generators_apart", generatorsApart},
	{"littles_law", littlesLaw},
	{"no_steady", noSteady},
	{"not_stationary", notStationary},
	{"sample_late", sampleLate},
	{"foreign_cpu", foreignCPU},
	{"stolen_cpu", stolenCPU},
	{"cpu_overlap", cpuOverlap},
	{"thin_tail", thinTail},
	{"deliveries_missing", deliveriesMissing},
}

// Judge puts the flags of t on it and withholds the percentiles that it cannot support (see Thin). It does so once the
// rest of the record is complete.
func Judge(t *record.Trial) {
	t.Flags = nil
	for _, rule := range Rules {
		if f, raised := rule.Doubt(t); raised {
			f.Code = rule.Code
			t.Flags = append(t.Flags, f)
		}
	}
	_, over := overloaded(t)
	withhold(t.LatencyNS, over)
	for _, class := range t.Classes {
		withhold(class.LatencyNS, over)
	}
}

// withhold removes the percentiles that would mislead.
func withhold(latencies map[string]record.Latency, overloaded bool) {
	for kind, l := range latencies {
		latencies[kind] = Thin(l)
	}
	if overloaded {
		// When work comes in faster than it goes out, response times grow for as long as one cares to measure: a percentile
		// of them tells the length of the window. What the requests took once sent (service) stays.
		delete(latencies, "response")
	}
}

// level returns Invalid beyond the second bound.
func level(invalid bool) string {
	if invalid {
		return record.Invalid
	}
	return record.Warn
}

// badAnswers: a server that gives wrong answers can be as fast as it likes. One wrong byte means that the program is
// broken; other errors may be an accident, up to one in a thousand.
func badAnswers(t *record.Trial) (record.Flag, bool) {
	bad := Errors(t)
	if bad == 0 {
		return record.Flag{}, false
	}
	share := float64(bad) / float64(bad+t.Requests+t.Unanswered)
	f := record.Flag{
		Level: level(t.Errors["wrong"] > 0 || share > 0.001), Figure: share, Unit: "of requests",
		Advice: fmt.Sprintf("%d requests failed; the first: %s", bad, orUnknown(t.FirstError)),
	}
	if f.Level == record.Invalid && t.Errors["wrong"] == 0 {
		f.Bound = 0.001
	}
	return f, true
}

// noAnswers: a server that answers nothing does so at no cost and without an error.
func noAnswers(t *record.Trial) (record.Flag, bool) {
	return record.Flag{
		Level: record.Invalid, Figure: 0, Bound: 1, Unit: "right replies",
		Advice: "not one request of the window got a right reply: the server hangs, speaks another protocol, or needs longer " +
			"than --duration and --timeout",
	}, t.WindowSeconds > 0 && t.Requests == 0 && t.Mode != record.Primitive
}

// Errors returns the number of requests that ended with an error.
func Errors(t *record.Trial) uint64 {
	var sum uint64
	for _, n := range t.Errors {
		sum += n
	}
	return sum
}

func orUnknown(text string) string {
	if text == "" {
		return "its text was not recorded"
	}
	return text
}

// unanswered: requests without a reply when the wait for late ones ended. They are in the histograms with the age they had
// reached, so the percentiles below their share are right; beyond one in a hundred p99 is only a lower bound.
func unanswered(t *record.Trial) (record.Flag, bool) {
	if t.Unanswered == 0 {
		return record.Flag{}, false
	}
	share := float64(t.Unanswered) / float64(t.Unanswered+t.Requests+Errors(t))
	f := record.Flag{
		Level: level(share > 0.01), Figure: share, Unit: "of requests",
		Advice: fmt.Sprintf("%d requests had no reply %v after the window: the server stalls, or it is overloaded",
			t.Unanswered, t.Duration("timeout")),
	}
	if f.Level == record.Invalid {
		f.Bound = 0.01
	}
	return f, true
}

// unrecorded: latencies that no histogram could hold. None is expected, ever.
func unrecorded(t *record.Trial) (record.Flag, bool) {
	return record.Flag{
		Level: record.Invalid, Figure: float64(t.Unrecorded), Unit: "latencies",
		Advice: "latencies fell outside the histograms, so percentiles miss them; this is a fault of the lab: please report it",
	}, t.Unrecorded > 0
}

// rateMissed: the open loop promises a rate. What was sent by the end of the window tells whether it was kept.
func rateMissed(t *record.Trial) (record.Flag, bool) {
	if t.Mode != record.Open || t.Due == 0 {
		return record.Flag{}, false
	}
	share := float64(t.Sent) / float64(t.Due)
	f := record.Flag{Level: level(share < 0.90), Figure: share, Bound: 0.99, Unit: "of requests due"}
	if f.Level == record.Invalid {
		f.Bound = 0.90
	}
	if util, _ := clientUtil(t); util > clientBound {
		f.Advice = "the generator is short of CPU: give it more (--client-cpus) or lower the rate"
	} else {
		f.Advice = "requests waited for a free connection: lower the rate, or raise --conns or --depth"
	}
	return f, share < 0.99 && short(t.Due, t.Sent)
}

// overloaded: fewer replies came in than requests were due, so the queue grew. A warning, because how much a server does
// under overload is worth knowing; but its response times are withheld.
func overloaded(t *record.Trial) (record.Flag, bool) {
	if t.Mode != record.Open || t.Due == 0 || t.WindowSeconds == 0 {
		return record.Flag{}, false
	}
	done := t.ThroughputRPS * t.WindowSeconds
	return record.Flag{
		Level: record.Warn, Figure: done / float64(t.Due), Bound: 0.99, Unit: "of requests due",
		Advice: "the server cannot keep up with this rate, so response times depend on how long one measures and are left out",
	}, done < 0.99*float64(t.Due) && short(t.Due, uint64(done))
}

// short reports whether got is less than due by more than chance explains. What is in flight at the two edges of the window
// differs by about the square root of what is due when arrivals are Poisson, which matters in short windows at low rates.
func short(due, got uint64) bool {
	return float64(due)-float64(got) > 3*math.Sqrt(float64(due))
}

// clientBound is the share of its CPUs that a generator may use before its own delays show.
const clientBound = 0.80

// clientLimited: a generator that is short of CPU measures itself. In the open loop that makes the trial invalid. In the
// closed loop it is what one expects of a server that is faster than its client: the throughput is then the generator's,
// the server's CPU per request is still its own; a warning says so. There is one as well for a rate that would have taken more by
// the generator's calibration (GenMaxRPS is where that came to the bound), and did not: one of the two was not as usual.
func clientLimited(t *record.Trial) (record.Flag, bool) {
	util, ok := clientUtil(t)
	if rate := t.Number("rate"); util <= clientBound && t.GenMaxRPS > 0 && rate > t.GenMaxRPS {
		return record.Flag{
			Level: record.Warn, Figure: clientBound * rate / t.GenMaxRPS, Bound: clientBound, Unit: "of its CPUs",
			Advice: "by its calibration the generator cannot keep this rate, so its own delays may be in the latencies: lower the " +
				"rate or give it more CPUs (--client-cpus)",
		}, true
	}
	f := record.Flag{
		Level: level(t.Mode == record.Open), Figure: util, Bound: clientBound, Unit: "of its CPUs",
		Advice: "the throughput is the generator's limit and not the server's: compare CPU per request instead",
	}
	if t.Mode == record.Open {
		f.Advice = "the generator's own delays are in the latencies: lower the rate or give it more CPUs (--client-cpus)"
	}
	return f, ok && util > clientBound
}

// clientUtil returns the share of the CPUs that the generator can use which it did use. More threads than CPUs share them;
// CPUs beyond the number of threads are out of its reach.
func clientUtil(t *record.Trial) (share float64, ok bool) {
	cpus, err := proc.ParseCPUs(t.Text("client-cpus"))
	if err != nil || t.CPU == nil {
		return 0, false
	}
	reach := float64(cpus.Len())
	threads := t.Number("threads") * math.Max(1, t.Number("generators"))
	if threads = math.Min(threads, t.Number("conns")); threads > 0 {
		reach = math.Min(reach, threads)
	}
	return t.CPU.ClientUtil / reach, true
}

// slipHigh: requests left later than they were due. Slip is part of the response time, so it is not wrong, but it is not
// the server's doing either when the generator was merely slow to wake. A server that stalls makes slip as well, by leaving
// no connection free; that shows in the tail. So a late tail is a warning, and only when half of all requests are late has
// the schedule not been kept at all.
//
// Note: to withhold a trial for a late tail would withhold exactly those in which a server stalled.
func slipHigh(t *record.Trial) (record.Flag, bool) {
	slip, ok := t.LatencyNS["slip"]
	if _, over := overloaded(t); !ok || over || t.Mode != record.Open {
		return record.Flag{}, false
	}
	service := float64(t.LatencyNS["service"].P50)
	f := record.Flag{
		Level: record.Warn, Figure: float64(slip.P99), Bound: math.Max(100e3, service/10), Unit: "ns",
		Advice: "one request in a hundred left late: the server stalled with all connections busy, or the generator woke late",
	}
	if bound := math.Max(1e6, service/2); float64(slip.P50) > bound {
		f.Level, f.Figure, f.Bound = record.Invalid, float64(slip.P50), bound
		f.Advice = "half of the requests left late: the arrivals were not those asked for; raise --conns or lower the rate"
	}
	late := slip.Count >= EnoughP99 && float64(slip.P99) > f.Bound
	return f, late || f.Level == record.Invalid
}

// littlesLaw: in a closed loop the number of requests in flight is known, and it must equal throughput times mean time in
// flight (Little's law). When it does not, one of the two was measured wrongly. Requests that reach over an edge of the
// window count in one of the figures only; there are as many as connections at each edge, which the bound makes room for.
func littlesLaw(t *record.Trial) (record.Flag, bool) {
	service, ok := t.LatencyNS["service"]
	inFlight := t.Number("conns") * t.Number("depth")
	if t.Silent != nil {
		inFlight -= float64(t.Silent.Connections) * t.Number("depth")
	}
	if t.Connects > 0 || t.Deliveries != nil {
		return record.Flag{}, false // some connections are ending, or listen: how many requests are in flight is not known
	}
	if t.Mode != record.Closed || !ok || inFlight == 0 || t.WindowSeconds == 0 || Errors(t) > 0 || t.Unanswered > 0 {
		return record.Flag{}, false
	}
	mean := service.Mean / 1e9
	off := math.Abs(t.ThroughputRPS*mean/inFlight - 1)
	bound := 0.03 + 2*mean/t.WindowSeconds
	return record.Flag{
		Level: record.Warn, Figure: off, Bound: bound, Unit: "off",
		Advice: "throughput and latency contradict each other: the load was not steady (longer --warmup and --duration), or a clock lies",
	}, off > bound
}

// foreignCPU: somebody else's work on the trial's CPUs delays the server, the generator, or both. Interrupts that find a CPU
// idle are nobody's work; at thousands of wake-ups per second they come to 3 or 4 %, which the bound makes room for.
func foreignCPU(t *record.Trial) (record.Flag, bool) {
	if t.Machine == nil {
		return record.Flag{}, false
	}
	return disturbed(t, t.Machine.ForeignUtil, 0.05,
		"other programs used the trial's CPUs: stop them, or name CPUs that are free (--server-cpus, --client-cpus)")
}

// LateMax is how late, as a share of the window, a server's sample of itself may be.
const LateMax = 0.1

// sampleLate: a server on a CPU that a thousand threads keep busy may get its turn to count when the window is long over, and
// what it then says is of another time. Such counts are not in the record. CPU time is read from outside and is right.
func sampleLate(t *record.Trial) (record.Flag, bool) {
	late, bound := float64(t.SampleLateNS), LateMax*t.WindowSeconds*1e9
	return record.Flag{
		Level: record.Warn, Figure: late, Bound: bound, Unit: "ns",
		Advice: "the server told its counters long after an edge of the window, so they are left out: use a longer --duration",
	}, bound > 0 && late > bound
}

// stolenCPU: a virtual machine's CPUs are sometimes another's.
func stolenCPU(t *record.Trial) (record.Flag, bool) {
	if t.Machine == nil {
		return record.Flag{}, false
	}
	return disturbed(t, t.Machine.StealUtil, 0.01,
		"the hypervisor gave the trial's CPUs to other machines: run more blocks, or run on a machine of your own")
}

// disturbed raises a flag when more than a share of the trial's CPUs was lost, and makes it invalid from a tenth on. The
// kernel tells these times in hundredths of a second for each CPU, of which three go into a figure; the bounds make room.
func disturbed(t *record.Trial, lost, warn float64, advice string) (record.Flag, bool) {
	cpus := float64(len(CPUs(t)))
	if cpus == 0 || t.WindowSeconds == 0 {
		return record.Flag{}, false
	}
	share, grain := lost/cpus, 0.03/t.WindowSeconds
	f := record.Flag{Level: record.Warn, Figure: share, Bound: warn + grain, Unit: "of the trial's CPUs", Advice: advice}
	if share > 0.10+grain {
		f.Level, f.Bound = record.Invalid, 0.10+grain
	}
	return f, share > f.Bound
}

// CPUs lists the CPUs that a trial uses, each once. One without a client has the server's only.
func CPUs(t *record.Trial) []int {
	server, err1 := proc.ParseCPUs(t.Text("server-cpus"))
	if t.Mode == record.Primitive && err1 == nil {
		return server.List()
	}
	client, err2 := proc.ParseCPUs(t.Text("client-cpus"))
	if err1 != nil || err2 != nil {
		return nil
	}
	cpus := server.List()
	used := client.List()
	if upstream, err := proc.ParseCPUs(t.Text("upstream-cpus")); err == nil { // of a workload that calls
		used = append(used, upstream.List()...)
	}
	for _, cpu := range used {
		if !slices.Contains(cpus, cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// cpuOverlap: what the generator uses of a shared CPU, the server lacks.
func cpuOverlap(t *record.Trial) (record.Flag, bool) {
	server, err1 := proc.ParseCPUs(t.Text("server-cpus"))
	client, err2 := proc.ParseCPUs(t.Text("client-cpus"))
	if err1 != nil || err2 != nil {
		return record.Flag{}, false
	}
	shared := server.And(client).Len()
	return record.Flag{
		Level: record.Warn, Figure: float64(shared), Unit: "CPUs shared",
		Advice: "server and generator compete for CPUs: separate them with --server-cpus and --client-cpus",
	}, shared > 0
}

// thinTail: too few requests for a p99.
func thinTail(t *record.Trial) (record.Flag, bool) {
	kind := "service"
	if t.Mode == record.Open {
		kind = "response"
	}
	l, ok := t.LatencyNS[kind]
	return record.Flag{
		Level: record.Warn, Figure: float64(l.Count), Bound: EnoughP99, Unit: "requests",
		Advice: "too few requests to know their p99, which is left out: measure longer (--duration)",
	}, ok && l.Count < EnoughP99
}

// deliveriesMissing: a message that is dropped has no latency, so those that came look better than the whole.
func deliveriesMissing(t *record.Trial) (record.Flag, bool) {
	if t.Deliveries == nil || t.Deliveries.Due == 0 || t.Deliveries.Missing == 0 {
		return record.Flag{}, false
	}
	return record.Flag{
		Level: record.Warn, Figure: float64(t.Deliveries.Missing) / float64(t.Deliveries.Due),
		Unit: "of deliveries", Advice: "messages never reached all who listen, and have no latency: queues overflowed (longer " +
			"queues, a lower rate), or connections were lost",
	}, true
}

// noSteady: the load was still changing when the longest warm-up had passed, so a mean over the window has no meaning.
func noSteady(t *record.Trial) (record.Flag, bool) {
	if t.Steady == nil || *t.Steady {
		return record.Flag{}, false
	}
	return record.Flag{
		Level: record.Invalid, Figure: t.WarmupSeconds, Unit: "s of warm-up",
		Advice: "service times had not settled: look at the windows for drift; at a low rate there may be too few requests to " +
			"tell (settle=off)",
	}, true
}

package digest

import (
	"math"
	"slices"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/reports/unit"
)

// A Metric is a figure of a trial.
type Metric struct {
	ID     string // in file names and links
	Title  string // of a chart
	Short  string // of a column
	Better string // "lower is better", or empty when neither direction is
	Unit   unit.Unit
	Chart  bool // drawn, not only listed
	// Of returns the figure; ok is false when nothing measured it.
	Of func(t *record.Trial) (x float64, ok bool)
}

const (
	lower  = "lower is better"
	higher = "higher is better"
)

// Metrics lists the figures of trials of a mode, in the order in which they are shown.
//
// In the closed loop a late reply delays the next request, so what is measured is how long the server took for a request it
// was sent (service), not how long a user would have waited (response): the two must not share a name.
func Metrics(mode string) []Metric {
	if mode == record.Primitive {
		return slices.Clone(primitives) // callers leave out what was not measured
	}
	kind, word := "service", "service time"
	if mode == record.Open {
		kind, word = "response", "response time"
	}
	metrics := []Metric{
		{"cpu", "Server CPU per request", "CPU per request", lower, unit.Nanos, true, cpu(func(c *record.CPU) float64 { return c.ServerNSPerReq })},
		{"throughput", "Throughput", "req/s", higher, unit.PerSecond, true, func(t *record.Trial) (float64, bool) {
			return t.ThroughputRPS, t.WindowSeconds > 0
		}},
		{"p50", "Median " + word + " (p50)", "p50", lower, unit.Nanos, true, latency(kind, func(l record.Latency) int64 { return l.P50 })},
		{"p90", "p90 " + word, "p90", lower, unit.Nanos, false, latency(kind, func(l record.Latency) int64 { return l.P90 })},
		{"p99", "p99 " + word, "p99", lower, unit.Nanos, true, latency(kind, func(l record.Latency) int64 { return l.P99 })},
		{"p999", "p99.9 " + word, "p99.9", lower, unit.Nanos, false, latency(kind, func(l record.Latency) int64 { return l.P999 })},
		{"pss", "Server memory (PSS)", "PSS", lower, unit.Bytes, true, memory("pss", "")},
		{"rss", "Server memory (RSS)", "RSS", lower, unit.Bytes, true, memory("rss", "pss")},
	}
	return append(metrics, causes...)
}

// primitives are the figures of an operation that is measured without a client.
var primitives = []Metric{
	{"ns-per-op", "Time per operation", "time/op", lower, unit.Nanos, true,
		micro(func(m *record.Micro) (float64, bool) { return m.NSPerOp, m.NSPerOp > 0 })},
	{"cpu-per-op", "CPU time per operation", "CPU/op", lower, unit.Nanos, true,
		micro(func(m *record.Micro) (float64, bool) { return m.CPUNSPerOp, m.CPUNSPerOp > 0 })},
	{"allocs-per-op", "Allocations per operation", "allocs/op", lower, unit.Plain, false,
		micro(func(m *record.Micro) (float64, bool) { return m.AllocsPerOp, true })},
	{"bytes-per-op", "Memory allocated per operation", "bytes/op", lower, unit.Bytes, false,
		micro(func(m *record.Micro) (float64, bool) { return m.BytesPerOp, true })},
	{"switches-per-op", "Kernel switches per operation", "switches/op", lower, unit.Plain, false,
		micro(func(m *record.Micro) (float64, bool) { return m.Voluntary + m.Involuntary, true })},
	{"task-user", "User memory for each task (PSS)", "memory/task", lower, unit.Bytes, true, sched("task_user_bytes")},
	{"task-kernel", "Kernel memory for each task", "kernel/task", lower, unit.Bytes, true, sched("task_kernel_bytes")},
}

// causes are figures that explain the others; tables have them.
var causes = []Metric{
	{"server-util", "Server CPU use", "server CPU", "", unit.Percent, false, cpu(func(c *record.CPU) float64 { return c.ServerUtil })},
	{"client-util", "Generator CPU use", "client CPU", "", unit.Percent, false, cpu(func(c *record.CPU) float64 { return c.ClientUtil })},
	{"voluntary", "Voluntary switches per request", "waits/req", lower, unit.Plain, false,
		switches(func(s *record.Switches) float64 { return s.Voluntary })},
	{"involuntary", "Involuntary switches per request", "preempted/req", lower, unit.Plain, false,
		switches(func(s *record.Switches) float64 { return s.Involuntary })},
	{"kernel-calls", "System calls per request", "syscalls/req", lower, unit.Plain, false, sched("kernel_calls_per_req")},
}

// cpu reads a figure that is above zero in every trial with replies: it is absent from the record of one without, which older
// records write as zero.
func cpu(of func(*record.CPU) float64) func(*record.Trial) (float64, bool) {
	return func(t *record.Trial) (float64, bool) {
		if t.CPU == nil || t.Requests == 0 {
			return 0, false
		}
		x := of(t.CPU)
		return x, x > 0
	}
}

func switches(of func(*record.Switches) float64) func(*record.Trial) (float64, bool) {
	return func(t *record.Trial) (float64, bool) {
		if t.Switches == nil || t.Requests == 0 {
			return 0, false
		}
		return of(t.Switches), true
	}
}

// latency reads a percentile; one that too few requests support is absent, which the record writes as zero.
func latency(kind string, of func(record.Latency) int64) func(*record.Trial) (float64, bool) {
	return func(t *record.Trial) (float64, bool) {
		ns := of(t.LatencyNS[kind])
		return float64(ns), ns > 0
	}
}

// memory reads an amount of memory. RSS counts shared pages in full, so it stands in only for trials without PSS.
func memory(kind, unlessThereIs string) func(*record.Trial) (float64, bool) {
	return func(t *record.Trial) (float64, bool) {
		_, better := t.Memory[unlessThereIs]
		bytes, ok := t.Memory[kind]
		return float64(bytes), ok && !better
	}
}

// A Summary is what the trials of a cell say about a metric. Without a valid trial Median is NaN.
type Summary struct {
	Median, Lo, Hi float64
	N              int       // valid trials that have the figure
	Values         []float64 // of those
	Strays         []float64 // of trials that do not count
}

// Summarise returns the median of the cell's valid trials and its spread: an interval of the median when the run is long
// enough for one, the range otherwise. An interval that too few trials support is infinite and not the range: the range
// would look like the narrower claim.
func (d *Digest) Summarise(c Cell, m Metric) Summary {
	s := Summary{Median: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	for _, t := range c.Trials {
		x, ok := m.Of(t)
		switch {
		case !ok || t.Failed != "":
		case t.Valid():
			s.Values = append(s.Values, x)
		default:
			s.Strays = append(s.Strays, x)
		}
	}
	s.N = len(s.Values)
	sum, err := stat.Summarise(s.Values)
	if err != nil {
		return s // no valid trial has the figure
	}
	s.Median, s.Lo, s.Hi = sum.Median, sum.Min, sum.Max
	if c.Blocks >= stat.MinTrials {
		s.Lo, s.Hi = bounds(sum.Interval)
	}
	return s
}

func bounds(i stat.Interval) (lo, hi float64) {
	if !i.Exists() {
		return math.Inf(-1), math.Inf(1)
	}
	return i.Low, i.High
}

// Intervals reports whether some part of the run has enough blocks for intervals, and so for verdicts.
func (d *Digest) Intervals() bool { return slices.ContainsFunc(d.Sections, Section.Intervals) }

// Blocks returns the least and the most blocks that a part of the run has.
func (d *Digest) Blocks() (least, most int) {
	for i, s := range d.Sections {
		if i == 0 || s.Blocks < least {
			least = s.Blocks
		}
		most = max(most, s.Blocks)
	}
	return least, most
}

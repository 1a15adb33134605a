package digest

import (
	"regexp"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/unit"
)

// MetricByID finds a figure by its name, for declarations that say which figure a chart shows:
//
//   - what Metrics lists: "cpu", "throughput", "p99" (response time in an open loop, service time in a closed one), "pss" …
//   - "KIND-STAT": "response-p99", "service-p50", "slip-p99", "delivery-max" of all requests
//   - "CLASS-STAT": "innocent-p99", "hog-max" of a class of requests, as the loop measures latency
//   - kinds of memory: "go-heap", "go-stacks", "kernel-stacks", "page-tables", "sockets" and so on
//   - "fairness", "connects", "run-queue-wait"
//   - of operations without a client: "ns-per-op", "cpu-per-op", "allocs-per-op", "bytes-per-op", "switches-per-op", "task-user", "task-kernel"
//   - "sched:NAME", whatever the engine or the runtime counted under that name
//
// STAT is p50, p90, p99, p999, p9999, max or mean. A name that fits a form is a metric, whether or not some trial has it;
// ok is false for what fits none.
func MetricByID(id string) (m Metric, ok bool) {
	if name, isSched := strings.CutPrefix(id, "sched:"); isSched && name != "" {
		return schedMetric(name), true
	}
	if i := slices.IndexFunc(named, func(m Metric) bool { return m.ID == id }); i >= 0 {
		return named[i], true
	}
	if i := slices.IndexFunc(Metrics(""), func(m Metric) bool { return m.ID == id }); i >= 0 {
		m := Metrics("")[i]
		if statOf[id] != nil {
			m.Title, m.Of = statTitle(id)+" latency", loopLatency(all, statOf[id])
		}
		return m, true
	}
	return latencyMetric(id)
}

// In returns the metric as it is called in a mode: what a loop measures as latency has a name of its own.
func (m Metric) In(mode string) Metric {
	word := map[string]string{record.Closed: "service time", record.Open: "response time"}[mode]
	if word != "" {
		m.Title = strings.Replace(m.Title, "latency", word, 1)
	}
	return m
}

// named are the figures that have names of their own and are in no list.
var named = slices.Concat(memoryKinds(), primitives, []Metric{
	{"fairness", "Fairness between connections (Jain’s index)", "fairness", higher, unit.Plain, true,
		func(t *record.Trial) (float64, bool) { return t.Fairness, t.Fairness > 0 }},
	{"connects", "Connections opened and served", "connects/s", higher, unit.PerSecond, true,
		func(t *record.Trial) (float64, bool) {
			return float64(t.Connects) / t.WindowSeconds, t.Connects > 0 && t.WindowSeconds > 0
		}},
	{"run-queue-wait", "Time on the kernel’s run queue per request", "run queue", lower, unit.Nanos, true, sched("kernel_wait_ns_per_req")},
})

func micro(of func(*record.Micro) (float64, bool)) func(*record.Trial) (float64, bool) {
	return func(t *record.Trial) (float64, bool) {
		if t.Micro == nil {
			return 0, false
		}
		return of(t.Micro)
	}
}

func memoryKinds() []Metric {
	var out []Metric
	for _, k := range []struct{ kind, title, short string }{
		{"pss", "Server memory (PSS)", "PSS"}, {"rss", "Server memory (RSS)", "RSS"}, {"private", "Private server memory", "private"},
		{"go_heap", "Go heap", "Go heap"}, {"go_stacks", "Stacks of goroutines", "Go stacks"}, {"go_metadata", "The Go runtime’s tables", "Go runtime"},
		{"kernel_stacks", "Kernel stacks", "kernel stacks"}, {"page_tables", "Page tables", "page tables"}, {"sockets", "Socket buffers", "sockets"},
		{"swap", "Swapped memory", "swap"},
	} {
		id := strings.ReplaceAll(k.kind, "_", "-")
		out = append(out, Metric{id, k.title, k.short, lower, unit.Bytes, true, memory(k.kind, "")})
	}
	return out
}

func schedMetric(name string) Metric {
	u, scale := unit.Plain, 1.0
	switch {
	case strings.HasSuffix(name, "_seconds"):
		u, scale = unit.Nanos, 1e9
	case strings.Contains(name, "_ns"):
		u = unit.Nanos
	case strings.HasSuffix(name, "_bytes"):
		u = unit.Bytes
	}
	words := strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(name, "_ns"), "_seconds"), "_", " ")
	of := func(t *record.Trial) (float64, bool) {
		x, ok := t.Sched[name]
		return scale * x, ok
	}
	return Metric{ID: "sched:" + name, Title: strings.ToUpper(words[:1]) + words[1:], Short: words, Unit: u, Chart: true, Of: of}
}

func sched(name string) func(*record.Trial) (float64, bool) {
	return func(t *record.Trial) (float64, bool) {
		x, ok := t.Sched[name]
		return x, ok
	}
}

// statOf reads a statistic of a latency; what is absent is zero.
var statOf = map[string]func(record.Latency) int64{
	"p50": func(l record.Latency) int64 { return l.P50 }, "p90": func(l record.Latency) int64 { return l.P90 },
	"p99": func(l record.Latency) int64 { return l.P99 }, "p999": func(l record.Latency) int64 { return l.P999 },
	"p9999": func(l record.Latency) int64 { return l.P9999 }, "max": func(l record.Latency) int64 { return l.Max },
	"mean": func(l record.Latency) int64 { return int64(l.Mean) },
}

func statTitle(stat string) string {
	return map[string]string{"p50": "Median", "p90": "p90", "p99": "p99", "p999": "p99.9", "p9999": "p99.99", "max": "Greatest", "mean": "Mean"}[stat]
}

// latencyForm is "response-p99" or "innocent-max".
var latencyForm = regexp.MustCompile(`^([a-z][a-z0-9]*)-(p50|p90|p99|p999|p9999|max|mean)$`)

func latencyMetric(id string) (Metric, bool) {
	parts := latencyForm.FindStringSubmatch(id)
	if parts == nil {
		return Metric{}, false
	}
	of, stat := parts[1], parts[2]
	m := Metric{ID: id, Short: of + " " + strings.ToLower(statTitle(stat)), Better: lower, Unit: unit.Nanos, Chart: true}
	if what, isKind := map[string]string{
		"response": "response time", "service": "service time", "slip": "slip (how late requests left)", "delivery": "delivery time",
	}[of]; isKind {
		m.Title, m.Of = statTitle(stat)+" "+what, latency(of, statOf[stat])
		return m, true
	}
	m.Title = statTitle(stat) + " latency of " + of + " requests"
	m.Of = loopLatency(func(t *record.Trial) map[string]record.Latency { return t.Classes[of].LatencyNS }, statOf[stat])
	return m, true
}

func all(t *record.Trial) map[string]record.Latency { return t.LatencyNS }

// loopLatency reads the latency that the trial's loop measures: see Metrics.
func loopLatency(among func(*record.Trial) map[string]record.Latency, of func(record.Latency) int64) func(*record.Trial) (float64, bool) {
	return func(t *record.Trial) (float64, bool) {
		kind := map[string]string{record.Open: "response", record.Closed: "service"}[t.Mode]
		ns := of(among(t)[kind])
		return float64(ns), ns > 0
	}
}

// SumOf returns the sum of metrics of one unit. A trial has it when it has them all.
func SumOf(metrics []Metric) Metric {
	if len(metrics) == 0 {
		return Metric{Of: func(*record.Trial) (float64, bool) { return 0, false }}
	}
	sum := metrics[0]
	sum.Of = func(t *record.Trial) (total float64, ok bool) {
		for _, m := range metrics {
			x, ok := m.Of(t)
			if !ok {
				return 0, false
			}
			total += x
		}
		return total, true
	}
	return sum
}

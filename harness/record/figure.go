package record

import (
	"maps"
	"slices"
	"strings"
)

// A Figure is one number of a trial, for tables.
type Figure struct {
	Name   string // with the unit last: "response_p99_ns"
	Value  float64
	Unit   string // in the Go benchmark format: "p99-response-ns"; empty for what does not belong there
	Better string // "higher" or "lower"; empty when neither
}

// Figures lists what was measured in t, in a fixed order. What was not measured is not in the list.
func (t *Trial) Figures() []Figure {
	if t.Failed != "" {
		return nil
	}
	if t.Mode == Primitive {
		return t.microFigures()
	}
	out := []Figure{
		{"throughput_rps", t.ThroughputRPS, "req/s", "higher"},
		{"requests", float64(t.Requests), "", ""},
		{"errors", float64(sum(t.Errors)), "errors", "lower"},
		{"unanswered", float64(t.Unanswered), "unanswered", "lower"},
	}
	for _, kind := range slices.Sorted(maps.Keys(t.LatencyNS)) {
		out = append(out, latencyFigures(kind, t.LatencyNS[kind])...)
	}
	if t.Fairness > 0 {
		out = append(out, Figure{"fairness", t.Fairness, "fairness", "higher"})
	}
	for _, class := range slices.Sorted(maps.Keys(t.Classes)) {
		for _, kind := range slices.Sorted(maps.Keys(t.Classes[class].LatencyNS)) {
			for _, f := range latencyFigures(kind, t.Classes[class].LatencyNS[kind]) {
				f.Name, f.Unit = class+"_"+f.Name, class+"-"+f.Unit
				out = append(out, f)
			}
		}
	}
	if c := t.CPU; c != nil {
		for _, f := range []Figure{
			{"server_cpu_ns_per_req", c.ServerNSPerReq, "server-cpu-ns/req", "lower"},
			{"client_cpu_ns_per_req", c.ClientNSPerReq, "client-cpu-ns/req", "lower"},
		} {
			if f.Value > 0 { // no reply, no cost of one
				out = append(out, f)
			}
		}
		out = append(out,
			Figure{"server_util", c.ServerUtil, "server-cpus", ""},
			Figure{"client_util", c.ClientUtil, "client-cpus", ""})
	}
	if m := t.Machine; m != nil {
		out = append(out, Figure{"foreign_util", m.ForeignUtil, "foreign-cpus", "lower"}, Figure{"steal_util", m.StealUtil, "steal-cpus", "lower"})
	}
	if s := t.Switches; s != nil {
		out = append(out,
			Figure{"voluntary_switches_per_req", s.Voluntary, "voluntary-switches/req", "lower"},
			Figure{"involuntary_switches_per_req", s.Involuntary, "involuntary-switches/req", "lower"})
	}
	return append(out, t.processFigures()...)
}

// processFigures are those of the processes: memory of the server, what explains it, and what explains the generator.
func (t *Trial) processFigures() (out []Figure) {
	out = append(out, memoryFigures("", t.Memory)...)
	out = append(out, memoryFigures("idle_", t.IdleMemory)...)
	for _, name := range slices.Sorted(maps.Keys(t.Sched)) {
		out = append(out, Figure{"sched_" + name, t.Sched[name], "", ""})
	}
	for _, name := range slices.Sorted(maps.Keys(t.ClientSched)) {
		out = append(out, Figure{"client_sched_" + name, t.ClientSched[name], "", ""})
	}
	return out
}

// microFigures are those of a trial without a client, in the units of go test -bench where it has them.
func (t *Trial) microFigures() []Figure {
	var out []Figure
	if m := t.Micro; m != nil {
		out = []Figure{
			{"ns_per_op", m.NSPerOp, "ns/op", "lower"},
			{"cpu_ns_per_op", m.CPUNSPerOp, "cpu-ns/op", "lower"},
			{"allocs_per_op", m.AllocsPerOp, "allocs/op", "lower"},
			{"alloc_bytes_per_op", m.BytesPerOp, "B/op", "lower"},
			{"voluntary_switches_per_op", m.Voluntary, "voluntary-switches/op", "lower"},
			{"involuntary_switches_per_op", m.Involuntary, "involuntary-switches/op", "lower"},
			{"operations", float64(m.Operations), "", ""},
		}
	}
	return append(out, t.processFigures()...)
}

func sum(m map[string]uint64) (n uint64) {
	for _, x := range m {
		n += x
	}
	return n
}

// memoryFigures names each kind of memory, idle_pss_bytes or pss_bytes.
func memoryFigures(prefix string, memory map[string]uint64) []Figure {
	var out []Figure
	for _, kind := range slices.Sorted(maps.Keys(memory)) {
		name := prefix + kind
		out = append(out, Figure{name + "_bytes", float64(memory[kind]), strings.ReplaceAll(name, "_", "-") + "-B", "lower"})
	}
	return out
}

// latencyFigures leaves out the percentiles that are absent.
func latencyFigures(kind string, l Latency) []Figure {
	var out []Figure
	for _, p := range []struct {
		name  string
		value float64
	}{
		{"p50", float64(l.P50)}, {"p90", float64(l.P90)}, {"p99", float64(l.P99)}, {"p999", float64(l.P999)},
		{"p9999", float64(l.P9999)}, {"max", float64(l.Max)}, {"mean", l.Mean},
	} {
		if p.value > 0 {
			out = append(out, Figure{kind + "_" + p.name + "_ns", p.value, p.name + "-" + kind + "-ns", "lower"})
		}
	}
	return out
}

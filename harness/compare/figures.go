package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/harness/stat"
)

// A metric is a figure that sides are compared by.
type metric struct {
	name   string // as users write it in --fail-on
	figure string // of record.Trial.Figures
	better string
}

// Names are the metrics that there are.
var Names = []string{"throughput", "cpu", "p50", "p99", "memory", "time"}

// metrics lists what is compared. What a user waits for is the response time; in the closed loop nobody waits from an
// intended time, so there it is the service time. An operation without a client has the time and the CPU time that it takes.
func metrics(mode string) []metric {
	if mode == record.Primitive {
		return []metric{{"time", "ns_per_op", "lower"}, {"cpu", "cpu_ns_per_op", "lower"}, {"memory", "pss_bytes", "lower"}}
	}
	kind := "service"
	if mode == record.Open {
		kind = "response"
	}
	return []metric{
		{"throughput", "throughput_rps", "higher"},
		{"cpu", "server_cpu_ns_per_req", "lower"},
		{"p50", kind + "_p50_ns", "lower"},
		{"p99", kind + "_p99_ns", "lower"},
		{"memory", "pss_bytes", "lower"},
	}
}

// trials are a run's valid trials by their point (see identity).
type trials map[string][]*record.Trial

func byPoint(all []record.Trial) trials {
	out := trials{}
	for i := range all {
		if t := &all[i]; t.Valid() {
			id := identity(t.Point)
			out[id] = append(out[id], t)
		}
	}
	return out
}

// figures returns the figures of a point's trials by name and block. A figure that is not above zero has no ratio and stays
// away. Memory without PSS is RSS, on a kernel that tells no better.
func (ts trials) figures(p record.Point) map[string]map[int]float64 {
	out := map[string]map[int]float64{}
	for _, t := range ts[identity(p)] {
		for _, f := range t.Figures() {
			if f.Name == "rss_bytes" && t.Memory["pss"] == 0 {
				f.Name = "pss_bytes"
			}
			if out[f.Name] == nil {
				out[f.Name] = map[int]float64{}
			}
			if f.Value > 0 {
				out[f.Name][t.Block] = f.Value
			}
		}
	}
	return out
}

// identity is equal for the same point and no other.
func identity(p record.Point) string {
	// Maps are printed in order.
	return fmt.Sprintf("%s %s %s %s %s %v", p.Experiment, p.Label(), p.Arm, p.Workload, p.Mode, p.Params)
}

func sorted(values map[int]float64) []int { return slices.Sorted(maps.Keys(values)) }

func median(values []float64) float64 {
	s, err := stat.Summarise(values)
	if err != nil {
		return math.NaN()
	}
	return s.Median
}

// floors holds, by load and figure, the farthest that an engine's ratio to itself may lie from 1.
type floors map[[2]string]float64

// floorsOf compares the two arms of every engine that has two. Without an interval there is no floor: a few blocks agree by
// chance. An engine's own options must not tell its arms apart, so points are found by everything but the arm.
func floorsOf(f *record.Folder) floors {
	out := floors{}
	valid := byPoint(f.Trials)
	within := Table{Paired: true}
	for _, again := range f.Run.Plan {
		if again.Arm != record.Again {
			continue
		}
		first := again
		first.Arm = ""
		a, b := valid.figures(first), valid.figures(again)
		for name := range a {
			c, err := stat.Compare(within.pairs(a[name], b[name]))
			if err == nil && c.Exists() {
				key := [2]string{again.SameLoad(), name}
				out[key] = max(out[key], math.Abs(c.Low-1), math.Abs(c.High-1))
			}
		}
	}
	return out
}

func (f floors) of(p record.Point, figure string) float64 {
	if floor, ok := f[[2]string{p.SameLoad(), figure}]; ok {
		return floor
	}
	return math.NaN()
}

// larger keeps of each floor the larger one.
func larger(a, b floors) floors {
	out := maps.Clone(a)
	for key, floor := range b {
		out[key] = max(out[key], floor)
	}
	return out
}

// varyingLoad lists the parameters of the load that tell points apart.
func varyingLoad(points []record.Point) []string {
	return slices.DeleteFunc(record.Varying(points), func(name string) bool {
		return name == "conns" || name == "rate" || strings.HasSuffix(name, "-cpus")
	})
}

// pointText names a point: "http closed, conns 64". The engine is part of it when both sides have the same.
func (t *Table) pointText(p record.Point, varying []string) string {
	text := p.Workload + " " + p.Mode
	if conns := p.Text("conns"); conns != "" {
		text += ", conns " + conns
	}
	if !t.Paired {
		text = p.Label() + " " + text
	}
	if p.Mode == record.Open {
		text += ", rate " + p.Text("rate")
	}
	for _, name := range varying {
		if value := p.Text(name); value != "" && (!t.Paired || !strings.HasPrefix(name, p.Engine+".")) {
			text += ", " + name + " " + value
		}
	}
	return text
}

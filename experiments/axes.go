package experiments

import (
	"math"
	"strconv"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
)

// The engines that most experiments compare: the task decides, the runtime decides, the kernel decides, and the bare loop,
// where there is nothing to decide.
var engines = []string{"coop", "preempt", "threads", "loop"}

// axes makes a sweep's axes from names and values in turn.
func axes(pairs ...string) []plan.Axis {
	var list []plan.Axis
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, plan.Axis{Name: pairs[i], Values: pairs[i+1]})
	}
	return list
}

// sweep makes a sweep of a workload.
func sweep(engines []string, workload string, pairs ...string) plan.Sweep {
	return plan.Sweep{Engines: engines, Workloads: []string{workload}, Axes: axes(pairs...)}
}

// many lists sweeps.
func many(list ...plan.Sweep) []plan.Sweep { return list }

// doubled measures the first engine of a sweep twice in each block, so that the noise is known there.
func doubled(s plan.Sweep) plan.Sweep {
	s.AA = true
	return s
}

// measured says how long a trial's warm-up and window are.
func measured(warmup, window string) []string { return []string{"warmup", warmup, "duration", window} }

// number writes a number as an axis takes it.
func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// round2 rounds to two significant digits: a rate that was computed is not known better.
func round2(x float64) float64 {
	if x <= 0 {
		return x
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Round(x/unit) * unit
}

// where picks points.
type where func(record.Point) bool

// is picks the points of an engine with the given parameters. Values are as in records: numbers in base units, durations as
// Go writes them.
func is(label string, params map[string]any) where {
	return func(p record.Point) bool {
		return (label == "" || p.Label() == label) && has(p, params)
	}
}

func has(p record.Point, params map[string]any) bool {
	for name, want := range params {
		if got, ok := p.Params[name]; !ok || got != want {
			return false
		}
	}
	return true
}

// and picks what both pick.
func (w where) and(v where) where {
	return func(p record.Point) bool { return w(p) && v(p) }
}

// A series is something that is compared, and what a reader knows it by.
type series struct {
	name string
	is   where
}

// plainly is an engine as it comes, with what experiments tune (see usually) at its default. Its tuned forms are picked by tuned.
func plainly(label string) series {
	return series{label, is(label, nil).and(func(p record.Point) bool {
		for name, usual := range usually {
			if v, ok := p.Params[name]; ok && v != usual {
				return false
			}
		}
		return true
	})}
}

// usually are the engines' defaults of what experiments tune. A test holds them against the engines.
var usually = map[string]any{"coop.yield": "0s", "coop.offload": 0.0, "preempt.procs": 0.0, "preempt.gc-every": "0s"}

// tuned is an engine with one option set.
func tuned(label, option string, value any, name string) series {
	return series{name, is(label, map[string]any{option: value})}
}

// milliseconds writes a duration for readers.
func milliseconds(d time.Duration) string { return number(d.Seconds()*1000) + " ms" }

// seconds writes a duration as an axis takes it, rounded up to a tenth of a second.
func seconds(d time.Duration) string {
	tenth := 100 * time.Millisecond
	return ((d + tenth - 1) / tenth * tenth).String()
}

package record

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Number returns a parameter that is a count, bytes, or a plain number; 0 when the point does not have it.
func (p Point) Number(name string) float64 {
	x, _ := p.Params[name].(float64)
	return x
}

// Text returns a parameter as the user would write it; empty when the point does not have it.
func (p Point) Text(name string) string {
	switch v := p.Params[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// Duration returns a parameter that is a duration; 0 when the point does not have it.
func (p Point) Duration(name string) time.Duration {
	d, err := time.ParseDuration(p.Text(name))
	if err != nil {
		return 0
	}
	return d
}

// Options returns the parameters of one engine or workload, without the prefix, as users write them. They are what its
// child process is started with.
func (p Point) Options(owner string) map[string]string {
	out := map[string]string{}
	for name := range p.Params {
		if rest, ok := strings.CutPrefix(name, owner+"."); ok {
			out[rest] = p.Text(name)
		}
	}
	return out
}

// Varying lists the parameters that do not have the same value in all points that have them, sorted. They are what tells
// points apart besides engine and workload.
func Varying(points []Point) []string {
	seen, varies := map[string]any{}, map[string]bool{}
	for _, p := range points {
		for name, v := range p.Params {
			if first, ok := seen[name]; ok && first != v {
				varies[name] = true
			}
			seen[name] = v
		}
	}
	return slices.Sorted(maps.Keys(varies))
}

// cpuLists are the parameters that are the machine's and not the load's.
var cpuLists = []string{"server-cpus", "client-cpus", "upstream-cpus"}

// VaryingBy is Varying for the points of each experiment: what tells them apart within it.
func VaryingBy(points []Point) map[string][]string {
	own := map[string][]Point{}
	for _, p := range points {
		own[p.Experiment] = append(own[p.Experiment], p)
	}
	names := map[string][]string{}
	for experiment, points := range own {
		names[experiment] = Varying(points)
	}
	return names
}

// SameLoad returns a text that is equal for points of an experiment that load their servers alike: everything but the engine,
// its own options, the arm, and the CPUs, which are the machine's and not the load's. Where a rate is a share of what a point
// can do, the share is the load.
func (p Point) SameLoad() string {
	load := map[string]any{}
	for name, v := range p.Params {
		if !strings.HasPrefix(name, p.Engine+".") && !slices.Contains(cpuLists, name) {
			load[name] = v
		}
	}
	if _, shared := load["rate-share"]; shared {
		delete(load, "rate")
	}
	text, err := json.Marshal([]any{p.Experiment, p.Workload, p.Mode, load}) // maps are written in the order of their keys
	if err != nil {
		panic("record: a parameter that JSON cannot hold: " + err.Error())
	}
	return string(text)
}

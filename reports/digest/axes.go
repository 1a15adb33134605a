package digest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"turnlab/harness/record"
	"turnlab/reports/unit"
)

// A Value is a parameter's value: its text, and its place on an axis if it is a number or a duration.
type Value struct {
	Text    string
	Number  float64 // durations in nanoseconds
	Numeric bool
}

func newValue(v any) Value {
	switch v := v.(type) {
	case float64:
		return Value{strconv.FormatFloat(v, 'f', -1, 64), v, true}
	case string:
		if d, err := time.ParseDuration(v); err == nil {
			return Value{v, float64(d), true}
		}
		return Value{Text: v}
	default:
		return Value{Text: fmt.Sprint(v)}
	}
}

// Compare orders numbers by size and everything else by its text.
func (v Value) Compare(w Value) int {
	if v.Numeric && w.Numeric {
		return cmp.Compare(v.Number, w.Number)
	}
	return cmp.Compare(v.Text, w.Text)
}

// axes are the swept parameters of a workload, by the part they play.
type axes struct {
	workload string
	main     Axis
	panels   []string // shared by the engines
	own      []string // of one engine
}

func newAxes(workload string, entries []entry) axes {
	a := axes{workload: workload}
	values := sweptValues(entries)
	engines := map[string]bool{}
	for _, e := range entries {
		engines[e.point.Engine] = true
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		owner, _, dotted := strings.Cut(name, ".")
		if dotted && owner != workload && engines[owner] {
			a.own = append(a.own, name)
			continue
		}
		a.panels = append(a.panels, name)
		if numbers := onAxis(name, values[name]); len(numbers) > 1 && a.prefers(name, len(numbers)) {
			a.main = Axis{name, numbers}
		}
	}
	a.panels = slices.DeleteFunc(a.panels, func(name string) bool { return name == a.main.Name })
	return a
}

// Select sorts the digest's entries whose points where accepts, along x; without x the rule finds the axis. A parameter
// named y makes panels even if it has one value. Names may be short: "share" for "hog.share". Points without x or y are
// left out. When several workloads are among the points, the workload counts as a parameter.
func (d *Digest) Select(where func(record.Point) bool, x, y string) Section {
	var entries []entry
	workloads := map[string]bool{}
	for _, e := range d.entries {
		known := e.point.Arm == "" || e.point.Arm == record.Again
		if known && (where == nil || where(e.point)) {
			entries = append(entries, e)
			workloads[e.point.Workload] = true
		}
	}
	workload := ""
	for name := range workloads {
		workload = name
	}
	if len(workloads) > 1 || x == workloadParam || y == workloadParam {
		entries = withWorkload(entries)
	}
	if len(workloads) > 1 {
		workload = ""
	}
	x, y = fullName(entries, x), fullName(entries, y)
	entries = slices.DeleteFunc(entries, func(e entry) bool { return lacks(e.point, x) || lacks(e.point, y) })
	return newSection(newAxes(workload, entries).along(x, y, entries), entries)
}

// workloadParam is the name under which the workload of a point counts as a parameter.
const workloadParam = "workload"

func withWorkload(entries []entry) []entry {
	var out []entry
	for _, e := range entries {
		params := map[string]any{workloadParam: e.point.Workload}
		for name, v := range e.point.Params {
			params[name] = v
		}
		e.point.Params = params
		out = append(out, e)
	}
	return out
}

// fullName finds the parameter that a short name means; what nothing is called stays as it is.
func fullName(entries []entry, short string) string {
	if short == "" {
		return ""
	}
	for _, e := range entries {
		if _, ok := e.point.Params[short]; ok {
			return short
		}
	}
	found := short
	for _, e := range entries {
		for name := range e.point.Params {
			if strings.HasSuffix(name, "."+short) && (found == short || name < found) {
				found = name
			}
		}
	}
	return found
}

func lacks(p record.Point, name string) bool {
	_, ok := p.Params[name]
	return name != "" && !ok
}

// along makes x the axis and y a panel. A parameter that has one value for each x and y (a rate that was chosen for the
// length of a burst) tells no points apart and makes no panels.
func (a axes) along(x, y string, entries []entry) axes {
	without := func(names []string, gone ...string) []string {
		return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(gone, name) })
	}
	if x != "" {
		if a.main.Name != "" {
			a.panels = append(a.panels, a.main.Name)
		}
		seen := map[Value]bool{}
		for _, e := range entries {
			seen[newValue(e.point.Params[x])] = true
		}
		a.main = Axis{x, slices.SortedFunc(maps.Keys(seen), Value.Compare)}
	}
	a.panels, a.own = without(a.panels, a.main.Name, y), without(a.own, a.main.Name, y)
	if x != "" {
		a.panels = slices.DeleteFunc(a.panels, func(name string) bool { return follows(name, x, y, entries) })
	}
	if y != "" {
		a.panels = append(a.panels, y)
	}
	slices.Sort(a.panels)
	return a
}

// follows reports whether name has one value for each value of x and y.
func follows(name, x, y string, entries []entry) bool {
	seen := map[[2]Value]Value{}
	for _, e := range entries {
		at := [2]Value{newValue(e.point.Params[x]), newValue(e.point.Params[y])}
		v := newValue(e.point.Params[name])
		if before, ok := seen[at]; ok && before != v {
			return false
		}
		seen[at] = v
	}
	return true
}

// prefers reports whether a swept number makes the better axis than the one found so far.
func (a axes) prefers(name string, count int) bool {
	rank := func(name string) int { return slices.Index([]string{"rate", "conns"}, name) }
	if count != len(a.main.Values) {
		return count > len(a.main.Values)
	}
	return rank(name) > rank(a.main.Name)
}

// onAxis returns the values that can lie on an axis, in order. A rate of zero means the closed loop and is not a rate.
func onAxis(name string, values map[Value]bool) []Value {
	var numbers []Value
	for v := range values {
		if !v.Numeric {
			return nil
		}
		if name != "rate" || v.Number > 0 {
			numbers = append(numbers, v)
		}
	}
	slices.SortFunc(numbers, Value.Compare)
	return numbers
}

// sweptValues returns the parameters that have more than one value, with their values.
func sweptValues(entries []entry) map[string]map[Value]bool {
	values := map[string]map[Value]bool{}
	for _, e := range entries {
		for name, v := range e.point.Params {
			if name == "server-cpus" || name == "client-cpus" {
				continue // where it ran, which follows from what else was asked for
			}
			if values[name] == nil {
				values[name] = map[Value]bool{}
			}
			values[name][newValue(v)] = true
		}
	}
	maps.DeleteFunc(values, func(_ string, seen map[Value]bool) bool { return len(seen) < 2 })
	return values
}

// x returns where a point lies on the axis. Closed-loop points of a section that is drawn along rates have no place there:
// they form a panel of one column.
func (a axes) x(p record.Point) Value {
	if a.main.Name == "" {
		return Value{}
	}
	return newValue(p.Params[a.main.Name])
}

// panel returns the key of the panel of a point and the settings that tell it from others.
func (a axes) panel(p record.Point) (key string, settings []Setting) {
	key = p.Mode
	for _, name := range a.panels {
		v, ok := p.Params[name]
		if !ok {
			continue
		}
		s := Setting{strings.TrimPrefix(name, a.workload+"."), newValue(v)}
		key += "\x00" + name + "=" + s.Value.Text
		if name == "rate" && p.Mode == record.Closed {
			continue // the mode says it
		}
		settings = append(settings, s)
	}
	return key, settings
}

// options returns the values of a point's own options that tell it from others of its engine.
func (a axes) options(p record.Point) []Setting {
	var options []Setting
	for _, name := range a.own {
		if v, ok := p.Params[name]; ok {
			options = append(options, Setting{strings.TrimPrefix(name, p.Engine+"."), newValue(v)})
		}
	}
	return options
}

func settingText(options []Setting) string {
	var parts []string
	for _, o := range options {
		parts = append(parts, o.Name+"="+o.Text())
	}
	return strings.Join(parts, " ")
}

// nameAll gives series their names. Options that are off are left out of them, as long as names stay different: "coop" is what
// "coop offload=0 yield=0s" is to a reader. So are those that only tell a variant from its engine, which its name does already:
// "threads" has other defaults than "threads/pool".
func nameAll(series []Series) {
	brief := make([]string, len(series))
	taken := map[string]int{}
	for i, s := range series {
		brief[i] = settingText(slices.DeleteFunc(slices.Clone(s.Options), func(o Setting) bool {
			return o.Value.Number == 0 && o.Value.Numeric || alwaysSo(series, s.Label, o)
		}))
		taken[s.Label+" "+brief[i]]++
	}
	for i := range series {
		s := &series[i]
		if s.Setting = brief[i]; taken[s.Label+" "+brief[i]] > 1 {
			s.Setting = settingText(s.Options)
		}
		s.Name = strings.TrimSpace(s.Plain() + " " + s.Setting)
		if s.Run != "" {
			s.Name = record.LabelInRun(s.Name, s.Run)
		}
	}
}

// alwaysSo reports whether all series of a label have an option at one value.
func alwaysSo(series []Series, label string, o Setting) bool {
	return !slices.ContainsFunc(series, func(s Series) bool {
		return s.Label == label && slices.ContainsFunc(s.Options, func(other Setting) bool { return other.Name == o.Name && other.Value != o.Value })
	})
}

func compareSettings(a, b []Setting) int {
	return slices.CompareFunc(a, b, func(a, b Setting) int { return a.Value.Compare(b.Value) })
}

// sizes are the parameters that count bytes. Records hold base units and no kinds, so this much has to be known here.
var sizes = map[string]bool{"payload": true, "max-body": true, "memlimit": true, "body": true, "value": true, "chunk": true, "bytes": true}

// unit says what the value counts, as far as its name and form tell.
func (s Setting) unit() unit.Unit {
	name := s.Name[strings.LastIndex(s.Name, ".")+1:]
	switch {
	case s.Value.Numeric && s.Value.Text != strconv.FormatFloat(s.Value.Number, 'f', -1, 64):
		return unit.Nanos
	case sizes[name]:
		return unit.Bytes
	case name == "rate":
		return unit.PerSecond
	case name == "share" || name == "rate-share" || name == "reads":
		return unit.Percent
	default:
		return unit.Plain
	}
}

// Text writes the value as a user would: 64 KiB, 20k/s, 100us.
func (s Setting) Text() string {
	u := s.unit()
	if !s.Value.Numeric || u == unit.Nanos || u == unit.Percent && s.Value.Number > 1 || u == unit.Plain && s.Value.Number < 1e5 {
		return s.Value.Text
	}
	return u.Tick(s.Value.Number)
}

// Unit returns what the values of the axis count.
func (a Axis) Unit() unit.Unit {
	if len(a.Values) == 0 {
		return unit.Plain
	}
	return Setting{a.Name, a.Values[len(a.Values)-1]}.unit()
}

// Names returns the values of the axis as a user would write them.
func (a Axis) Names() []string {
	var names []string
	for _, v := range a.Values {
		names = append(names, Setting{a.Name, v}.Text())
	}
	return names
}

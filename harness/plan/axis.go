package plan

import (
	"slices"
	"strings"

	"turnlab/engine"
	"turnlab/harness/micro"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// A dimension is a parameter of a point with the values it takes.
type dimension struct {
	name   string // "conns", "coop.yield"
	values []any  // as JSON gives them back, or a share
}

// dimensions lists the parameters of the points of one engine and workload: the axes that apply in the order in which they
// were given, then everything else with its default. target returns the parameter that an axis sets, if any.
func (b *builder) dimensions(all option.Set, target func(axis string) (option.Option, bool)) ([]dimension, error) {
	var dims []dimension
	setBy := map[string]string{}
	for i, axis := range b.axes {
		o, ok := target(axis.Name)
		if !ok {
			continue
		}
		b.used[i] = true
		if other, ok := setBy[o.Name]; ok {
			return nil, misuse.Errorf("%s is given twice, by %s and by %s", o.Name, other, axis.Name)
		}
		setBy[o.Name] = axis.Name
		values, err := expand(o, axis.Values)
		if err != nil {
			return nil, err
		}
		dims = append(dims, dimension{o.Name, values})
	}
	for _, o := range all {
		if _, ok := setBy[o.Name]; ok {
			continue
		}
		v, err := o.Parse(o.Default)
		if err != nil {
			return nil, err
		}
		dims = append(dims, dimension{o.Name, []any{plain(v)}})
	}
	return dims, nil
}

// parameters lists every parameter of a point, each under the name it has in the record.
func parameters(spec *engine.Spec, w *workloads.Workload) option.Set {
	all := slices.Clone(Load)
	all = append(all, prefixed(spec.Name, spec.AllOptions())...)
	return append(all, prefixed(w.Name, w.Options)...)
}

func prefixed(owner string, set option.Set) option.Set {
	out := slices.Clone(set)
	for i := range out {
		out[i].Name = owner + "." + out[i].Name
	}
	return out
}

// target returns the parameter that an axis sets in the points of spec and w, if any.
func target(axis string, spec *engine.Spec, w *workloads.Workload) (option.Option, bool) {
	if o, ok := Load.Find(axis); ok {
		return o, true
	}
	owner, name, dotted := strings.Cut(axis, ".")
	switch {
	case !dotted:
		return prefixed(w.Name, w.Options).Find(w.Name + "." + axis)
	case owner == "engine" || owner == spec.Name || owner == spec.Label():
		return prefixed(spec.Name, spec.AllOptions()).Find(spec.Name + "." + name)
	case owner == w.Name:
		return prefixed(w.Name, w.Options).Find(axis)
	}
	return option.Option{}, false
}

// explain says why an axis applies to no point, and what would.
func (b *builder) explain(axis string) error {
	owner, name, dotted := strings.Cut(axis, ".")
	if !dotted {
		has, _ := b.workloadOptions("")
		ofOperations, _ := b.operationOptions("")
		general := Load
		if len(b.workloads) == 0 {
			general = Repeat
		}
		return misuse.Errorf("no axis %q; there are: %s; and the options of %s: %s", axis, strings.Join(general.Names(), ", "),
			strings.Join(slices.Concat(names(b.workloads), operationNames(b.operations)), ", "), list(append(has, ofOperations...)))
	}
	if owner == "engine" {
		has, _ := b.engineOptions("")
		return misuse.Errorf("no engine of the sweep has an option %q; they have: %s", name, list(has))
	}
	if has, ok := b.engineOptions(owner); ok {
		return misuse.Errorf("%s has no option %q; it has: %s", owner, name, list(has))
	}
	if has, ok := b.workloadOptions(owner); ok {
		return misuse.Errorf("%s has no option %q; it has: %s", owner, name, list(has))
	}
	if has, ok := b.operationOptions(owner); ok {
		return misuse.Errorf("%s has no option %q; it has: %s", owner, name, list(has))
	}
	return misuse.Errorf("%s: %s is not in the sweep; there are: %s, %s", axis, owner, strings.Join(labels(b.engines), ", "),
		strings.Join(slices.Concat(names(b.workloads), operationNames(b.operations)), ", "))
}

// engineOptions lists the options of the sweep's engines called owner (all of them for ""), and whether there is one.
func (b *builder) engineOptions(owner string) (options []string, ok bool) {
	for _, s := range b.engines {
		if owner == "" || owner == s.Name || owner == s.Label() {
			ok = true
			if len(b.workloads) > 0 {
				options = append(options, s.AllOptions().Names()...)
			} else {
				options = append(options, micro.CommonOptions(s).Names()...)
			}
			options = append(options, b.wayOptions(s)...)
		}
	}
	return options, ok
}

// workloadOptions is the same for workloads.
func (b *builder) workloadOptions(owner string) (options []string, ok bool) {
	for _, w := range b.workloads {
		if owner == "" || owner == w.Name {
			options, ok = append(options, w.Options.Names()...), true
		}
	}
	return options, ok
}

func list(options []string) string {
	if len(options) == 0 {
		return "none"
	}
	slices.Sort(options)
	return strings.Join(slices.Compact(options), ", ")
}

package plan

import (
	"maps"
	"slices"
	"strings"

	"turnlab/engine"
	"turnlab/harness/micro"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// Repeat declares the parameters of every point of an operation that are neither the engine's nor the operation's. An
// operation that holds what it makes is done once and has none of them.
var Repeat = option.Set{
	{Name: "duration", Kind: option.Duration, Default: "300ms", Min: 0.01, Max: 600, Help: "how long an operation is repeated and measured"},
	{Name: "warmup", Kind: option.Duration, Default: "50ms", Min: 0, Max: 60, Help: "how long it is repeated before that"},
}

// Operation returns the operation called name.
func (c Catalog) Operation(name string) (*micro.Operation, error) {
	for _, o := range c.Operations {
		if o.Name == name {
			return o, nil
		}
	}
	return nil, misuse.Errorf("no operation %q; there are: %s", name, strings.Join(operationNames(c.Operations), ", "))
}

func operationNames(list []*micro.Operation) []string {
	out := make([]string, len(list))
	for i, o := range list {
		out[i] = o.Name
	}
	return out
}

// known reports whether the catalog still has what a point measures.
func (c Catalog) known(p record.Point) error {
	if _, err := c.Engine(p.Label()); err != nil {
		return err
	}
	if p.Mode != record.Primitive {
		_, err := c.Workload(p.Workload)
		return err
	}
	o, err := c.Operation(p.Workload)
	if err == nil {
		_, err = o.Way(p.Label())
	}
	return err
}

// findOperations looks the operations up.
func (b *builder) findOperations(names []string) error {
	for _, name := range names {
		o, err := b.catalog.Operation(name)
		if err != nil {
			return err
		}
		b.operations = append(b.operations, o)
	}
	return nil
}

// operate makes the points of every pair of operation and engine. An engine that does not have an operation is noted.
func (b *builder) operate() error {
	for _, o := range b.operations {
		for _, spec := range b.engines {
			way, err := o.Way(spec.Label())
			if err != nil {
				b.notes = append(b.notes, err.Error())
				continue
			}
			knobs := operationKnobs(o, way, spec)
			dims, err := b.dimensions(knobs.all(), func(axis string) (option.Option, bool) { return knobs.find(axis, o, spec) })
			if err != nil {
				return err
			}
			err = product(dims, map[string]any{}, func(params map[string]any, _ bool) error {
				return b.addOperation(o, spec, params)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// knobsOf is what can be set for an operation under an engine, each under the name that it has in the record.
type knobsOf struct{ general, engine, operation option.Set }

func operationKnobs(o *micro.Operation, way micro.Way, spec *engine.Spec) knobsOf {
	k := knobsOf{
		engine:    prefixed(spec.Name, slices.Concat(micro.CommonOptions(spec), way.Options)),
		operation: prefixed(o.Name, o.Options),
	}
	if !o.Holds {
		k.general = Repeat
	}
	return k
}

func (k knobsOf) all() option.Set { return slices.Concat(k.general, k.engine, k.operation) }

// find returns the parameter that an axis sets, if any.
func (k knobsOf) find(axis string, o *micro.Operation, spec *engine.Spec) (option.Option, bool) {
	if found, ok := k.general.Find(axis); ok {
		return found, true
	}
	owner, name, dotted := strings.Cut(axis, ".")
	switch {
	case !dotted:
		return k.operation.Find(o.Name + "." + axis)
	case owner == "engine" || owner == spec.Name || owner == spec.Label():
		return k.engine.Find(spec.Name + "." + name)
	case owner == o.Name:
		return k.operation.Find(axis)
	}
	return option.Option{}, false
}

// addOperation adds a point. There is no generator, so it has one set of CPUs: one CPU, or all of the run's when threads may
// have several.
func (b *builder) addOperation(o *micro.Operation, spec *engine.Spec, params map[string]any) error {
	if len(b.points) == MaxPoints {
		return misuse.Errorf("more than %d points: use fewer values or fewer axes", MaxPoints)
	}
	p := record.Point{
		Engine: spec.Name, Variant: spec.Variant, Workload: o.Name, Mode: record.Primitive, Experiment: b.experiment, Params: maps.Clone(params),
	}
	cpus := setOf(b.server.List()[:1])
	if !o.Pinned(p.Options(o.Name)) {
		cpus = b.server.Or(b.client)
	}
	p.Params["server-cpus"] = cpus.String()
	b.points = append(b.points, p)
	return nil
}

// operationOptions lists the options of the sweep's operations called owner (all of them for ""), and whether there is one.
func (b *builder) operationOptions(owner string) (options []string, ok bool) {
	for _, o := range b.operations {
		if owner == "" || owner == o.Name {
			options, ok = append(options, o.Options.Names()...), true
		}
	}
	return options, ok
}

// wayOptions lists what the sweep's operations can be told of an engine.
func (b *builder) wayOptions(spec *engine.Spec) (options []string) {
	for _, o := range b.operations {
		if way, err := o.Way(spec.Label()); err == nil {
			options = append(options, way.Options.Names()...)
		}
	}
	return options
}

// cpusOf returns the CPUs of a run's servers and generators. A run's host has them; a point of an operation has its own.
func cpusOf(run *record.Run) (server, client proc.CPUSet, err error) {
	ofServer, ofClient := run.Host.ServerCPUs, run.Host.ClientCPUs
	if ofServer == "" {
		ofServer, ofClient = run.Plan[0].Text("server-cpus"), run.Plan[0].Text("client-cpus")
	}
	if server, err = proc.ParseCPUs(ofServer); err != nil {
		return server, client, err
	}
	client, err = proc.ParseCPUs(ofClient)
	return server, client, err
}

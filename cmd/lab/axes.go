package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/exec"
	"turnlab/harness/micro"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// pointFlags are the flags that say what to measure. A command that takes lists makes axes of them, the others take one
// value of each.
type pointFlags struct {
	engines      []string
	workloads    []string
	operations   []string
	foreign      []string
	set          []string
	payload      string
	load         map[string]*string // by name of a plan.Load option
	serverCPUs   string
	clientCPUs   string
	upstreamCPUs string
	seed         uint64
	blocks       int
	limits       *limitFlags // nil in a command that runs no blocks
}

// addLoad adds a flag for each load parameter and for what every workload may take.
func (f *pointFlags) addLoad(c *cobra.Command) {
	f.load = map[string]*string{}
	for _, o := range plan.Load {
		f.load[o.Name] = c.Flags().String(o.Name, o.Default, o.Help)
	}
	c.Flags().StringVar(&f.payload, "payload", "", "size of the workload's messages, such as 64 or 1k (default: the workload's)")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "of the order of trials, of arrivals and of requests")
	f.addSet(c)
}

// noShares makes the help of a command that makes no closed loop first say what --rate is there.
func (f *pointFlags) noShares(c *cobra.Command) {
	c.Flags().Lookup("rate").Usage = "requests per second over all connections; 0 is the closed loop, where each connection waits for its reply"
}

// refuseShares refuses a rate that is a share of what nobody has measured.
func (f *pointFlags) refuseShares(c *cobra.Command) error {
	if rate := *f.load["rate"]; strings.Contains(rate, "%") {
		return misuse.Errorf("--rate %s: a share needs a closed loop first, which 'lab %s' does not make: "+
			"say requests per second, or use 'lab sweep --rate %s'", rate, c.Name(), rate)
	}
	return nil
}

func (f *pointFlags) addSet(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.set, "set", nil, "ENGINE.OPTION=VALUE or WORKLOAD.OPTION=VALUE; may be repeated (see lab list)")
}

func (f *pointFlags) addForeign(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.foreign, "exec", nil,
		"NAME=COMMAND: a server of your own as engine exec/NAME; {port}, {host} and {addr} are filled in; may be repeated")
}

// sweep collects the flags that were given. Parameters that were not keep their defaults.
func (f *pointFlags) sweep(c *cobra.Command) (plan.Sweep, error) {
	s := plan.Sweep{
		Engines: f.engines, Workloads: f.workloads, Operations: f.operations, Blocks: f.blocks, Seed: f.seed,
		ServerCPUs: f.serverCPUs, ClientCPUs: f.clientCPUs, UpstreamCPUs: f.upstreamCPUs,
	}
	if len(f.operations) > 0 && !c.Flags().Changed("workload") {
		s.Workloads = nil // the default is for those who ask for nothing else
	}
	if f.limits != nil {
		if err := f.limits.apply(c, &s); err != nil {
			return s, err
		}
	}
	for _, o := range plan.Load {
		if values, ok := f.load[o.Name]; ok && c.Flags().Changed(o.Name) { // lab serve has flags of these names that are not axes
			s.Axes = append(s.Axes, plan.Axis{Name: o.Name, Values: *values})
		}
	}
	if c.Flags().Changed("payload") {
		s.Axes = append(s.Axes, plan.Axis{Name: "payload", Values: f.payload})
	}
	for _, text := range f.set {
		name, values, ok := strings.Cut(text, "=")
		if !ok || name == "" || values == "" {
			return s, misuse.Errorf("--set %s: write ENGINE.OPTION=VALUE or WORKLOAD.OPTION=VALUE, as in --set coop.yield=100us", text)
		}
		s.Axes = append(s.Axes, plan.Axis{Name: name, Values: values})
	}
	return s, nil
}

// resolve turns the flags into a plan.
func (f *pointFlags) resolve(c *cobra.Command) (*plan.Plan, error) {
	s, err := f.sweep(c)
	if err != nil {
		return nil, err
	}
	catalog, err := catalogWith(f.foreign)
	if err != nil {
		return nil, err
	}
	// A server that the command line brings takes part without being named again.
	for _, spec := range catalog.Engines[len(all.Specs):] {
		if !slices.Contains(s.Engines, spec.Label()) {
			s.Engines = append(s.Engines, spec.Label())
		}
	}
	return s.Resolve(catalog, proc.Allowed())
}

// catalogWith returns everything there is, and the servers that the command line brings.
func catalogWith(foreign []string) (plan.Catalog, error) {
	c := plan.Catalog{Engines: append([]*engine.Spec{}, all.Specs...), Workloads: workloads.All, Operations: micro.All}
	for _, text := range foreign {
		name, command, ok := strings.Cut(text, "=")
		if !ok {
			return c, misuse.Errorf("--exec %s: write NAME=COMMAND, as in --exec c='./server {port}'", text)
		}
		spec, err := exec.NewSpec(name, command)
		if err != nil {
			return c, err
		}
		c.Engines = append(c.Engines, spec)
	}
	return c, nil
}

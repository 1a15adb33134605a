package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"turnlab/experiments"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// benchFlags say which experiments to run, and how.
type benchFlags struct {
	experiments []string
	changes     experiments.Changes
	seed        uint64
	serverCPUs  string
	clientCPUs  string
	limits      limitFlags
	out         outFlags
}

func benchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench [SUITE]",
		Short: "Run experiments (a suite, quick or full, or some of it) and write their report",
		Long: "Run experiments and write their report: all of a suite, or those that --experiment names. quick takes minutes\n" +
			"and shows ranges; full gives intervals and verdicts. An experiment that has no quick form takes its full one.",
		Example: "  lab bench quick\n  lab bench full --experiment hog,load --out results/two\n  lab bench --resume --out results/two",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misuse.Errorf("bench takes one suite, but got %s; see 'lab bench --help'", strings.Join(args, " and "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if f.out.resume {
				if len(args) > 0 {
					return misuse.Errorf("bench --resume takes no suite: it goes on by the plan of the run in --out")
				}
				return resume(c, &f.out, nil)
			}
			suite := experiments.Quick
			if len(args) == 1 {
				suite = args[0]
			}
			list, name, err := f.find(suite)
			if err != nil {
				return err
			}
			p, err := f.plan(c, list, suite)
			if err != nil {
				return err
			}
			return execute(c, p, &f.out, name)
		},
	}
	f.add(c)
	return c
}

func (f *benchFlags) add(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.experiments, "experiment", nil, "only these experiments of the suite (see lab list)")
	c.Flags().IntVar(&f.changes.Blocks, "blocks", 0, "how often each point is measured (default: as declared); 6 or more give intervals")
	c.Flags().DurationVar(&f.changes.Duration, "duration", 0, "length of every measured window (default: as declared)")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "of the order of trials, of arrivals and of requests")
	c.Flags().StringVar(&f.serverCPUs, "server-cpus", "", "CPUs of the server, such as 0 or 0-3 (default: the first half)")
	c.Flags().StringVar(&f.clientCPUs, "client-cpus", "", "CPUs of the generator (default: the others)")
	f.limits.add(c, "as declared")
	f.out.add(c)
}

// find returns the experiments that are asked for, and a name for their run.
func (f *benchFlags) find(suite string) ([]*experiments.Experiment, string, error) {
	list, err := experiments.Suite(suite)
	if err != nil || len(f.experiments) == 0 {
		return list, suite, err
	}
	list, err = experiments.Find(f.experiments)
	return list, strings.Join(f.experiments, "-"), err
}

// fullRetries is how often the full suite makes a disturbed trial again. It has as many blocks as an interval needs, so a point
// that lacks one trial has none; the quick suite gives ranges, which do without one.
const fullRetries = 2

// plan makes one plan of the experiments.
func (f *benchFlags) plan(c *cobra.Command, list []*experiments.Experiment, suite string) (*plan.Plan, error) {
	if c.Flags().Changed("blocks") && f.changes.Blocks < 1 {
		return nil, misuse.Errorf("--blocks %d: it takes 1 or more", f.changes.Blocks)
	}
	if c.Flags().Changed("duration") && f.changes.Duration <= 0 {
		return nil, misuse.Errorf("--duration %v: it takes a time above 0, such as 500ms", f.changes.Duration)
	}
	catalog, err := catalogWith(nil)
	if err != nil {
		return nil, err
	}
	s := plan.Sweep{Seed: f.seed, ServerCPUs: f.serverCPUs, ClientCPUs: f.clientCPUs}
	if err := f.limits.apply(c, &s); err != nil {
		return nil, err
	}
	if suite == experiments.Full && !c.Flags().Changed("retries") {
		s.Retries = fullRetries
	}
	parts := experiments.Parts(list, suite, f.changes)
	if c.Flags().Changed("aa") {
		for _, part := range parts {
			for i := range part.Sweeps {
				part.Sweeps[i].AA = s.AA
			}
		}
	}
	p, err := plan.Together(parts, s, catalog, proc.Allowed())
	burns := func(point record.Point) bool { return point.Workload == workloads.Hog.Name }
	if err == nil && !f.out.dryRun && slices.ContainsFunc(p.Points, burns) {
		p.Notes = append(p.Notes, burnNote())
	}
	return p, err
}

// burnNote says how long a unit of work takes here. Bursts are a number of units, the same on every machine, so that runs on
// several can be compared; on a machine far from the nominal microsecond they are longer or shorter than they are called.
func burnNote() string {
	start := time.Now()
	unit := workloads.Calibrate(func() time.Duration { return time.Since(start) })
	return fmt.Sprintf("a unit of work took %v on this machine, so a burst called 10ms took %v", unit, 10000*unit)
}

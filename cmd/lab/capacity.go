package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"turnlab/harness/capacity"
	"turnlab/harness/run"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

var widthOption = option.Option{Name: "--width", Kind: option.Float, Min: 0, Max: 0.99}

func capacityCommand() *cobra.Command {
	var points pointFlags
	var slo, width, out string
	var quiet bool
	var retries int
	c := &cobra.Command{
		Use:   "capacity",
		Short: "Find the highest rate at which a service level holds",
		Long: "Find, for each engine, the highest rate at which a service level such as p99<5ms holds: two bounds by the\n" +
			"search of RFC 9971, in which late, failed and unsent requests are lost. Engines take turns, and every probe\n" +
			"is a record. Probes that others disturbed are made again; a bound that hangs on such a probe is not sure.",
		Example: "  lab capacity --engine coop,threads --slo 'p99<5ms'\n" +
			"  lab capacity --workload kv --conns 256 --slo 'p99.9<20ms' --width 10%",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			goal, err := capacityGoal(&points, slo, width)
			if err != nil {
				return err
			}
			if c.Flags().Changed("rate") {
				return misuse.Errorf("capacity looks for the rate itself: leave --rate out")
			}
			if err := checkRetries(retries); err != nil {
				return err
			}
			p, err := points.resolve(c)
			if err != nil {
				return err
			}
			p.Retries = retries
			if out == "" {
				out = run.DefaultDir("capacity")
			}
			found, err := run.FindCapacity(c.Context(), p, goal, run.Options{Dir: out, Quiet: quiet, Stderr: c.ErrOrStderr()})
			if err == nil {
				err = printCapacity(c.OutOrStdout(), found)
			}
			return finish(c, out, 0, err)
		},
	}
	c.Flags().StringVar(&slo, "slo", "p99<5ms", "the service level: PERCENTILE<TIME of all requests due")
	c.Flags().StringVar(&width, "width", "5%", "how close the bounds are to be, as a share of the lower one")
	c.Flags().IntVar(&retries, "retries", run.DefaultRetries, "how often a probe that other programs or guests disturbed is made again")
	c.Flags().StringSliceVar(&points.engines, "engine", []string{"coop", "preempt", "threads"}, "engines (see lab list)")
	c.Flags().StringSliceVar(&points.workloads, "workload", []string{"http"}, "workloads (see lab list)")
	points.addLoad(c)
	// It stays a flag, to say more than that there is none, and is not shown.
	if err := c.Flags().MarkHidden("rate"); err != nil {
		panic("lab: " + err.Error())
	}
	points.addForeign(c)
	c.Flags().StringVar(&points.serverCPUs, "server-cpus", "", "CPUs of the server, such as 0 or 0-3 (default: the first half)")
	c.Flags().StringVar(&points.clientCPUs, "client-cpus", "", "CPUs of the generator (default: the others)")
	c.Flags().StringVar(&out, "out", "", "folder of the run; it must not exist (default results/capacity-TIME)")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "no progress on standard error")
	return c
}

// capacityGoal reads what to look for. Probes are of one kind of arrivals, which the closed loop that begins the search
// does not have.
func capacityGoal(points *pointFlags, slo, width string) (goal run.CapacityGoal, err error) {
	points.blocks = 1
	if goal.SLO, err = capacity.ParseSLO(slo); err != nil {
		return goal, err
	}
	w, err := widthOption.Parse(width)
	if err != nil {
		return goal, misuse.Errorf("%w", err)
	}
	goal.Width, goal.Arrivals = w.Float(), *points.load["arrivals"]
	if goal.Arrivals != "poisson" && goal.Arrivals != "fixed" {
		return goal, misuse.Errorf("--arrivals %s: the probes have one kind, poisson or fixed", goal.Arrivals)
	}
	return goal, nil
}

// printCapacity writes the bounds for people, at 80 columns.
func printCapacity(w io.Writer, found []run.Capacity) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "engine\tworkload\tconns\tpasses\tfails\tprobes\tat the lower bound")
	for _, f := range found {
		fmt.Fprintf(table, "%s\t%s\t%.0f\t%s\t%s\t%d\t%s\n", f.Engine, f.Workload, f.Conns, perSecond(f.Lower), perSecond(f.Upper), f.Probes, again(f))
	}
	err := table.Flush()
	for _, f := range found {
		if f.Irregular != "" {
			fmt.Fprintf(w, "%s: %s\n", f.Engine, f.Irregular)
		}
		if doubt := f.Doubt(); doubt != "" {
			fmt.Fprintf(w, "%s: %s\n", f.Engine, doubt)
		}
	}
	return err
}

// again says what became of the lower bound when it was measured again.
func again(f run.Capacity) string {
	switch {
	case f.Confirmed == nil && f.LowerUnsure:
		return "not sure"
	case f.Confirmed == nil:
		return "-"
	case *f.Confirmed:
		return "passed again"
	}
	return "failed: only luck"
}

func perSecond(rate float64) string {
	if rate == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f/s", rate)
}

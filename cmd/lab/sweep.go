package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"turnlab/experiments"
	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/harness/run"
	"turnlab/harness/timeline"
	"turnlab/internal/misuse"
)

// outFlags say where a run goes and how much is said meanwhile.
type outFlags struct {
	out    string
	dryRun bool
	resume bool
	quiet  bool
}

func (f *outFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.out, "out", "", "folder of the run; it must not exist (default results/NAME-TIME)")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the plan (points, trials, time) and stop")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on with the interrupted run in --out; other flags come from its plan")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress on standard error")
}

func sweepCommand() *cobra.Command {
	var points pointFlags
	var out outFlags
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Measure every combination of engines, workloads and parameters",
		Long: "Measure every combination of engines, workloads and parameters in shuffled blocks of fresh processes, then\n" +
			"write the report. A flag that takes a list is an axis: commas, ranges 1..4096*4 (times) and 0..100+20 (steps).",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if out.resume {
				return resume(c, &out, points.foreign)
			}
			p, err := points.resolve(c)
			if err != nil {
				return err
			}
			return execute(c, p, &out, "sweep")
		},
	}
	c.Flags().StringSliceVar(&points.engines, "engine", []string{"coop", "preempt", "threads"}, "engines (see lab list)")
	c.Flags().StringSliceVar(&points.workloads, "workload", []string{"http"}, "workloads (see lab list)")
	c.Flags().StringSliceVar(&points.operations, "operation", nil, "operations of the engines, measured without a client (see lab list)")
	points.addLoad(c)
	points.addForeign(c)
	points.limits = &limitFlags{}
	points.limits.add(c, "off")
	c.Flags().IntVar(&points.blocks, "blocks", 3, "how often each point is measured; 6 or more give intervals")
	c.Flags().StringVar(&points.serverCPUs, "server-cpus", "", "CPUs of the server, such as 0 or 0-3 (default: the first half)")
	c.Flags().StringVar(&points.clientCPUs, "client-cpus", "", "CPUs of the generator (default: the others)")
	c.Flags().StringVar(&points.upstreamCPUs, "upstream-cpus", "", "CPUs of the servers that workload fanout calls (default: the generator's)")
	out.add(c)
	return c
}

// execute runs a plan and writes its report; an interrupted run too has one, of what was done.
func execute(c *cobra.Command, p *plan.Plan, out *outFlags, name string) error {
	if out.dryRun {
		return p.Print(c.OutOrStdout())
	}
	dir := out.out
	if dir == "" {
		dir = run.DefaultDir(name)
	}
	_, err := run.Execute(c.Context(), p, run.Options{Dir: dir, Quiet: out.quiet, Stderr: c.ErrOrStderr()})
	return finish(c, dir, err)
}

func resume(c *cobra.Command, out *outFlags, foreign []string) error {
	if out.out == "" {
		return misuse.Errorf("--resume needs --out DIR: the folder of the interrupted run")
	}
	catalog, err := catalogWith(foreign)
	if err != nil {
		return err
	}
	_, err = run.Resume(c.Context(), catalog, run.Options{Dir: out.out, Quiet: out.quiet, Stderr: c.ErrOrStderr()})
	return finish(c, out.out, err)
}

// finish makes what follows the trials of a run that ended with err, if it got far enough: timelines, unless it was
// interrupted, and the report.
func finish(c *cobra.Command, dir string, err error) error {
	if err != nil && !errors.Is(err, run.ErrInterrupted) {
		return err
	}
	if err == nil {
		err = traceExperiments(c, dir)
	}
	return errors.Join(err, writeReport(c.OutOrStdout(), dir))
}

// traceExperiments makes the timelines that the run's experiments ask for, unless it has them already.
func traceExperiments(c *cobra.Command, dir string) error {
	folder, err := record.Load(dir)
	if err != nil {
		return err
	}
	labels := experiments.Timelines(&folder.Run)
	have, err := record.LoadTimelines(dir)
	if err != nil || len(labels) == 0 || len(have) > 0 {
		return err
	}
	catalog, err := catalogWith(nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "timelines of %s\n", strings.Join(labels, ", "))
	return timeline.Make(c.Context(), catalog, labels, dir)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

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
	c.Flags().BoolVar(&f.resume, "resume", false, "go on with the interrupted run in --out, by its plan")
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
		Example: "  lab sweep --engine coop,threads --workload echo --conns 1..256*4 --blocks 6\n" +
			"  lab sweep --rate 20%,50%,80% --set coop.yield=0s,100us --dry-run\n" +
			"  lab sweep --resume --out results/sweep-20260102-150405",
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

// execute runs a plan and writes its report; a run that did not get to its end has one too, of what was done.
func execute(c *cobra.Command, p *plan.Plan, out *outFlags, name string) error {
	if out.dryRun {
		return p.Print(c.OutOrStdout())
	}
	dir := out.out
	if dir == "" {
		dir = run.DefaultDir(name)
	}
	done, err := run.Execute(c.Context(), p, run.Options{Dir: dir, Quiet: out.quiet, Stderr: c.ErrOrStderr()})
	return finish(c, dir, done.Elapsed, err)
}

// besideResume are the flags that --resume can go with: what else there is comes from the plan.
var besideResume = []string{"resume", "out", "dry-run", "quiet", "exec"}

// onlyResume refuses flags that the plan has decided already: who gives one expects it to count.
func onlyResume(c *cobra.Command) error {
	given := 0
	for _, name := range besideResume {
		if c.Flags().Changed(name) {
			given++
		}
	}
	if c.Flags().NFlag() > given {
		return misuse.Errorf("--resume goes on by the plan of the run and takes only --%s: leave the other flags out, or begin a new run",
			strings.Join(besideResume[1:], ", --"))
	}
	return nil
}

func resume(c *cobra.Command, out *outFlags, foreign []string) error {
	if err := onlyResume(c); err != nil {
		return err
	}
	if out.out == "" {
		return misuse.Errorf("--resume needs --out DIR: the folder of the interrupted run")
	}
	catalog, err := catalogWith(foreign)
	if err != nil {
		return err
	}
	if out.dryRun {
		return printRest(c.OutOrStdout(), catalog, out.out)
	}
	done, err := run.Resume(c.Context(), catalog, run.Options{Dir: out.out, Quiet: out.quiet, Stderr: c.ErrOrStderr()})
	return finish(c, out.out, done.Elapsed, err)
}

// printRest says what --resume would still do, and does nothing.
func printRest(w io.Writer, catalog plan.Catalog, dir string) error {
	rest, err := run.Remaining(catalog, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %d of %d trials remain, about %v\n", dir, len(rest.Jobs), rest.Planned, plan.Estimate(rest.Jobs).Round(time.Second))
	if rest.Stopped != "" {
		fmt.Fprintf(w, "the run ended before all blocks were done: %s\n", rest.Stopped)
	}
	for _, s := range rest.Searches {
		fmt.Fprintf(w, "after the blocks: searches for the highest rate within %s, from each point of %s\n", strings.Join(s.SLOs, ", "), s.Experiment)
	}
	missing, err := timelinesOf(dir)
	if err == nil && len(missing.names) > 0 {
		fmt.Fprintf(w, "after the blocks: timelines: %s\n", strings.Join(missing.names, "; "))
	}
	if err != nil || len(rest.Jobs) == 0 {
		return err
	}
	return printJobs(w, rest.Jobs)
}

// printJobs lists trials in their order.
func printJobs(w io.Writer, jobs []plan.Job) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nblock\tengine\tworkload\tloop\tconns")
	for _, j := range jobs {
		block, conns := fmt.Sprint(j.Block+1), j.Point.Text("conns")
		if j.Point.Arm == record.Probe {
			block = "first"
		}
		if conns == "" {
			conns = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", block, j.Point.Label(), j.Point.Workload, j.Point.Mode, conns)
	}
	return table.Flush()
}

// finish makes what follows the trials of a run that took some time and ended with err: timelines, unless that is why it ended,
// and the report of whatever was measured. A run that did not get to its end says how it goes on.
func finish(c *cobra.Command, dir string, took time.Duration, err error) error {
	var cut *run.Unfinished
	if err != nil && !errors.As(err, &cut) {
		return err // it did not begin
	}
	if err == nil {
		err = traceExperiments(c, dir, took)
	}
	if err == nil {
		return writeReport(c.OutOrStdout(), dir)
	}
	folder, loadErr := record.Load(dir)
	if loadErr != nil {
		return err // it left nothing
	}
	err = fmt.Errorf("%w; %s", err, goOn(c, dir))
	if len(folder.Trials) == 0 {
		return err
	}
	return errors.Join(err, writeReport(c.OutOrStdout(), dir))
}

// goOn says what to do with a run that did not get to its end.
func goOn(c *cobra.Command, dir string) string {
	if c.Flags().Lookup("resume") == nil {
		return "what was measured is in " + dir
	}
	command := fmt.Sprintf("lab %s --resume --out %s", c.Name(), dir)
	if c.Flags().Changed("exec") {
		command += " --exec ..."
	}
	return fmt.Sprintf("'%s' goes on", command)
}

// dueTimelines are those that a run's experiments ask for and that it does not have.
type dueTimelines struct {
	run     *record.Run
	catalog plan.Catalog
	engines []string // of all that are asked for
	names   []string
}

func timelinesOf(dir string) (d dueTimelines, err error) {
	folder, err := record.Load(dir)
	if err != nil {
		return d, err
	}
	d.run, d.engines = &folder.Run, experiments.Timelines(&folder.Run)
	if d.catalog, err = catalogWith(nil); err == nil {
		d.names, err = timeline.Missing(d.catalog, d.engines, d.run, dir)
	}
	return d, err
}

// A timeline takes a second when nobody disturbs it; noTimelines is the note of a run that had no time left for them.
const (
	timelineTime = 2 * time.Second
	noTimelines  = "timelines were left out: they would not have fitted into the budget; 'lab bench --resume' makes them"
)

// traceExperiments makes the timelines that the run's experiments ask for and that it does not have yet.
func traceExperiments(c *cobra.Command, dir string, took time.Duration) error {
	d, err := timelinesOf(dir)
	if err != nil || len(d.names) == 0 {
		return err
	}
	budget := time.Duration(d.run.BudgetNS)
	if budget > 0 && took+time.Duration(len(d.names))*timelineTime > budget {
		return note(dir, noTimelines, true)
	}
	fmt.Fprintf(c.ErrOrStderr(), "timelines: %s\n", strings.Join(d.names, "; "))
	return errors.Join(timeline.Make(c.Context(), d.catalog, d.engines, d.run, dir), note(dir, noTimelines, false))
}

// note writes a note into a run.json, or takes it back.
func note(dir, text string, wanted bool) error {
	folder, w, err := record.Reopen(dir)
	if err != nil {
		return err
	}
	if there := slices.Contains(folder.Run.Notes, text); there == wanted {
		return w.Close()
	}
	if wanted {
		folder.Run.Notes = append(folder.Run.Notes, text)
	} else {
		folder.Run.Notes = slices.DeleteFunc(folder.Run.Notes, func(n string) bool { return n == text })
	}
	return errors.Join(w.Amend(folder.Run), w.Close())
}

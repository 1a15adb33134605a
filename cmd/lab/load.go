package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"turnlab/engine"
	"turnlab/harness/flags"
	"turnlab/harness/load"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// target stands for whatever listens at --target: a server somebody else started.
var target = &engine.Spec{Name: "exec", Summary: "a server that runs already"}

func loadCommand() *cobra.Command {
	var points pointFlags
	var address, cpus string
	var asJSON bool
	c := &cobra.Command{
		Use:   "load",
		Short: "Load a server that runs already, and check every reply",
		Long: "Load a server that runs already, and check every reply. When nothing was answered rightly, or the trial is\n" +
			"invalid for another reason, the exit code is 1.",
		Example: "  lab load --workload http --target 127.0.0.1:8080 --conns 64\n" +
			"  lab load --workload kv --target 127.0.0.1:6379 --rate 20000 --json",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if address == "" {
				return misuse.Errorf("no target: say --target HOST:PORT, or --transport unix --target PATH")
			}
			point, err := points.target(c, cpus)
			if err != nil {
				return err
			}
			t, err := measure(c, point, points.seed, address)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(t)
			} else {
				err = printTrial(c.OutOrStdout(), t, address)
			}
			return errors.Join(err, spoilt(t))
		},
	}
	c.Flags().StringVar(&address, "target", "", "address of the server, or the path of a unix socket")
	c.Flags().StringSliceVar(&points.workloads, "workload", []string{"http"}, "workload (see lab list)")
	c.Flags().StringVar(&cpus, "cpus", "", "CPUs of the generator, such as 1 (default: all)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one trial record")
	points.addLoad(c)
	points.noShares(c)
	return c
}

// target resolves the flags to the one point that they describe.
func (f *pointFlags) target(c *cobra.Command, cpus string) (point record.Point, err error) {
	f.engines, f.blocks = []string{target.Name}, 1
	if err := f.refuseShares(c); err != nil {
		return point, err
	}
	s, err := f.sweep(c)
	if err != nil {
		return point, err
	}
	allowed := proc.Allowed()
	if s.ClientCPUs = cpus; cpus == "" {
		s.ClientCPUs = allowed.String()
	}
	catalog := plan.Catalog{Engines: []*engine.Spec{target}, Workloads: workloads.All}
	p, err := s.Resolve(catalog, allowed)
	if err != nil {
		return point, err
	}
	if point, err = onlyPoint(p, "load"); err != nil {
		return point, err
	}
	if n := point.Number("generators"); n > 1 {
		return point, misuse.Errorf("--generators %.0f: lab load is one generator: raise --threads, or start it more than once", n)
	}
	// What the server runs with is not ours to say.
	for name := range point.Params {
		if strings.HasPrefix(name, target.Name+".") || name == "server-cpus" {
			delete(point.Params, name)
		}
	}
	return point, pinTo(cpus)
}

// measure loads the target and returns a record of what the generator saw.
func measure(c *cobra.Command, point record.Point, seed uint64, address string) (*record.Trial, error) {
	t := &record.Trial{Schema: record.Schema, Point: point, Seed: seed, StartedUnix: time.Now().UnixNano()}
	result, err := load.Run(c.Context(), trial.LoadOf(t, address), load.Hooks{})
	if err != nil {
		return nil, err
	}
	trial.Record(t, &result)
	flags.Judge(t)
	return t, nil
}

// spoilt says why the figures of a trial would mislead, if they would: who loads a server in a script reads the exit code.
func spoilt(t *record.Trial) error {
	if t.Failed != "" {
		return fmt.Errorf("the trial failed: %s", t.Failed)
	}
	for _, f := range t.Flags {
		if f.Level == record.Invalid {
			return fmt.Errorf("the trial is invalid: %s: %s", f.Code, f.Advice)
		}
	}
	return nil
}

// printTrial writes a record for people, at 80 columns.
func printTrial(w io.Writer, t *record.Trial, address string) error {
	fmt.Fprintf(w, "%s at %s: %s loop, %s connections, %.4g s\n", t.Workload, address, t.Mode, t.Text("conns"), t.WindowSeconds)
	fmt.Fprintf(w, "%d right replies, %.6g per second", t.Requests, t.ThroughputRPS)
	if t.Mode == record.Open {
		fmt.Fprintf(w, " of %.6g offered", t.OfferedRPS)
	}
	fmt.Fprintln(w)
	if t.CPU != nil && t.CPU.ClientNSPerReq > 0 {
		fmt.Fprintf(w, "generator: %.1f us of CPU per request, %.0f %% of a CPU\n", t.CPU.ClientNSPerReq/1e3, 100*t.CPU.ClientUtil)
	}
	if err := printLatency(w, t); err != nil {
		return err
	}
	printDoubts(w, t)
	return nil
}

func printLatency(w io.Writer, t *record.Trial) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "latency\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, kind := range []string{"response", "service", "slip"} {
		l, ok := t.LatencyNS[kind]
		if !ok {
			continue
		}
		cells := []string{kind}
		for _, ns := range []int64{l.P50, l.P90, l.P99, l.P999, l.Max} {
			cells = append(cells, duration(ns))
		}
		fmt.Fprintln(table, strings.Join(cells, "\t")+"\t")
	}
	return table.Flush()
}

// duration shows nanoseconds with three digits; a percentile that too few requests support is absent and shows as n/a.
func duration(ns int64) string {
	if ns == 0 {
		return "n/a"
	}
	d := time.Duration(ns)
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

func printDoubts(w io.Writer, t *record.Trial) {
	var kinds []string
	for kind := range t.Errors {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		fmt.Fprintf(w, "errors: %d %s\n", t.Errors[kind], kind)
	}
	if t.FirstError != "" {
		fmt.Fprintf(w, "first error: %s\n", t.FirstError)
	}
	if t.Unanswered > 0 {
		fmt.Fprintf(w, "unanswered: %d\n", t.Unanswered)
	}
	for _, f := range t.Flags {
		fmt.Fprintf(w, "%s: %s: %s\n", f.Level, f.Code, f.Advice)
	}
}

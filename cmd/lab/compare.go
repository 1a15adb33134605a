package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"turnlab/engine/all"
	"turnlab/harness/compare"
	"turnlab/harness/micro"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// errRegressed ends a comparison that found a regression beyond a bound.
var errRegressed = errors.New("regression")

func compareCommand() *cobra.Command {
	var engines, settings, questions, failOn []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare A [B]",
		Short: "Compare two runs, or two engines of one run",
		Long: "Compare run B with run A, or with --engine A,B two engines of one run: ratios with intervals, p values and\n" +
			"verdicts. With --fail-on the exit code is 3 when a regression beyond the bound is proven. Where a run has an\n" +
			"engine with several settings, the defaults are compared unless --engine 'coop yield=100us' or --set says which.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return misuse.Errorf("compare takes two runs, or one and two engines: lab compare A B, lab compare RUN --engine coop,preempt")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			bounds, err := parseBounds(failOn)
			if err != nil {
				return err
			}
			variants, err := parseVariants(engines, settings)
			if err != nil {
				return err
			}
			table, err := compareRuns(args, variants, questions)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(table)
			} else {
				err = table.Print(c.OutOrStdout())
			}
			return errors.Join(err, regressed(table.Regressions(bounds)))
		},
	}
	c.Flags().StringSliceVar(&engines, "engine", nil, "of one run, the two to compare; of two runs, those to look at (default: all); 'coop yield=0s' names settings too")
	c.Flags().StringArrayVar(&settings, "set", nil, "ENGINE.OPTION=VALUE, such as coop.yield=0s: only points with this setting; needs --engine; may be repeated")
	c.Flags().StringSliceVar(&questions, "experiment", nil, "only the points of these experiments: fewer comparisons are read together, so each proves more")
	c.Flags().StringArrayVar(&failOn, "fail-on", nil, "METRIC>SHARE, such as 'p99>5%': exit with 3 when B is proven to be worse by more; may be repeated")
	c.Flags().BoolVar(&asJSON, "json", false, "print the table as JSON")
	return c
}

func parseBounds(texts []string) ([]compare.Bound, error) {
	var bounds []compare.Bound
	for _, text := range texts {
		b, err := compare.ParseBound(text)
		if err != nil {
			return nil, err
		}
		bounds = append(bounds, b)
	}
	return bounds, nil
}

// parseVariants reads what is to be compared.
func parseVariants(engines, settings []string) ([]compare.Variant, error) {
	set, used := map[string]string{}, map[string]bool{}
	for _, text := range settings {
		name, value, ok := strings.Cut(text, "=")
		if !ok || !strings.Contains(name, ".") || value == "" {
			return nil, misuse.Errorf("--set %s: write ENGINE.OPTION=VALUE, as in --set coop.yield=0s", text)
		}
		set[name] = value
	}
	var variants []compare.Variant
	for _, text := range engines {
		v, err := compare.ParseVariant(text, set)
		if err != nil {
			return nil, err
		}
		for name := range v.Set {
			used[name] = true
		}
		variants = append(variants, v)
	}
	for name := range set {
		if !used[name] {
			return nil, misuse.Errorf("--set %s: none of the engines in --engine has this option; name its engine there", name)
		}
	}
	return variants, nil
}

// optionDefault returns the default of an option by its full name: of an engine's own, "coop.yield", of its way to do an
// operation, "preempt.via", or of a workload, "hog.timers".
func optionDefault(name string) (string, bool) {
	owner, option, _ := strings.Cut(name, ".")
	if w, err := workloads.Find(owner); err == nil {
		o, ok := w.Options.Find(option)
		return o.Default, ok
	}
	for _, s := range all.Specs {
		if s.Name != owner {
			continue
		}
		options := s.AllOptions()
		for _, operation := range micro.All {
			if way, err := operation.Way(s.Label()); err == nil {
				options = append(options, way.Options...)
			}
		}
		if o, ok := options.Find(option); ok {
			return o.Default, true
		}
	}
	return "", false
}

func compareRuns(dirs []string, engines []compare.Variant, questions []string) (*compare.Table, error) {
	a, err := loadOf(dirs[0], questions)
	if err != nil {
		return nil, err
	}
	if len(dirs) == 1 {
		if len(engines) != 2 {
			return nil, misuse.Errorf("within one run two engines are compared: name them, as in --engine coop,preempt")
		}
		return compare.Engines(a, engines[0], engines[1], optionDefault)
	}
	b, err := loadOf(dirs[1], questions)
	if err != nil {
		return nil, err
	}
	return compare.Runs(a, b, engines, optionDefault)
}

// loadOf reads a run, and leaves of it what was measured for some experiments; all of it when none is named.
func loadOf(dir string, questions []string) (*record.Folder, error) {
	f, err := record.Load(dir)
	if err != nil || len(questions) == 0 {
		return f, err
	}
	known := map[string]bool{}
	for _, p := range f.Run.Plan {
		known[p.Experiment] = true
	}
	for _, name := range questions {
		if !known[name] {
			return nil, misuse.Errorf("%s has no experiment %q", dir, name)
		}
	}
	f.Run.Plan = slices.DeleteFunc(f.Run.Plan, func(p record.Point) bool { return !slices.Contains(questions, p.Experiment) })
	f.Trials = slices.DeleteFunc(f.Trials, func(t record.Trial) bool { return !slices.Contains(questions, t.Experiment) })
	f.Run.Order = nil // its indices are of the whole plan
	return f, nil
}

func regressed(found []compare.Regression) error {
	var all []error
	for _, r := range found {
		all = append(all, fmt.Errorf("%w: %v", errRegressed, r))
	}
	return errors.Join(all...)
}

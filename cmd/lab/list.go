package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/experiments"
	"turnlab/harness/micro"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/internal/lines"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// listWidth is the width of the listing: that of the narrowest terminal people use.
const listWidth = 80

func listCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list [NAME]",
		Short:   "List engines, workloads, operations, experiments and suites with their options; with a name, all about that one",
		Example: "  lab list\n  lab list preempt\n  lab list hog",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misuse.Errorf("list takes one name, but got %s; see 'lab list --help'", strings.Join(args, " and "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return describe(c.OutOrStdout(), args[0])
			}
			list(c.OutOrStdout())
			return nil
		},
	}
}

func list(w io.Writer) {
	fmt.Fprintln(w, "ENGINES  set an option with --set ENGINE.OPTION=VALUE,...")
	for _, s := range all.Specs {
		listEntry(w, s.Label(), s.Summary)
		listDefaults(w, 6, s)
		listOptions(w, s.Options)
	}
	listEntry(w, "every engine", "Written engine.OPTION they are set for all engines of a sweep.")
	listOptions(w, engine.Common)
	fmt.Fprintln(w, "\nWORKLOADS  set an option with --set WORKLOAD.OPTION=VALUE,...")
	for _, wl := range workloads.All {
		listEntry(w, wl.Name, wl.Summary+"; shows "+strings.TrimSuffix(wl.Shows, "."))
		listOptions(w, wl.Options)
	}
	listOperations(w)
	listExperiments(w)
}

// listOperations shows what can be measured without a client, and what stands for it under each engine.
func listOperations(w io.Writer) {
	fmt.Fprintln(w, "\nOPERATIONS  measured without a client: lab sweep --operation NAME,...")
	for _, o := range micro.All {
		listEntry(w, o.Name, o.Summary)
		listOptions(w, o.Options)
		for _, way := range o.Ways {
			listText(w, 6, way.Engine+": "+way.Does)
			listOptions(w, way.Options)
		}
	}
}

// listExperiments shows the questions and how long their answers take, in the suites that have them.
func listExperiments(w io.Writer) {
	fmt.Fprintln(w, "\nEXPERIMENTS  run some with lab bench [SUITE] --experiment NAME,...")
	for _, e := range experiments.All {
		listEntry(w, e.Name, e.Question+" "+timesTaken(e))
	}
	fmt.Fprintln(w, "\nSUITES  run all experiments of one with lab bench SUITE")
	for _, name := range experiments.Suites {
		list, err := experiments.Suite(name)
		if err != nil {
			continue // Suites are those that there are
		}
		var names []string
		for _, e := range list {
			names = append(names, e.Name)
		}
		listEntry(w, name, strings.Join(names, ", ")+": about "+estimate(list, name))
	}
}

func timesTaken(e *experiments.Experiment) string {
	own := []*experiments.Experiment{e}
	text := "(full " + estimate(own, experiments.Full) + ")"
	if e.Quick != nil {
		text = "(quick " + estimate(own, experiments.Quick) + ", full " + estimate(own, experiments.Full) + ")"
	}
	return text
}

// estimate says how long experiments take on this machine.
func estimate(list []*experiments.Experiment, suite string) string {
	catalog, err := catalogWith(nil)
	if err != nil {
		return "an unknown time: " + err.Error()
	}
	p, err := plan.Together(experiments.Parts(list, suite, experiments.Changes{}), plan.Sweep{}, catalog, proc.Allowed())
	if err != nil {
		return "an unknown time: " + err.Error()
	}
	return p.Estimate().Round(time.Second).String()
}

// listDefaults shows where an engine needs other defaults than the rest, and why.
func listDefaults(w io.Writer, indent int, s *engine.Spec) {
	var changed []string
	for _, o := range engine.Common {
		if d, ok := s.Defaults[o.Name]; ok {
			changed = append(changed, o.Name+"="+d)
		}
	}
	if len(changed) > 0 {
		listText(w, indent, strings.Join(changed, " ")+": "+s.Why)
	}
}

func listEntry(w io.Writer, name, text string) {
	fmt.Fprintf(w, "\n  %s\n", name)
	listText(w, 6, text)
}

func listOptions(w io.Writer, options option.Set) {
	for _, o := range options {
		head := fmt.Sprintf("      %s=%s  ", o.Name, o.Default)
		if o.Kind == option.Choice {
			head = fmt.Sprintf("      %s=%s (%s)  ", o.Name, o.Default, strings.Join(o.Choices, "|"))
		}
		fmt.Fprint(w, head)
		help := lines.Wrap(o.Help, listWidth-len(head), listWidth-10)
		fmt.Fprintln(w, help[0])
		for _, line := range help[1:] {
			fmt.Fprintf(w, "          %s\n", line)
		}
	}
}

func listText(w io.Writer, indent int, text string) {
	for _, line := range lines.Wrap(text, listWidth-indent, listWidth-indent) {
		fmt.Fprintf(w, "%*s%s\n", indent, "", line)
	}
}

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/experiments"
	"turnlab/harness/micro"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// A thing is something that lab list NAME can tell all about. Things of several kinds may have one name: hog is a workload
// and an experiment.
type thing struct {
	kind, name string
	tell       func(io.Writer)
}

func things() []thing {
	var list []thing
	for _, s := range all.Specs {
		list = append(list, thing{"engine", s.Label(), func(w io.Writer) { tellEngine(w, s) }})
	}
	for _, wl := range workloads.All {
		list = append(list, thing{"workload", wl.Name, func(w io.Writer) { tellWorkload(w, wl) }})
	}
	for _, o := range micro.All {
		list = append(list, thing{"operation", o.Name, func(w io.Writer) { tellOperation(w, o) }})
	}
	for _, e := range experiments.All {
		list = append(list, thing{"experiment", e.Name, func(w io.Writer) { tellExperiment(w, e) }})
	}
	for _, name := range experiments.Suites {
		list = append(list, thing{"suite", name, func(w io.Writer) { tellSuite(w, name) }})
	}
	return list
}

// describe tells all about everything that has a name.
func describe(w io.Writer, name string) error {
	list := things()
	found := slices.DeleteFunc(slices.Clone(list), func(t thing) bool { return t.name != name })
	if len(found) == 0 {
		var names []string
		for _, t := range list {
			names = append(names, t.name)
		}
		hint := "'lab list' shows all names"
		if near := nearest(name, names); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
		return misuse.Errorf("nothing is called %q; %s", name, hint)
	}
	for i, t := range found {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  %s\n", strings.ToUpper(t.kind), t.name)
		t.tell(w)
	}
	return nil
}

// nearest returns the name that text was probably meant to be: one that has it as a part, or the one with the fewest letters
// to change; "" when all are too far away.
func nearest(text string, names []string) string {
	best, least := "", math.MaxInt
	for _, name := range names {
		d := distance(text, name)
		if len(text) > 2 && strings.Contains(name, text) {
			d = 1
		}
		if d < least {
			best, least = name, d
		}
	}
	if least > 1+len(text)/3 {
		return ""
	}
	return best
}

// distance counts the letters to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func tellEngine(w io.Writer, s *engine.Spec) {
	listText(w, 2, s.Summary)
	tellOptions(w, "options, each a possible axis: --set "+s.Name+".OPTION=VALUE,...", s.Options)
	tellOptions(w, "options that every engine has", s.AllOptions()[:len(engine.Common)])
	listDefaults(w, 4, s)
	for _, wl := range workloads.All {
		if err := s.CanServe(wl); err != nil {
			listText(w, 2, "not with workload "+wl.Name+": "+err.Error())
		}
	}
	other := all.Specs[0].Label()
	if s.Name == all.Specs[0].Name {
		other = "preempt"
	}
	examples := []string{"lab sweep --engine " + s.Label() + "," + other + " --workload http --conns 1,64 --blocks 6"}
	if len(s.Options) > 0 {
		examples = append(examples, "lab sweep --engine "+s.Label()+" --workload http --set "+setting(s.Name, s.Options[0]))
	}
	tellExamples(w, examples...)
}

// setting gives an option a value that it can have.
func setting(owner string, o option.Option) string {
	if o.Kind == option.Choice {
		return owner + "." + o.Name + "=" + strings.Join(o.Choices, ",")
	}
	return owner + "." + o.Name + "=" + o.Default
}

func tellWorkload(w io.Writer, wl *workloads.Workload) {
	listText(w, 2, wl.Summary)
	listText(w, 2, "shows "+strings.TrimSuffix(wl.Shows, "."))
	tellOptions(w, "options, each a possible axis: --set "+wl.Name+".OPTION=VALUE,...", wl.Options)
	var serve []string
	for _, s := range all.Specs {
		if s.CanServe(wl) == nil {
			serve = append(serve, s.Label())
		}
	}
	listText(w, 2, "served by "+strings.Join(serve, ", "))
	examples := []string{"lab sweep --engine coop,preempt,threads --workload " + wl.Name + " --conns 64 --rate 500"}
	if len(wl.Options) > 0 {
		examples = append(examples, "lab sweep --engine coop --workload "+wl.Name+" --set "+setting(wl.Name, wl.Options[0]))
	}
	tellExamples(w, examples...)
}

func tellOperation(w io.Writer, o *micro.Operation) {
	listText(w, 2, o.Summary)
	tellOptions(w, "options, each a possible axis: --set "+o.Name+".OPTION=VALUE,...", o.Options)
	for _, way := range o.Ways {
		fmt.Fprintln(w)
		listText(w, 2, way.Engine+": "+way.Does)
		listTaken(w, way.Options)
	}
	tellExamples(w, "lab sweep --operation "+o.Name+" --engine "+strings.Join(o.Engines(), ",")+" --blocks 6")
}

func tellExperiment(w io.Writer, e *experiments.Experiment) {
	listText(w, 2, e.Question)
	suite := ""
	if e.Quick == nil {
		suite = experiments.Full + " "
	}
	for _, part := range []struct{ name, text string }{
		{"time", strings.Trim(timesTaken(e), "()")}, {"how it is measured", e.Held}, {"what it cannot show", e.Limits},
	} {
		fmt.Fprintln(w)
		listText(w, 2, part.name+": "+part.text)
	}
	fmt.Fprintln(w, "\n  drawings")
	for _, p := range e.Plots {
		listText(w, 4, p.Title)
	}
	tellExamples(w, append([]string{"lab bench " + suite + "--experiment " + e.Name}, e.Next...)...)
}

func tellSuite(w io.Writer, name string) {
	list, err := experiments.Suite(name)
	if err != nil {
		return // Suites are those that there are
	}
	for _, e := range list {
		listText(w, 2, e.Name+": "+e.Question)
	}
	fmt.Fprintln(w)
	listText(w, 2, "time: about "+estimate(list, name))
	tellExamples(w, "lab bench "+name+" --dry-run", "lab bench "+name)
}

// tellOptions writes a heading and options with the values that they take; without options nothing.
func tellOptions(w io.Writer, heading string, options option.Set) {
	if len(options) == 0 {
		return
	}
	fmt.Fprintln(w)
	listText(w, 2, heading)
	listTaken(w, options)
}

func listTaken(w io.Writer, options option.Set) {
	for _, o := range options {
		listText(w, 4, o.Name+"="+o.Default+"  ("+o.Takes()+")")
		listText(w, 8, o.Help)
	}
}

// tellExamples writes commands, each in a line of its own, however long: they are there to be copied.
func tellExamples(w io.Writer, commands ...string) {
	fmt.Fprintln(w, "\n  try")
	for _, c := range commands {
		fmt.Fprintf(w, "    %s\n", c)
	}
}

package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"turnlab/harness/record"
	"turnlab/harness/stat"
)

// Print writes what the plan will do: how many trials, how long, where, and every point with the parameters that vary.
func (p *Plan) Print(w io.Writer) error {
	p.printSize(w)
	fmt.Fprintf(w, "server on CPUs %s, generator on CPUs %s, seed %d\n", p.ServerCPUs, p.ClientCPUs, p.Seed)
	p.printBounds(w)
	for _, s := range p.Searches {
		fmt.Fprintf(w, "after the blocks: searches for the highest rate within %s, from each point of %s\n", strings.Join(s.SLOs, ", "), s.Experiment)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	for _, name := range p.experiments() {
		if err := p.printPoints(w, name); err != nil {
			return err
		}
	}
	return nil
}

// experiments lists the experiments that the plan has points of, in their order; one without a name when it is a sweep.
func (p *Plan) experiments() []string {
	var names []string
	for _, point := range p.Points {
		if !slices.Contains(names, point.Experiment) {
			names = append(names, point.Experiment)
		}
	}
	return names
}

// printSize writes how much there is to do, in all and for each experiment.
func (p *Plan) printSize(w io.Writer) {
	jobs, probes := p.Jobs(), p.Probes()
	named := p.experiments()[0] != ""
	if named {
		fmt.Fprintf(w, "%d points in %d blocks: %d trials", len(p.Points), len(p.Order), len(jobs))
	} else {
		fmt.Fprintf(w, "%d points x %d blocks = %d trials", len(p.Points), len(p.Order), len(jobs))
	}
	if len(probes) > 0 {
		fmt.Fprintf(w, " and %d closed loops first, to know what a share of a rate is", len(probes))
	}
	fmt.Fprintf(w, ", about %v\n", p.Estimate().Round(time.Second))
	if !named {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range p.experiments() {
		own := slices.DeleteFunc(append(slices.Clone(probes), jobs...), func(j Job) bool { return j.Point.Experiment != name })
		fmt.Fprintf(table, "  %s\t%d trials\tabout %v\n", name, len(own), (Estimate(own) + p.searchTime(name)).Round(time.Second))
	}
	table.Flush()
}

// printPoints writes the points of an experiment with the parameters that vary among them.
func (p *Plan) printPoints(w io.Writer, experiment string) error {
	own := slices.DeleteFunc(slices.Clone(p.Points), func(point record.Point) bool { return point.Experiment != experiment })
	fmt.Fprintln(w)
	if experiment != "" {
		fmt.Fprintf(w, "%s, %d blocks\n", experiment, p.Blocks[experiment])
	}
	varying := record.Varying(own)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(append([]string{"engine", "workload", "loop"}, varying...), "\t"))
	for _, point := range own {
		cells := []string{name(point), point.Workload, point.Mode}
		for _, name := range varying {
			cells = append(cells, orDash(point.Text(name)))
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// printBounds says what may end the run before all blocks are done.
func (p *Plan) printBounds(w io.Writer) {
	if p.Precision > 0 && len(p.Order) > stat.MinTrials {
		fmt.Fprintf(w, "stops from block %d on, once every median of CPU per request is known to %.3g %%\n", stat.MinTrials, 100*p.Precision)
	}
	if p.Budget > 0 {
		fmt.Fprintf(w, "stops before a block that would not fit into %v\n", p.Budget)
	}
}

// name tells the second arm of an engine from the first.
func name(p record.Point) string {
	if p.Arm == "" {
		return p.Label()
	}
	return p.Label() + " (" + p.Arm + ")"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

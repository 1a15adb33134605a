package plan

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"turnlab/harness/record"
	"turnlab/harness/stat"
)

// Print writes what the plan will do: how many trials, how long, where, and every point with the parameters that vary.
func (p *Plan) Print(w io.Writer) error {
	jobs := p.Jobs()
	fmt.Fprintf(w, "%d points x %d blocks = %d trials, about %v\n",
		len(p.Points), len(p.Order), len(jobs), Estimate(jobs).Round(time.Second))
	fmt.Fprintf(w, "server on CPUs %s, generator on CPUs %s, seed %d\n", p.ServerCPUs, p.ClientCPUs, p.Seed)
	p.printBounds(w)
	for _, note := range p.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	fmt.Fprintln(w)
	varying := record.Varying(p.Points)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(append([]string{"engine", "workload", "loop"}, varying...), "\t"))
	for _, point := range p.Points {
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

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
	"turnlab/internal/lines"
)

// printWidth is what every terminal and log shows without breaking lines.
const printWidth = 80

// Print writes what the plan will do: how many trials, how long, where, and every load with the engines that get it.
func (p *Plan) Print(w io.Writer) error {
	var b strings.Builder
	p.printSize(&b)
	say(&b, "server on CPUs %s, generator on CPUs %s, seed %d", p.ServerCPUs, p.ClientCPUs, p.Seed)
	p.printBounds(&b)
	for _, s := range p.Searches {
		say(&b, "after the blocks: searches for the highest rate within %s, from each point of %s", strings.Join(s.SLOs, ", "), s.Experiment)
	}
	for _, note := range p.Notes {
		say(&b, "note: %s", note)
	}
	for _, name := range p.experiments() {
		p.printPoints(&b, name)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	return nil
}

// say writes a sentence, set in as far as its spaces say; what does not fit into a line goes on in the next one, further in.
func say(b *strings.Builder, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	room := printWidth - len(indent)
	b.WriteString(indent + strings.Join(lines.Wrap(text, room, room-2), "\n  "+indent) + "\n")
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
func (p *Plan) printSize(b *strings.Builder) {
	jobs, probes := p.Jobs(), p.Probes()
	named := p.experiments()[0] != ""
	text := fmt.Sprintf("%d points x %d blocks = %d trials", len(p.Points), len(p.Order), len(jobs))
	if named {
		text = fmt.Sprintf("%d points in %d blocks: %d trials", len(p.Points), len(p.Order), len(jobs))
	}
	if len(probes) > 0 {
		text += fmt.Sprintf(" and %d closed loops first, to know what a share of a rate is", len(probes))
	}
	say(b, "%s, about %v", text, p.Estimate().Round(time.Second))
	if !named {
		return
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, name := range p.experiments() {
		own := slices.DeleteFunc(append(slices.Clone(probes), jobs...), func(j Job) bool { return j.Point.Experiment != name })
		fmt.Fprintf(table, "  %s\t%d trials\tabout %v\n", name, len(own), (Estimate(own) + p.searchTime(name)).Round(time.Second))
	}
	table.Flush()
}

// printBounds says what may end the run before all blocks are done.
func (p *Plan) printBounds(b *strings.Builder) {
	if p.Precision > 0 && len(p.Order) > stat.MinTrials {
		say(b, "stops from block %d on, once every median of CPU per request is known to %.3g %%", stat.MinTrials, 100*p.Precision)
	}
	if p.Budget > 0 {
		say(b, "stops before a block that would not fit into %v", p.Budget)
	}
}

// printPoints writes the points of an experiment: what they have in common once, then a line for each load.
func (p *Plan) printPoints(b *strings.Builder, experiment string) {
	own := slices.DeleteFunc(slices.Clone(p.Points), func(point record.Point) bool { return point.Experiment != experiment })
	b.WriteString("\n")
	if experiment != "" {
		say(b, "%s, %d blocks", experiment, p.Blocks[experiment])
	}
	columns, same := traits(own)
	if len(same) > 0 {
		say(b, "  all: %s", strings.Join(same, ", "))
	}
	printLoads(b, columns, gather(own, columns))
}

// traits are the parameters that tell the loads of points apart, and what all of them have in common of the most important ones.
func traits(points []record.Point) (columns, same []string) {
	engines := map[string]bool{}
	for _, p := range points {
		engines[p.Engine] = true
	}
	for _, name := range []string{"workload", "loop", "conns"} {
		switch values := valuesOf(points, name); {
		case len(values) > 1:
			columns = append(columns, name)
		case values[0] != none:
			same = append(same, name+" "+values[0])
		}
	}
	for _, name := range record.Varying(points) {
		owner, _, _ := strings.Cut(name, ".")
		if !engines[owner] && name != "conns" && !strings.HasSuffix(name, "-cpus") { // where it runs follows from the rest
			columns = append(columns, name)
		}
	}
	return columns, same
}

// tuned lists, for each engine, its options that tell its points apart.
func tuned(points []record.Point) map[string][]string {
	own, options := map[string][]record.Point{}, map[string][]string{}
	for _, p := range points {
		own[p.Label()] = append(own[p.Label()], p)
	}
	for label, list := range own {
		for _, name := range record.Varying(list) {
			if strings.HasPrefix(name, list[0].Engine+".") {
				options[label] = append(options[label], name)
			}
		}
	}
	return options
}

func valuesOf(points []record.Point, name string) []string {
	var values []string
	for _, p := range points {
		if v := trait(p, name); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// none stands for a parameter that a point does not have.
const none = "-"

func trait(p record.Point, name string) string {
	switch name {
	case "workload":
		return p.Workload
	case "loop":
		return p.Mode
	}
	if text := p.Text(name); text != "" {
		return text
	}
	return none
}

// A load is what several points have in common, by column, and the engines that get it.
type load struct{ cells, engines []string }

func gather(points []record.Point, columns []string) []load {
	var list []load
	place, options := map[string]int{}, tuned(points)
	for _, p := range points {
		var cells []string
		for _, name := range columns {
			cells = append(cells, trait(p, name))
		}
		key := strings.Join(cells, "\x00")
		i, seen := place[key]
		if !seen {
			i, place[key] = len(list), len(list)
			list = append(list, load{cells: cells})
		}
		list[i].engines = append(list[i].engines, engineText(p, options[p.Label()]))
	}
	for _, l := range list {
		slices.Sort(l.engines)
	}
	return list
}

// engineText names an engine with those of its options that tell points apart, but not those that are off, and tells a second
// arm from the first.
func engineText(p record.Point, options []string) string {
	text := p.Label()
	for _, name := range options {
		if value := p.Text(name); value != "" && value != "0" && value != "0s" {
			text += " " + strings.TrimPrefix(name, p.Engine+".") + "=" + value
		}
	}
	if p.Arm != "" {
		text += " (" + p.Arm + ")"
	}
	return text
}

// enginesRoom is the least that a line must leave for the names of engines.
const enginesRoom = 24

// printLoads writes a line for each load. Engines are named once when all loads have the same.
func printLoads(b *strings.Builder, columns []string, list []load) {
	alike := !slices.ContainsFunc(list, func(l load) bool { return !slices.Equal(l.engines, list[0].engines) })
	if alike {
		say(b, "  engines: %s", strings.Join(list[0].engines, ", "))
	}
	if len(columns) == 0 {
		return
	}
	head := load{heads(columns), []string{"engines"}}
	rows := append([]load{head}, list...)
	widths, room := widthsOf(rows)
	if alike {
		room += enginesRoom
	}
	for i, l := range rows {
		if alike {
			l.engines = nil
		}
		switch {
		case room >= enginesRoom:
			b.WriteString(strings.TrimRight(l.line(widths, room), " ") + "\n")
		case i > 0:
			say(b, "  %s", strings.TrimSuffix(l.pairs(head)+": "+strings.Join(l.engines, ", "), ": "))
		}
	}
}

// heads are the names of columns without whose they are, as far as that keeps them apart.
func heads(columns []string) []string {
	short := make([]string, len(columns))
	count := map[string]int{}
	for i, name := range columns {
		short[i] = name[strings.LastIndex(name, ".")+1:]
		count[short[i]]++
	}
	for i, name := range columns {
		if count[short[i]] > 1 {
			short[i] = name
		}
	}
	return short
}

// widthsOf returns the widths of the columns and what they leave of a line.
func widthsOf(rows []load) (widths []int, room int) {
	widths, room = make([]int, len(rows[0].cells)), printWidth
	for i := range widths {
		for _, l := range rows {
			widths[i] = max(widths[i], len([]rune(l.cells[i])))
		}
		room -= 2 + widths[i]
	}
	return widths, room - 2
}

// line writes the load in columns, the engines in the room that is left. The name of an engine is not broken.
func (l load) line(widths []int, room int) string {
	var b strings.Builder
	for i, text := range l.cells {
		fmt.Fprintf(&b, "  %*s", widths[i], text)
	}
	const stuck = "\x00" // a space between whose neighbours no line ends
	names := strings.ReplaceAll(strings.ReplaceAll(strings.Join(l.engines, ",\n"), " ", stuck), "\n", " ")
	indent := "\n" + strings.Repeat(" ", len([]rune(b.String()))+2)
	return b.String() + "  " + strings.ReplaceAll(strings.Join(lines.Wrap(names, room, room), indent), stuck, " ")
}

// pairs writes the load as names and values, for when it has too many columns.
func (l load) pairs(head load) string {
	var parts []string
	for i, text := range l.cells {
		if text != none {
			parts = append(parts, head.cells[i]+" "+text)
		}
	}
	return strings.Join(parts, ", ")
}

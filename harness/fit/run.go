package fit

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// A Curve is the law of one engine under one load, over its connections.
type Curve struct {
	Engine string
	Load   string // the workload and what varies besides connections
	Fit    Fit
}

// Run fits a law to each engine's closed-loop sweep over connections in a run, each experiment's by itself: two experiments may
// ask the same load of an engine, for other times and in other blocks. Sweeps with too few sizes are left out and told in
// notes; a run without any that will do is the user's to mend.
func Run(f *record.Folder) (curves []Curve, notes []string, err error) {
	run, trials := f.Counted()
	varying := record.VaryingBy(run.Plan)
	groups, order := map[[2]string][]Observation{}, [][2]string{}
	for i := range trials {
		t := &trials[i]
		if t.Mode != record.Closed || !t.Valid() || t.ThroughputRPS <= 0 {
			continue
		}
		key := [2]string{t.Label(), loadText(t.Point, varying)}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], Observation{Block: t.Block, N: t.Number("conns"), X: t.ThroughputRPS})
	}
	for _, key := range order {
		if slices.MinFunc(groups[key], bySize).N == slices.MaxFunc(groups[key], bySize).N {
			continue // one size is no sweep
		}
		fitted, err := USL(groups[key], run.Seed)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s %s: %v", key[0], key[1], err))
			continue
		}
		curves = append(curves, Curve{key[0], key[1], fitted})
	}
	if len(curves) == 0 {
		return nil, nil, misuse.Errorf("%s has no closed-loop sweep over %d or more numbers of connections; '%s --out DIR' makes one",
			f.Dir, MinSizes, Sweep)
	}
	return curves, notes, nil
}

// Sweep is a command that makes what Run needs.
const Sweep = "lab sweep --engine coop,preempt,threads --workload http --conns 1..1024*2 --blocks 6"

func bySize(a, b Observation) int { return cmp.Compare(a.N, b.N) }

// loadText tells the loads of a run apart.
func loadText(p record.Point, varying map[string][]string) string {
	text := p.Workload
	if p.Experiment != "" {
		text = p.Experiment + ": " + text
	}
	for _, name := range varying[p.Experiment] {
		if value := p.Text(name); value != "" && name != "conns" && name != "rate" {
			text += ", " + name + " " + value
		}
	}
	return text
}

// Print writes the curves for people, at 80 columns.
func Print(w io.Writer, curves []Curve, notes []string) error {
	var b strings.Builder
	fmt.Fprintln(&b, "X(N) = lambda N / (1 + sigma (N-1) + kappa N (N-1)); closed loop; descriptive.")
	for _, c := range curves {
		fmt.Fprintf(&b, "\n%s %s, %d sizes to %.0f connections, %d blocks\n", c.Engine, c.Load,
			len(c.Fit.Sizes), c.Fit.Sizes[len(c.Fit.Sizes)-1], c.Fit.Blocks)
		c.Fit.print(&b, "lambda", c.Fit.Lambda)
		c.Fit.print(&b, "sigma", c.Fit.Sigma)
		c.Fit.print(&b, "kappa", c.Fit.Kappa)
		if n, ok := c.Fit.InRange(); ok {
			fmt.Fprintf(&b, "  peak    %.0f connections", n)
		} else {
			fmt.Fprint(&b, "  peak    no peak in range")
		}
		if c.Fit.Ranges != nil {
			fmt.Fprintf(&b, " (none in %.0f %% of the resamples)", 100*c.Fit.NoPeak)
		}
		fmt.Fprintf(&b, "\n  worst   %.1f %% off the law\n", 100*c.Fit.Error)
	}
	for _, n := range notes {
		fmt.Fprintf(&b, "\nnot fitted: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Fit) print(w io.Writer, name string, x float64) {
	fmt.Fprintf(w, "  %-7s %-11.4g", name, x)
	if r := f.Ranges[name]; r != nil {
		fmt.Fprintf(w, " 95 %%: %.4g to %.4g", r.Low, r.High)
	} else {
		fmt.Fprintf(w, " no interval: fewer than %d blocks", MinBlocks)
	}
	fmt.Fprintln(w)
}

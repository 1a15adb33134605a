package fit

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/internal/misuse"
)

// A Growth is what each kind of memory of one engine under one load grows by with its connections.
type Growth struct {
	Engine string
	Load   string
	Lines  map[string]stat.Line // by kind of memory; idle_pss and so on before the first request
}

// points are what a line is drawn through.
type points struct{ xs, ys []float64 }

// Memory draws a line through the memory of each engine's sweep over connections, by kind, in either loop. Kinds that do
// not grow, and those that were measured at too few sizes, have no line.
func Memory(f *record.Folder) ([]Growth, error) {
	run, trials := f.Counted()
	varying := record.VaryingBy(run.Plan)
	trials = slices.Clone(trials)
	slices.SortStableFunc(trials, func(a, b record.Trial) int { return a.Block - b.Block })
	groups, order := map[[2]string]map[string]*points{}, [][2]string{}
	for i := range trials {
		t := &trials[i]
		if !t.Valid() || len(t.Memory) == 0 {
			continue
		}
		key := [2]string{t.Label(), t.Mode + " " + loadText(t.Point, varying)}
		if groups[key] == nil {
			groups[key] = map[string]*points{}
			order = append(order, key)
		}
		addMemory(groups[key], "", t.Number("conns"), t.Memory)
		addMemory(groups[key], "idle_", t.Number("conns"), t.IdleMemory)
	}
	var out []Growth
	for _, key := range order {
		if lines := linesOf(groups[key]); len(lines) > 0 {
			out = append(out, Growth{key[0], key[1], lines})
		}
	}
	if len(out) == 0 {
		return nil, misuse.Errorf("%s has no valid trials at %d or more numbers of connections, as --conns 100,1000,4000,8000 makes (see flags in trials.jsonl)",
			f.Dir, stat.MinSizes)
	}
	return out, nil
}

func addMemory(kinds map[string]*points, prefix string, conns float64, memory map[string]uint64) {
	for kind, n := range memory {
		p := kinds[prefix+kind]
		if p == nil {
			p = &points{}
			kinds[prefix+kind] = p
		}
		p.xs, p.ys = append(p.xs, conns), append(p.ys, float64(n))
	}
}

func linesOf(kinds map[string]*points) map[string]stat.Line {
	lines := map[string]stat.Line{}
	for kind, p := range kinds {
		if line, err := stat.Slope(p.xs, p.ys); err == nil && line.N > 0 && line.Slope.Value > 0 {
			lines[kind] = line
		}
	}
	return lines
}

// straight is how far off its line a size may lie, as a share of the rise; beyond it the memory grows in a step or not with
// the connections at all.
const straight = 0.25

// PrintMemory writes the growths for people, at 80 columns: largest first.
func PrintMemory(w io.Writer, growths []Growth) error {
	var b strings.Builder
	below := false
	fmt.Fprintln(&b, "Bytes per connection: the median of the blocks' slopes, its interval at 95 %, what")
	fmt.Fprintln(&b, "there is without a connection, and how far sizes lie off the line. Kinds overlap.")
	for _, g := range growths {
		first := slices.Collect(maps.Values(g.Lines))[0]
		fmt.Fprintf(&b, "\n%s %s, %d sizes, %d blocks\n", g.Engine, g.Load, first.Sizes, first.N)
		fmt.Fprintf(&b, "  %-19s %10s  %-23s %12s %7s\n", "", "per conn", "interval", "base", "off")
		kinds := slices.SortedFunc(maps.Keys(g.Lines), func(a, b string) int {
			if x, y := g.Lines[a].Slope.Value, g.Lines[b].Slope.Value; x != y {
				return int(math.Copysign(1, y-x))
			}
			return strings.Compare(a, b)
		})
		for _, kind := range kinds {
			l := g.Lines[kind]
			interval := fmt.Sprintf("none below %d blocks", stat.MinTrials)
			if l.Slope.Exists() {
				interval = bytesText(l.Slope.Low) + " to " + bytesText(l.Slope.High)
			}
			below = below || l.Intercept.Value < 0
			off := fmt.Sprintf("%.1f%%", 100*l.Off)
			if l.Off > straight {
				off = "no line"
			}
			fmt.Fprintf(&b, "  %-19s %10s  %-23s %12s %7s\n", kind, bytesText(l.Slope.Value), interval, bytesText(l.Intercept.Value), off)
		}
	}
	if below {
		fmt.Fprintln(&b, "\nA base below zero means that the line does not hold down to 0 connections.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// bytesText shows bytes with three digits and their unit.
func bytesText(x float64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	i := 0
	for ; math.Abs(x) >= 999.5 && i < len(units)-1; i++ {
		x /= 1024
	}
	digits := max(0, 2-int(math.Log10(max(math.Abs(x), 1))))
	if i == 0 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %s", digits, x, units[i])
}

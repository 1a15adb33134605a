package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"turnlab/harness/stat"
)

// layout is one line of the table: metric, A, B, ratio, interval, p, n, floor, verdict. It fits into 80 columns.
const layout = "%-10s %7s %7s %6s %-13s %6s %3s %6s %s\n"

// Print writes the table for people, at 80 columns.
func (t *Table) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "A  %s\nB  %s\n", t.A, t.B)
	t.printTerms(&b)
	point := ""
	for _, r := range t.Rows {
		if r.Point != point {
			point = r.Point
			fmt.Fprintf(&b, "\n%s\n", point)
			fmt.Fprintf(&b, layout, "", "A", "B", "B/A", "interval", "p", "n", "floor", "B is")
		}
		interval, p := "-", "-"
		if r.Ratio.Exists() {
			interval = fmt.Sprintf("%.3f..%.3f", r.Ratio.Low, r.Ratio.High)
			p = probability(r.P)
		}
		fmt.Fprintf(&b, layout, r.Metric, amount(r.Metric, r.A), amount(r.Metric, r.B), fmt.Sprintf("%.3f", r.Ratio.Ratio),
			interval, p, strconv.Itoa(r.Ratio.N), percent(r.Floor), r.word())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printTerms says what the table can and cannot show.
func (t *Table) printTerms(w io.Writer) {
	switch {
	case t.Blocks < stat.MinTrials:
		fmt.Fprintf(w, "%d blocks: fewer than %d give no interval, and no winner is named.\n", t.Blocks, stat.MinTrials)
	default:
		fmt.Fprintf(w, "Intervals of B/A at 95 %%; p after Holm for %d comparisons.\n", len(t.Rows))
	}
	fmt.Fprintln(w, "A, B: medians of the n trials with a partner; B/A: the median of their ratios.")
	if !t.Paired {
		fmt.Fprintln(w, "Two runs: what changed on the machine between them counts as a difference too.")
	}
	if t.Floors {
		fmt.Fprintln(w, "Floor: what an engine showed against itself (A/A); a difference must exceed it.")
	} else {
		fmt.Fprintf(w, "No A/A floor: no engine ran against itself (--aa on) in %d blocks or more.\n", stat.MinTrials)
	}
}

func (r Row) word() string {
	switch {
	case r.Verdict == stat.TooFew:
		return "too few"
	case r.Worse():
		return "worse"
	case r.Improved():
		return "better"
	}
	return "not shown"
}

func probability(p float64) string {
	if p < 0.001 {
		return "<.001"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.3f", p), "0")
}

func percent(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*x)
}

// amount shows a figure with three digits and its unit.
func amount(metric string, x float64) string {
	units := []string{"", "k", "M", "G"}
	if metric == "cpu" || metric == "time" || metric == "p50" || metric == "p99" {
		units = []string{"ns", "us", "ms", "s"}
	}
	i := 0
	for ; x >= 999.5 && i < len(units)-1; i++ {
		x /= 1000
	}
	return strconv.FormatFloat(x, 'f', max(0, 2-int(math.Log10(max(x, 1)))), 64) + units[i]
}

// MarshalJSON writes the table. What does not exist, an interval or a floor, is absent.
func (t *Table) MarshalJSON() ([]byte, error) {
	type row struct {
		Point    string       `json:"point"`
		Metric   string       `json:"metric"`
		Better   string       `json:"better"`
		A        float64      `json:"a"`
		B        float64      `json:"b"`
		Ratio    float64      `json:"ratio"`
		Interval *[2]float64  `json:"interval,omitempty"`
		P        float64      `json:"p_holm"`
		N        int          `json:"n"`
		Floor    *float64     `json:"floor,omitempty"`
		Verdict  stat.Verdict `json:"verdict"`
		Word     string       `json:"b_is"`
	}
	out := struct {
		A      string `json:"a"`
		B      string `json:"b"`
		Paired bool   `json:"paired"`
		Rows   []row  `json:"rows"`
	}{A: t.A, B: t.B, Paired: t.Paired}
	for _, r := range t.Rows {
		line := row{
			Point: r.Point, Metric: r.Metric, Better: r.Better, A: r.A, B: r.B, Ratio: r.Ratio.Ratio, P: r.P, N: r.Ratio.N,
			Verdict: r.Verdict, Word: r.word(),
		}
		if r.Ratio.Exists() {
			line.Interval = &[2]float64{r.Ratio.Low, r.Ratio.High}
		}
		if !math.IsNaN(r.Floor) {
			line.Floor = &r.Floor
		}
		out.Rows = append(out.Rows, line)
	}
	return json.Marshal(out)
}

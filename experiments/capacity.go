package experiments

import (
	"cmp"
	"fmt"
	"slices"

	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// capacitySLOs are the service levels whose highest rate is searched.
var capacitySLOs = []string{"p99<1ms", "p99<5ms", "p99<20ms"}

var capacity = &Experiment{
	Experiment: reports.Experiment{
		Name:     "capacity",
		Question: "How many requests within a p99 of 1, 5 and 20 ms?",
		Held: "HTTP over 64 connections, Poisson arrivals. Engines take turns, one probe each, and every probe is judged by all three " +
			"service levels; late, failed and unsent requests are lost.",
		Limits: "Bounds are what a finite search knows; a machine that was busy for a moment lowers them. Where the generator is the " +
			"limit there is no upper bound. Each bound comes from one search and not from blocks, so no interval stands behind it, and " +
			"bounds that lie apart are seen and not claimed.",
		Next: []string{
			"lab capacity --slo 'p99.9<5ms' --engine coop,preempt,threads --workload http --conns 64 --duration 3s",
			"lab capacity --slo 'p99<5ms' --engine coop,preempt,threads --workload hog --conns 256",
		},
		Plots: []reports.Plot{
			{ID: "bounds", Title: "The highest rate at which a service level holds", Kind: reports.Bounds,
				Note: "A bar ends at the highest rate that passed; the whisker reaches to the lowest that failed."},
			{ID: "closed", Title: "Throughput of the closed loops that the searches began with", Kind: reports.Bars, Metrics: []string{"throughput"},
				Note: "What a server does when nobody asks how late; its latency is whatever it is."},
			{ID: "cpu", Title: "CPU per request in these closed loops", Kind: reports.Bars, Metrics: []string{"cpu"}, Note: "One over it is the most that a CPU can do."},
		},
		Findings: capacityFindings,
	},
	Full: &Measure{
		Blocks: fullBlocks, SLOs: capacitySLOs, Width: 0.05,
		Sweeps: many(sweep([]string{"coop", "preempt", "threads"}, "http", append(measured("200ms", "700ms"), "conns", "64")...)),
	},
}

// capacityShown is the service level that findings speak of.
const capacityShown = "p99<5ms"

// capacityFindings tell the bounds of one service level. Two engines differ when the lower bound of one, passed again, lies
// above the upper bound of the other, and neither of the two bounds hangs on trials that others disturbed. Each bound is of
// one search, so that is seen and not claimed.
func capacityFindings(d *digest.Digest) []reports.Finding {
	var shown []record.Capacity
	for _, c := range d.Run.Capacities {
		if c.Experiment == "capacity" && c.SLO == capacityShown {
			shown = append(shown, c)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	var odd []string
	var rows []reports.FindingRow
	level := reports.Open
	for _, a := range shown {
		if a.Irregular != "" {
			odd = append(odd, a.Engine+": "+a.Irregular)
		}
		if a.Confirmed != nil && !*a.Confirmed {
			odd = append(odd, a.Engine+": the lower bound did not pass a second time")
		}
		if doubt := a.Doubt(); doubt != "" {
			odd = append(odd, a.Engine+": "+doubt)
		}
		below := beaten(a, shown)
		if len(below) > 0 {
			level = reports.Seen
			below[0] = "seen above " + below[0]
		}
		rows = append(rows, reports.FindingRow{Name: a.Engine, Label: a.Engine, Cells: []reports.FindingCell{{Text: boundsText(a)}}, Verdict: join(below)})
	}
	ends := slices.SortedStableFunc(slices.Values(shown), func(a, b record.Capacity) int { return cmp.Compare(b.LowerRPS, a.LowerRPS) })
	title := ends[0].Engine + " " + boundsText(ends[0])
	if low := ends[len(ends)-1]; len(ends) > 1 {
		title += " and " + low.Engine + " " + boundsText(low)
	}
	return []reports.Finding{{
		Level: level, Charts: []string{"bounds"}, Columns: []string{"requests"}, Rows: rows, Title: "Requests of HTTP within a p99 of 5 ms: " + title,
		Text: sentences(list("Odd", odd), "64 connections, Poisson arrivals; one search for each, which gives bounds and no interval: seen, and no claim."),
	}}
}

// beaten lists the engines whose upper bound lies below a's lower one.
func beaten(a record.Capacity, shown []record.Capacity) (names []string) {
	for _, b := range shown {
		if confirmed(a) && !a.LowerUnsure && b.UpperRPS > 0 && !b.UpperUnsure && a.LowerRPS > b.UpperRPS {
			names = append(names, b.Engine)
		}
	}
	return names
}

func confirmed(c record.Capacity) bool { return c.Confirmed != nil && *c.Confirmed }

func boundsText(c record.Capacity) string {
	low, high := unit.PerSecond.Format(c.LowerRPS), unit.PerSecond.Format(c.UpperRPS)
	switch {
	case c.LowerRPS == 0 && c.UpperRPS == 0:
		return "nothing at any rate"
	case c.LowerRPS == 0:
		return "less than " + high
	case c.UpperRPS == 0:
		return low + " or more"
	}
	return fmt.Sprintf("%s to %s", low, high)
}

func list(head string, parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return head + ": " + join(parts) + "."
}

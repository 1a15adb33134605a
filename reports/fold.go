package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"turnlab/reports/chart"
)

// dense leaves out drawings in which most cells have no figure, and says in a sentence which they are and why: a page of
// empty squares says less, and takes a screen for it.
func dense(figures []figure, title string) (kept []figure, left string) {
	var names []string
	why := map[string]int{}
	for _, f := range figures {
		if f.Chart.Heat == nil || !sparse(f.Chart.Heat) {
			kept = append(kept, f)
			continue
		}
		names = append(names, strings.TrimPrefix(f.Chart.Title, title+", "))
		for reason, n := range reasonsOf(f.Chart.Heat) {
			why[reason] += n
		}
	}
	if names == nil {
		return kept, ""
	}
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		reasons = append(reasons, fmt.Sprintf("%s: %d", reason, why[reason]))
	}
	return kept, fmt.Sprintf("Not drawn for %s: most cells have no figure (%s).", listed(names), strings.Join(reasons, ", "))
}

// dropPlaces leaves out the line charts of which only one place on the axis was measured, and says so: a row for each engine
// beside a title that promises a course says nothing of it. Where nothing else was drawn they stay.
func (x *exhibit) dropPlaces() {
	place := func(p exhibitPlot) bool {
		return p.Kind == Lines && !slices.ContainsFunc(p.Figures, func(f figure) bool { return !f.Chart.Rows })
	}
	if !slices.ContainsFunc(x.plots, func(p exhibitPlot) bool { return len(p.Figures) > 0 && !place(p) }) {
		return
	}
	for i := range x.plots {
		if p := &x.plots[i]; len(p.Figures) > 0 && place(*p) {
			p.Figures, p.Left = nil, "Only one value of "+axisLabel(p.X)+" was measured."
		}
	}
}

// sparse reports whether less than half of the cells that were planned have a figure that counts.
func sparse(h *chart.Heat) bool {
	planned, without := 0, 0
	for _, row := range h.Cells {
		for _, tile := range row {
			if tile.Text != "" || tile.Doubt != "" {
				planned++
			}
		}
	}
	for _, n := range reasonsOf(h) {
		without += n
	}
	return 2*without > planned
}

// reasonsOf counts the cells without a figure that counts, by the reason, as a sentence says it.
func reasonsOf(h *chart.Heat) map[string]int {
	count := map[string]int{}
	for _, row := range h.Cells {
		for _, tile := range row {
			switch tile.Doubt {
			case "":
			case "too few":
				count["too few requests"]++
			default:
				count[tile.Doubt]++
			}
		}
	}
	return count
}

// empty reports whether there is nothing to draw of an experiment. The section of such a one would only say so.
func (x *exhibit) empty() bool {
	return !slices.ContainsFunc(x.plots, func(p exhibitPlot) bool { return len(p.Figures) > 0 })
}

// absent says in a line which drawings there are not, and why.
func (x *exhibit) absent() string {
	var unmeasured []string
	text := ""
	for _, p := range x.plots {
		switch {
		case len(p.Figures) > 0:
		case p.Left != "":
			text += " " + p.Title + ": " + strings.ToLower(p.Left[:1]) + p.Left[1:]
		default:
			unmeasured = append(unmeasured, p.Title)
		}
	}
	if unmeasured != nil {
		text = "Not measured in this run: " + strings.Join(unmeasured, "; ") + "." + text
	}
	return strings.TrimSpace(text)
}

// onPage sorts what the page shows of an experiment.
func (x *exhibit) onPage() pageExhibit {
	out := pageExhibit{
		Experiment: x.Experiment, ID: slug("experiment", x.Name), Said: x.findings, Absent: x.absent(), Tables: x.tables(), Fixed: fixed(x.digest, ""),
	}
	for _, p := range x.plots {
		switch {
		case len(p.Figures) == 0:
		case p.More:
			out.More = append(out.More, p)
		default:
			out.Plots = append(out.Plots, p)
		}
	}
	return out
}

// MoreTitles lists what is folded away.
func (x pageExhibit) MoreTitles() string {
	var titles []string
	for _, p := range x.More {
		titles = append(titles, p.Title)
	}
	return strings.Join(titles, "; ")
}

// unseen lists the experiments of which there is nothing to draw.
func (r *report) unseen() []string {
	var names []string
	for _, x := range r.exhibits {
		if x.empty() {
			names = append(names, x.Name)
		}
	}
	return names
}

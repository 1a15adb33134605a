package reports

import (
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/chart"
	"turnlab/reports/digest"
)

// chooseLooks gives everything that is drawn its look, by its name: what is called the same looks the same on the whole page.
// Engines come first in it, by their labels, for keys and tables.
func (r *report) chooseLooks() {
	kinds := map[string]chart.Kind{}
	for _, label := range r.digest.Labels {
		kinds[label] = r.kind(label, "")
	}
	for _, s := range r.shown() {
		for _, p := range s.Panels {
			for _, line := range p.Series {
				if _, known := kinds[line.Name]; !known || !s.rows {
					kinds[line.Name] = r.kind(line.Label, s.told(p, line))
				}
			}
		}
	}
	var all []chart.Kind
	for _, k := range kinds {
		all = append(all, k) // in any order: Looks sorts them
	}
	looks := chart.Looks(all)
	for name, k := range kinds {
		r.looks[name] = looks[k]
	}
}

// A shownSection is what a chart is made from.
type shownSection struct {
	digest.Section
	rows bool // in which each series stands beside its name
}

// told is the setting that a series is told from others by. In rows names tell the ways to do an operation apart; a finding
// calls these by names of its own, and beside both stands the engine's marker.
func (s shownSection) told(p digest.Panel, line digest.Series) string {
	if s.rows && p.Mode == record.Primitive {
		return ""
	}
	return line.Setting
}

// shown lists the sections that charts are made from.
func (r *report) shown() []shownSection {
	var all []shownSection
	for _, s := range r.rest.Sections {
		all = append(all, shownSection{Section: s})
	}
	for _, x := range r.exhibits {
		for _, p := range x.Plots {
			if p.Kind != Bounds && p.Kind != Gantt {
				all = append(all, shownSection{x.digest.Select(p.Where, p.X, p.Y), p.Kind == Bars || p.Kind == Strips})
			}
		}
	}
	return all
}

// kind returns what an engine, or a setting of one, is drawn as. Of two runs the first looks as it does alone.
func (r *report) kind(label, setting string) chart.Kind {
	for i, run := range r.runs {
		mark := record.LabelInRun("", run)
		plain, ok := strings.CutSuffix(label, mark)
		switch {
		case !ok:
		case i == 0:
			return chart.Kind{Label: plain, Setting: setting}
		default:
			return chart.Kind{Label: plain, Setting: strings.TrimSpace(setting + mark)}
		}
	}
	return chart.Kind{Label: label, Setting: setting}
}

// look returns how a series is drawn.
func (il illustrator) look(s digest.Series) chart.Look {
	if k, ok := il.looks[s.Name]; ok {
		return k
	}
	return il.looks[s.Label]
}

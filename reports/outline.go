package reports

import (
	"fmt"
	"slices"
	"strings"

	"turnlab/harness/record"
	"turnlab/reports/digest"
)

// What the page, the terminal and Markdown have in common is here, so that they say the same.

// panelName names a panel within its workload: "closed loop, payload 64 B".
func panelName(p digest.Panel) string {
	name := p.Mode + " loop"
	if text := p.Text(); text != "" {
		name += ", " + text
	}
	return name
}

// trialsLine says how many trials there are and how many are valid.
func (r *report) trialsLine() string {
	d := r.digest
	c := count(d.Trials)
	text := plural(c.Trials, "trial") + " in " + plural(d.Run.Blocks, "block")
	if c.Trials > c.Valid {
		text += fmt.Sprintf(", %d of them valid", c.Valid)
	}
	return text
}

func machineLine(h record.Host) string {
	parts := []string{h.CPU, plural(h.CPUs, "CPU"), h.Go}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// figureAndBound writes what a check measured and what it should have kept.
func (c check) figureAndBound() string {
	if c.Figure == "" {
		return ""
	}
	return c.Figure + " (bound " + c.Bound + ")"
}

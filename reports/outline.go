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
	name := loopName(p.Mode)
	if text := p.Text(); text != "" {
		name += ", " + text
	}
	return name
}

// loopName says how load was made: "open loop".
func loopName(mode string) string {
	if mode == record.Primitive {
		return "one operation, repeated"
	}
	return mode + " loop"
}

// trialsLine says how many trials there are, how many are valid, and how many of these are in doubt.
func (r *report) trialsLine() string {
	text, doubts := r.trialsText()
	if doubts != "" {
		text += ", " + doubts
	}
	return text
}

// trialsText is trialsLine in two parts.
func (r *report) trialsText() (text, doubts string) {
	d := r.digest
	c := count(d.Trials)
	text = plural(c.Trials, "trial") + " in " + blocksText(d)
	if c.Trials > c.Valid {
		text += fmt.Sprintf(", %d of them valid", c.Valid)
	}
	if c.Warned > 0 {
		doubts = fmt.Sprintf("%d of these with a warning", c.Warned)
	}
	return text, doubts
}

func machineLine(h record.Host) string {
	parts := []string{h.CPU, plural(h.CPUs, "CPU"), h.Go}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// figureAndBound writes what a check measured and what it should have kept. A unit of words ("of its CPUs") is said once.
func (c check) figureAndBound() string {
	if c.Figure == "" {
		return ""
	}
	bound := c.Bound
	if strings.Contains(c.unit, " ") {
		bound = strings.TrimSuffix(bound, " "+c.unit)
	}
	return c.Figure + " (bound " + bound + ")"
}

// head sums a check up in a line: "client_limited, 3 times: 0.9 of its CPUs (bound 0.8)".
func (c check) head() string {
	text := "once"
	if c.Count > 1 {
		text = fmt.Sprintf("%d times", c.Count)
	}
	if c.Code != c.Level {
		text = c.Code + ", " + text
	}
	if figure := c.figureAndBound(); figure != "" {
		text += ": " + figure
	}
	return text
}

// blocksText says how many blocks there are: those of the parts of a run may differ.
func blocksText(d *digest.Digest) string {
	least, most := d.Blocks()
	if least < most && least > 0 {
		return fmt.Sprintf("%d to %d blocks", least, most)
	}
	return plural(most, "block")
}

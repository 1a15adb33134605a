package reports

import (
	"slices"
	"strings"
)

// A Finding is a claim that the data supports, and the figures that it is made from. Whoever makes findings has done the
// statistics; reports only show them.
type Finding struct {
	Level  string   // one of the levels below
	Title  string   // the claim, in one short sentence
	Text   string   // how sure, under which conditions
	Charts []string // IDs of the experiment's plots, or names of files in charts without their ending
	// Experiment is the question that it answers, if it answers one's.
	Experiment string
	// Columns name what the cells of Rows hold. Without rows there are none.
	Columns []string
	Rows    []FindingRow
}

// A FindingRow is what a finding says of one engine.
type FindingRow struct {
	Name    string
	Label   string // the engine's, which tells its marker
	Cells   []FindingCell
	Verdict string // one of those below, or which rows are surpassed; empty for what the others are held against
}

// A FindingCell is a figure, and its interval or range if there is one.
type FindingCell struct{ Text, Spread string }

// Levels of a finding.
const (
	Claim = "claim" // a difference that every test let pass
	Seen  = "seen"  // what lay far apart in too few trials for any test: an observation, and no claim
	Open  = "open"  // no difference was shown, which does not mean that there is none
	Limit = "limit" // what was not measured, or cannot be told
)

// Verdicts of a row.
const (
	Higher      = "higher"
	Lower       = "lower"
	FarAbove    = "seen far above" // in too few blocks for a claim
	FarBelow    = "seen far below"
	NotShown    = "no difference shown"
	FarInTwo    = "far apart, n 2" // as far as what is seen, in two trials of one
	TooFew      = "too few blocks" // to tell
	OneTrial    = "one valid trial"
	OneBlock    = "one common block"
	NotTogether = "no common block" // with what it would be compared with
	NoRatio     = "no ratio"        // because a figure is not above 0
)

// Sentence is the title with a full stop, for where text follows it on its line.
func (f Finding) Sentence() string {
	if f.Text == "" || strings.HasSuffix(f.Title, ".") || strings.HasSuffix(f.Title, "?") {
		return f.Title
	}
	return f.Title + "."
}

// table returns the rows for any kind of output. The last so many columns of figures have their spreads in their text, for
// outputs that cannot set them apart.
func (f Finding) table(spreads int) dataTable {
	t := dataTable{Columns: []column{{Name: "engine", Text: true}}}
	for _, name := range f.Columns {
		t.Columns = append(t.Columns, column{Name: name})
	}
	t.Columns = append(t.Columns, column{Name: "told apart", Text: true})
	for _, r := range f.Rows {
		row := []cell{{Text: r.Name, Label: r.Label}}
		for i, c := range r.Cells {
			text := c.Text
			if c.Spread != "" && i >= len(r.Cells)-spreads {
				text += " (" + c.Spread + ")"
			}
			row = append(row, cell{Text: text, Small: c.Spread})
		}
		t.Rows = append(t.Rows, append(row, textCell(r.Verdict)))
	}
	return t
}

// within returns the table with as many spreads as fit into a width. If it is too wide without any, it loses its last columns,
// down to two of figures.
func (f Finding) within(width int) dataTable {
	for spreads := len(f.Columns); spreads > 0; spreads-- {
		if t := f.table(spreads); t.width() <= width {
			return t
		}
	}
	t := f.table(0)
	for n := len(f.Columns) - 1; n >= 2 && t.width() > width; n-- {
		t = f.first(n).table(0)
	}
	return t
}

// first returns the finding with its first n columns of figures.
func (f Finding) first(n int) Finding {
	f.Columns, f.Rows = f.Columns[:n], slices.Clone(f.Rows)
	for i, r := range f.Rows {
		f.Rows[i].Cells = r.Cells[:min(n, len(r.Cells))]
	}
	return f
}

// crowdedColumns is how many columns of figures a narrow page cannot set beside each other.
const crowdedColumns = 5

// Crowded reports whether a narrow page lays the figures of a row out in several lines, each with its head.
func (f Finding) Crowded() bool { return len(f.Columns) >= crowdedColumns }

// Table is what the page shows.
func (f Finding) Table() dataTable { return f.table(0) }

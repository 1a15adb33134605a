package reports

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"turnlab/harness/record"
	"turnlab/internal/lines"
	"turnlab/reports/digest"
)

// TerminalOptions say how text for a terminal looks.
type TerminalOptions struct {
	Color bool // see WantsColor
	Options
}

// terminalWidth is what every terminal, CI log and mail shows without breaking lines.
const terminalWidth = 80

// columnGap is the room between columns.
const columnGap = 2

// terminalPlaces is the number of values of an axis that the terminal shows; the page has all.
const terminalPlaces = 4

// WantsColor reports whether w is a terminal whose user has not asked for plain text (NO_COLOR, or a dumb terminal).
func WantsColor(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// Terminal writes the same findings, checks and medians as the page, for at most 80 columns. It reads well in a log: no
// cursor movements, and colour is only ever a second sign.
func Terminal(w io.Writer, run *record.Run, trials []record.Trial, opts TerminalOptions) error {
	r := newReport(run, trials, opts.Options)
	t := &terminal{color: opts.Color}
	t.wrapIn(strong, "", r.title())
	t.wrap("", r.trialsLine()+"; on "+machineLine(run.Host))
	t.wrap("", r.verdict())
	t.key(r.key())
	for _, f := range r.findings {
		t.line(plain, "")
		t.wrapIn(strong, "", f.Title)
		if len(f.Rows) > 0 {
			t.told(f.within(terminalWidth))
		}
		t.wrap("", f.Text)
	}
	for _, x := range r.exhibits {
		t.exhibit(x)
	}
	for _, s := range r.rest.Sections {
		for _, p := range s.Panels {
			t.panel(r.rest, s, p)
		}
		if f, ok := (illustrator{digest: r.rest, section: s, looks: r.looks}).bounds(); ok {
			t.bounds(f)
		}
	}
	t.checks(r)
	_, err := io.WriteString(w, t.text.String())
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// A terminal collects lines.
type terminal struct {
	text  strings.Builder
	color bool
}

// A tone is how strongly a line speaks, as a terminal's escape code.
type tone string

const (
	plain  tone = ""
	strong tone = "1"
	faint  tone = "2"
	red    tone = "31"
	yellow tone = "33"
)

func (t *terminal) line(tone tone, text string) {
	t.text.WriteString(strings.TrimRight(t.paint(tone, text), " ") + "\n")
}

func (t *terminal) paint(tone tone, text string) string {
	if !t.color || tone == plain || text == "" {
		return text
	}
	return "\x1b[" + string(tone) + "m" + text + "\x1b[0m"
}

// wrap breaks text between words; a word that is longer than a line is broken where the line ends.
func (t *terminal) wrap(indent, text string) { t.wrapIn(plain, indent, text) }

func (t *terminal) wrapIn(tone tone, indent, text string) {
	if strings.TrimSpace(text) != "" {
		t.hang(tone, indent, indent, text)
	}
}

// hang writes text after a head; what does not fit into its line follows below, set in.
func (t *terminal) hang(tone tone, head, indent, text string) {
	first, rest := terminalWidth-utf8.RuneCountInString(head), terminalWidth-utf8.RuneCountInString(indent)
	for i, line := range lines.Wrap(printable(text), first, rest) {
		if i > 0 {
			head = indent
		}
		t.line(tone, head+line)
	}
}

func cut(text string, n int) (head, tail string) {
	runes := []rune(text)
	return string(runes[:n]), string(runes[n:])
}

// printable replaces control characters: text from records must not move the cursor or change colours.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// keyNameMost is how much of a line the name of an engine may take.
const keyNameMost = 30

// key writes a line for each engine and setting: who decides under it.
func (t *terminal) key(list []engineKey) {
	if len(list) == 0 {
		return
	}
	t.line(plain, "")
	t.line(faint, "Who decides")
	widest := 0
	for _, k := range list {
		widest = max(widest, min(keyNameMost, utf8.RuneCountInString(k.Name)))
	}
	for _, k := range list {
		name := short(printable(k.Name), widest)
		gap := strings.Repeat(" ", widest-utf8.RuneCountInString(name)+columnGap)
		t.line(plain, name+gap+inBrief(printable(k.Decides), terminalWidth-widest-columnGap))
	}
}

// told writes the rows of a finding: names at the left, figures and verdicts at the right.
func (t *terminal) told(table dataTable) { t.columns(table.lines(), 0) }

// terminalRowsMost bounds the table of an experiment; the page has all.
const terminalRowsMost = 32

// exhibit writes an experiment's question and the figures of its first drawing that is a table of medians.
func (t *terminal) exhibit(x *exhibit) {
	t.line(plain, "")
	t.wrapIn(strong, "", x.Name+": "+x.Question)
	for _, p := range x.Plots {
		if p.Kind != Bounds {
			continue
		}
		for _, f := range x.bounds(p) {
			t.bounds(f)
		}
	}
	for _, table := range x.tables() {
		shown, before := table.Table.last(terminalRowsMost)
		if before > 0 {
			table.Name += fmt.Sprintf("; %d rows before these are in %s", before, PageFile)
		}
		t.wrapIn(faint, "", table.Name)
		if !table.Counts {
			t.line(plain, "no trial of these counts; see the checks below")
			continue
		}
		shown = shown.brief(terminalWidth)
		t.columns(shown.lines(), shown.Lead()-1)
	}
	for _, p := range x.Plots {
		for _, note := range x.notes(p) {
			t.wrap("", p.Title+", "+note)
		}
	}
}

// bounds writes what searches for capacities found, at every service level. The last column is doubts, which are sentences.
func (t *terminal) bounds(f figure) {
	t.wrapIn(faint, "", f.Chart.Title)
	rows, last := f.Table.lines(), len(f.Table.Columns)-1
	for i := range rows {
		rows[i] = rows[i][:last]
	}
	t.columns(rows, f.Table.Lead()-1)
	for _, row := range f.Table.Rows {
		if doubts := row[last].Text; doubts != "–" {
			t.wrap("", row[0].Text+", "+row[1].Text+": "+doubts)
		}
	}
}

// lines returns the table as text. What a row has in common with the one above it is not repeated.
func (t dataTable) lines() [][]string {
	rows := [][]string{{}}
	for _, c := range t.Columns {
		rows[0] = append(rows[0], c.Name)
	}
	lead := t.Lead() - 1
	for i, line := range t.Rows {
		var row []string
		for _, c := range line {
			row = append(row, printable(c.Text))
		}
		same := func(a, b cell) bool { return a.Text == b.Text }
		if i > 0 && slices.EqualFunc(line[:lead], t.Rows[i-1][:lead], same) {
			copy(row, make([]string, lead))
		}
		rows = append(rows, row)
	}
	return rows
}

// panel writes the medians of the charted metrics.
func (t *terminal) panel(d *digest.Digest, s digest.Section, p digest.Panel) {
	t.line(plain, "")
	t.wrapIn(strong, "", s.Workload+", "+panelName(p))
	if p.Mode == record.Closed {
		t.line(faint, "latency is service time: a closed loop does not see all waiting")
	}
	var metrics []digest.Metric
	for _, m := range measuredMetrics(d, p) {
		if m.Chart {
			metrics = append(metrics, m)
		}
	}
	places := p.Representative(terminalPlaces)
	rows := [][]string{{terminalAxis(s), "engine"}}
	for _, m := range metrics {
		rows[0] = append(rows[0], m.Short)
	}
	rows[0] = append(rows[0], "n")
	for _, x := range places {
		rows = append(rows, terminalRows(d, s, p, metrics, x)...)
	}
	t.columns(rows, 1)
	if hidden := len(p.Values()) - len(places); hidden > 0 {
		t.line(faint, fmt.Sprintf("%d more values of %s are in %s", hidden, s.Axis.Name, PageFile))
	}
}

func terminalAxis(s digest.Section) string {
	if s.Axis.Name == "" {
		return ""
	}
	return s.Axis.Name[strings.LastIndex(s.Axis.Name, ".")+1:]
}

func terminalRows(d *digest.Digest, s digest.Section, p digest.Panel, metrics []digest.Metric, x digest.Value) [][]string {
	var rows [][]string
	for _, series := range p.Series {
		c, ok := series.At(x)
		if !ok {
			continue
		}
		name := ""
		if len(rows) == 0 {
			name = digest.Setting{Name: s.Axis.Name, Value: x}.Text()
		}
		row := []string{name, printable(series.Name)}
		for _, m := range metrics {
			row = append(row, m.Unit.Format(d.Summarise(c, m).Median))
		}
		n := fmt.Sprint(len(c.Valid()))
		if len(c.Valid()) < len(c.Trials) {
			n += "/" + fmt.Sprint(len(c.Trials))
		}
		rows = append(rows, append(row, n))
	}
	return rows
}

// columns writes a table: numbers to the right, one column of names to the left and shortened when lines get too long.
func (t *terminal) columns(rows [][]string, names int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	total := columnGap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	widths[names] = max(min(8, widths[names]), widths[names]-max(0, total-terminalWidth))
	for i, row := range rows {
		var line strings.Builder
		for j, text := range row {
			text = short(text, widths[j])
			pad := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(text))
			if j > 0 {
				line.WriteString(strings.Repeat(" ", columnGap))
			}
			if j == names {
				line.WriteString(text + pad)
			} else {
				line.WriteString(pad + text)
			}
		}
		tone := plain
		if i == 0 {
			tone = faint
		}
		t.line(tone, line.String())
	}
}

// short cuts text to n columns and says so.
func short(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	head, _ := cut(text, n-1)
	return head + "…"
}

// checkIndent stands below the level of a check.
const checkIndent = "         "

func (t *terminal) checks(r *report) {
	if len(r.digest.Trials) == 0 && len(r.checks) == 0 {
		return
	}
	t.line(plain, "")
	t.line(strong, "Checks")
	if len(r.checks) == 0 {
		t.line(plain, "all "+plural(len(r.digest.Trials), "trial")+" are valid, and none raised a flag")
	}
	for _, c := range r.checks {
		tone := yellow
		if c.Level != record.Warn {
			tone = red
		}
		t.hang(tone, fmt.Sprintf("%-7s  ", c.Level), checkIndent, c.head())
		t.wrap(checkIndent, c.Advice)
	}
	for _, note := range r.digest.Run.Notes {
		t.wrap("", "note: "+note)
	}
}

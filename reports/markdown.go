package reports

import (
	"fmt"
	"io"
	"strings"
)

// markdown writes the report as GitHub and most wikis show it: findings, charts by reference to the files that Write made,
// medians, checks and how to repeat it.
func (r *report) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", mdText(r.title()), mdText(r.verdict()))
	for _, f := range r.facts() {
		value := f.Value
		if f.Doubts != "" {
			value += ", " + f.Doubts
		}
		fmt.Fprintf(&b, "- %s: %s\n", f.Name, mdText(value))
	}
	for _, f := range r.findings {
		fmt.Fprintf(&b, "\n**%s** %s\n", mdText(f.Sentence()), mdText(f.Text))
		if len(f.Rows) > 0 {
			mdTable(&b, f.table(len(f.Columns)))
		}
	}
	for _, x := range r.exhibits {
		if !x.empty() {
			x.markdown(&b)
		}
	}
	for i, s := range r.rest.Sections {
		fmt.Fprintf(&b, "\n## %s\n", mdText(s.Workload))
		for j, p := range s.Panels {
			name := panelName(p)
			fmt.Fprintf(&b, "\n### %s\n\n", mdText(strings.ToUpper(name[:1])+name[1:]))
			if j < len(r.figures[i]) {
				for _, f := range r.figures[i][j] {
					fmt.Fprintf(&b, "![%s](%s/%s.svg)\n", mdText(f.Chart.Alt), ChartDir, f.Chart.ID)
				}
			}
			mdTable(&b, medians(r.rest, s, p))
		}
	}
	r.mdChecks(&b)
	fmt.Fprintf(&b, "\n## Repeat it\n\n%s\n", mdCode(shellLine(r.digest.Run.Command)))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}

// markdown writes an experiment: its question, its drawings, its figures, and what it cannot tell.
func (x *exhibit) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s: %s\n", mdText(x.Name), mdText(x.Question))
	for _, p := range x.plots {
		if len(p.Figures) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n%s\n\n", mdText(p.Title), mdText(p.Note))
		for _, f := range p.Figures {
			fmt.Fprintf(b, "![%s](%s/%s.svg)\n", mdText(f.Chart.Alt), ChartDir, f.Chart.ID)
		}
		if p.Left != "" {
			fmt.Fprintf(b, "\n%s\n", mdText(p.Left))
		}
		for _, note := range p.Notes {
			fmt.Fprintf(b, "\n%s\n", mdText(note))
		}
	}
	if text := x.absent(); text != "" {
		fmt.Fprintf(b, "\n%s\n", mdText(text))
	}
	for _, t := range x.tables() {
		mdTable(b, t.Table)
	}
	for _, f := range []fact{{"Held fixed", x.Held}, {"Limits", x.Limits}} {
		if f.Value != "" {
			fmt.Fprintf(b, "\n%s: %s\n", f.Name, mdText(f.Value))
		}
	}
	if len(x.Next) > 0 {
		fmt.Fprintf(b, "\nTo try next:\n\n%s\n", mdCode(strings.Join(x.Next, "\n")))
	}
}

func (r *report) mdChecks(b *strings.Builder) {
	t := dataTable{Columns: []column{{Name: "level", Text: true}, {Name: "flag", Text: true}, {Name: "count"},
		{Name: "figure", Text: true}, {Name: "what it means and what to do", Text: true}}}
	for _, c := range r.checks {
		t.Rows = append(t.Rows, []cell{textCell(c.Level), textCell(c.Code), textCell(fmt.Sprint(c.Count)),
			textCell(c.figureAndBound()), textCell(c.Advice)})
	}
	b.WriteString("\n## Checks\n")
	if names := r.unseen(); names != nil {
		fmt.Fprintf(b, "\nNot measured, or no trial of it counts: %s.\n", mdText(strings.Join(names, ", ")))
	}
	if len(t.Rows) == 0 {
		b.WriteString("\nNo trial raised a flag.\n")
	} else {
		mdTable(b, t)
	}
	b.WriteString("\n")
	for _, note := range r.digest.Run.Notes {
		fmt.Fprintf(b, "- %s\n", mdText(note))
	}
}

func mdTable(b *strings.Builder, t dataTable) {
	b.WriteString("\n|")
	for _, c := range t.Columns {
		b.WriteString(" " + mdText(c.Name) + " |")
	}
	b.WriteString("\n|")
	for _, c := range t.Columns {
		b.WriteString(map[bool]string{true: ":--|", false: "--:|"}[c.Text])
	}
	b.WriteString("\n")
	for _, row := range t.Rows {
		b.WriteString("|")
		for _, c := range row {
			b.WriteString(" " + mdText(c.Text) + " |")
		}
		b.WriteString("\n")
	}
}

// mdText makes text mean itself: no markup, no tables, no HTML, one line.
func mdText(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, `\`, `\\`,
	).Replace(text)
}

// mdCode fences code with more backticks than it has in a row.
func mdCode(code string) string {
	fence := "```"
	for strings.Contains(code, fence) {
		fence += "`"
	}
	return fence + "\n" + code + "\n" + fence
}

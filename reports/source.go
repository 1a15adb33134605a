package reports

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"html"
	"html/template"
	"slices"
	"strings"
)

// A Source is the code of an engine: Go files that carry out the ops of sessions.
type Source struct {
	Label string // of the engine
	Files []string
}

// sourceOps are what engines carry out, in the order in which they are laid side by side. The loop is what asks a session for
// its ops.
var sourceOps = []struct{ op, means string }{
	{"", "The loop: ask the session what to do, and do it"},
	{"Read", "Read: wait for input"},
	{"Sleep", "Sleep: wait for a time"},
	{"Burn", "Burn: compute"},
	{"Call", "Call: ask other servers"},
	{"Receive", "Receive: wait for a message or for input"},
}

// A sourceRow is one op in all engines.
type sourceRow struct {
	Means string
	Cells []sourceCell
}

// A sourceCell is how engines carry out an op: those that have the same code.
type sourceCell struct {
	Labels []string
	Code   template.HTML
}

// Key is the engine to hide the cell with, when it is one's alone.
func (c sourceCell) Key() string {
	if len(c.Labels) == 1 {
		return c.Labels[0]
	}
	return ""
}

// sideBySide cuts the sources by op. An engine without sources, or whose code of an op cannot be found, is left out of the
// row: a page of results must not fail for its illustrations.
func sideBySide(sources []Source) []sourceRow {
	var rows []sourceRow
	for _, op := range sourceOps {
		row := sourceRow{Means: op.means}
		place := map[string]int{} // of code among the cells
		for _, s := range sources {
			code := cutOp(s.Files, op.op)
			if code == "" {
				continue
			}
			i, seen := place[code]
			if !seen {
				i = len(row.Cells)
				place[code] = i
				row.Cells = append(row.Cells, sourceCell{Code: highlight(code)})
			}
			row.Cells[i].Labels = append(row.Cells[i].Labels, s.Label)
		}
		if len(row.Cells) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// loops are the names that the function has which asks a session for its ops.
var loops = []string{"drive", "serve", "Poll"}

// cutOp returns the code of an op: the method that carries it out, or else its case in the switch over ops.
func cutOp(files []string, op string) string {
	parts := parse(files)
	if op != "" {
		if code := find(parts, strings.ToLower(op[:1])+op[1:]); code != "" {
			return code
		}
		return caseOf(parts, op)
	}
	code := ""
	for _, name := range loops {
		if code = find(parts, name); code != "" {
			break
		}
	}
	if turn := switchOf(parts); turn != "" && turn != code {
		code += "\n\n" + turn
	}
	return strings.TrimSpace(code)
}

// A part is a function of a file.
type part struct {
	text string // of the file
	decl *ast.FuncDecl
	base int // of the file's positions
}

func parse(files []string) []part {
	var parts []part
	for _, text := range files {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, "", text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				parts = append(parts, part{text, fn, set.File(f.Pos()).Base()})
			}
		}
	}
	return parts
}

// cut returns the text between two places of the part's file.
func (p part) cut(from, to token.Pos) string { return p.text[int(from)-p.base : int(to)-p.base] }

func (p part) String() string {
	from := p.decl.Pos()
	if p.decl.Doc != nil {
		from = p.decl.Doc.Pos()
	}
	return p.cut(from, p.decl.End())
}

// find returns the first method of a name.
func find(parts []part, name string) string {
	for _, p := range parts {
		if p.decl.Recv != nil && p.decl.Name.Name == name {
			return p.String()
		}
	}
	return ""
}

// caseOf returns the case of an op.
func caseOf(parts []part, op string) (code string) {
	for _, p := range parts {
		ast.Inspect(p.decl, func(n ast.Node) bool {
			if c, ok := n.(*ast.CaseClause); ok && code == "" && isOp(c, op) {
				code = dedent(p.cut(c.Pos(), c.End()))
			}
			return code == ""
		})
	}
	return code
}

// switchOf returns the function that tells ops apart.
func switchOf(parts []part) string {
	for _, p := range parts {
		if strings.Contains(p.cut(p.decl.Pos(), p.decl.End()), "case workloads.Read:") {
			return p.String()
		}
	}
	return ""
}

func isOp(c *ast.CaseClause, op string) bool {
	return slices.ContainsFunc(c.List, func(e ast.Expr) bool {
		sel, ok := e.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == op
	})
}

// dedent takes the tabs away that the lines after the first have in common with the last.
func dedent(code string) string {
	lines := strings.Split(code, "\n")
	last := lines[len(lines)-1]
	tabs := max(0, len(last)-len(strings.TrimLeft(last, "\t"))-1)
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, last[:tabs])
	}
	return strings.Join(lines, "\n")
}

// highlight marks keywords, comments and literals, so that a page can colour them without a script.
func highlight(code string) template.HTML {
	set := token.NewFileSet()
	file := set.AddFile("", set.Base(), len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), nil, scanner.ScanComments)
	var out strings.Builder
	at := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		class := ""
		switch {
		case tok == token.COMMENT:
			class = "c"
		case tok.IsKeyword():
			class = "k"
		case tok == token.STRING || tok == token.CHAR || tok == token.INT || tok == token.FLOAT:
			class = "l"
		}
		if class == "" {
			continue
		}
		from := file.Offset(pos)
		out.WriteString(html.EscapeString(code[at:from]))
		at = from + len(lit)
		out.WriteString(`<i class="` + class + `">` + html.EscapeString(code[from:at]) + "</i>")
	}
	out.WriteString(html.EscapeString(code[at:]))
	return template.HTML(out.String())
}

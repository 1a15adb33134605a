package reports

import (
	"strings"
	"testing"
)

const tinyEngine = `package tiny

// drive asks "what" & does it.
func (c *conn) drive() {
	switch op.Kind {
	case workloads.Read:
		c.read()
	case workloads.Sleep:
		time.Sleep(op.Wait) // <1 ms
	}
}

// read waits.
func (c *conn) read() bool { return 1 < 2 }

func read() {}
`

func TestCodeIsCutByWhatItCarriesOut(t *testing.T) {
	for op, want := range map[string]string{
		"":      "// drive asks",
		"Read":  "// read waits.\nfunc (c *conn) read() bool { return 1 < 2 }",
		"Sleep": "case workloads.Sleep:\n\ttime.Sleep(op.Wait)",
		"Burn":  "",
	} {
		if got := cutOp([]string{"no Go", tinyEngine}, op); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q is\n%s\nwant\n%s", op, got, want)
		}
	}
}

func TestEnginesStandSideBySideAndSameCodeIsShownOnce(t *testing.T) {
	rows := sideBySide([]Source{{"one", []string{tinyEngine}}, {"two", []string{tinyEngine}}, {"none", nil}})
	if len(rows) != 3 || len(rows[0].Cells) != 1 || strings.Join(rows[0].Cells[0].Labels, " ") != "one two" {
		t.Fatalf("%d rows: %+v", len(rows), rows)
	}
	code := string(rows[0].Cells[0].Code)
	for _, want := range []string{`<i class="k">func</i>`, `<i class="c">// drive asks &#34;what&#34; &amp; does it.</i>`, `<i class="c">// &lt;1 ms</i>`} {
		if !strings.Contains(code, want) {
			t.Errorf("%s is not in %s", want, code)
		}
	}
}

package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axePath is where `npm install --no-save axe-core` in the repository's root puts the checker. It is used by this test alone.
const axePath = "../node_modules/axe-core/axe.min.js"

func TestAxeFindsNoSeriousViolation(t *testing.T) {
	path := axePath
	if set := os.Getenv("TURNLAB_AXE"); set != "" {
		path = set
	}
	axe, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Skip("axe-core is not installed: accessibility was not checked (npm install --no-save axe-core)")
	}
	b := openTab(t)
	for _, fixture := range []string{"experiments", "oddities"} { // they have everything that a page can have
		for paper, rules := range map[string]string{"light": "", "dark": `, runOnly: ["color-contrast"]`} {
			b.show(fixture, "", 1280, paper)
			js[int](b, `[...document.querySelectorAll("details")].map((d) => { d.open = true; }).length`)
			js[bool](b, string(axe)+"; true") // the page's policy does not bind the debugger
			// One section of the oddities is large and like the others.
			found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run({exclude: [["#workload-many"]]}, {resultTypes: ["violations"]`+rules+`}).then((r) => r.violations
				.filter((v) => v.impact === "serious" || v.impact === "critical")
				.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")))`, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 {
				t.Errorf("%s, on %s paper:\n%s", fixture, paper, strings.Join(found, "\n"))
			}
		}
	}
}

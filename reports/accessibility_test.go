package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"turnlab/harness/record"
)

// axePath is where `npm install --no-save axe-core` in the repository's root puts the checker. It is used by this test alone.
const axePath = "../node_modules/axe-core/axe.min.js"

// readAxe returns the checker's source.
func readAxe(t *testing.T) string {
	t.Helper()
	path := axePath
	if set := os.Getenv("TURNLAB_AXE"); set != "" {
		path = set
	}
	axe, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		skipUnlessRequired(t, "axe-core is not installed: accessibility was not checked (npm install --no-save axe-core)")
	}
	return string(axe)
}

func TestAxeFindsNoSeriousViolation(t *testing.T) {
	axe := readAxe(t)
	pages := map[string]string{"timelines": timelinesFixture(t)}
	for _, fixture := range []string{"experiments", "oddities"} { // they have everything that a page can have
		dir, _ := reportOf(t, fixture)
		pages[fixture] = filepath.Join(dir, PageFile)
	}
	for name, path := range pages {
		b := openTab(t)
		for paper, rules := range map[string]string{"light": "", "dark": `, runOnly: ["color-contrast"]`} {
			b.open("file://"+path, 1280, paper)
			js[int](b, `[...document.querySelectorAll("details")].map((d) => { d.open = true; }).length`)
			js[bool](b, axe+"; true") // the page's policy does not bind the debugger
			// One section of the oddities is large and like the others.
			found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run({exclude: [["#workload-many"]]}, {resultTypes: ["violations"]`+rules+`}).then((r) => r.violations
				.filter((v) => v.impact === "serious" || v.impact === "critical")
				.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")))`, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 {
				t.Errorf("%s, on %s paper:\n%s", name, paper, strings.Join(found, "\n"))
			}
		}
	}
}

// timelinesFixture makes the page of a folder of timelines, with notes, and returns its path.
func timelinesFixture(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	list := []record.Timeline{aTimeline("coop"), aTimeline("threads")}
	list[1].Engine, list[1].Note = "threads", "the kernel was not seen"
	for i, name := range []string{"01-coop", "02-threads"} {
		if err := record.SaveTimeline(dir, name, &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	page, err := WriteTimelines(&record.Run{Version: "v1", Command: []string{"lab", "timeline"}}, list, dir)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

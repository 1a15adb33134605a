package reports

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// These tests open the page in a real browser. They skip where there is none; the continuous integration has one.

// browser is started by the first test that needs it and stopped by TestMain.
var browser = struct {
	sync.Mutex
	ctx  context.Context
	stop func()
	err  error
}{}

func startBrowser(t testing.TB) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser is slow to start: not in -short")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		skipUnlessRequired(t, "chromium is not installed: the page was not tried in a browser (apt-get install chromium)")
	}
	browser.Lock()
	defer browser.Unlock()
	if browser.ctx == nil {
		opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.WSURLReadTimeout(patience), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("font-render-hinting", "none"))
		allocated, stopAllocator := chromedp.NewExecAllocator(context.Background(), opts...)
		ctx, stop := chromedp.NewContext(allocated)
		browser.ctx, browser.err = ctx, chromedp.Do(ctx)
		browser.stop = func() {
			stop()
			stopAllocator()
		}
	}
	if browser.err != nil {
		t.Fatalf("start chromium: %v", browser.err)
	}
	return browser.ctx
}

// skipUnlessRequired skips what cannot be tried here, unless everything is said to be here, as in .ci/run.
func skipUnlessRequired(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("TURNLAB_CLIENTS") == "required" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func stopBrowser() {
	if browser.stop != nil {
		browser.stop()
	}
}

// A tab is a page of its own, with all that it asked for and complained about.
type tab struct {
	testing.TB
	ctx context.Context

	mu       sync.Mutex
	requests []string
	trouble  []string
}

// patience bounds everything a test asks of the browser. Other tests may keep the machine busy.
const patience = 3 * time.Minute

func openTab(t testing.TB) *tab {
	t.Helper()
	parent := startBrowser(t)
	ctx, stop := chromedp.NewContext(parent)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, stopWaiting := context.WithTimeout(ctx, patience)
	t.Cleanup(stopWaiting)
	b := &tab{TB: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, cdplog.Enable, cdp.Empty{})
	return b
}

func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *cdplog.EventEntryAdded:
		b.trouble = append(b.trouble, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.trouble = append(b.trouble, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		b.trouble = append(b.trouble, e.ExceptionDetails.Text)
	}
}

func call[P, R any](b *tab, c cdp.Command[P, R], params P) {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	}))
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// show loads a fixture's page at a width, on light or dark paper.
func (b *tab) show(fixture, anchor string, width int64, paper string) {
	b.Helper()
	dir, _ := reportOf(b.TB, fixture)
	b.open("file://"+filepath.Join(dir, PageFile)+anchor, width, paper)
}

func (b *tab) open(url string, width int64, paper string) {
	b.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: paper}},
	})
	b.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(url))
}

// js evaluates an expression in the page.
func js[T any](b *tab, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *tab) press(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

func TestThePageAsksTheNetworkForNothingAndNothingGoesWrong(t *testing.T) {
	for name := range fixtures {
		b := openTab(t)
		b.show(name, "", 1280, "light")
		// Whatever a reader can press is pressed.
		js[int](b, `(() => { const all = document.querySelectorAll("button, summary"); all.forEach((e) => e.click()); return all.length; })()`)
		js[bool](b, `(() => { for (const s of document.querySelectorAll(".reader")) { s.focus(); s.dispatchEvent(new KeyboardEvent("keydown", {key: "End"})); } return true; })()`)
		b.mu.Lock()
		if len(b.requests) != 1 || !strings.HasSuffix(b.requests[0], "/"+PageFile) {
			t.Errorf("%s: the page asked for %q, want itself alone", name, b.requests)
		}
		if len(b.trouble) > 0 {
			t.Errorf("%s: the browser complains: %q", name, b.trouble)
		}
		b.mu.Unlock()
	}
}

func TestThePolicyStopsWhatIsNotThePages(t *testing.T) {
	b := openTab(t)
	b.show("quick", "", 1280, "light")
	js[bool](b, `(() => {
		const s = document.createElement("script"); s.textContent = "window.intruder = true"; document.body.append(s);
		const d = document.createElement("div"); d.setAttribute("style", "position:fixed"); d.id = "intruder"; document.body.append(d);
		return true;
	})()`)
	if js[bool](b, `window.intruder === true || getComputedStyle(document.getElementById("intruder")).position === "fixed"`) {
		t.Error("a script or a style that is not the page's own was carried out")
	}
}

// firstChart is the chart that most tests use.
const firstChart = "echo-closed-cpu"

func TestPointingAtAChartShowsTheValuesOfItsNearestColumn(t *testing.T) {
	b := openTab(t)
	b.show("quick", "#"+firstChart, 1280, "light")
	// A little beside the fourth column: 64 connections.
	at := js[[]float64](b, `(() => {
		const svg = document.querySelector("#`+firstChart+` svg"), box = svg.getBoundingClientRect();
		const x = Number(svg.dataset.columns.split(" ")[3]) * box.width / svg.viewBox.baseVal.width;
		return [box.left + x + 6, box.top + box.height / 2];
	})()`)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	shown := js[string](b, `document.querySelector("#`+firstChart+` .readout").innerText`)
	row := js[[]string](b, `[...document.querySelector("#`+firstChart+` details table").tBodies[0].rows[3].cells].map((c) => c.firstChild.textContent.trim())`)
	if !strings.HasPrefix(shown, "64 connections") || row[0] != "64" {
		t.Errorf("the read-out is for %q, the row for %s", shown, row[0])
	}
	for _, value := range row[1:] {
		if !strings.Contains(shown, value) {
			t.Errorf("%s is in the table and not in the read-out: %q", value, shown)
		}
	}
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 2, 2))
	if js[bool](b, `!document.querySelector("#`+firstChart+` .readout").hidden`) {
		t.Error("the read-out stays when the pointer has left")
	}
}

func TestTheReadOutStaysWithinThePage(t *testing.T) {
	b := openTab(t)
	for _, width := range []int64{390, 1280} {
		b.show("oddities", "", width, "light")
		out := js[[]string](b, `[...document.querySelectorAll(".reader")].flatMap((s) => {
			const box = s.parentElement.querySelector(".readout"), bad = [];
			s.focus();
			for (let i = 0; i <= Number(s.ariaValueMax ?? s.getAttribute("aria-valuemax")) && i < 20; i++) {
				const r = box.getBoundingClientRect();
				if (s.offsetParent && !box.hidden && (r.left < 0 || r.right > innerWidth)) bad.push(s.getAttribute("aria-label") + " column " + i + ": " + r.left + " to " + r.right);
				s.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
			}
			s.blur();
			return bad;
		})`)
		if len(out) > 0 {
			t.Errorf("at %d pixels: %s", width, strings.Join(out, "; "))
		}
	}
}

func TestKeysReadValuesOutAndAScreenReaderHearsThem(t *testing.T) {
	b := openTab(t)
	b.show("quick", "", 1280, "light")
	slider := `document.querySelector("#` + firstChart + ` .reader")`
	js[bool](b, slider+`.focus() ?? true`)
	for _, c := range []struct{ key, now, says string }{
		{"", "0", "1 connections: "}, {kb.ArrowRight, "1", "4 connections: "}, {kb.End, "5", "1024 connections: "},
		{kb.ArrowRight, "5", "1024 connections: "}, {kb.ArrowLeft, "4", "256 connections: "}, {kb.Home, "0", "1 connections: "},
	} {
		if c.key != "" {
			b.press(c.key)
		}
		now, text := js[string](b, slider+`.getAttribute("aria-valuenow")`), js[string](b, slider+`.getAttribute("aria-valuetext")`)
		if now != c.now || !strings.HasPrefix(text, c.says) || !strings.Contains(text, "coop ") || !strings.Contains(text, "µs") {
			t.Errorf("after %q the slider is at %s and says %q, want %s and %q", c.key, now, text, c.now, c.says)
		}
	}
	b.press(kb.Escape)
	if js[bool](b, `!document.querySelector("#`+firstChart+` .readout").hidden`) {
		t.Error("Escape leaves the read-out")
	}
}

func TestTheTabKeyReachesEverythingThatCanBeUsed(t *testing.T) {
	b := openTab(t)
	b.show("quick", "", 1280, "light")
	want := js[int](b, `(() => {
		const all = [...document.querySelectorAll("a[href], button, summary, [tabindex='0']")].filter((e) => e.checkVisibility());
		all.forEach((e) => { e.dataset.reach = "no"; });
		return all.length;
	})()`)
	js[bool](b, `(addEventListener("focusin", (e) => { e.target.dataset.reach = "yes"; }), true)`)
	for range want + 5 {
		b.press(kb.Tab)
	}
	if missed := js[[]string](b, `[...document.querySelectorAll("[data-reach=no]")].map((e) => e.outerHTML.slice(0, 80))`); len(missed) > 0 || want < 40 {
		t.Errorf("of %d things to use the Tab key does not reach %q", want, missed)
	}
}

func TestHidingAnEngineHidesItEverywhereAndBringsItBack(t *testing.T) {
	b := openTab(t)
	b.show("oddities", "", 1280, "light")
	visible := func(key string) int {
		return js[int](b, fmt.Sprintf(`[...document.querySelectorAll("main [data-key]")].filter((e) => e.dataset.key === %q && e.getBoundingClientRect().width > 0).length`, key))
	}
	odd := `exec/"quoted"&'so'`
	before, other := visible(odd), visible("coop")
	press := func() {
		js[bool](b, fmt.Sprintf(`([...document.querySelectorAll(".bar button")].find((e) => e.textContent === %q).click(), true)`, odd))
	}
	press()
	if visible(odd) != 0 || visible("coop") != other || before == 0 {
		t.Errorf("of %d places %d still show the hidden engine; of another's %d, %d are left", before, visible(odd), other, visible("coop"))
	}
	text := js[string](b, `(() => { const s = document.querySelector("#`+firstChart+` .reader"); s.focus(); return s.getAttribute("aria-valuetext"); })()`)
	if strings.Contains(text, "quoted") || !strings.Contains(text, "coop") {
		t.Errorf("the read-out has the hidden engine: %q", text)
	}
	press()
	if visible(odd) != before {
		t.Errorf("%d of %d places show the engine again", visible(odd), before)
	}
}

func TestAChartCanBeSeenOnTheOtherScale(t *testing.T) {
	b := openTab(t)
	b.show("quick", "", 1280, "light")
	state := func() string {
		return js[string](b, `(() => {
			const f = document.getElementById("echo-closed-p99"), plot = [...f.querySelectorAll(".plot")].filter((p) => p.checkVisibility());
			return plot.map((p) => p.dataset.scale).join() + ", " + f.querySelector(".scale:not(.whole)").textContent;
		})()`)
	}
	press := func() { js[bool](b, `(document.querySelector("#echo-closed-p99 .scale:not(.whole)").click(), true)`) }
	for _, want := range []string{"logarithmic, linear scale", "linear, logarithmic scale", "logarithmic, linear scale"} {
		if got := state(); got != want {
			t.Errorf("the chart is %s, want %s", got, want)
		}
		press()
	}
}

func TestTablesSortByNumberInBothDirectionsAndKeepWhatIsMissingLast(t *testing.T) {
	b := openTab(t)
	b.show("oddities", "", 1280, "light")
	sorted := func() []float64 {
		js[bool](b, `(document.querySelector("table.sortable").tHead.rows[0].cells[2].querySelector("button").click(), true)`)
		texts := js[[]string](b, `[...document.querySelector("table.sortable").tBodies[0].rows].map((r) => r.cells[2].dataset.sort)`)
		var out []float64
		for _, text := range texts {
			x := math.NaN()
			if text != "NaN" {
				fmt.Sscan(text, &x)
			}
			out = append(out, x)
		}
		return out
	}
	up, down := sorted(), sorted()
	first := slices.IndexFunc(up, math.IsNaN)
	if first < 1 || first != slices.IndexFunc(down, math.IsNaN) {
		t.Fatalf("missing values stand at %d of %v and %v", first, up, down)
	}
	for i := range up {
		if math.IsNaN(up[i]) != (i >= first) || math.IsNaN(down[i]) != (i >= first) {
			t.Errorf("a missing value stands before a number: %v, %v", up, down)
		}
	}
	if !slices.IsSorted(up[:first]) || !slices.IsSortedFunc(down[:first], func(a, b float64) int { return int(math.Copysign(1, b-a)) }) {
		t.Errorf("up %v, down %v", up, down)
	}
	if got := js[string](b, `document.querySelector("table.sortable").tHead.rows[0].cells[2].getAttribute("aria-sort")`); got != "descending" {
		t.Errorf("the head says %q", got)
	}
}

func TestALinkToAChartLeadsToIt(t *testing.T) {
	b := openTab(t)
	b.show("quick", "#http-closed-progress", 1280, "light")
	top := js[float64](b, `document.getElementById("http-closed-progress").getBoundingClientRect().top`)
	if top < 0 || top > 900 {
		t.Errorf("the chart that the link names is at %v of a window 900 high", top)
	}
	link := js[string](b, `document.querySelector("#http-closed-progress .anchor").href`)
	if !strings.HasSuffix(link, PageFile+"#http-closed-progress") {
		t.Errorf("the chart's link is %s", link)
	}
}

func TestTheCommandIsCopiedOrSelected(t *testing.T) {
	b := openTab(t)
	b.show("oddities", "", 1280, "light")
	b.do(chromedp.Click(chromedp.CSS(".copy")))
	// The clipboard is asked first, and may refuse.
	said := js[string](b, `(() => { const e = document.querySelector(".copy"); return e.textContent; })()`)
	for range 1000 {
		if said != "Copy" {
			break
		}
		time.Sleep(20 * time.Millisecond)
		said = js[string](b, `document.querySelector(".copy").textContent`)
	}
	if said != "Copied" && said != "Press Ctrl+C" {
		t.Errorf("the button says %q", said)
	}
	if said == "Press Ctrl+C" && !strings.Contains(js[string](b, `getSelection().toString()`), "lab sweep") {
		t.Error("nothing was copied and nothing is selected")
	}
}

func TestWithoutScriptNothingIsLost(t *testing.T) {
	b := openTab(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.show("quick", "", 1280, "light")
	got := js[[]int](b, `[document.querySelectorAll(".plot:not([hidden]) svg").length, document.querySelectorAll("figure table").length,
		document.querySelectorAll(".bar, .reader, button").length]`)
	if !slices.Equal(got, []int{16, 16, 0}) {
		t.Errorf("charts, tables and things that need a script: %v, want 16, 16 and none", got)
	}
}

// sizes are a phone, a laptop and a large screen.
var sizes = []int64{390, 1280, 1920}

func TestNothingOverlapsOrRunsOutOfThePageAtAnySize(t *testing.T) {
	b := openTab(t)
	keep := os.Getenv("TURNLAB_SCREENSHOTS") // a folder, for those who want to look
	papers := []string{"light"}              // places do not depend on colours
	if keep != "" {
		papers = append(papers, "dark")
	}
	for name := range fixtures {
		for _, width := range sizes {
			for _, paper := range papers {
				b.show(name, "", width, paper)
				js[bool](b, `(document.querySelectorAll("details.extra").forEach((d) => { d.open = true; }), true)`)
				if wide := js[int64](b, `document.documentElement.scrollWidth`); wide > width {
					t.Errorf("%s at %d pixels is %d wide: it scrolls sideways", name, width, wide)
				}
				if overlaps := js[[]string](b, overlappingTexts); len(overlaps) > 0 {
					t.Errorf("%s at %d pixels: %s", name, width, strings.Join(overlaps, "; "))
				}
				if keep != "" {
					b.keepPicture(filepath.Join(keep, fmt.Sprintf("%s-%d-%s.png", name, width, paper)))
				}
			}
		}
	}
}

// keepPicture takes a picture of the whole page.
func (b *tab) keepPicture(path string) {
	b.Helper()
	shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, shot, 0o644); err != nil {
		b.Fatal(err)
	}
}

// overlappingTexts lists the pairs of texts in a drawing that cover each other by more than a hair, and texts that leave
// their drawing.
const overlappingTexts = `[...document.querySelectorAll(".plot:not([hidden]) svg")].flatMap((svg) => {
	const frame = svg.getBoundingClientRect(), bad = [];
	const boxes = [...svg.querySelectorAll("text")].filter((e) => e.checkVisibility()).map((e) => ({ text: e.textContent, r: e.getBoundingClientRect() }));
	for (const [i, a] of boxes.entries()) {
		if (a.r.left < frame.left - 2 || a.r.right > frame.right + 2) bad.push(svg.closest("figure").id + ": " + a.text + " runs out");
		for (const b of boxes.slice(0, i)) {
			const x = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
			const y = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
			if (x > 1 && y > 0.3 * Math.min(a.r.height, b.r.height)) bad.push(svg.closest("figure").id + ": " + a.text + " over " + b.text);
		}
	}
	return bad;
})`

func TestSVGAndPNGShowTheSame(t *testing.T) {
	b := openTab(t)
	for _, chart := range [][2]string{
		{"quick", "echo-closed-p99"}, {"quick", "echo-closed-cpu-ratio"}, {"quick", "echo-closed-spectrum"}, {"quick", "http-closed-progress"},
		{"experiments", "hog-innocents-coop"}, {"experiments", "memory-slope"}, {"experiments", "hog-strips"}, {"experiments", "load-cost"},
		{"experiments", "load-ratios"}, {"experiments", "load-course"}, {"experiments", "hog-spectrum"},
	} {
		name := chart[1]
		dir, _ := reportOf(t, chart[0])
		want, err := os.ReadFile(filepath.Join(dir, ChartDir, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := png.Decode(bytes.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		width, height := int64(drawn.Bounds().Dx()/2), int64(drawn.Bounds().Dy()/2)
		b.open("file://"+filepath.Join(dir, ChartDir, name+".svg"), 1280, "light")
		b.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(2)))
		shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		seen, err := png.Decode(bytes.NewReader(shot))
		if err != nil {
			t.Fatal(err)
		}
		if share := differentShare(t, name, drawn, seen); share > 0.02 {
			t.Errorf("%s: %.1f %% of the cells differ between PNG and SVG", name, 100*share)
		}
	}
}

// zoomState tells what a chart shows: the names at its axis, and where the slider is.
const zoomState = `(() => {
	const f = document.getElementById("` + firstChart + `"), svg = f.querySelector(".plot:not([hidden]) svg"), bottom = Number(svg.dataset.bottom);
	const names = [...svg.querySelectorAll(":scope > text")].filter((t) => Number(t.getAttribute("y")) > bottom && Number(t.getAttribute("y")) < bottom + 20)
		.filter((t) => t.checkVisibility()).map((t) => t.textContent).join(" ");
	return names + "; " + (f.querySelector("button.whole").hidden ? "whole" : "zoomed");
})()`

func TestARangeOfAChartCanBeSeenLargerByMouseAndByKeys(t *testing.T) {
	b := openTab(t)
	b.show("quick", "#"+firstChart, 1280, "light")
	at := js[[]float64](b, `(() => {
		const svg = document.querySelector("#`+firstChart+` svg"), box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
		const columns = svg.dataset.columns.split(" ").map((c) => box.left + Number(c) * scale);
		return [columns[2] - 4, columns[4] + 4, box.top + box.height / 2];
	})()`)
	whole := js[string](b, zoomState)
	before := js[string](b, `document.querySelector("#`+firstChart+` svg").innerHTML`)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, at[0], at[2], chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, (at[0]+at[1])/2, at[2], chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[1], at[2], chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, at[1], at[2], chromedp.ButtonLeft))
	if got := js[string](b, zoomState); got != "16 64 256; zoomed" {
		t.Errorf("after a drag from the third to the fifth column the chart shows %q", got)
	}
	if overlaps := js[[]string](b, overlappingTexts); len(overlaps) > 0 {
		t.Errorf("zoomed: %q", overlaps)
	}
	js[bool](b, `(document.querySelector("#`+firstChart+` button.whole").click(), true)`)
	if got := js[string](b, zoomState); got != whole {
		t.Errorf("afterwards the chart shows %q, before %q", got, whole)
	}
	js[bool](b, `document.querySelector("#`+firstChart+` .reader").focus() ?? true`)
	for _, step := range []struct{ key, want string }{{kb.Home, whole}, {"+", "1 4 16; zoomed"}, {"+", "1 4; zoomed"}, {"-", "1 4 16; zoomed"}, {kb.Escape, whole}} {
		b.press(step.key)
		if got := js[string](b, zoomState); got != step.want {
			t.Errorf("after %q the chart shows %q, want %q", step.key, got, step.want)
		}
	}
	after := js[string](b, `document.querySelector("#`+firstChart+` svg").innerHTML`)
	if strings.Count(after, "<path") != strings.Count(before, "<path") {
		t.Error("zooming in and out has changed the drawing")
	}
}

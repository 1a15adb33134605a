package reports

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"
)

// folded is a chart that lies in a fold.
const folded = "hog-strips"

// stateOfFold tells whether the fold is open, and whether its chart can be seen in the window.
const stateOfFold = `(() => {
	const f = document.getElementById("` + folded + `"), r = f.getBoundingClientRect();
	return (f.closest("details").open ? "open" : "closed") + (f.checkVisibility() && r.height > 0 && r.bottom > 0 && r.top < innerHeight ? ", in sight" : "");
})()`

func TestALinkToAChartInAFoldOpensIt(t *testing.T) {
	b := openTab(t)
	b.show("experiments", "#"+folded, 1280, "light")
	if got := js[string](b, stateOfFold); got != "open, in sight" {
		t.Errorf("a page that is opened at the chart has its fold %s", got)
	}
	b = openTab(t)
	b.show("experiments", "", 1280, "light")
	if got := js[string](b, stateOfFold); got != "closed" {
		t.Errorf("at first the fold is %s", got)
	}
	js[bool](b, `(location.hash = "`+folded+`", true)`)
	for range 100 { // the event comes when the browser gets to it
		if js[string](b, stateOfFold) == "open, in sight" {
			return
		}
	}
	t.Errorf("after a link to the chart the fold is %s", js[string](b, stateOfFold))
}

func TestAFoldOpensByKeysAndIsPrintedClosedOrNot(t *testing.T) {
	b := openTab(t)
	b.show("experiments", "", 1280, "light")
	js[bool](b, `document.querySelector("details.extra > summary").focus() ?? true`)
	b.press(kb.Enter)
	if !js[bool](b, `document.querySelector("details.extra").open`) {
		t.Error("Enter does not open the fold")
	}
	b.press(kb.Enter)
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if !js[bool](b, `!document.querySelector("details.extra").open && document.getElementById("`+folded+`").checkVisibility()`) {
		t.Error("what is folded away is not printed")
	}
}

func TestTheEnginesToShowStandWithinAPhone(t *testing.T) {
	b := openTab(t)
	b.show("oddities", "", 390, "light")
	if cut := js[[]string](b, `[...document.querySelectorAll(".bar button")].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.textContent)`); len(cut) > 0 {
		t.Errorf("cut off: %q", cut)
	}
}

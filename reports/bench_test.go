package reports

import (
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// BenchmarkWrite renders the quick fixture (144 trials) and a run of a thousand trials. The goals are two and five seconds.
func BenchmarkWrite(b *testing.B) {
	b.Run("trials=144", func(b *testing.B) {
		run, trials := quickFixture()
		for b.Loop() {
			if _, err := Write(run, trials, b.TempDir(), Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("trials=1008", func(b *testing.B) {
		run, trials := largeFixture()
		for b.Loop() {
			if _, err := Write(run, trials, b.TempDir(), Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLooking scrolls through the page of a thousand trials in a browser and points at every column of its first charts.
// It tells the longest frame while scrolling and the longest answer to a movement of the pointer, both in milliseconds; 50
// are felt as a hitch. It says little on a machine that does other things meanwhile.
func BenchmarkLooking(b *testing.B) {
	run, trials := largeFixture()
	dir := b.TempDir()
	if _, err := Write(run, trials, dir, Options{}); err != nil {
		b.Fatal(err)
	}
	tab := openTab(b)
	tab.open("file://"+filepath.Join(dir, PageFile), 1280, "light")
	for b.Loop() {
		found, err := chromedp.Run(tab.ctx, chromedp.Evaluate[[]float64](lookAround, chromedp.EvalAwaitPromise))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(found[0], "ms/longest-frame")
		b.ReportMetric(found[1], "ms/longest-pointer")
	}
}

const lookAround = `(async () => {
	const frame = () => new Promise(requestAnimationFrame);
	let last = await frame(), longest = 0, pointer = 0;
	for (let y = 0; y < document.body.scrollHeight; y += 120) {
		scrollTo(0, y);
		const now = await frame();
		longest = Math.max(longest, now - last);
		last = now;
	}
	for (const slider of [...document.querySelectorAll(".reader")].slice(0, 20)) {
		const box = slider.getBoundingClientRect();
		for (let x = box.left; x < box.right; x += 8) {
			const begin = performance.now();
			slider.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: box.top + 50 }));
			slider.offsetWidth; // the layout is part of the answer
			pointer = Math.max(pointer, performance.now() - begin);
		}
	}
	return [longest, pointer];
})()`

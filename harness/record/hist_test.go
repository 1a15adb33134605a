package record

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histogramOf encodes a histogram of n values, from step to n·step.
func histogramOf(t testing.TB, n int, step int64) string {
	t.Helper()
	h := hdrhistogram.New(1, 60e9, 3)
	for i := range n {
		if err := h.RecordValue(int64(i+1) * step); err != nil {
			t.Fatal(err)
		}
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func histogramFolder(t *testing.T) *Folder {
	f := &Folder{Dir: t.TempDir()}
	for i, label := range []string{"coop", "coop/await", "coop", "coop"} {
		engine, variant, _ := strings.Cut(label, "/")
		p := Point{Engine: engine, Variant: variant, Workload: "echo", Mode: Closed, Params: map[string]any{"conns": 8.0}}
		if i == 3 {
			p.Arm = Again
		}
		f.Run.Plan = append(f.Run.Plan, p)
		f.Trials = append(f.Trials, Trial{
			Point: p, Trial: i, StartedUnix: int64(1700000000+i) * 1e9, WindowSeconds: 2,
			Histograms: map[string]string{"service": histogramOf(t, 1000*(i+1), 1000)},
		})
	}
	f.Trials[2].Flags = []Flag{{Code: "bad_answers", Level: Invalid}}
	return f
}

func TestHistogramsAreReadBackByTheLibrarysLogReader(t *testing.T) {
	f := histogramFolder(t)
	for range 2 { // an export may be made again
		if err := f.Export(); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(f.Dir, "hist", "echo-closed-conns8.hlog"))
	if err != nil || !bytes.Contains(text, []byte("[Histogram log format version 1.3]")) {
		t.Fatalf("%v\n%s", err, text)
	}
	in := hdrhistogram.NewHistogramLogReader(bytes.NewReader(text))
	for i, want := range []string{"coop.service", "coop/await.service", "coop.service"} {
		h, err := in.NextIntervalHistogram()
		if err != nil || h == nil {
			t.Fatalf("interval %d: %v, %v", i, h, err)
		}
		if n := int64(1000 * (i + 1)); h.Tag() != want || h.TotalCount() != n || !h.ValuesAreEquivalent(h.Max(), n*1000) {
			t.Errorf("interval %d: tag %s, %d values, at most %d", i, h.Tag(), h.TotalCount(), h.Max())
		}
		if length := h.EndTimeMs() - h.StartTimeMs(); length != 2000 {
			t.Errorf("interval %d is %d ms long", i, length)
		}
	}
	if h, err := in.NextIntervalHistogram(); err != nil || h != nil {
		t.Errorf("the second arm is in the log: %v, %v", h, err)
	}
}

func TestSecondsAreALogOfTheirOwn(t *testing.T) {
	f := histogramFolder(t)
	for at := range int64(2) {
		f.Trials[0].Intervals = append(f.Trials[0].Intervals, Interval{
			AtMS: at * 1000, LengthMS: 1000, Histograms: map[string]string{"service": histogramOf(t, 500, 1000)},
		})
	}
	if err := f.Export(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(f.Dir, "hist", "echo-closed-conns8.seconds.hlog"))
	if err != nil {
		t.Fatal(err)
	}
	in := hdrhistogram.NewHistogramLogReader(bytes.NewReader(text))
	for i := range int64(2) {
		h, err := in.NextIntervalHistogram()
		if err != nil || h == nil {
			t.Fatalf("interval %d: %v, %v", i, h, err)
		}
		if start := f.Trials[0].StartedUnix/1e6 + i*1000; h.Tag() != "coop.service" || h.StartTimeMs() != start || h.EndTimeMs() != start+1000 {
			t.Errorf("interval %d: %s from %d to %d", i, h.Tag(), h.StartTimeMs(), h.EndTimeMs())
		}
	}
	if h, _ := in.NextIntervalHistogram(); h != nil {
		t.Error("there are more intervals than the one trial has that has any")
	}
	f.Trials[0].Intervals[0].Histograms["service"] = "none"
	if err := f.Export(); err == nil || !strings.Contains(err.Error(), "service histogram of trial 0") {
		t.Errorf("a damaged interval: %v", err)
	}
}

func TestPercentilesAreOfTheValidTrials(t *testing.T) {
	f := histogramFolder(t)
	if err := f.Export(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(f.Dir, "hist", "echo-closed-conns8.coop.service.hgrm"))
	if err != nil || !bytes.Contains(text, []byte("Total count    =         1000")) {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := os.Stat(filepath.Join(f.Dir, "hist", "echo-closed-conns8.coop-await.service.hgrm")); err != nil {
		t.Error(err)
	}
}

func TestADamagedHistogramIsAnErrorWithItsPlace(t *testing.T) {
	f := histogramFolder(t)
	f.Trials[1].Histograms["service"] = "not a histogram"
	if err := f.Export(); err == nil || !strings.Contains(err.Error(), "service histogram of trial 1") {
		t.Errorf("got %v", err)
	}
}

package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// writeHistograms writes the histograms of the trials in the forms that the tools of HdrHistogram read, in the folder hist:
//
//   - one interval log (version 1.3) for each load, LOAD.hlog, with an interval for each trial and kind of latency, tagged
//     ENGINE.KIND, invalid trials included;
//   - the same by the second, LOAD.seconds.hlog, with two digits, for those trials that have intervals. It is a log of its own
//     because tools add up all intervals of a tag;
//   - one table of percentiles for each of these tags, LOAD.ENGINE.KIND.hgrm, in milliseconds, of the valid trials together.
//
// Merged histograms are for curves: percentiles of a trial stand in its record, and verdicts come from those.
func (f *Folder) writeHistograms() error {
	logs, order, err := f.histogramLogs()
	if err != nil || len(order) == 0 {
		return err
	}
	dir := filepath.Join(f.Dir, "hist")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of histograms: %w", err)
	}
	for _, name := range order {
		if err := logs[name].write(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("make hist/%s: %w", name, err)
		}
	}
	return nil
}

// A histogramLog is what was measured under one load.
type histogramLog struct {
	intervals []*hdrhistogram.Histogram
	seconds   []*hdrhistogram.Histogram // parts of the intervals
	tags      []string                  // of merged, in order
	merged    map[string]*hdrhistogram.Histogram
}

// histogramLogs sorts the histograms by load. A second arm stays out, as in every table but the one row per trial.
func (f *Folder) histogramLogs() (logs map[string]*histogramLog, order []string, err error) {
	run, trials := f.Counted()
	byExperiment := VaryingBy(run.Plan)
	logs = map[string]*histogramLog{}
	for i := range trials {
		t := &trials[i]
		for _, kind := range []string{"response", "service", "slip"} {
			text, ok := t.Histograms[kind]
			if !ok {
				continue
			}
			varying := byExperiment[t.Experiment]
			name := loadName(t.Point, varying)
			if logs[name] == nil {
				logs[name] = &histogramLog{merged: map[string]*hdrhistogram.Histogram{}}
				order = append(order, name)
			}
			tag := tagOf(t.Point, kind, varying)
			if err := errors.Join(logs[name].add(t, tag, text), logs[name].addSeconds(t, tag, kind)); err != nil {
				return nil, nil, fmt.Errorf("%s histogram of trial %d: %w", kind, t.Trial, err)
			}
		}
	}
	return logs, order, nil
}

// add adds one histogram. Its interval begins with the trial, whose warm-up is not in it, and is as long as the window.
func (l *histogramLog) add(t *Trial, tag, text string) error {
	h, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return fmt.Errorf("it is damaged: %w", err)
	}
	h.SetTag(tag)
	start := t.StartedUnix / 1e6
	h.SetStartTimeMs(start)
	h.SetEndTimeMs(start + int64(t.WindowSeconds*1000))
	l.intervals = append(l.intervals, h)
	if !t.Valid() {
		return nil
	}
	if l.merged[tag] == nil {
		l.tags = append(l.tags, tag)
		l.merged[tag] = hdrhistogram.New(h.LowestTrackableValue(), h.HighestTrackableValue(), int(h.SignificantFigures()))
	}
	if lost := l.merged[tag].Merge(h); lost > 0 {
		return fmt.Errorf("%d values do not fit into that of the first trial", lost)
	}
	return nil
}

// addSeconds adds the parts of a trial's window.
func (l *histogramLog) addSeconds(t *Trial, tag, kind string) error {
	for _, part := range t.Intervals {
		text, ok := part.Histograms[kind]
		if !ok {
			continue
		}
		h, err := hdrhistogram.Decode([]byte(text))
		if err != nil {
			return fmt.Errorf("that of %d ms is damaged: %w", part.AtMS, err)
		}
		h.SetTag(tag)
		start := t.StartedUnix/1e6 + part.AtMS
		h.SetStartTimeMs(start)
		h.SetEndTimeMs(start + part.LengthMS)
		l.seconds = append(l.seconds, h)
	}
	return nil
}

func (l *histogramLog) write(path string) error {
	err := writeLog(path+".hlog", l.intervals)
	if err == nil && len(l.seconds) > 0 {
		err = writeLog(path+".seconds.hlog", l.seconds)
	}
	for _, tag := range l.tags {
		if err == nil {
			err = writePercentiles(path+"."+strings.ReplaceAll(tag, "/", "-")+".hgrm", l.merged[tag])
		}
	}
	return err
}

// writeLog writes an interval log.
func writeLog(name string, intervals []*hdrhistogram.Histogram) error {
	var text bytes.Buffer
	w := hdrhistogram.NewHistogramLogWriter(&text)
	err := w.OutputLogFormatVersion()
	if err == nil {
		err = w.OutputStartTime(intervals[0].StartTimeMs())
	}
	if err == nil {
		err = w.OutputLegend()
	}
	for _, h := range intervals {
		if err == nil {
			err = w.OutputIntervalHistogram(h)
		}
	}
	if err != nil {
		return err
	}
	return writeFile(name, text.Bytes())
}

// writePercentiles writes percentiles in milliseconds, with five steps for each halving of what is left to 100 %.
func writePercentiles(path string, h *hdrhistogram.Histogram) error {
	var text bytes.Buffer
	if _, err := h.PercentilesPrint(&text, 5, 1e6); err != nil {
		return err
	}
	return writeFile(path, text.Bytes())
}

// loadName names a load in a file's name: http-closed-conns64-rate0, or load-http-... for one of an experiment's.
func loadName(p Point, varying []string) string {
	name := ""
	if p.Experiment != "" {
		name = word(p.Experiment) + "-"
	}
	name += p.Workload + "-" + p.Mode + "-conns" + word(p.Text("conns"))
	for _, v := range varying {
		if text := p.Text(v); v != "conns" && text != "" && !strings.HasPrefix(v, p.Engine+".") {
			name += "-" + v + word(text)
		}
	}
	return name
}

// tagOf names an engine and a kind of latency: coop/await.service, or coop+yield=100us.service when the run varies that.
func tagOf(p Point, kind string, varying []string) string {
	tag := p.Label()
	for _, v := range slices.Sorted(slices.Values(varying)) {
		if own, ok := strings.CutPrefix(v, p.Engine+"."); ok && p.Text(v) != "" {
			tag += "+" + own + "=" + strings.ReplaceAll(word(p.Text(v)), ",", "_")
		}
	}
	return tag + "." + kind
}

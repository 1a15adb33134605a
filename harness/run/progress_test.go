package run

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
)

func jobsOf(t *testing.T) []plan.Job { return sweep(t).Jobs() }

func TestALogGetsALineAtTheStartAndAtTheEndAndRarelyBetween(t *testing.T) {
	jobs := jobsOf(t)
	var log bytes.Buffer
	p := newProgress(Options{Stderr: &log}, jobs)
	for _, j := range jobs {
		p.begin(j)
		p.done(&record.Trial{Point: j.Point})
	}
	p.end()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "4 trials, about 16s") ||
		!strings.HasPrefix(lines[1], "1 of 4 trials done") || !strings.HasPrefix(lines[2], "4 of 4 trials done in") {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestTheBarSaysWhatRunsNowAndHowLongItWillTake(t *testing.T) {
	jobs := jobsOf(t)
	var screen bytes.Buffer
	p := newProgress(Options{}, jobs)
	p.out, p.bar = &screen, newBar(&screen, len(jobs))
	p.begin(jobs[0])
	if text := screen.String(); !strings.Contains(text, describe(jobs[0].Point)) || !strings.Contains(text, "16s left") || !strings.Contains(text, "0/4") {
		t.Errorf("screen: %q", text)
	}
	screen.Reset()
	p.done(&record.Trial{Point: jobs[0].Point, Failed: "the server ended\nand much more"})
	p.begin(jobs[1])
	if text := screen.String(); !strings.Contains(text, "failed: "+describe(jobs[0].Point)+": the server ended\n") || !strings.Contains(text, "1/4") {
		t.Errorf("screen: %q", text)
	}
	p.end()
	if strings.Contains(screen.String(), "much more") {
		t.Error("a failure takes more than a line")
	}
}

func TestTheTimeLeftFollowsHowLongTrialsReallyTake(t *testing.T) {
	jobs := jobsOf(t)
	p := newProgress(Options{}, jobs)
	p.finished = 2
	p.started = time.Now().Add(-2 * plan.Estimate(jobs[:2])) // twice as long as planned
	got, err := time.ParseDuration(p.left())
	want := 2 * plan.Estimate(jobs[2:])
	if err != nil || got < want-2*time.Second || got > want+2*time.Second {
		t.Errorf("left %v, %v; want about %v", got, err, want)
	}
}

func TestAPointIsDescribedInAFewWords(t *testing.T) {
	p := record.Point{Engine: "coop", Variant: "await", Workload: "http", Mode: record.Open, Params: map[string]any{"conns": 64.0, "rate": 1000.0}}
	if got := describe(p); got != "coop/await http 64 conns 1000/s" {
		t.Errorf("got %s", got)
	}
	p.Mode = record.Closed
	if got := describe(p); got != "coop/await http 64 conns" {
		t.Errorf("got %s", got)
	}
}

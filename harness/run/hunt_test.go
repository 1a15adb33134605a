package run

import (
	"os/exec"
	"strings"
	"testing"

	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial/trialtest"
)

// hogs keeps every CPU busy until the test ends.
func hogs(t *testing.T) {
	t.Helper()
	for range proc.Allowed().Len() {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	}
}

// hunting is a hunt with one search, in a folder of its own.
func hunting(t *testing.T, retries int) (*hunt, Options) {
	t.Helper()
	o, p := options(t), blocks(t, 1, 0, 0)
	p.Retries = retries
	meta := newMeta(p)
	w, err := record.Create(o.Dir, meta)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	h := newHunt(newRunner(p, o, w, meta), record.Probe, nil)
	h.add(p.Points[0], goal, trialtest.RPS)
	return h, o
}

func TestAProbeThatOthersSpoiltIsMadeAgainAndTheLastOneCounts(t *testing.T) {
	t.Setenv(trialtest.Slow, "150ms") // long enough to watch the CPUs
	h, o := hunting(t, 3)
	hogs(t)
	shown, err := h.show(t.Context(), 5, h.searches[0], 500)
	if err != nil || !shown.Disturbed || shown.Loss != 1 { // the double answers nothing in an open loop
		t.Fatalf("%+v, %v; want a probe that is lost, and disturbed", shown, err)
	}
	trials := loadFolder(t, o.Dir).Trials
	if len(trials) != 2 {
		t.Fatalf("%d records; want the probe and one repetition, a quarter of what was asked for, rounded up", len(trials))
	}
	for i, tr := range trials {
		if tr.Repeat != i || tr.Trial != 0 || tr.Block != 5 || tr.Seed != trials[0].Seed || !spoilt(&tr) {
			t.Errorf("record %d: repetition %d of trial %d in block %d, flags %+v", i, tr.Repeat, tr.Trial, tr.Block, tr.Flags)
		}
	}
	again := newHunt(h.runner, record.Probe, trials)
	again.add(h.searches[0].point, goal, trialtest.RPS)
	if shown, err := again.show(t.Context(), 5, again.searches[0], 500); err != nil || !shown.Disturbed {
		t.Errorf("after an interruption: %+v, %v", shown, err)
	}
	if n := len(loadFolder(t, o.Dir).Trials); n != 2 || again.trials != 1 || again.repeats != 1 {
		t.Errorf("after an interruption there are %d records, and the next trial is %d", n, again.trials)
	}
}

func TestAProbeIsMadeAgainForNothingButWhatOthersDid(t *testing.T) {
	h, _ := hunting(t, 2)
	h.wanted = 5
	for _, c := range []struct {
		code, level      string
		repeat, repeated int
		want             bool
	}{
		{"foreign_cpu", record.Invalid, 0, 0, true}, {"stolen_cpu", record.Invalid, 1, 1, true},
		{"foreign_cpu", record.Warn, 0, 0, false}, {"bad_answers", record.Invalid, 0, 0, false}, {"client_limited", record.Invalid, 0, 0, false},
		{"foreign_cpu", record.Invalid, 2, 0, false}, // as often as it may
		{"foreign_cpu", record.Invalid, 0, 2, false}, // more than a quarter of five, rounded up, are not made again
	} {
		h.repeats = c.repeated
		if got := h.again(&record.Trial{Repeat: c.repeat, Flags: []record.Flag{{Code: c.code, Level: c.level}}}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestASearchThatCannotBeginIsNotedOnce(t *testing.T) {
	h, _ := hunting(t, 0)
	for range 2 {
		if err := h.wants(record.Search{SLOs: []string{"p99<1ms"}, Width: 0.05}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if notes := h.meta.Notes; len(notes) != 1 || !strings.Contains(notes[0], "served nothing") || len(h.searches) != 1 {
		t.Errorf("notes %q, %d searches", notes, len(h.searches))
	}
}

func TestALowerBoundThatNeighboursConfirmedIsNotSure(t *testing.T) {
	h, _ := hunting(t, 0)
	s := h.searches[0]
	for _, c := range []struct {
		losses, disturbed []float64
		confirmed         *bool
		unsure            bool
	}{
		{nil, nil, nil, false},
		{[]float64{0, 0}, nil, nil, false}, // interrupted
		{[]float64{0, 0, 1}, nil, new(true), false},
		{[]float64{1, 1, 0}, nil, new(false), false},
		{[]float64{0, 0, 1}, []float64{1}, new(true), false},
		{[]float64{0, 1, 1}, []float64{1}, nil, true},
	} {
		s.found.Confirmed = nil
		s.confirm.Losses, s.confirm.Disturbed = c.losses, c.disturbed
		s.conclude()
		if got := s.found; got.LowerUnsure != c.unsure || (got.Confirmed == nil) != (c.confirmed == nil) || got.Confirmed != nil && *got.Confirmed != *c.confirmed {
			t.Errorf("%+v: confirmed %v, not sure %v", c, got.Confirmed, got.LowerUnsure)
		}
	}
}

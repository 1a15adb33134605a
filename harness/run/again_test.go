package run

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"turnlab/harness/plan"
	"turnlab/harness/record"
)

// marked is the record of a job, with a flag.
func marked(j plan.Job, code, level string) *record.Trial {
	t := &record.Trial{Block: j.Block, Trial: j.Trial, Point: j.Point, Repeat: j.Repeat}
	if code != "" {
		t.Flags = []record.Flag{{Code: code, Level: level}}
	}
	return t
}

// retrying is a runner of four trials in two blocks that makes spoilt ones again, n times at most.
func retrying(t *testing.T, n int) *runner {
	p := sweep(t)
	p.Retries = n
	return newRunner(p, Options{}, nil, record.Run{})
}

func TestATrialThatOthersSpoiltIsMadeAgainInItsBlock(t *testing.T) {
	r := retrying(t, 1)
	jobs := r.plan.Jobs()
	r.count(marked(jobs[0], "", ""))
	r.count(marked(jobs[1], "stolen_cpu", record.Invalid))
	again := r.spoiltOf(0)
	if len(again) != 1 || again[0].Trial != 1 || again[0].Repeat != 1 || again[0].Seed != jobs[1].Seed {
		t.Fatalf("made again: %+v, want trial 1 with its own seed", again)
	}
	if other := r.spoiltOf(1); len(other) > 0 {
		t.Errorf("made again in another block: %+v", other)
	}
	r.count(marked(again[0], "foreign_cpu", record.Invalid))
	if again := r.spoiltOf(0); len(again) > 0 {
		t.Errorf("made again more often than asked for: %+v", again)
	}
}

func TestWhatAnEngineSpoiltItselfIsNotMadeAgain(t *testing.T) {
	for code, level := range map[string]string{
		"bad_answers": record.Invalid, "rate_missed": record.Invalid, "stolen_cpu": record.Warn, "foreign_cpu": record.Warn,
	} {
		r := retrying(t, 1)
		r.count(marked(r.plan.Jobs()[0], code, level))
		if again := r.spoiltOf(0); len(again) > 0 {
			t.Errorf("a trial with %s (%s) is made again", code, level)
		}
	}
}

func TestAMachineThatSpoilsEverythingIsNotWaitedFor(t *testing.T) {
	r := retrying(t, 3)
	for _, j := range r.plan.Jobs() {
		r.count(marked(j, "foreign_cpu", record.Invalid))
	}
	if again := r.spoiltOf(0); len(again) != 1 {
		t.Errorf("%d of the 2 trials of a block are made again, want a quarter, rounded up", len(again))
	}
}

// spoil makes a trial of a run one that others had spoilt, as far as its last record goes.
func spoil(t *testing.T, dir string, trial int) {
	t.Helper()
	folder := loadFolder(t, dir)
	var text []byte
	for i, tr := range folder.Trials {
		last := !slices.ContainsFunc(folder.Trials[i+1:], func(other record.Trial) bool { return other.Trial == trial })
		if tr.Trial == trial && last {
			tr.Flags = append(tr.Flags, record.Flag{Code: "foreign_cpu", Level: record.Invalid, Advice: "in a test"})
		}
		line, err := json.Marshal(tr)
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	if err := os.WriteFile(filepath.Join(dir, "trials.jsonl"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestARunThatWasInterruptedBeforeItsRepetitionsMakesThemWhenItIsResumed(t *testing.T) {
	o, p := options(t), sweep(t)
	p.Retries = 1
	if _, err := Execute(t.Context(), p, o); err != nil {
		t.Fatal(err)
	}
	spoil(t, o.Dir, 0)
	spoil(t, o.Dir, 1) // of two trials of a block one may be made again
	rest, err := Remaining(toys, o.Dir)
	if err != nil || len(rest.Jobs) != 1 || rest.Jobs[0].Trial != 0 || rest.Jobs[0].Repeat != 1 {
		t.Fatalf("%+v, %v", rest, err)
	}
	for part := range 2 {
		if got, err := Resume(t.Context(), toys, o); err != nil || got.Done != 5 {
			t.Fatalf("part %d: %+v, %v", part, got, err)
		}
	}
	last := loadFolder(t, o.Dir).Trials[4]
	if last.Trial != 0 || last.Block != 0 || last.Repeat != 1 || last.Seed != p.Jobs()[0].Seed || last.Failed != "" {
		t.Errorf("the repetition: %+v", last)
	}
	// The bound is of the block and not of each part.
	spoil(t, o.Dir, 0)
	if got, err := Resume(t.Context(), toys, o); err != nil || got.Done != 5 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRepetitionsOfABlockComeBeforeWhatIsMissingOfTheNext(t *testing.T) {
	o, p := options(t), sweep(t)
	p.Retries = 1
	if _, err := Execute(t.Context(), p, o); err != nil {
		t.Fatal(err)
	}
	spoil(t, o.Dir, 1)
	name := filepath.Join(o.Dir, "trials.jsonl")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if err := os.WriteFile(name, bytes.Join(lines[:3], nil), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Resume(t.Context(), toys, o); err != nil || got.Done != 5 {
		t.Fatalf("%+v, %v", got, err)
	}
	trials := loadFolder(t, o.Dir).Trials
	if again, next := trials[3], trials[4]; again.Trial != 1 || again.Repeat != 1 || next.Trial != 3 {
		t.Errorf("trials %d (repetition %d) and %d", again.Trial, again.Repeat, next.Trial)
	}
}

func TestARunThatIsContinuedKnowsWhatWasSpoilt(t *testing.T) {
	r := retrying(t, 1)
	jobs := r.plan.Jobs()
	meta := newMeta(r.plan)
	p, err := plan.Continue(&meta, toys)
	if err != nil {
		t.Fatal(err)
	}
	c := newRunner(p, Options{}, nil, meta)
	c.count(marked(jobs[0], "foreign_cpu", record.Invalid)) // as it reads the records that it has
	if again := c.spoiltOf(0); len(again) != 1 {
		t.Errorf("made again after a resumption: %+v, want trial 0", again)
	}
}

package run

import (
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

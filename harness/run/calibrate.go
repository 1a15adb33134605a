package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"turnlab/harness/trial"
)

// notCalibrated begins the note of a run whose generator nobody knows the limit of.
const notCalibrated = "the generator could not be calibrated"

// calibrate finds out what the generator can do and refuses rates above it, before the first trial; a run that is resumed
// knows already. With search true the rates are still to be found. Where no calibration can be made the run goes on and says
// so: each trial tells on its own when its generator was the limit.
func (r *runner) calibrate(ctx context.Context, search bool) error {
	if r.meta.Calibrations == nil && r.meta.Stopped == "" {
		found, err := r.lab.Calibrate(ctx, r.plan.Points, search)
		if ctx.Err() != nil {
			return fmt.Errorf("%w before the first trial", ErrInterrupted)
		}
		why := ""
		if err != nil {
			why = fmt.Sprintf(": %v", err)
		}
		r.meta.Calibrations = found
		r.say(notCalibrated, why)
		if err := r.writer.Amend(r.meta); err != nil {
			return err
		}
	}
	r.lab.Calibrations = r.meta.Calibrations
	err := trial.Refuse(r.plan.Points, r.meta.Calibrations)
	if err != nil && len(r.plan.Blocks) > 0 {
		// The rates of an experiment are the lab's choice and not the user's mistake, and one of many experiments must not end
		// all others because the machine was busy for a moment. Trials at such rates are flagged one by one.
		return r.addNote(fmt.Sprintf("trials that the generator cannot keep up with are flagged: %v", err))
	}
	return err
}

// say puts a note about something in the place of what was noted about it before; without a text it takes that back.
func (r *runner) say(about, text string) {
	r.meta.Notes = slices.DeleteFunc(slices.Clone(r.meta.Notes), func(note string) bool { return strings.HasPrefix(note, about) })
	if text != "" {
		r.meta.Notes = append(r.meta.Notes, about+text)
	}
}

// remember notes something once.
func (r *runner) remember(note string) {
	if !slices.Contains(r.meta.Notes, note) {
		r.meta.Notes = append(r.meta.Notes, note)
	}
}

// addNote writes a note into run.json, once.
func (r *runner) addNote(note string) error {
	r.remember(note)
	return r.writer.Amend(r.meta)
}

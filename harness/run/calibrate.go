package run

import (
	"context"
	"fmt"
	"slices"

	"turnlab/harness/trial"
)

// calibrate finds out what the generator can do and refuses rates above it, before the first trial; a run that is resumed
// knows already. With search true the rates are still to be found. Where no calibration can be made the run goes on and says
// so: each trial tells on its own when its generator was the limit.
func (r *runner) calibrate(ctx context.Context, search bool) error {
	if r.meta.Calibrations == nil && r.meta.Stopped == "" {
		found, err := r.lab.Calibrate(ctx, r.plan.Points, search)
		if ctx.Err() != nil {
			return fmt.Errorf("%w before the first trial", ErrInterrupted)
		}
		if err != nil {
			r.meta.Notes = append(r.meta.Notes, fmt.Sprintf("the generator could not be calibrated: %v", err))
		}
		r.meta.Calibrations = found
		if len(found) > 0 || err != nil {
			if err := r.writer.Amend(r.meta); err != nil {
				return err
			}
		}
	}
	err := trial.Refuse(r.plan.Points, r.meta.Calibrations)
	if err != nil && len(r.plan.Blocks) > 0 {
		// The rates of an experiment are the lab's choice and not the user's mistake, and one of many experiments must not end
		// all others because the machine was busy for a moment. Trials whose generator is the limit are flagged one by one.
		return r.addNote(fmt.Sprintf("trials that the generator cannot keep up with are flagged: %v", err))
	}
	return err
}

// addNote writes a note into run.json, once.
func (r *runner) addNote(note string) error {
	if slices.Contains(r.meta.Notes, note) {
		return nil
	}
	r.meta.Notes = append(r.meta.Notes, note)
	return r.writer.Amend(r.meta)
}

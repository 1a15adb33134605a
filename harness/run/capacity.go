package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"turnlab/harness/capacity"
	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// A CapacityGoal is what Capacity looks for.
type CapacityGoal struct {
	SLO      capacity.SLO
	Width    float64 // of the bounds, as a share of the lower one
	Arrivals string  // poisson or fixed
}

// A Capacity is what was found of one point. It is a line of capacity.json.
type Capacity struct {
	Engine      string    `json:"engine"`
	Workload    string    `json:"workload"`
	Conns       float64   `json:"conns"`
	SLO         string    `json:"slo"`
	PeakRPS     float64   `json:"closed_loop_peak_rps"`  // where the search began
	Confirmed   *bool     `json:"confirmed,omitempty"`   // the lower bound passed again, in trials of its own
	GenMaxRPS   float64   `json:"gen_max_rps,omitempty"` // what the generator can do; absent if that is not known
	ConfirmLoss []float64 `json:"confirmation_loss_ratios,omitempty"`
	capacity.Result
}

// record returns what run.json says of it.
func (c Capacity) record(experiment string) record.Capacity {
	return record.Capacity{
		Experiment: experiment, Engine: c.Engine, Workload: c.Workload, Conns: c.Conns, SLO: c.SLO, PeakRPS: c.PeakRPS,
		GenMaxRPS: c.GenMaxRPS, LowerRPS: c.Lower, UpperRPS: c.Upper, Irregular: c.Irregular, Probes: c.Probes, Confirmed: c.Confirmed,
		Disturbed: c.Disturbed, LowerUnsure: c.LowerUnsure, UpperUnsure: c.UpperUnsure,
	}
}

// Doubt says what speaks against the bounds; it is empty when nothing does.
func (c Capacity) Doubt() string { return c.record("").Doubt() }

// FindCapacity searches, for every point of p, the highest rate that keeps the service level, into a new folder. The points are
// those of a closed loop; their throughput is where the search begins. Every probe is a record like any other. Engines take
// turns in shuffled order, one probe each, so that the machine's drift meets all of them. At the end the lower bound is
// measured again: a search stops where luck was good, and a bound that is only lucky does not pass twice.
func FindCapacity(ctx context.Context, p *plan.Plan, goal CapacityGoal, o Options) (found []Capacity, err error) {
	if err := checkCapacity(p, goal); err != nil {
		return nil, err
	}
	meta := newMeta(p)
	meta.Notes = append(meta.Notes, fmt.Sprintf("a search for the capacity under %s: the plan has the closed loops that it began with, the probes follow", goal.SLO.Text))
	w, err := record.Create(o.Dir, meta)
	if err != nil {
		return nil, err
	}
	h := newHunt(newRunner(p, o, w, meta), "", nil)
	unpin := h.stepAside()
	if err = h.calibrate(ctx, true); err == nil {
		err = h.begin(ctx, goal)
	}
	if err == nil {
		err = h.all(ctx)
		found, err = h.save(err)
	}
	unpin()
	return found, h.end(err)
}

func checkCapacity(p *plan.Plan, goal CapacityGoal) error {
	loss := 1 - goal.SLO.Share
	if goal.Width < loss || goal.Width >= 1 {
		return misuse.Errorf("--slo %s allows a loss of %.4g, and bounds cannot be closer than that: --width is %g, and takes from %.4g to below 1",
			goal.SLO.Text, loss, goal.Width, loss)
	}
	for _, point := range p.Points {
		if point.Mode != record.Closed {
			return misuse.Errorf("capacity looks for the rate itself: leave --rate out")
		}
		if point.Duration("timeout") <= goal.SLO.Limit {
			return misuse.Errorf("--timeout %s: it must be longer than the limit of %s, or a late reply looks like none", point.Text("timeout"), goal.SLO.Text)
		}
	}
	return check(p)
}

// begin measures the closed loops, and begins a search for each.
func (h *hunt) begin(ctx context.Context, goal CapacityGoal) error {
	for _, j := range h.plan.Jobs() {
		t, err := h.measured(ctx, j)
		if err != nil {
			return err
		}
		if t.ThroughputRPS == 0 {
			return fmt.Errorf("%s %s served nothing in the closed loop, so there is nowhere to begin: %s", t.Label(), t.Workload, t.Failed)
		}
		h.add(j.Point, goal, t.ThroughputRPS)
	}
	return nil
}

// save writes what was found, also when the search was ended by err. Into run.json, from which reports are made, go only
// the bounds of searches that came to their end: those of the others are not close yet.
func (h *hunt) save(err error) ([]Capacity, error) {
	found := h.found()
	if err == nil {
		for _, c := range found {
			h.meta.Capacities = append(h.meta.Capacities, c.record(""))
		}
		err = h.writer.Amend(h.meta)
	}
	text, encodeErr := json.MarshalIndent(found, "", "  ")
	if encodeErr == nil {
		encodeErr = os.WriteFile(filepath.Join(h.options.Dir, "capacity.json"), append(text, '\n'), 0o644)
	}
	return found, errors.Join(err, encodeErr)
}

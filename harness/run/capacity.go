package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"turnlab/harness/capacity"
	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/harness/trial"
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

// A search is the search for the capacity of one point.
type search struct {
	point  record.Point // in the closed loop
	search *capacity.Search
	found  Capacity
}

// FindCapacity searches, for every point of p, the highest rate that keeps the service level, into a new folder. The points are
// those of a closed loop; their throughput is where the search begins. Every probe is a record like any other. Engines take
// turns in shuffled order, one probe each, so that the machine's drift meets all of them. At the end the lower bound is
// measured again: a search stops where luck was good, and a bound that is only lucky does not pass twice.
func FindCapacity(ctx context.Context, p *plan.Plan, goal CapacityGoal, o Options) (found []Capacity, err error) {
	if err := checkCapacity(p, goal, o); err != nil {
		return nil, err
	}
	meta := newMeta(p)
	meta.Notes = append(meta.Notes, fmt.Sprintf("a search for the capacity under %s: the plan has the closed loops that it began with, the probes follow", goal.SLO.Text))
	w, err := record.Create(o.Dir, meta)
	if err != nil {
		return nil, err
	}
	h := &hunt{runner: newRunner(p, o, w, meta), goal: goal, accept: capacity.Goal{
		LossRatio: 1 - goal.SLO.Share, Trials: capacity.DefaultTrials, ExceedRatio: capacity.DefaultExceedRatio, Width: goal.Width,
	}}
	unpin := h.stepAside()
	if err = h.calibrate(ctx, true); err == nil {
		found, err = h.all(ctx)
	}
	unpin()
	end := w.Close
	if misuse.Is(err) {
		end = w.Discard
	}
	return found, errors.Join(err, end())
}

func checkCapacity(p *plan.Plan, goal CapacityGoal, o Options) error {
	loss := 1 - goal.SLO.Share
	if goal.Width < loss || goal.Width >= 1 {
		return misuse.Errorf("--width %g: it takes a share from the loss that %s allows, %.4g, to below 1", goal.Width, goal.SLO.Text, loss)
	}
	for _, point := range p.Points {
		if point.Mode != record.Closed {
			return misuse.Errorf("capacity looks for the rate itself: leave --rate out")
		}
		if point.Duration("timeout") <= goal.SLO.Limit {
			return misuse.Errorf("--timeout %s: it must be longer than the limit of %s, or a late reply looks like none", point.Text("timeout"), goal.SLO.Text)
		}
	}
	return check(p, o)
}

// hunt is a runner that chooses its points by what it has seen.
type hunt struct {
	*runner
	goal     CapacityGoal
	accept   capacity.Goal
	trials   int
	searches []*search
}

func (h *hunt) all(ctx context.Context) ([]Capacity, error) {
	if err := h.begin(ctx); err != nil {
		return nil, err
	}
	for step := 1; ; step++ { // bounded by capacity.MaxProbes for each search
		going, err := h.step(ctx, step)
		if err != nil {
			return h.save(err)
		}
		if !going {
			return h.save(h.confirm(ctx, step+1))
		}
	}
}

// begin measures the closed loops.
func (h *hunt) begin(ctx context.Context) error {
	for _, j := range h.plan.Jobs() {
		t, err := h.probe(ctx, j.Block, j.Point)
		if err != nil {
			return err
		}
		if t.ThroughputRPS == 0 {
			return fmt.Errorf("%s %s served nothing in the closed loop, so there is nowhere to begin: %s", t.Label(), t.Workload, t.Failed)
		}
		genMax, most := 0.0, 1e8
		if rps, known := trial.GenMax(j.Point, h.meta.Calibrations); known {
			genMax, most = rps, math.Max(1, math.Floor(rps))
		}
		h.searches = append(h.searches, &search{
			point: j.Point, search: capacity.NewSearch(h.accept, t.ThroughputRPS, 1, most),
			found: Capacity{
				GenMaxRPS: genMax, Engine: t.Label(), Workload: t.Workload, Conns: t.Number("conns"), SLO: h.goal.SLO.Text, PeakRPS: t.ThroughputRPS,
			},
		})
	}
	return nil
}

// step makes one probe for each search that is not over.
func (h *hunt) step(ctx context.Context, step int) (going bool, err error) {
	for _, i := range h.order(step) {
		s := h.searches[i]
		rate, more := s.search.Next()
		if !more {
			continue
		}
		t, loss, err := h.loss(ctx, step, s.point, rate)
		if err != nil {
			return false, err
		}
		s.search.Add(rate, loss, capacity.GeneratorLimited(t))
		h.tell(fmt.Sprintf("%s: %.0f/s lost %.2f %%", describe(s.point), rate, 100*loss))
		going = true
	}
	return going, nil
}

func (h *hunt) order(step int) []int {
	return rand.New(rand.NewPCG(h.plan.Seed, uint64(step))).Perm(len(h.searches))
}

// confirm measures each lower bound again.
func (h *hunt) confirm(ctx context.Context, step int) error {
	for again := range capacity.DefaultTrials {
		for _, i := range h.order(step + again) {
			s := h.searches[i]
			lower := s.search.Result().Lower
			if lower == 0 {
				continue
			}
			_, loss, err := h.loss(ctx, step+again, s.point, lower)
			if err != nil {
				return err
			}
			s.found.ConfirmLoss = append(s.found.ConfirmLoss, loss)
		}
	}
	for _, s := range h.searches {
		if len(s.found.ConfirmLoss) > 0 {
			passed := h.accept.Passes(s.found.ConfirmLoss)
			s.found.Confirmed = &passed
		}
	}
	return nil
}

// save writes what was found, also when the search was ended by err.
func (h *hunt) save(err error) ([]Capacity, error) {
	var found []Capacity
	for _, s := range h.searches {
		s.found.Result = s.search.Result()
		if s.found.GenMaxRPS > 0 && s.found.Upper == 0 && s.found.Lower >= math.Floor(s.found.GenMaxRPS) {
			s.found.Irregular = fmt.Sprintf("the generator is the limit: the capacity is >= gen_max, %.0f/s", s.found.Lower)
		}
		found = append(found, s.found)
	}
	text, encodeErr := json.MarshalIndent(found, "", "  ")
	if encodeErr == nil {
		encodeErr = os.WriteFile(filepath.Join(h.options.Dir, "capacity.json"), append(text, '\n'), 0o644)
	}
	return found, errors.Join(err, encodeErr)
}

// loss measures a point at a rate.
func (h *hunt) loss(ctx context.Context, step int, p record.Point, rate float64) (*record.Trial, float64, error) {
	p.Mode, p.Params = record.Open, maps.Clone(p.Params)
	p.Params["rate"], p.Params["arrivals"] = rate, h.goal.Arrivals
	t, err := h.probe(ctx, step, p)
	if err != nil {
		return nil, 0, err
	}
	loss, err := h.goal.SLO.Loss(t)
	return t, loss, err
}

// probe makes a trial and keeps its record.
func (h *hunt) probe(ctx context.Context, block int, p record.Point) (*record.Trial, error) {
	t, err := h.lab.Measure(ctx, h.plan.Job(h.trials, block, p))
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w after %d probes; they are in %s", ErrInterrupted, h.trials, h.options.Dir)
	}
	if err != nil {
		return nil, err
	}
	h.trials++
	return t, h.writer.Add(t)
}

func (h *hunt) tell(text string) {
	if h.options.Stderr != nil && !h.options.Quiet {
		fmt.Fprintf(h.options.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), text)
	}
}

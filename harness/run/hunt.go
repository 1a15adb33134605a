package run

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"time"

	"turnlab/harness/capacity"
	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/harness/stat"
	"turnlab/harness/trial"
)

// A search is the search for the capacity of one point under one service level.
type search struct {
	point   record.Point // in the closed loop
	goal    CapacityGoal
	accept  capacity.Goal
	search  *capacity.Search
	confirm capacity.Load // the lower bound, measured again
	found   Capacity
	used    map[string]int // by rate: how many of the hunt's trials this search has taken
}

// hunt is a runner that chooses its points by what it has seen.
//
// Searches of one point share their trials: whether a trial keeps p99 < 1 ms and whether it keeps p99 < 20 ms can both be
// read from it. Each search takes every trial once, in the order in which they were made. That is also how a hunt goes on
// that was interrupted: its trials are there, the searches ask for them again, and get them without a measurement.
//
// A trial that others spoilt is made again at once, as those of blocks are, and searches take the last one; all stay in the
// files. When that one is spoilt too, or when too many have been, it counts all the same, and the search knows.
type hunt struct {
	*runner
	arm      string
	made     map[string][]*record.Trial // by point and rate; of those that were made again the last
	trials   int                        // the number of the next one
	wanted   int                        // trials that searches asked for
	repeats  int                        // trials that were made again
	searches []*search
}

// newHunt begins a hunt whose trials have an arm. have is what there is of the run.
func newHunt(r *runner, arm string, have []record.Trial) *hunt {
	h := &hunt{runner: r, arm: arm, made: map[string][]*record.Trial{}}
	for i := range have {
		t := &have[i]
		h.trials = max(h.trials, t.Trial+1)
		if arm != "" && t.Arm == arm && t.Mode == record.Open {
			h.keep(t)
		}
	}
	return h
}

// keep notes a trial for the searches, in the place of the one before if that was spoilt.
func (h *hunt) keep(t *record.Trial) {
	at := key(t.Point)
	if n := len(h.made[at]); t.Repeat > 0 && n > 0 {
		h.repeats++
		h.made[at][n-1] = t
		return
	}
	h.wanted++
	h.made[at] = append(h.made[at], t)
}

// searchDepth is how far below the closed loop's throughput a search goes, in seven halvings. A service level that fails at
// less than one per cent of that is not one that the load decides, and each further step would take as long as the first.
const searchDepth = 128

// add begins a search at a rate.
func (h *hunt) add(p record.Point, goal CapacityGoal, peak float64) {
	accept := capacity.Goal{
		LossRatio: 1 - goal.SLO.Share, Trials: capacity.DefaultTrials, ExceedRatio: capacity.DefaultExceedRatio, Width: goal.Width,
	}
	genMax, most := 0.0, 1e8
	if rps, known := trial.GenMax(p, h.meta.Calibrations); known {
		genMax, most = rps, math.Max(1, math.Floor(rps))
	}
	h.searches = append(h.searches, &search{
		point: p, goal: goal, accept: accept, used: map[string]int{},
		search: capacity.NewSearch(accept, peak, math.Max(1, math.Floor(peak/searchDepth)), most),
		found: Capacity{
			GenMaxRPS: genMax, Engine: p.Label(), Workload: p.Workload, Conns: p.Number("conns"), SLO: goal.SLO.Text, PeakRPS: peak,
		},
	})
}

// all carries the searches out: one probe each in turn, in shuffled order, until none is left; then each lower bound again.
func (h *hunt) all(ctx context.Context) error {
	for step := 1; ; step++ { // bounded by capacity.MaxProbes for each search
		going, err := h.step(ctx, step)
		if err != nil {
			return err
		}
		if !going {
			return h.confirm(ctx, step+1)
		}
	}
}

// step makes one probe for each search that is not over.
func (h *hunt) step(ctx context.Context, step int) (going bool, err error) {
	for _, i := range h.order(step) {
		s := h.searches[i]
		rate, more := s.search.Next()
		if !more {
			continue
		}
		p, err := h.show(ctx, step, s, rate)
		if err != nil {
			return false, err
		}
		s.search.Add(rate, p)
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
			p, err := h.show(ctx, step+again, s, lower)
			if err != nil {
				return err
			}
			s.confirm.Add(p)
		}
	}
	return nil
}

// found returns what is known of each search.
func (h *hunt) found() []Capacity {
	var found []Capacity
	for _, s := range h.searches {
		s.conclude()
		if s.found.GenMaxRPS > 0 && s.found.Upper == 0 && s.found.Lower >= math.Floor(s.found.GenMaxRPS) {
			s.found.Irregular = fmt.Sprintf("the generator is the limit: the capacity is >= gen_max, %.0f/s", s.found.Lower)
		}
		found = append(found, s.found)
	}
	return found
}

// conclude writes down what the search has found. Where trials that others disturbed decide whether the lower bound passed
// again, nobody knows, and the bound is not sure either. A confirmation that was interrupted says nothing.
func (s *search) conclude() {
	s.found.Result, s.found.ConfirmLoss = s.search.Result(), s.confirm.Losses
	switch {
	case len(s.confirm.Losses) < capacity.DefaultTrials:
	case s.accept.Sure(s.confirm):
		passed := s.accept.Passes(s.confirm)
		s.found.Confirmed = &passed
	default:
		s.found.LowerUnsure = true
	}
}

// show says what the next trial of a point at a rate shows. It is measured unless there is one that the search has not taken.
func (h *hunt) show(ctx context.Context, step int, s *search, rate float64) (shown capacity.Probe, err error) {
	p := s.point
	p.Arm, p.Mode, p.Params = h.arm, record.Open, maps.Clone(p.Params)
	p.Params["rate"], p.Params["arrivals"] = rate, s.goal.Arrivals
	at := key(p)
	fresh := s.used[at] == len(h.made[at])
	if fresh {
		if _, err := h.measured(ctx, h.plan.Job(h.trials, step, p)); err != nil {
			return shown, err
		}
	}
	t := h.made[at][s.used[at]]
	s.used[at]++
	shown.Generator, shown.Disturbed = capacity.GeneratorLimited(t), spoilt(t)
	shown.Loss, err = s.goal.SLO.Loss(t)
	if fresh {
		h.tell(fmt.Sprintf("%s: %.0f/s lost %.2f %% under %s", describe(s.point), rate, 100*shown.Loss, s.goal.SLO.Text))
	}
	return shown, err
}

// measured makes a trial, and makes it again while others spoil it.
func (h *hunt) measured(ctx context.Context, j plan.Job) (*record.Trial, error) {
	for ; ; j.Repeat++ { // bounded by the plan's retries
		t, err := h.probe(ctx, j)
		if err != nil {
			return nil, err
		}
		h.keep(t)
		if !h.again(t) {
			return t, nil
		}
		h.tell(describe(j.Point) + ": others used the CPUs, once more")
	}
}

// again reports whether a trial is to be made once more: others spoilt it, and they do not spoil all.
func (h *hunt) again(t *record.Trial) bool {
	most := int(math.Ceil(retryShare * float64(h.wanted)))
	return spoilt(t) && t.Repeat < h.plan.Retries && h.repeats < most
}

// probe makes a trial and writes its record.
func (h *hunt) probe(ctx context.Context, j plan.Job) (*record.Trial, error) {
	t, err := h.lab.Measure(ctx, j)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w after %d probes; they are in %s", ErrInterrupted, h.trials, h.options.Dir)
	}
	if err != nil {
		return nil, err
	}
	h.trials = max(h.trials, j.Trial+1)
	return t, h.writer.Add(t)
}

func (h *hunt) tell(text string) {
	if h.options.Stderr != nil && !h.options.Quiet {
		fmt.Fprintf(h.options.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), text)
	}
}

// searchArrivals is the kind of arrivals of the searches that experiments ask for.
const searchArrivals = "poisson"

// searchesLeftOut begins the note of a run that had no time for its searches.
const searchesLeftOut = "the searches for the highest rates were left out"

// search carries out the searches that the plan's experiments ask for, when the blocks are done, and writes what they found
// into run.json. Where they would not fit into the budget the run says so; a run that is resumed has the time that they need.
func (r *runner) search(ctx context.Context) error {
	if len(r.plan.Searches) == 0 || len(r.meta.Capacities) > 0 {
		return nil
	}
	if needs := r.plan.SearchTime(); !r.fits(needs) {
		r.say(searchesLeftOut, fmt.Sprintf(": they take about %v and would not have fitted into the budget of %v; "+
			"'lab bench --resume' makes them", needs.Round(time.Second), r.plan.Budget))
		return r.writer.Amend(r.meta)
	}
	r.say(searchesLeftOut, "")
	folder, err := record.Load(r.options.Dir)
	if err != nil {
		return err
	}
	h := newHunt(r, record.Probe, folder.Trials)
	for _, wanted := range r.plan.Searches {
		if err := h.wants(wanted, folder.Trials); err != nil {
			return err
		}
	}
	if err := h.all(ctx); err != nil {
		return err
	}
	for i, c := range h.found() {
		r.meta.Capacities = append(r.meta.Capacities, c.record(h.searches[i].point.Experiment))
	}
	return r.writer.Amend(r.meta)
}

// wants begins the searches of an experiment: of each point at the median of its closed loops.
func (h *hunt) wants(wanted record.Search, have []record.Trial) error {
	for _, p := range h.plan.Points {
		if p.Experiment != wanted.Experiment || p.Mode != record.Closed || p.Arm != "" {
			continue
		}
		peak := medianThroughput(have, p)
		if peak == 0 {
			h.remember(describe(p) + " served nothing in the closed loop, so its capacity was not searched")
			continue
		}
		for _, text := range wanted.SLOs {
			slo, err := capacity.ParseSLO(text)
			if err != nil {
				return err
			}
			h.add(p, CapacityGoal{SLO: slo, Width: wanted.Width, Arrivals: searchArrivals}, peak)
		}
	}
	return nil
}

// medianThroughput returns where a search begins. Trials that are invalid count as well: what they say is good enough to
// begin with.
func medianThroughput(have []record.Trial, p record.Point) float64 {
	var rates []float64
	for i := range have {
		if key(have[i].Point) == key(p) && have[i].ThroughputRPS > 0 {
			rates = append(rates, have[i].ThroughputRPS)
		}
	}
	s, err := stat.Summarise(rates)
	if err != nil {
		return 0
	}
	return s.Median
}

// Package run carries out a plan and leaves a folder of records.
//
// Trials run one after the other, never side by side: two at once would measure each other. Each record is on the disk
// before the next trial begins, so an interruption, a crash or a full disk costs one trial. A trial that fails is a record
// too, and the run goes on; three failures in a row end it, because then something is wrong that more trials will not mend.
//
// Limits: one run at a time on a machine; nothing keeps two labs from disturbing each other but their users.
package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"turnlab/harness/host"
	"turnlab/harness/load"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial"
	"turnlab/internal/misuse"
)

// ErrInterrupted is returned when ctx ended before the plan did. What was done is in the folder and can be continued.
var ErrInterrupted = errors.New("interrupted")

// MaxFailures is how many trials may fail in a row.
const MaxFailures = 3

// Unfinished is the error of a run that began and did not get to its end. What was measured, if anything, is in its folder.
type Unfinished struct{ err error }

// Error returns what ended the run.
func (u *Unfinished) Error() string { return u.err.Error() }

// Unwrap returns it.
func (u *Unfinished) Unwrap() error { return u.err }

// Options say where a run goes and how it shows its progress.
type Options struct {
	Dir     string
	Quiet   bool
	Stderr  io.Writer     // for progress; nil for none
	Program string        // the children's binary; empty means this one
	Grace   time.Duration // see trial.Lab; 0 for the default
}

// A Summary is how a run ended.
type Summary struct {
	Dir     string
	ID      string
	Planned int
	Done    int // records in the folder, those of an earlier part included
	Failed  int
	Invalid int // measured, but flagged invalid
	Elapsed time.Duration
	Stopped string // why the run ended before all blocks were done
}

// DefaultDir returns a folder for a run that was not given one: results/NAME-TIME.
func DefaultDir(name string) string {
	return filepath.Join("results", name+"-"+time.Now().Format("20060102-150405"))
}

// Execute carries out p into a new folder.
func Execute(ctx context.Context, p *plan.Plan, o Options) (Summary, error) {
	if err := check(p); err != nil {
		return Summary{}, err
	}
	meta := newMeta(p)
	w, err := record.Create(o.Dir, meta)
	if err != nil {
		return Summary{}, err
	}
	return newRunner(p, o, w, meta).run(ctx, nil)
}

// newMeta describes a run of p that begins now.
func newMeta(p *plan.Plan) record.Run {
	now := time.Now()
	meta := record.Run{
		Schema: record.Schema, ID: newID(now), Version: host.Version(), Command: os.Args, StartedUnix: now.UnixNano(),
		Seed: p.Seed, Blocks: len(p.Order), Plan: p.Points, Order: p.Order, Host: host.Describe(), Notes: p.Notes,
		Precision: p.Precision, BudgetNS: int64(p.Budget), ExperimentBlocks: p.Blocks,
		Searches: p.Searches, Retries: p.Retries,
	}
	meta.Host.ServerCPUs, meta.Host.ClientCPUs = p.ServerCPUs.String(), p.ClientCPUs.String()
	return meta
}

// Resume goes on with the run in o.Dir: its plan, without the trials that it has, and with those that are to be made again. The
// blocks of a run that stopped early are complete. The budget is of each part.
func Resume(ctx context.Context, c plan.Catalog, o Options) (Summary, error) {
	folder, w, err := record.Reopen(o.Dir)
	if err != nil {
		return Summary{}, err
	}
	p, err := plan.Continue(&folder.Run, c)
	if err == nil {
		err = check(p)
	}
	if err != nil {
		return Summary{}, errors.Join(err, w.Close())
	}
	return newRunner(p, o, w, folder.Run).run(ctx, folder.Trials)
}

// check finds what would fail in some trial, before any folder exists.
func check(p *plan.Plan) error {
	most := 0.0
	for _, point := range p.Points {
		most = max(most, point.Number("conns"))
	}
	if err := proc.NeedFiles(int(most)); err != nil {
		return err
	}
	for _, point := range p.Points {
		if point.Mode == record.Primitive {
			continue // there is no load
		}
		if err := load.Check(trial.LoadOf(&record.Trial{Point: point}, "")); err != nil {
			return err
		}
	}
	return nil
}

// newID makes an id that sorts by time and that two runs of one second do not share.
func newID(t time.Time) string {
	var tail [2]byte
	rand.Read(tail[:])
	return fmt.Sprintf("%s-%x", t.UTC().Format("20060102-150405"), tail)
}

// runner is a run under way.
type runner struct {
	plan    *plan.Plan
	lab     *trial.Lab
	writer  *record.Writer
	options Options
	summary Summary
	meta    record.Run
	began   time.Time
	seen    *seen
	again   map[int]int         // trials of the plan that others spoilt, with the number of the repetition that is due
	repeats map[int]int         // by block: trials of the plan that were made again
	note    func(*record.Trial) // told each trial as it is made; nil for nobody
}

func newRunner(p *plan.Plan, o Options, w *record.Writer, meta record.Run) *runner {
	return &runner{
		plan: p, writer: w, options: o,
		summary: Summary{Dir: o.Dir, ID: meta.ID, Stopped: meta.Stopped, Planned: len(p.Jobs()) + len(p.Probes())},
		meta:    meta, began: time.Now(), seen: newSeen(), again: map[int]int{}, repeats: map[int]int{},
		lab: &trial.Lab{Run: meta.ID, Catalog: p.Catalog, Program: o.Program, Grace: o.Grace},
	}
}

// run measures what is not among the records yet.
func (r *runner) run(ctx context.Context, have []record.Trial) (Summary, error) {
	for i := range have {
		r.count(&have[i])
	}
	unpin := r.stepAside()
	err := r.calibrate(ctx, false)
	if err == nil {
		err = r.settle(ctx, have)
	}
	if err == nil {
		err = r.measure(ctx, r.remaining(have))
	}
	if err == nil {
		err = r.search(ctx)
	}
	unpin()
	r.advise()
	r.summary.Elapsed = time.Since(r.began)
	return r.summary, r.end(err)
}

// end ends writing after err, if any.
func (r *runner) end(err error) error {
	end := r.writer.Close
	if misuse.Is(err) {
		end = r.writer.Discard
	}
	if err = errors.Join(err, end()); err != nil {
		return &Unfinished{err}
	}
	return nil
}

// remaining lists the planned trials that are not among the records, and of blocks that lack none those that are to be made
// again; where trials are missing, repetitions follow them.
func (r *runner) remaining(have []record.Trial) []plan.Job {
	if r.meta.Stopped != "" {
		return nil
	}
	jobs := notIn(have, r.plan.Jobs())
	for block := range r.plan.Order {
		if !slices.ContainsFunc(jobs, func(j plan.Job) bool { return j.Block == block }) {
			jobs = append(jobs, r.spoiltOf(block)...)
		}
	}
	slices.SortStableFunc(jobs, func(a, b plan.Job) int { return a.Block - b.Block })
	return jobs
}

// stepAside moves this process to the generator's CPUs for the time of the run: it sleeps through the windows, but when it
// wakes, a server that must wait for it would be measured as slower, while a generator that must wait shows it, as slip.
// Where that is not possible the run goes on; the CPUs are then shared for microseconds at the edges of a window.
func (r *runner) stepAside() (back func()) {
	before := proc.Allowed()
	if proc.PinSelf(r.plan.ClientCPUs) != nil {
		return func() {}
	}
	return func() { _ = proc.PinSelf(before) }
}

// measure makes the trials of jobs block by block, and at the end of each block those again that others spoilt.
func (r *runner) measure(ctx context.Context, jobs []plan.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	m := measuring{runner: r, show: newProgress(r.options, jobs), planned: jobs[0].Point.Arm != record.Probe}
	defer m.show.end()
	start, foreseen := time.Now(), time.Duration(0) // what the blocks so far should have taken
	for len(jobs) > 0 {
		block := jobs[0].Block
		n := slices.IndexFunc(jobs, func(j plan.Job) bool { return j.Block != block })
		if n < 0 {
			n = len(jobs)
		}
		needs := plan.Estimate(jobs[:n])
		if m.planned && foreseen > 0 {
			late := float64(time.Since(start)) / float64(foreseen)
			if why := r.enough(block, time.Duration(late*float64(needs))); why != "" {
				return r.stop(why)
			}
		}
		if err := m.block(ctx, block, jobs[:n]); err != nil {
			return err
		}
		jobs, foreseen = jobs[n:], foreseen+needs
	}
	return nil
}

// measuring is trials under way.
type measuring struct {
	*runner
	show    *progress
	planned bool // the jobs are the plan's, and not probes
	inARow  int  // trials that failed
}

func (m *measuring) block(ctx context.Context, block int, jobs []plan.Job) error {
	if err := m.each(ctx, jobs); err != nil || !m.planned {
		return err
	}
	for range m.plan.Retries {
		jobs := m.spoiltOf(block)
		m.show.more(len(jobs))
		if err := m.each(ctx, jobs); err != nil {
			return err
		}
	}
	return nil
}

func (m *measuring) each(ctx context.Context, jobs []plan.Job) error {
	for _, j := range jobs {
		m.show.begin(j)
		t, err := m.lab.Measure(ctx, j)
		if ctx.Err() != nil {
			return fmt.Errorf("%w after %d of %d trials; they are in %s", ErrInterrupted, m.summary.Done, m.summary.Planned, m.options.Dir)
		}
		if err != nil {
			return err
		}
		if err := m.writer.Add(t); err != nil {
			return err
		}
		m.count(t)
		if m.note != nil {
			m.note(t)
		}
		m.show.done(t)
		if m.inARow++; t.Failed == "" {
			m.inARow = 0
		}
		if m.inARow == MaxFailures {
			return fmt.Errorf("%d trials in a row failed, the last one (%s %s): %s", MaxFailures, t.Label(), t.Workload, t.Failed)
		}
	}
	return nil
}

// stop ends the run before all blocks are done and writes down why.
func (r *runner) stop(why string) error {
	r.meta.Stopped, r.summary.Stopped = why, why
	return r.writer.Amend(r.meta)
}

func (r *runner) count(t *record.Trial) {
	r.summary.Done++
	r.seen.add(t)
	r.heed(t)
	switch {
	case t.Failed != "":
		r.summary.Failed++
	case !t.Valid():
		r.summary.Invalid++
	}
}

// Package plan turns the description of a sweep into the list of trials that will answer it.
//
// It is pure: no process, no file, no clock. All that can be wrong with a request is found here, before a folder exists or
// a server has started, and told as a mistake the user can mend, with the names that would have been right.
//
// A [Sweep] is axes; their product, for each engine and workload, is the points. A run measures every point once per block,
// in an order drawn from the seed anew for each block. Measuring all of one engine and then all of the next would let the
// machine's drift (heat, neighbours, the page cache) pass for a difference between engines; shuffled blocks spread it over
// all of them, and blocks are what differences are taken within. The arrivals of a trial are drawn from a seed that does
// not depend on the engine, so the engines of a block get the same load to the nanosecond; at a share of what each can do, the
// same pattern at the pace of each.
//
// A run may answer several questions at once, see [Together]: every block then holds the points of all of them, so that a
// run that was interrupted has something to say about each.
//
// Limits: the order is fixed beforehand; nothing here reacts to results, and a run that stops early leaves out whole blocks.
package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"turnlab/engine"
	"turnlab/harness/micro"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// A Catalog is the engines, workloads and operations that there are.
type Catalog struct {
	Engines    []*engine.Spec
	Workloads  []*workloads.Workload
	Operations []*micro.Operation
}

// Engine returns the engine that a user calls label.
func (c Catalog) Engine(label string) (*engine.Spec, error) {
	for _, s := range c.Engines {
		if s.Label() == label {
			return s, nil
		}
	}
	return nil, misuse.Errorf("no engine %q; there are: %s", label, strings.Join(labels(c.Engines), ", "))
}

// Workload returns the workload called name.
func (c Catalog) Workload(name string) (*workloads.Workload, error) {
	for _, w := range c.Workloads {
		if w.Name == name {
			return w, nil
		}
	}
	return nil, misuse.Errorf("no workload %q; there are: %s", name, strings.Join(names(c.Workloads), ", "))
}

// A Plan is the points of a run and the order of its trials.
type Plan struct {
	Points     []record.Point
	Order      [][]int // for each block, the points by index in the order in which they are measured
	Seed       uint64
	ServerCPUs proc.CPUSet
	ClientCPUs proc.CPUSet
	// UpstreamCPUs are for building points; a plan that is continued has its points and needs none.
	UpstreamCPUs proc.CPUSet
	Notes        []string // why points were left out
	Catalog      Catalog
	Precision    float64       // see Sweep
	Budget       time.Duration // see Sweep
	Retries      int           // how often a trial that others spoilt is made again
	// Blocks says in how many blocks, from the first, the points of an experiment take part. An experiment that is not
	// listed takes part in all.
	Blocks map[string]int
	// Searches follow the blocks.
	Searches []record.Search
}

// A Job is one trial to be.
type Job struct {
	Trial int // position in the run, from 0
	Block int
	Point record.Point
	Seed  uint64 // of the trial's arrivals and requests
	// Repeat counts from 1 when the trial is made again because others spoilt it.
	Repeat int
}

// Jobs lists the trials in their order.
func (p *Plan) Jobs() []Job {
	var jobs []Job
	for block, order := range p.Order {
		for _, i := range order {
			jobs = append(jobs, p.Job(len(jobs), block, p.Points[i]))
		}
	}
	return jobs
}

// Job returns a trial of any point, with the seed that it has in this plan.
func (p *Plan) Job(trial, block int, point record.Point) Job {
	return Job{Trial: trial, Block: block, Point: point, Seed: seedOf(p.Seed, block, point)}
}

// Takes returns the points that take part in a block, by index.
func (p *Plan) Takes(block int) []int {
	var part []int
	for i, point := range p.Points {
		if blocks, ok := p.Blocks[point.Experiment]; !ok || block < blocks {
			part = append(part, i)
		}
	}
	return part
}

// What a trial takes besides warm-up and window: two processes to start, connections to make and to break, samples to take.
// Measured on two cores: 45 ms at 64 connections, 0.25 s at 1,024, 0.9 s at 4,096.
const (
	overhead        = 50 * time.Millisecond
	overheadPerConn = 250 * time.Microsecond
	overheadPerTask = 8 * time.Microsecond // to put a task to sleep and to read its memory; a thread takes longer
)

// Estimate says how long the plan takes, with its probes and searches.
func (p *Plan) Estimate() time.Duration {
	return Estimate(append(p.Probes(), p.Jobs()...)) + p.SearchTime()
}

// SearchTime says how long the searches take.
func (p *Plan) SearchTime() time.Duration { return p.searchTime("") }

// searchProbes is about how many trials a search takes for one point and one service level; those of several levels share
// some of theirs. A search from a closed loop's throughput to bounds within 5 % took 12 to 20.
const searchProbes = 12

// searchTime says how long the searches of an experiment take, or all of them for "".
func (p *Plan) searchTime(experiment string) time.Duration {
	var sum time.Duration
	for _, s := range p.Searches {
		if experiment != "" && s.Experiment != experiment {
			continue
		}
		for _, point := range p.Points {
			if point.Experiment == s.Experiment && point.Arm == "" {
				sum += time.Duration(len(s.SLOs)*searchProbes) * Estimate([]Job{{Point: point}})
			}
		}
	}
	return sum
}

// Estimate says how long the jobs will take.
func Estimate(jobs []Job) time.Duration {
	var sum time.Duration
	for _, j := range jobs {
		sum += j.Point.Duration("warmup") + j.Point.Duration("duration") + CoolDown(j.Point)
		sum += overhead + time.Duration(j.Point.Number("conns"))*overheadPerConn
		sum += time.Duration(j.Point.Number("sleepers.tasks")) * overheadPerTask
	}
	return sum
}

// shuffle draws the order of each block from the seed. PCG with the block as its second word gives every block a stream
// of its own, so that the order of block 3 does not depend on how many points block 2 had.
func (p *Plan) shuffle(blocks int) {
	p.Order = make([][]int, blocks)
	for b := range p.Order {
		part := p.Takes(b)
		for _, i := range rand.New(rand.NewPCG(p.Seed, uint64(b))).Perm(len(part)) {
			p.Order[b] = append(p.Order[b], part[i])
		}
	}
}

// seedOf derives a trial's seed from everything that shapes the load and from nothing that shapes the server: engines that
// are compared within a block must meet the same arrivals, or chance in the arrivals would be taken for the engine's. Of a
// share of what each can do the rate is the engine's own; the seed is of the share, so that arrivals keep their pattern.
func seedOf(seed uint64, block int, p record.Point) uint64 {
	load := map[string]any{}
	for name, v := range p.Params {
		if !strings.HasPrefix(name, p.Engine+".") {
			load[name] = v
		}
	}
	if _, shared := load[rateShare]; shared {
		delete(load, "rate")
	}
	text, err := json.Marshal([]any{seed, block, p.Workload, load}) // maps are written in the order of their keys
	if err != nil {
		panic("plan: a parameter that JSON cannot hold: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return binary.LittleEndian.Uint64(sum[:]) >> 11 // 53 bits, which every reader of JSON keeps exactly
}

// Continue rebuilds the plan of a run that was begun, so that its remaining trials can follow.
func Continue(run *record.Run, c Catalog) (*Plan, error) {
	p := &Plan{
		Points: run.Plan, Order: run.Order, Seed: run.Seed, Notes: run.Notes, Catalog: c,
		Precision: run.Precision, Budget: time.Duration(run.BudgetNS), Blocks: run.ExperimentBlocks,
		Searches: run.Searches, Retries: run.Retries,
	}
	for _, point := range run.Plan {
		if err := c.known(point); err != nil {
			return nil, err
		}
	}
	for block, order := range run.Order {
		if !slices.Equal(slices.Sorted(slices.Values(order)), p.Takes(block)) {
			return nil, fmt.Errorf("run.json is damaged: block %d does not hold every one of its points once", block)
		}
	}
	if len(p.Points) == 0 {
		return nil, fmt.Errorf("run.json is damaged: it has no points")
	}
	var err error
	p.ServerCPUs, p.ClientCPUs, err = cpusOf(run)
	return p, err
}

func labels(specs []*engine.Spec) []string {
	out := make([]string, len(specs))
	for i, s := range specs {
		out[i] = s.Label()
	}
	return out
}

func names(list []*workloads.Workload) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.Name
	}
	return out
}

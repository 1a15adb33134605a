package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"turnlab/engine"
	"turnlab/harness/micro"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// Bounds of a plan: a slip in a range is to be an error and not a week. MaxInFlight, connections times depth, is what a
// generator has room for.
const (
	MaxBlocks   = 1000
	MaxPoints   = 10_000
	MaxInFlight = 1 << 22
)

// Load declares the parameters of every point that are neither the engine's nor the workload's. Each may be an axis.
var Load = option.Set{
	{Name: "conns", Kind: option.Int, Default: "64", Min: 1, Max: 1 << 20, Help: "connections, open all the time"},
	{Name: "rate", Kind: option.Int, Default: "0", Min: 0, Max: 1e8,
		Help: "requests per second over all connections; 50% is a share of what the point does in a closed loop, measured " +
			"first; 0 is the closed loop, where each connection waits for its reply"},
	{Name: "arrivals", Kind: option.Choice, Default: "poisson", Choices: []string{"poisson", "fixed"},
		Help: "gaps between requests at a rate: poisson as of many independent users, fixed as of a metronome"},
	{Name: "depth", Kind: option.Int, Default: "1", Min: 1, Max: 1 << 16, Help: "requests in flight per connection"},
	{Name: "transport", Kind: option.Choice, Default: "tcp", Choices: []string{"tcp", "unix"},
		Help: "tcp on loopback, or a unix socket, which lessens the kernel's share"},
	{Name: "threads", Kind: option.Int, Default: "0", Min: 0, Max: 256,
		Help: "threads of each load generator; 0 is one per client CPU that it has"},
	{Name: "generators", Kind: option.Int, Default: "1", Min: 1, Max: 16,
		Help: "processes that make the load together, each with a share of the connections, the rate and the client CPUs"},
	{Name: "spin", Kind: option.Duration, Default: "50us", Min: 0, Max: 0.001,
		Help: "at a rate, how long before a request is due the generator is awake: it then sends on time; 0 where it shares its CPUs"},
	{Name: "duration", Kind: option.Duration, Default: "3s", Min: 0.05, Max: 3000, Help: "length of the measured window"},
	{Name: "warmup", Kind: option.Duration, Default: "1s", Min: 0, Max: 600, Help: "load before the window, not measured"},
	{Name: "settle", Kind: option.Choice, Default: "off", Choices: []string{"off", "on"},
		Help: "on: the warm-up goes on until the load is steady, by MSER-5, for at most 10s"},
	{Name: "extend", Kind: option.Choice, Default: "off", Choices: []string{"off", "p90", "p99", "p999", "p9999"},
		Help: "the window is doubled, up to 30s, while this percentile has too few requests to be known"},
	{Name: "timeout", Kind: option.Duration, Default: "5s", Min: 0.01, Max: 600,
		Help: "of a connect and of a reply; also how long late replies are waited for after the window"},
}

// An Axis is a parameter and the values it is to take, as the user wrote them: "conns" and "1..1024*4".
//
// The name is one of Load ("conns"), an option of one engine or workload ("coop.yield", "coop/await.yield",
// "http.payload"), an option of every engine that has it ("engine.procs"), or of every workload that has it ("payload").
// An axis multiplies only the points that it applies to.
type Axis struct{ Name, Values string }

// A Sweep describes points, and how a run measures them.
type Sweep struct {
	Engines    []string // labels: "coop", "coop/await"
	Workloads  []string
	Operations []string // measured without a client, see package micro
	Axes       []Axis   // in order; what is not given takes its default
	Blocks     int
	Seed       uint64
	ServerCPUs string // as 0-3,5; empty for the default, see SplitCPUs
	ClientCPUs string
	// UpstreamCPUs are those of the servers that a workload calls; empty for the generator's.
	UpstreamCPUs string
	// AA measures the first engine twice in each block, so that the run knows its noise (see record.Again).
	AA bool
	// Precision lets the run stop before all blocks are done, when the interval of every point's CPU per request is at most
	// this share of its median to either side; 0 for never. Budget stops it when another block would not fit; 0 for never.
	Precision float64
	Budget    time.Duration
	Retries   int // how often a trial that others spoilt is made again
}

// Resolve turns s into a plan on a machine that lets us use the given CPUs.
func (s Sweep) Resolve(c Catalog, allowed proc.CPUSet) (*Plan, error) {
	return Together([]Part{{Sweeps: []Sweep{s}, Blocks: s.Blocks}}, s, c, allowed)
}

// A Part is what one experiment adds to a run.
type Part struct {
	Experiment string
	// Sweeps describe its points. Of each count Engines, Workloads, Operations, Axes and AA; the rest is the run's.
	Sweeps []Sweep
	Blocks int
	// SLOs are service levels: for each of them, and for each point, the highest rate is searched when the blocks are done,
	// to within Width. The points are closed loops, whose throughput is where a search begins.
	SLOs  []string
	Width float64
}

// Together makes one plan of several experiments. A point that two of them have is two points: each can then be read, and
// repeated, without the other. An experiment with fewer blocks than others takes part in the first ones. Of s count the
// fields that are the run's: seed, CPUs, precision and budget.
func Together(parts []Part, s Sweep, c Catalog, allowed proc.CPUSet) (*Plan, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	server, client, err := s.cpus(allowed)
	if err != nil {
		return nil, err
	}
	upstream, err := s.upstreams(allowed, client)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		Seed: s.Seed, ServerCPUs: server, ClientCPUs: client, UpstreamCPUs: upstream, Catalog: c,
		Precision: s.Precision, Budget: s.Budget, Retries: s.Retries,
	}
	most := 0
	for _, part := range parts {
		if err := p.add(part); err != nil {
			return nil, err
		}
		most = max(most, part.Blocks)
	}
	p.shuffle(most)
	return p, nil
}

// add adds the points of an experiment.
func (p *Plan) add(part Part) error {
	if part.Blocks < 1 || part.Blocks > MaxBlocks {
		return misuse.Errorf("%d blocks: a run has 1 to %d", part.Blocks, MaxBlocks)
	}
	if part.Experiment != "" {
		if p.Blocks == nil {
			p.Blocks = map[string]int{}
		}
		p.Blocks[part.Experiment] = part.Blocks
	}
	if len(part.SLOs) > 0 {
		p.Searches = append(p.Searches, record.Search{Experiment: part.Experiment, SLOs: part.SLOs, Width: part.Width})
	}
	for _, s := range part.Sweeps {
		b := &builder{
			catalog: p.Catalog, axes: s.Axes, server: p.ServerCPUs, client: p.ClientCPUs, upstream: p.UpstreamCPUs,
			used: make([]bool, len(s.Axes)), experiment: part.Experiment, points: p.Points, from: len(p.Points),
		}
		if err := b.all(s); err != nil {
			return err
		}
		p.Points = b.points
		for _, note := range b.notes {
			if !slices.Contains(p.Notes, note) {
				p.Notes = append(p.Notes, note)
			}
		}
	}
	return nil
}

// check checks what is the run's.
func (s Sweep) check() error {
	if s.Precision < 0 || s.Precision >= 1 {
		return misuse.Errorf("precision %v: it takes 0 (never stop early) to below 1, such as 3%%", s.Precision)
	}
	if s.Budget < 0 {
		return misuse.Errorf("budget %v: it takes a time above 0, such as 30m, or 0 for none", s.Budget)
	}
	return nil
}

// builder collects the points of a sweep.
type builder struct {
	catalog        Catalog
	axes           []Axis
	engines        []*engine.Spec
	workloads      []*workloads.Workload
	operations     []*micro.Operation
	server, client proc.CPUSet
	upstream       proc.CPUSet
	used           []bool // by axis: some point has it
	experiment     string
	points         []record.Point
	from           int // where those of this sweep begin
	notes          []string
}

// all makes the points of a sweep.
func (b *builder) all(s Sweep) error {
	if err := b.find(s); err != nil {
		return err
	}
	if err := b.build(); err != nil {
		return err
	}
	if s.AA {
		return b.again()
	}
	return nil
}

// find looks everything up. A name given twice is an error, for it would measure the same point twice.
func (b *builder) find(s Sweep) error {
	if len(s.Engines) == 0 {
		return misuse.Errorf("no engine: name one or more of %s", strings.Join(labels(b.catalog.Engines), ", "))
	}
	if len(s.Workloads)+len(s.Operations) == 0 {
		return misuse.Errorf("no workload: name one or more of %s", strings.Join(names(b.catalog.Workloads), ", "))
	}
	if twice := repeated(slices.Concat(s.Engines, s.Workloads, s.Operations)); twice != "" {
		return misuse.Errorf("%s is given twice", twice)
	}
	for _, label := range s.Engines {
		spec, err := b.catalog.Engine(label)
		if err != nil {
			return err
		}
		b.engines = append(b.engines, spec)
	}
	for _, name := range s.Workloads {
		w, err := b.catalog.Workload(name)
		if err != nil {
			return err
		}
		b.workloads = append(b.workloads, w)
	}
	return b.findOperations(s.Operations)
}

func repeated(list []string) string {
	seen := map[string]bool{}
	for _, s := range list {
		if seen[s] {
			return s
		}
		seen[s] = true
	}
	return ""
}

// build makes the points.
func (b *builder) build() error {
	if err := b.serve(); err != nil {
		return err
	}
	if err := b.operate(); err != nil {
		return err
	}
	for i, used := range b.used {
		if !used {
			return b.explain(b.axes[i].Name)
		}
	}
	if len(b.points) == b.from {
		return misuse.Errorf("nothing to measure: %s", strings.Join(b.notes, "; "))
	}
	return nil
}

// serve makes the points of every pair of workload and engine.
func (b *builder) serve() error {
	for _, w := range b.workloads {
		for _, spec := range b.engines {
			dims, err := b.dimensions(parameters(spec, w), func(axis string) (option.Option, bool) { return target(axis, spec, w) })
			if err != nil {
				return err
			}
			if err := spec.CanServe(w); err != nil {
				b.notes = append(b.notes, fmt.Sprintf("%s does not run %s: %v", spec.Label(), w.Name, err))
				continue
			}
			params := map[string]any{"server-cpus": b.server.String(), "client-cpus": b.client.String()}
			if w.Uses(workloads.Call) {
				params["upstream-cpus"] = b.upstream.String()
			}
			err = product(dims, params, func(params map[string]any, later bool) error { return b.add(spec, w, params, later) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// openOnly reports whether a parameter means something at a rate only.
func openOnly(name string) bool { return name == "arrivals" || name == "spin" }

// sharesCPUs reports whether a generator that waits awake would take CPU time from somebody: from the server, from another
// of its own threads, or from an upstream.
func (b *builder) sharesCPUs(w *workloads.Workload, p record.Point) bool {
	threads := p.Number("threads") * p.Number("generators")
	return b.server.And(b.client).Len() > 0 || threads > float64(b.client.Len()) ||
		w.Uses(workloads.Call) && b.upstream.And(b.client).Len() > 0
}

// product calls add with params and every combination of values; the last dimension changes fastest. later says that it is
// not the first value of what means nothing to a closed loop.
func product(dims []dimension, params map[string]any, add func(params map[string]any, later bool) error) error {
	var walk func(rest []dimension, later bool) error
	walk = func(rest []dimension, later bool) error {
		if len(rest) == 0 {
			return add(params, later)
		}
		for i, v := range rest[0].values {
			set(params, rest[0].name, v)
			if err := walk(rest[1:], later || openOnly(rest[0].name) && i > 0); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(dims, false)
}

// add adds a point. The closed loop has no arrivals, so it has that parameter neither; of several arrivals (later says
// that this is not the first) it takes part in the first only, or it would be measured once for each.
func (b *builder) add(spec *engine.Spec, w *workloads.Workload, params map[string]any, later bool) error {
	p := record.Point{
		Engine: spec.Name, Variant: spec.Variant, Workload: w.Name, Mode: record.Open, Experiment: b.experiment, Params: maps.Clone(params),
	}
	if rate, ok := p.Params["rate"]; ok && rate == 0.0 {
		if later {
			return nil
		}
		p.Mode = record.Closed
		delete(p.Params, "arrivals")
	}
	if p.Number("threads") == 0 {
		p.Params["threads"] = max(1, math.Floor(float64(b.client.Len())/p.Number("generators")))
	}
	if b.sharesCPUs(w, p) {
		p.Params["spin"] = time.Duration(0).String()
	}
	if err := canServe(spec, w, p); err != nil {
		if note := fmt.Sprintf("%s does not run %s with these settings: %v", spec.Label(), w.Name, err); !slices.Contains(b.notes, note) {
			b.notes = append(b.notes, note)
		}
		return nil
	}
	if conns, depth := p.Number("conns"), p.Number("depth"); conns*depth > MaxInFlight {
		return misuse.Errorf("%.0f connections x depth %.0f: at most %d requests can be under way", conns, depth, MaxInFlight)
	}
	if len(b.points) == MaxPoints {
		return misuse.Errorf("more than %d points: use fewer values or fewer axes", MaxPoints)
	}
	b.points = append(b.points, p)
	return nil
}

// canServe asks whether an engine has the ops that a workload uses under a point's settings.
func canServe(spec *engine.Spec, w *workloads.Workload, p record.Point) error {
	settings, err := w.Options.Resolve(p.Options(w.Name))
	if err != nil {
		return err
	}
	return spec.CanServe(w.For(settings))
}

// again adds the points of the first engine a second time. One engine is enough: what an engine shows against itself is the
// machine's noise and the lab's, and all engines run on the same machine in the same lab.
func (b *builder) again() error {
	label := b.points[b.from].Label()
	for _, p := range b.points[b.from:] {
		if p.Label() != label {
			continue
		}
		if len(b.points) == MaxPoints {
			return misuse.Errorf("more than %d points: use fewer values or fewer axes, or --aa off", MaxPoints)
		}
		p.Arm, p.Params = record.Again, maps.Clone(p.Params)
		b.points = append(b.points, p)
	}
	b.notes = append(b.notes, fmt.Sprintf("%s runs twice in each block, to know the noise (--aa)", label))
	return nil
}

// plain turns a value into what reading it back from JSON gives, so that a plan and its record compare equal.
func plain(v option.Value) any {
	text, err := json.Marshal(v)
	if err != nil {
		panic("plan: " + err.Error())
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		panic("plan: " + err.Error())
	}
	return out
}

package reports

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"turnlab/harness/record"
)

// The fixture "experiments" is a run of four questions with every kind of drawing, and with cells that were not run, failed,
// do not count, or have too few requests for their figure. Its experiments have different numbers of blocks.

func declared() []Experiment {
	hogged := func(p record.Point) bool { return p.Number("hog.share") > 0 }
	return []Experiment{
		{
			Name: "hog", Question: "What happens to everyone else when one task will not give up the CPU?",
			Held: "Every cell asks for a quarter of one CPU.", Limits: "One server CPU; a hog computes & holds no <lock>.",
			Next: []string{"lab timeline --engine coop,preempt,threads --workload hog"},
			Plots: []Plot{
				{ID: "innocents", Title: "What innocents wait at p99", Kind: HeatMap, Metrics: []string{"innocent-p99"}, X: "hog.burst", Y: "hog.share",
					Where: hogged, Note: "Read along a row: where colour grows with the burst, nobody interrupts the hog."},
				{ID: "burst", Title: "p99 of innocents against the burst", Kind: Lines, Metrics: []string{"innocent-p99"}, X: "hog.burst",
					Where: func(p record.Point) bool { return p.Number("hog.share") == 0.01 }, Note: "One request in a hundred computes."},
				{ID: "strips", Title: "Every trial", Kind: Strips, Metrics: []string{"innocent-p99"}, More: true,
					Where: func(p record.Point) bool { return p.Text("hog.burst") == "10ms" && p.Number("hog.share") == 0.01 }},
				{ID: "spectrum", Title: "Every percentile", Kind: Spectra, Metrics: []string{"innocent-p99"},
					Where: func(p record.Point) bool { return p.Text("hog.burst") == "10ms" && p.Number("hog.share") == 0.01 }},
				{ID: "timeline", Title: "Who ran when", Kind: Gantt},
			},
		},
		{
			Name: "load", Question: "What does latency do as load grows?", Limits: "Loopback.",
			Plots: []Plot{
				{ID: "stick", Title: "Latency against load", Kind: Lines, Metrics: []string{"response-p99", "service-p99", "slip-p99"}, X: "rate"},
				{ID: "cost", Title: "CPU per request", Kind: Bars, Metrics: []string{"cpu"}, X: "rate",
					Where: func(p record.Point) bool { return p.Number("rate") >= 10000 }},
				{ID: "spectrum", Title: "The whole distribution", Kind: Spectra, Where: func(p record.Point) bool { return p.Number("rate") == 10000 }},
				{ID: "ratios", Title: "What a request costs against coop", Kind: Ratios, Metrics: []string{"cpu"}, X: "rate", Against: "coop"},
				{ID: "course", Title: "Was it steady?", Kind: Course, X: "rate", Note: "The window begins when the load is steady."},
			},
		},
		{
			Name: "memory", Question: "What does a connection that does nothing hold?", Held: "Connections are idle.",
			Plots: []Plot{
				{ID: "slope", Title: "Memory per connection", Kind: Stacked, Slope: true, X: "conns",
					Metrics: []string{"go-heap", "go-stacks", "kernel-stacks", "page-tables", "sockets"}, Note: "How much each kind grows."},
				{ID: "pss", Title: "Server memory", Kind: Lines, Metrics: []string{"pss"}, X: "conns"},
				{ID: "all", Title: "Server memory at 4000 connections", Kind: Stacked, Metrics: []string{"go-heap", "go-stacks", "kernel-stacks"},
					Where: func(p record.Point) bool { return p.Number("conns") == 4000 }},
				{ID: "each", Title: "Bytes per connection", Kind: Bars, Slope: true, X: "conns", Metrics: []string{"pss"}},
			},
		},
		{
			Name: "primitives", Question: "What does it cost to change who runs?",
			Plots: []Plot{{ID: "ops", Title: "Time per operation", Kind: Bars, Metrics: []string{"ns-per-op"}, X: "workload"}},
		},
		{Name: "never", Question: "What was not measured at all?"},
	}
}

// experimentsFixture makes the run.
func experimentsFixture() (*record.Run, []record.Trial) {
	rng := rand.New(rand.NewPCG(13, 17))
	m := &maker{rng: rng}
	m.hogs()
	m.load()
	m.memory()
	m.micro()
	run := fixtureRun(6, m.plan)
	run.Command = []string{"lab", "bench", "quick"}
	return run, m.trials
}

// A maker collects points and their trials.
type maker struct {
	rng    *rand.Rand
	plan   []record.Point
	trials []record.Trial
}

func (m *maker) noise(share float64) float64 { return math.Exp(share * m.rng.NormFloat64()) }

func (m *maker) add(p record.Point, blocks int, change func(*record.Trial)) {
	m.plan = append(m.plan, p)
	for b := range blocks {
		t := fixtureTrial(p, b, len(m.trials), m.rng)
		if p.Experiment != "load" || p.Number("rate") != 10000 || b > 0 {
			t.Windows, t.Histograms = nil, nil
		}
		change(&t)
		m.trials = append(m.trials, t)
	}
}

// waits is how an innocent's p99 answers to a burst.
var waits = map[string]func(burstNS float64) float64{
	"coop":             func(b float64) float64 { return 1.4 * b },
	"coop yield=100us": func(b float64) float64 { return min(1.4*b, 4.2e5) },
	"preempt":          func(b float64) float64 { return min(1.4*b, 1.2e7) },
	"threads":          func(b float64) float64 { return min(1.4*b, 3.1e6) },
}

func (m *maker) hogs() {
	bursts := []struct {
		text string
		ns   float64
		rate float64
	}{{"1ms", 1e6, 8300}, {"10ms", 1e7, 2100}, {"50ms", 5e7, 480}}
	for _, name := range []string{"coop", "coop yield=100us", "preempt", "threads"} {
		for _, share := range []float64{0.01, 0.05} {
			for _, burst := range bursts {
				p := fixturePoint(map[bool]string{true: "coop", false: name}[name == "coop yield=100us"], "hog", 256, burst.rate)
				p.Experiment = "hog"
				p.Params["hog.share"], p.Params["hog.burst"] = share, burst.text
				if p.Engine == "coop" {
					p.Params["coop.yield"] = map[bool]string{true: "100us", false: "0s"}[name != "coop"]
					p.Params["coop.offload"] = 0.0
				}
				blocks := 3
				if share == 0.05 && burst.text == "50ms" {
					switch name {
					case "coop":
						blocks = 0
					case "preempt":
						continue // not even planned
					}
				}
				m.add(p, blocks, func(t *record.Trial) { m.hog(t, name, share, burst.ns) })
			}
		}
	}
}

func (m *maker) hog(t *record.Trial, name string, share, burstNS float64) {
	p99 := int64(waits[name](burstNS) * m.noise(0.04))
	l := record.Latency{P50: 150_000, P90: p99 / 3, P99: p99, Max: 2 * p99, Mean: float64(p99) / 5, Count: 4000}
	if name == "threads" && share == 0.05 && burstNS == 1e7 {
		l.P99 = 0 // too few innocents
	}
	if name == "coop" && share == 0.05 && burstNS == 1e7 {
		t.Flags = []record.Flag{{Code: "client_limited", Level: record.Invalid, Figure: 0.9, Bound: 0.8, Unit: "of its CPUs", Advice: "the generator was the limit"}}
	}
	if name == "threads" && share == 0.05 && burstNS == 5e7 {
		*t = record.Trial{Schema: t.Schema, Run: t.Run, Block: t.Block, Trial: t.Trial, Point: t.Point, StartedUnix: t.StartedUnix, Failed: "the server ended"}
		return
	}
	innocent := record.Class{Requests: 4000, LatencyNS: map[string]record.Latency{"response": l}}
	if t.Block == 0 && share == 0.01 && burstNS == 1e7 {
		innocent.Histograms = map[string]string{"response": fixtureHistogram(float64(p99) / 8)}
	}
	t.Classes = map[string]record.Class{
		"innocent": innocent,
		"hog":      {Requests: 40, LatencyNS: map[string]record.Latency{"response": {P50: int64(burstNS), Max: p99, Mean: burstNS, Count: 40}}},
	}
}

// fixtureHistogram is of a thousand latencies. It has numbers of its own, so that all others stay as they are.
func fixtureHistogram(medianNS float64) string {
	rng := rand.New(rand.NewPCG(19, 23))
	h := hdrhistogram.New(1, 60e9, 3)
	for range 1000 {
		_ = h.RecordValue(int64(medianNS * math.Exp(0.8*rng.NormFloat64())))
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (m *maker) load() {
	for _, engine := range []string{"coop", "preempt", "threads"} {
		for _, rate := range []float64{1000, 5000, 10000, 40000, 80000} {
			p := fixturePoint(engine, "http", 64, rate)
			p.Experiment = "load"
			m.add(p, 6, func(t *record.Trial) {
				if engine == "threads" && rate == 10000 && t.Block == 0 {
					t.Flags = []record.Flag{{Code: "slip_high", Level: record.Warn, Figure: 900, Bound: 500, Unit: "µs", Advice: "the generator was late"}}
				}
			})
			if engine == "coop" {
				p.Arm = record.Again
				m.add(p, 6, func(*record.Trial) {})
			}
		}
	}
	probe := fixturePoint("coop", "http", 64, 0)
	probe.Experiment, probe.Arm = "load", "probe"
	m.add(probe, 1, func(*record.Trial) {})
}

func (m *maker) memory() {
	each := map[string][5]float64{"coop": {420, 90, 0, 60, 0}, "preempt": {4600, 2100, 0, 130, 0}, "threads": {9100, 8300, 16384, 5200, 0}}
	for _, engine := range []string{"coop", "preempt", "threads"} {
		for _, conns := range []int{500, 1000, 2000, 4000} {
			p := fixturePoint(engine, "idle", conns, 100)
			p.Experiment = "memory"
			m.add(p, 3, func(t *record.Trial) {
				t.Memory = map[string]uint64{}
				sum := 6e6
				for i, kind := range []string{"go_heap", "go_stacks", "kernel_stacks", "page_tables"} {
					bytes := (2e5 + each[engine][i]*float64(conns)) * m.noise(0.01)
					t.Memory[kind], sum = uint64(bytes), sum+bytes
				}
				t.Memory["pss"] = uint64(sum)
			})
		}
	}
}

func (m *maker) micro() {
	costs := map[string]map[string]float64{
		"switch": {"coop": 31, "coop/await": 130, "preempt": 190, "threads": 2600},
		"spawn":  {"coop": 88, "preempt": 240, "threads": 21000},
		"poll":   {"coop": 3.2},
	}
	for _, op := range []string{"switch", "spawn", "poll"} {
		for _, label := range []string{"coop", "coop/await", "preempt", "threads"} {
			ns, ok := costs[op][label]
			if !ok {
				continue
			}
			p := record.Point{Engine: label, Workload: op, Mode: record.Primitive, Experiment: "primitives", Params: map[string]any{"duration": "300ms"}}
			if label == "coop/await" {
				p.Engine, p.Variant = "coop", "await"
			}
			m.plan = append(m.plan, p)
			for b := range 6 {
				m.trials = append(m.trials, record.Trial{Schema: record.Schema, Run: "20260301-120000-fixture", Block: b, Trial: len(m.trials), Point: p,
					Micro: &record.Micro{Operations: 1e6, NSPerOp: ns * m.noise(0.02), AllocsPerOp: float64(len(op) % 2)}})
			}
		}
	}
}

// fixtureOptions are what the fixtures are shown with.
func fixtureOptions(name string) Options {
	if name == "experiments" {
		code := []Source{{"coop", []string{tinyEngine}}, {"preempt", []string{strings.ReplaceAll(tinyEngine, "<", ">")}}, {"loop", nil}}
		unseen, lost := aTimeline("coop"), aTimeline("threads")
		lost.Engine, unseen.Note, lost.Cut = "threads", "the kernel was not seen: a bar shows at most what ran", "4 events were lost"
		return Options{Experiments: declared(), Sources: code, Timelines: []record.Timeline{unseen, lost}, Findings: []Finding{
			{Level: Seen, Experiment: "hog", Charts: []string{"innocents"},
				Title:   "Beside 50 ms hogs, innocents' p99 was 70.0 ms under coop and 12.0 ms under preempt (in 3 trials)",
				Text:    "Ranges over 3 blocks, too few for a claim. 1 % of the requests computed for 50 ms, 480 requests/s in an open loop.",
				Columns: []string{"with hogs", "without", "grew by", "against coop"},
				Rows: []FindingRow{
					{Name: "coop", Label: "coop", Cells: []FindingCell{{"70.0 ms", "68.0 ms to 71.0 ms"}, {"5.00 ms", ""}, {"14.0×", "13.6× to 14.2×"}, {"–", ""}}},
					{Name: "preempt", Label: "preempt", Cells: []FindingCell{{"12.0 ms", "11.8 ms to 12.1 ms"}, {"4.00 ms", ""}, {"3.00×", "2.95× to 3.03×"}, {"0.17×", "0.17× to 0.18×"}}, Verdict: FarBelow},
				}},
			{Level: Open, Experiment: "load", Title: "No difference in p99 was shown between coop and preempt at 10 000/s", Charts: []string{"stick"}},
			{Level: Limit, Experiment: "hog", Title: "hog at 5 % and 50 ms was not measured under coop", Text: "The run was interrupted."},
		}}
	}
	return Options{Findings: fixtureFindings(name)}
}

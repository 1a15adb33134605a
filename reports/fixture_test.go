package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"turnlab/harness/record"
)

var update = flag.Bool("update", false, "rewrite the golden files and the records they are made from")

// The committed records are synthetic: a simple model of each engine with seeded noise, so that they look like a real run
// and can be made again to the byte.

// costs is the model: CPU time of a request as connections grow, and memory of the process and of a connection.
var costs = map[string]struct{ cpuNS, perDoublingNS, baseBytes, connBytes float64 }{
	"coop":    {6200, 90, 9 << 20, 600},
	"preempt": {8300, 160, 10 << 20, 9 << 10},
	"threads": {7900, 420, 11 << 20, 38 << 10},
	"loop":    {6000, 70, 8 << 20, 400},
}

func fixturePoint(engine, workload string, conns int, rate float64) record.Point {
	mode := record.Closed
	if rate > 0 {
		mode = record.Open
	}
	return record.Point{Engine: engine, Workload: workload, Mode: mode, Params: map[string]any{
		"conns": float64(conns), "rate": rate, "depth": 1.0, "duration": "1s", "warmup": "300ms", "timeout": "5s",
		"server-cpus": "0", "client-cpus": "1", "threads": 0.0, "arrivals": "poisson", "transport": "tcp",
		workload + ".payload": 64.0, engine + ".procs": 0.0, engine + ".gogc": 100.0,
	}}
}

// fixtureTrial measures p by the model.
func fixtureTrial(p record.Point, block, number int, rng *rand.Rand) record.Trial {
	m, conns := costs[p.Engine], p.Number("conns")
	if p.Engine == "exec" {
		m = costs["preempt"]
		m.cpuNS += 350 * float64(len(p.Variant))
	}
	noise := func(share float64) float64 { return math.Exp(share * rng.NormFloat64()) }
	doublings := math.Log2(conns)
	cpu := (m.cpuNS + m.perDoublingNS*doublings) * noise(0.012)
	if p.Workload == "http" {
		cpu *= 1.18
	}
	serviceNS := 16000 + cpu*conns
	rps := conns / serviceNS * 1e9
	if rate := p.Number("rate"); rate > 0 {
		serviceNS, rps = 16000+cpu/(1-math.Min(0.97, rate*cpu/1e9)), math.Min(rate, 1e9/cpu)
	}
	t := record.Trial{
		Schema: record.Schema, Run: "20260301-120000-fixture", Block: block, Trial: number, Point: p,
		StartedUnix: 1772366400e9 + int64(number)*1.7e9, WindowSeconds: 1, ThroughputRPS: math.Round(rps * noise(0.008)),
		CPU: &record.CPU{ServerNSPerReq: cpu, ClientNSPerReq: 3400 * noise(0.01)},
		Switches: &record.Switches{Voluntary: math.Min(1, 2/conns) * noise(0.03), Involuntary: 0.001 * noise(0.2),
			ClientVoluntary: math.Min(1, 2/conns), ClientInvoluntary: 0.001},
		LatencyNS: map[string]record.Latency{}, Histograms: map[string]string{},
	}
	t.Requests = uint64(t.ThroughputRPS)
	t.CPU.ServerUtil, t.CPU.ClientUtil = math.Min(1, cpu*rps/1e9), math.Min(1, 3400*rps/1e9)
	bytes := (m.baseBytes + m.connBytes*conns) * noise(0.004)
	t.Memory = map[string]uint64{"pss": uint64(bytes), "rss": uint64(bytes * 1.31), "go_heap": uint64(bytes * 0.3)}
	fixtureLatency(&t, serviceNS, rng)
	fixtureWindows(&t, rng)
	return t
}

// fixtureLatency draws requests around the given time. Preemption and thread switches have longer tails.
func fixtureLatency(t *record.Trial, aboutNS float64, rng *rand.Rand) {
	width := map[string]float64{"coop": 0.16, "loop": 0.14, "preempt": 0.27, "threads": 0.42, "exec": 0.3}[t.Engine]
	kinds := []string{"service"}
	if t.Mode == record.Open {
		kinds = []string{"service", "response", "slip"}
	}
	for _, kind := range kinds {
		h := hdrhistogram.New(1, 60e9, 3)
		scale := map[string]float64{"service": 1, "response": 1.35, "slip": 0.2}[kind]
		for range 4000 {
			_ = h.RecordValue(int64(scale * aboutNS * math.Exp(width*rng.NormFloat64())))
		}
		t.LatencyNS[kind] = record.Latency{
			P50: h.ValueAtQuantile(50), P90: h.ValueAtQuantile(90), P99: h.ValueAtQuantile(99), P999: h.ValueAtQuantile(99.9),
			Max: h.Max(), Mean: math.Round(h.Mean()), Count: h.TotalCount(),
		}
		if t.Block == 0 && t.Number("conns") == 64 {
			encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
			if err != nil {
				panic(err)
			}
			t.Histograms[kind] = string(encoded)
		}
	}
}

func fixtureWindows(t *record.Trial, rng *rand.Rand) {
	if t.Block != 0 || t.Number("conns") != 64 {
		return // enough to draw from; the rest would only make the repository larger
	}
	for i := range int64(13) {
		share := 0.1 * (0.99 + 0.02*rng.Float64())
		if i == 0 {
			share *= 0.55
		}
		n := uint64(t.ThroughputRPS * share)
		t.Windows = append(t.Windows, record.Window{AtMS: 100 * i, Sent: n + 1, Received: n, Measured: i >= 3})
	}
}

func fixtureRun(blocks int, plan []record.Point) *record.Run {
	return &record.Run{
		Schema: record.Schema, ID: "20260301-120000-fixture", Version: "v0.1.0 (1a2b3c4)", StartedUnix: 1772366400e9, Seed: 1,
		Command: []string{"lab", "sweep", "--engine", "coop,preempt,threads,loop", "--workload", "echo,http", "--conns",
			"1..1024*4", "--blocks", fmt.Sprint(blocks)},
		Blocks: blocks, Plan: plan,
		Host: record.Host{Hostname: "bench-1", OS: "linux", Kernel: "6.12.9", Arch: "amd64", CPU: "Example CPU @ 3.00 GHz", CPUs: 2,
			MemoryBytes: 8 << 30, Go: "go1.26.8", ServerCPUs: "0", ClientCPUs: "1",
			Settings: map[string]string{"governor": "performance", "nofile": "20000", "virtualisation": "kvm"}},
	}
}

// fixtureSweep is a run as most users make it.
func fixtureSweep(blocks int, engines []string, conns []int, rates []float64) (*record.Run, []record.Trial) {
	rng := rand.New(rand.NewPCG(7, 11))
	var plan []record.Point
	for _, workload := range []string{"echo", "http"} {
		for _, engine := range engines {
			for _, rate := range rates {
				for _, n := range conns {
					plan = append(plan, fixturePoint(engine, workload, n, rate))
				}
			}
		}
	}
	var trials []record.Trial
	for block := range blocks {
		for _, i := range rng.Perm(len(plan)) {
			trials = append(trials, fixtureTrial(plan[i], block, len(trials), rng))
		}
	}
	return fixtureRun(blocks, plan), trials
}

func quickFixture() (*record.Run, []record.Trial) {
	run, trials := fixtureSweep(3, []string{"coop", "preempt", "threads", "loop"}, []int{1, 4, 16, 64, 256, 1024}, []float64{0})
	for i := range trials {
		if t := &trials[i]; t.CPU.ClientUtil > 0.8 {
			t.Flags = append(t.Flags, record.Flag{Code: "client_limited", Level: record.Warn, Figure: t.CPU.ClientUtil, Bound: 0.8,
				Unit: "of its CPUs", Advice: "the throughput is the generator's limit and not the server's: compare CPU per request instead"})
		}
	}
	return run, trials
}

// fixtures are the committed runs.
var fixtures = map[string]func() (*record.Run, []record.Trial){
	"quick":       quickFixture,
	"oddities":    oddFixture,
	"experiments": experimentsFixture,
	"empty": func() (*record.Run, []record.Trial) {
		return fixtureRun(3, nil), nil
	},
}

// loadFixture reads a committed run, after it was written again if that was asked for. It is not compared with the model,
// whose logarithms may differ in the last bit between processors.
func loadFixture(t testing.TB, name string) (*record.Run, []record.Trial) {
	t.Helper()
	dir := filepath.Join("testdata", name)
	if *update {
		writeFixture(t, dir, fixtures[name])
	}
	folder, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &folder.Run, folder.Trials
}

func writeFixture(t testing.TB, dir string, model func() (*record.Run, []record.Trial)) {
	t.Helper()
	run, trials := model()
	var lines bytes.Buffer
	for _, trial := range trials {
		line, err := json.Marshal(trial)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	head, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(dir, "run.json"), append(head, '\n'))
	golden(t, filepath.Join(dir, "trials.jsonl"), lines.Bytes())
}

// golden compares got with a committed file, or rewrites the file.
func golden(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run with -update to make it", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has changed at byte %d; what is new is in %s; run with -update if it was meant", path, firstDifference(got, want),
			saveGot(t, path, got))
	}
}

func firstDifference(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

func saveGot(t testing.TB, path string, got []byte) string {
	t.Helper()
	to := filepath.Join(filepath.Dir(path), ".got-"+filepath.Base(path))
	if err := os.WriteFile(to, got, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

// largeFixture is a run of a thousand trials, closed and open.
func largeFixture() (*record.Run, []record.Trial) {
	return fixtureSweep(6, []string{"coop", "preempt", "threads", "loop"}, []int{1, 4, 16, 64, 256, 1024, 4096}, []float64{0, 5000, 20000})
}

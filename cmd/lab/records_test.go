package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"turnlab/harness/compare"
	"turnlab/harness/record"
	"turnlab/reports/digest"
)

// bigRun writes a run of 10,000 trials in 200 points, each as large as a trial of three seconds in the open loop.
func bigRun(b *testing.B) string {
	b.Helper()
	run := record.Run{Schema: record.Schema, ID: "big", Blocks: 50}
	for conns := 1; conns <= 512; conns *= 2 {
		for rate := 1000; rate <= 5000; rate += 1000 {
			for _, engine := range []string{"coop", "preempt", "threads", "loop"} {
				run.Plan = append(run.Plan, record.Point{Engine: engine, Workload: "echo", Mode: record.Open, Params: map[string]any{
					"conns": float64(conns), "rate": float64(rate), "depth": 1.0, "duration": "3s", "timeout": "5s",
				}})
			}
		}
	}
	dir := b.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	text, err := json.Marshal(run)
	if err != nil {
		b.Fatal(err)
	}
	write("run.json", text)
	var lines []byte
	r := rand.New(rand.NewPCG(1, 1))
	for block := range run.Blocks {
		for i, p := range run.Plan {
			text, err := json.Marshal(trialLike(p, block, block*len(run.Plan)+i, r))
			if err != nil {
				b.Fatal(err)
			}
			lines = append(append(lines, text...), '\n')
		}
	}
	write("trials.jsonl", lines)
	b.Logf("%d trials, %d MB", run.Blocks*len(run.Plan), len(lines)>>20)
	return dir
}

func trialLike(p record.Point, block, n int, r *rand.Rand) record.Trial {
	l := record.Latency{P50: 50e3, P90: 70e3, P99: 90e3, P999: 95e3, Max: 99e3, Mean: 50e3, Count: 9000}
	t := record.Trial{
		Schema: record.Schema, Run: "big", Block: block, Trial: n, Point: p, WindowSeconds: 3, Due: 9000, Sent: 9000, Requests: 9000,
		ThroughputRPS: 3000, OfferedRPS: 3000, LatencyNS: map[string]record.Latency{"response": l, "service": l, "slip": l},
		CPU:        &record.CPU{ServerNSPerReq: 8000 + 100*r.NormFloat64(), ClientNSPerReq: 7000, ServerUtil: 0.2, ClientUtil: 0.2},
		Memory:     map[string]uint64{"pss": 8 << 20, "rss": 9 << 20, "go_heap": 4 << 20, "go_stacks": 1 << 20},
		Sched:      map[string]float64{},
		Histograms: map[string]string{},
	}
	for i := range 25 {
		t.Sched[fmt.Sprint("counter", i)] = r.Float64()
	}
	for _, kind := range []string{"response", "service", "slip"} {
		t.Histograms[kind] = strings.Repeat("HISTFAAAAB14nJNpmSzMwMDA", 60)
	}
	for i := range 40 {
		t.Windows = append(t.Windows, record.Window{AtMS: int64(100 * i), Sent: 300, Received: 300, Measured: i >= 10})
	}
	return t
}

// A run of ten thousand trials is loaded and analysed: every point summarised, two engines compared.
func BenchmarkTenThousandTrialsAreLoadedAndAnalysed(b *testing.B) {
	dir := bigRun(b)
	for b.Loop() {
		f, err := record.Load(dir)
		if err != nil {
			b.Fatal(err)
		}
		run, trials := f.Counted()
		if d := digest.New(run, trials); d == nil {
			b.Fatal("no digest")
		}
		table, err := compare.Engines(f, compare.Variant{Label: "coop"}, compare.Variant{Label: "preempt"}, nil)
		if err != nil || len(table.Rows) < 50 {
			b.Fatal(err)
		}
	}
}

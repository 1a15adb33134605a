package main

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"turnlab/harness/record"
)

// fakeRun is the script command `fake-run DIR BLOCKS CONNS ENGINE=NS...`: it writes the folder of a run in which a request
// costs the engine NS nanoseconds of CPU, give or take half a per cent. ENGINE+again is its second arm. CONNS is a list; a
// request gets dearer with the connections, by a tenth for each doubling.
func fakeRun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: fake-run DIR BLOCKS CONNS ENGINE=NS...")
	}
	blocks, err := strconv.Atoi(args[1])
	ts.Check(err)
	run := record.Run{Schema: record.Schema, ID: args[0], Version: "test", Blocks: blocks, Seed: 1}
	var costs []float64
	for i, text := range strings.Split(args[2], ",") {
		conns, err := strconv.ParseFloat(text, 64)
		ts.Check(err)
		for _, pair := range args[3:] {
			name, ns, _ := strings.Cut(pair, "=")
			cost, err := strconv.ParseFloat(ns, 64)
			ts.Check(err)
			engine, arm, _ := strings.Cut(name, "+")
			run.Plan = append(run.Plan, record.Point{Engine: engine, Arm: arm, Workload: "echo", Mode: record.Closed,
				Params: map[string]any{"conns": conns, "rate": 0.0, engine + ".procs": 1.0, "server-cpus": "0", "client-cpus": "1"}})
			costs = append(costs, cost*(1+float64(i)/10))
		}
	}
	w, err := record.Create(ts.MkAbs(args[0]), run)
	ts.Check(err)
	noise := rand.New(rand.NewPCG(1, uint64(len(args[0]))))
	for b := range blocks {
		for i, p := range run.Plan {
			ts.Check(w.Add(fakeTrial(&run, p, b, b*len(run.Plan)+i, costs[i]*(1+0.005*noise.NormFloat64()))))
		}
	}
	ts.Check(w.Close())
}

func fakeTrial(run *record.Run, p record.Point, block, trial int, ns float64) *record.Trial {
	return &record.Trial{
		Schema: record.Schema, Run: run.ID, Block: block, Trial: trial, Point: p, Requests: 1000, WindowSeconds: 1,
		ThroughputRPS: 1e9 / ns, CPU: &record.CPU{ServerNSPerReq: ns, ClientNSPerReq: ns, ServerUtil: 0.9, ClientUtil: 0.7},
		LatencyNS: map[string]record.Latency{"service": {P50: int64(ns), P90: int64(2 * ns), P99: int64(3 * ns), Max: int64(4 * ns), Mean: ns, Count: 1000}},
		Memory:    map[string]uint64{"pss": 10 << 20, "rss": 12 << 20},
	}
}

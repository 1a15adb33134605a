package main

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"turnlab/harness/record"
)

// fakeRun is the script command `fake-run DIR BLOCKS CONNS ENGINE=NS...`: it writes the folder of a run that was made up, of
// no experiment; see madeUp.
func fakeRun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: fake-run DIR BLOCKS CONNS ENGINE=NS...")
	}
	blocks, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(madeUp{id: args[0], blocks: blocks, conns: args[2], engines: args[3:], experiments: []string{""}}.write(ts.MkAbs(args[0])))
}

// madeUp is a run in which a request costs an engine NS nanoseconds of CPU, give or take half a per cent, by a tenth more with
// each further number of connections, and in which a connection takes 4 KiB.
type madeUp struct {
	id          string
	blocks      int
	conns       string   // a list
	engines     []string // ENGINE=NS; ENGINE+again is its second arm
	experiments []string // each has all points; "" is none
}

func (m madeUp) write(dir string) error {
	run := record.Run{Schema: record.Schema, ID: m.id, Version: "test", Blocks: m.blocks, Seed: 1}
	var costs []float64
	for i, text := range strings.Split(m.conns, ",") {
		conns, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return err
		}
		for _, pair := range m.engines {
			name, ns, _ := strings.Cut(pair, "=")
			cost, err := strconv.ParseFloat(ns, 64)
			if err != nil {
				return err
			}
			engine, arm, _ := strings.Cut(name, "+")
			for _, experiment := range m.experiments {
				run.Plan = append(run.Plan, record.Point{Engine: engine, Arm: arm, Workload: "echo", Mode: record.Closed, Experiment: experiment,
					Params: map[string]any{"conns": conns, "rate": 0.0, engine + ".procs": 1.0, "server-cpus": "0", "client-cpus": "1"}})
				costs = append(costs, cost*(1+float64(i)/10))
			}
		}
	}
	w, err := record.Create(dir, run)
	if err != nil {
		return err
	}
	noise := rand.New(rand.NewPCG(1, uint64(len(m.id))))
	for b := range m.blocks {
		for i, p := range run.Plan {
			err = errors.Join(err, w.Add(fakeTrial(&run, p, b, b*len(run.Plan)+i, costs[i]*(1+0.005*noise.NormFloat64()))))
		}
	}
	return errors.Join(err, w.Close())
}

func fakeTrial(run *record.Run, p record.Point, block, trial int, ns float64) *record.Trial {
	bytes := uint64(10<<20 + 4096*p.Number("conns"))
	return &record.Trial{
		Schema: record.Schema, Run: run.ID, Block: block, Trial: trial, Point: p, Requests: 1000, WindowSeconds: 1,
		ThroughputRPS: 1e9 / ns, CPU: &record.CPU{ServerNSPerReq: ns, ClientNSPerReq: ns, ServerUtil: 0.9, ClientUtil: 0.7},
		LatencyNS: map[string]record.Latency{"service": {P50: int64(ns), P90: int64(2 * ns), P99: int64(3 * ns), Max: int64(4 * ns), Mean: ns, Count: 1000}},
		Memory:    map[string]uint64{"pss": bytes, "rss": bytes + 2<<20},
	}
}

package reports

import (
	"math/rand/v2"

	"turnlab/harness/record"
)

// oddFixture is a run in which whatever can be odd is odd: an engine that was planned and never ran, a point with one
// trial, points whose every trial is invalid or failed, errors, names that are markup, quotes or written from right to
// left, intervals that too few trials support, a swept option that only one engine has, and an axis of 200 values.
func oddFixture() (*record.Run, []record.Trial) {
	rng := rand.New(rand.NewPCG(3, 5))
	var plan []record.Point
	var trials []record.Trial
	add := func(p record.Point, blocks int, change func(t *record.Trial)) {
		plan = append(plan, p)
		for b := range blocks {
			t := fixtureTrial(p, b, len(trials), rng)
			t.Histograms, t.Windows = nil, nil
			if change != nil {
				change(&t)
			}
			trials = append(trials, t)
		}
	}
	keep := func(*record.Trial) {}
	for _, conns := range []int{1, 16, 256} {
		add(fixturePoint("coop", "echo", conns, 0), 6, keep)
		add(fixturePoint("preempt", "echo", conns, 0), map[int]int{1: 6, 16: 1, 256: 6}[conns], flagged(conns))
		add(fixturePoint("threads", "echo", conns, 0), 0, keep)
		add(odd("exec", `<script>alert("x")<b>`, conns), 6, keep)
		add(odd("exec", `"quoted"&'so'`, conns), 6, keep)
		add(odd("exec", "خادم", conns), 6, broken(conns))
	}
	for _, yield := range []string{"0s", "10us", "1ms"} {
		p := fixturePoint("coop", "http", 64, 20000)
		p.Params["coop.yield"] = yield
		add(p, 2, keep)
	}
	add(fixturePoint("preempt", "http", 64, 20000), 6, overloaded)
	for i := range 200 {
		add(fixturePoint("loop", "many", i+1, 0), 1, keep)
	}
	run := fixtureRun(6, plan)
	run.Command = []string{"lab", "sweep", "--set", `exec.command=sh -c 'echo "$HOME" </dev/null'`}
	run.Host.CPU = `Odd & Sons "CPU" <1 GHz>`
	run.Notes = []string{`loop does not serve <b>churn</b> and was left out`}
	return run, trials
}

func odd(engine, variant string, conns int) record.Point {
	p := fixturePoint("loop", "echo", conns, 0)
	p.Engine, p.Variant = engine, variant
	return p
}

// flagged makes every trial with 256 connections invalid: the line must end before it.
func flagged(conns int) func(*record.Trial) {
	return func(t *record.Trial) {
		if conns != 256 {
			return
		}
		t.Errors = map[string]uint64{"wrong": 3, "reset": 12345678}
		t.FirstError = `byte 3 is 0x3c, want 0x3e: "<!--" </script>`
		t.Flags = []record.Flag{{Code: "bad_answers", Level: record.Invalid, Figure: 0.25, Bound: 0, Unit: "of requests",
			Advice: "12345681 requests failed; the first: " + t.FirstError}}
	}
}

// broken makes trials fail, all of those with 256 connections.
func broken(conns int) func(*record.Trial) {
	return func(t *record.Trial) {
		if conns == 1 || conns == 16 && t.Block%2 == 0 {
			return
		}
		*t = record.Trial{Schema: t.Schema, Run: t.Run, Block: t.Block, Trial: t.Trial, Point: t.Point, StartedUnix: t.StartedUnix,
			Failed: "the server exited before it was ready: exec: \"nosuch\": executable file not found in $PATH"}
	}
}

func overloaded(t *record.Trial) {
	delete(t.LatencyNS, "response")
	t.Flags = []record.Flag{{Code: "overloaded", Level: record.Warn, Figure: 0.71, Bound: 0.99, Unit: "of requests due",
		Advice: "the server cannot keep up with this rate, so response times depend on how long one measures and are left out"}}
}

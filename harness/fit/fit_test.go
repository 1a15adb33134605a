package fit

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

var sizes = []float64{1, 2, 4, 8, 16, 32, 64}

// observe makes observations of a law, with noise.
func observe(l Law, blocks int, noise float64, seed uint64) []Observation {
	r := rand.New(rand.NewPCG(seed, 1))
	var all []Observation
	for b := range blocks {
		for _, n := range sizes {
			all = append(all, Observation{b, n, l.At(n) * (1 + noise*r.NormFloat64())})
		}
	}
	return all
}

func near(a, b, share float64) bool { return math.Abs(a-b) <= share*math.Abs(b)+1e-9 }

func TestALawIsFoundAgain(t *testing.T) {
	for _, l := range []Law{{1000, 0.05, 0.001}, {5e4, 0.3, 0}, {200, 0, 0.0002}, {200, 0, 0}} {
		f, err := USL(observe(l, 1, 0, 1), 1)
		if err != nil || !near(f.Lambda, l.Lambda, 1e-6) || !near(f.Sigma, l.Sigma, 1e-6) || !near(f.Kappa, l.Kappa, 1e-6) {
			t.Errorf("%+v: %+v, %v", l, f, err)
		}
		if f.Error > 1e-6 || f.Ranges != nil {
			t.Errorf("%+v: error %v, intervals of one block %v", l, f.Error, f.Ranges)
		}
	}
}

func TestAPeakOutsideTheRangeIsNotNamed(t *testing.T) {
	for _, c := range []struct {
		law  Law
		want float64
	}{{Law{1000, 0.05, 0.001}, 30}, {Law{1000, 0.05, 0.00001}, 0}, {Law{1000, 0.05, 0}, 0}} {
		f, err := USL(observe(c.law, 1, 0, 1), 1)
		n, ok := f.InRange()
		if err != nil || ok != (c.want > 0) || ok && n != c.want {
			t.Errorf("%+v: %v, %v, %v", c.law, n, ok, err)
		}
	}
}

func TestNoParameterIsNegative(t *testing.T) {
	// Throughput that grows faster than the connections would give a negative contention.
	var all []Observation
	for _, n := range sizes {
		all = append(all, Observation{0, n, 100 * math.Pow(n, 1.2)})
	}
	if f, err := USL(all, 1); err != nil || f.Sigma != 0 || f.Kappa != 0 || f.Lambda <= 0 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestTheIntervalsHoldTheTruth(t *testing.T) {
	law, held, runs := Law{1000, 0.05, 0.001}, 0, 30
	for seed := range runs {
		f, err := USL(observe(law, 10, 0.02, uint64(seed)), 1)
		if err != nil {
			t.Fatal(err)
		}
		if r := f.Ranges["kappa"]; r.Low <= law.Kappa && law.Kappa <= r.High {
			held++
		}
	}
	if held < runs*8/10 { // a bootstrap of ten blocks is a little narrow
		t.Errorf("%d of %d", held, runs)
	}
}

func TestWhatCannotBeFittedIsAnError(t *testing.T) {
	few := observe(Law{1000, 0, 0}, 1, 0, 1)[:5]
	if _, err := USL(few, 1); err == nil {
		t.Error("five sizes")
	}
	for _, x := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := USL([]Observation{{0, 1, x}}, 1); err == nil {
			t.Errorf("a throughput of %v", x)
		}
	}
}

func TestWhatTwoExperimentsMeasuredIsNotFittedTogether(t *testing.T) {
	f := &record.Folder{Dir: "r"}
	for experiment, sizes := range map[string][]float64{"connections": {1, 2, 4, 8, 16, 32}, "capacity": {64}, "few": {1, 2}} {
		for _, o := range observe(Law{1000, 0.05, 0}, 6, 0, 1) {
			if !slices.Contains(sizes, o.N) {
				continue
			}
			if experiment == "capacity" {
				o.X *= 10 // another depth, another day
			}
			p := record.Point{Engine: "coop", Workload: "http", Mode: record.Closed, Experiment: experiment, Params: map[string]any{"conns": o.N}}
			f.Run.Plan = append(f.Run.Plan, p)
			f.Trials = append(f.Trials, record.Trial{Point: p, Block: o.Block, ThroughputRPS: o.X})
		}
	}
	curves, notes, err := Run(f)
	if err != nil || len(curves) != 1 || curves[0].Load != "connections: http" || len(curves[0].Fit.Sizes) != 6 || curves[0].Fit.Error > 0.001 {
		t.Fatalf("%+v, %v", curves, err)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "few: http: 2 different") {
		t.Errorf("notes %q: one of the sweep over two sizes, none of the single size", notes)
	}
}

func TestEachEngineOfARunHasItsOwnLaw(t *testing.T) {
	f := &record.Folder{Dir: "r"}
	for engine, law := range map[string]Law{"coop": {1000, 0.05, 0.001}, "loop": {2000, 0.1, 0}} {
		for _, o := range observe(law, 6, 0, 1) {
			p := record.Point{Engine: engine, Workload: "echo", Mode: record.Closed, Params: map[string]any{"conns": o.N}}
			f.Run.Plan = append(f.Run.Plan, p)
			f.Trials = append(f.Trials, record.Trial{Point: p, Block: o.Block, ThroughputRPS: o.X})
		}
	}
	curves, notes, err := Run(f)
	if err != nil || len(curves) != 2 || len(notes) != 0 {
		t.Fatalf("%+v, %v, %v", curves, notes, err)
	}
	var out bytes.Buffer
	if err := Print(&out, curves, notes); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"peak    30 connections", "no peak in range", "sigma   0.1 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if _, _, err := Run(&record.Folder{Dir: "empty"}); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

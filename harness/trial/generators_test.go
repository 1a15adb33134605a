package trial

import (
	"maps"
	"testing"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

func TestGeneratorsHaveCPUsOfTheirOwnWhereThereAreEnough(t *testing.T) {
	for _, c := range []struct {
		cpus  string
		parts int
		want  []string
	}{
		{"1", 1, []string{"1"}}, {"2-3", 1, []string{"2-3"}}, {"2-3", 0, []string{"2-3"}}, {"2-3", 2, []string{"2", "3"}},
		{"4-7", 2, []string{"4,5", "6,7"}}, {"1-3", 2, []string{"1", "2,3"}}, {"1", 2, []string{"1", "1"}},
	} {
		for part, want := range c.want {
			if got := partOf(c.cpus, part, c.parts); got != want {
				t.Errorf("part %d of %d on CPUs %s runs on %s, want %s", part, c.parts, c.cpus, got, want)
			}
		}
	}
}

// at returns a point with a rate, as a plan has it.
func at(rate, conns float64, change map[string]any) record.Point {
	p := record.Point{Engine: "loop", Workload: "echo", Mode: record.Open, Params: map[string]any{
		"rate": rate, "conns": conns, "depth": 1.0, "threads": 1.0, "generators": 1.0, "transport": "tcp", "spin": "50µs",
		"server-cpus": "0", "client-cpus": "1", "echo.payload": 64.0, "duration": "3s", "loop.procs": 1.0,
	}}
	maps.Copy(p.Params, change)
	return p
}

func TestOneCalibrationServesAllLoadsOfAShape(t *testing.T) {
	other := at(30_000, 64, nil)
	other.Engine = "coop"
	shapes := shapesOf([]record.Point{
		at(20_000, 64, nil), at(25_000, 64, nil), other, at(20_000, 50, nil), // one shape: 64 connections, 30,000 per second
		at(20_000, 1000, nil), at(40_000, 64, map[string]any{"transport": "unix"}), at(5000, 64, map[string]any{"echo.payload": 4096.0}),
		at(0, 64, nil), at(500, 4, nil), at(20_000, 64, map[string]any{"rate-share": 0.5, "depth": 9.0}), // none
		{Engine: "loop", Workload: "broadcast", Mode: record.Open, Params: at(20_000, 64, nil).Params}, // which no null responder can serve
	}, false)
	var got []float64
	for _, s := range shapes {
		got = append(got, s.most)
	}
	if d := diff(got, []float64{40_000, 30_000, 20_000, 5000}); d != "" {
		t.Error(d)
	}
	if conns := shapes[1].point.Number("conns"); conns != 64 {
		t.Errorf("a shape is calibrated with %v connections, want its most, 64", conns)
	}
	if n := len(shapesOf([]record.Point{at(0, 64, nil)}, true)); n != 1 {
		t.Errorf("a search for a rate has %d shapes, want 1", n)
	}
}

func TestRatesAboveWhatTheGeneratorCanDoAreRefused(t *testing.T) {
	known := []record.Calibration{
		{Workload: "echo", Params: calibrationParams(at(0, 64, nil)), GenMaxRPS: 50_000},
		{Workload: "echo", Params: calibrationParams(at(0, 64, map[string]any{"depth": 8.0})), GenMaxRPS: 50_000, AtLeast: true},
	}
	for name, c := range map[string]struct {
		point   record.Point
		refused bool
	}{
		"below":                   {at(49_000, 64, nil), false},
		"above":                   {at(51_000, 64, nil), true},
		"above, fewer":            {at(51_000, 20, nil), true},
		"another shape":           {at(51_000, 1000, nil), false},
		"no limit was found":      {at(51_000, 64, map[string]any{"depth": 8.0}), false},
		"a share keeps the bound": {at(51_000, 64, map[string]any{"rate-share": 0.9}), false},
	} {
		if err := Refuse([]record.Point{c.point}, known); misuse.Is(err) != c.refused || err != nil != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package fit

import (
	"math"
	"strings"
	"testing"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// grown makes a run in which each connection takes 2,000 bytes of PSS, and before its first request 500.
func grown(blocks int, sizes ...float64) *record.Folder {
	f := &record.Folder{Dir: "results/x"}
	for b := range blocks {
		for _, n := range sizes {
			p := record.Point{Engine: "coop", Workload: "echo", Mode: record.Open, Params: map[string]any{"conns": n, "rate": 1000.0}}
			if b == 0 {
				f.Run.Plan = append(f.Run.Plan, p)
			}
			f.Trials = append(f.Trials, record.Trial{
				Point: p, Block: b, Memory: map[string]uint64{"pss": 5e6 + uint64(2000*n), "swap": 0},
				IdleMemory: map[string]uint64{"pss": 4e6 + uint64(500*n)},
			})
		}
	}
	return f
}

func TestMemoryGrowsByItsSlope(t *testing.T) {
	got, err := Memory(grown(6, 100, 500, 2000, 8000))
	if err != nil || len(got) != 1 || got[0].Engine != "coop" {
		t.Fatalf("%+v, %v", got, err)
	}
	for kind, want := range map[string][2]float64{"pss": {2000, 5e6}, "idle_pss": {500, 4e6}} {
		l := got[0].Lines[kind]
		if math.Abs(l.Slope.Value-want[0]) > 1e-6 || math.Abs(l.Intercept.Value-want[1]) > 1 || !l.Slope.Exists() || l.N != 6 {
			t.Errorf("%s: %+v", kind, l)
		}
	}
	if _, ok := got[0].Lines["swap"]; ok {
		t.Error("what does not grow has a line")
	}
	var text strings.Builder
	if err := PrintMemory(&text, got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"coop open echo, 4 sizes, 6 blocks", "pss", "1.95 KiB  1.95 KiB to 1.95 KiB", "4.77 MiB", "500 B"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "below zero") {
		t.Error("a base that is not there is explained")
	}
	for _, line := range strings.Split(text.String(), "\n") {
		if len(line) > 82 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestMemoryOfFewBlocksHasNoInterval(t *testing.T) {
	got, err := Memory(grown(3, 100, 500, 2000, 8000))
	var text strings.Builder
	if err != nil || PrintMemory(&text, got) != nil || !strings.Contains(text.String(), "none below 6 blocks") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

func TestMemoryOfFewSizesIsTheUsersToMend(t *testing.T) {
	if _, err := Memory(grown(6, 100, 500, 2000)); !misuse.Is(err) {
		t.Errorf("%v", err)
	}
}

func TestABaseBelowZeroIsExplained(t *testing.T) {
	f := grown(6, 100, 500, 2000, 8000)
	for i := range f.Trials {
		n := f.Trials[i].Number("conns")
		f.Trials[i].Memory["pss"] = uint64(20000*n - 1.5e6*min(1, n/200))
	}
	got, err := Memory(f)
	var text strings.Builder
	if err != nil || PrintMemory(&text, got) != nil || !strings.Contains(text.String(), "does not hold down to 0 connections") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

package digest

import (
	"math"
	"testing"

	"turnlab/harness/record"
)

func TestAFloorThatLostTrialsIsTheRangeOfThoseThatCount(t *testing.T) {
	p := point("coop", "echo", map[string]any{"conns": 1.0})
	again := p
	again.Arm = record.Again
	for lost, want := range map[int]float64{0: 0.06, 2: 0.06, 4: math.NaN()} {
		var trials []record.Trial
		for block := range 6 {
			twin := trial(again, block, 100+float64(block+1))
			if block < lost {
				twin.Flags = []record.Flag{{Code: "foreign_cpu", Level: record.Invalid}}
			}
			trials = append(trials, trial(p, block, 100), twin)
		}
		d := New(&record.Run{Plan: []record.Point{p, again}}, trials)
		panel := d.Sections[0].Panels[0]
		if floor := d.Floor(panel, cpuMetric(t), panel.Values()[0]); !(math.Abs(floor-want) <= 1e-9) && !(math.IsNaN(floor) && math.IsNaN(want)) {
			t.Errorf("%d trials lost: a floor of %v, want %v", lost, floor, want)
		}
	}
}

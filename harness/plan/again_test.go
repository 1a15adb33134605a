package plan

import (
	"testing"

	"turnlab/engine"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/workloads"
)

func TestWithAAOnlyTheFirstEngineRunsTwiceAndMeetsTheSameLoad(t *testing.T) {
	c := Catalog{Engines: []*engine.Spec{{Name: "toy"}, {Name: "doll"}}, Workloads: []*workloads.Workload{{Name: "echo"}}}
	s := Sweep{Engines: []string{"toy", "doll"}, Workloads: []string{"echo"}, Axes: []Axis{{"conns", "1,8"}}, Blocks: 2, Seed: 1, AA: true}
	p, err := s.Resolve(c, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	arms := map[string]int{}
	for _, point := range p.Points {
		arms[point.Label()+" "+point.Arm]++
	}
	if len(p.Points) != 6 || arms["toy again"] != 2 || arms["toy "] != 2 || arms["doll "] != 2 {
		t.Errorf("%v", arms)
	}
	seeds := map[string]uint64{}
	for _, j := range p.Jobs() {
		if key := j.Point.SameLoad(); j.Block == 0 {
			if first, ok := seeds[key]; ok && first != j.Seed {
				t.Errorf("%s %s: other arrivals", j.Point.Label(), j.Point.Arm)
			}
			seeds[key] = j.Seed
		}
	}
	if len(seeds) != 2 {
		t.Errorf("%d loads", len(seeds))
	}
	again := Plan{Points: p.Points, Order: p.Order}
	if n := len(again.Jobs()); n != 12 || p.Points[4].Arm != record.Again {
		t.Errorf("%d jobs, %+v", n, p.Points[4])
	}
}

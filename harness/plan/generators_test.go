package plan

import (
	"slices"
	"testing"

	"turnlab/workloads"
)

func TestAGeneratorWaitsAwakeOnlyOnCPUsOfItsOwn(t *testing.T) {
	calling := toys
	calling.Workloads = append(slices.Clone(toys.Workloads), &workloads.Workload{Name: "fan", Ops: []workloads.Kind{workloads.Call}})
	for name, c := range map[string]struct {
		change func(s *Sweep)
		want   string
	}{
		"a CPU of its own":           {func(*Sweep) {}, "50µs"},
		"the server's CPUs":          {func(s *Sweep) { s.ServerCPUs, s.ClientCPUs = "0-1", "1" }, "0s"},
		"more threads than CPUs":     {func(s *Sweep) { s.Axes = append(s.Axes, Axis{"threads", "2"}) }, "0s"},
		"more generators than CPUs":  {func(s *Sweep) { s.Axes = append(s.Axes, Axis{"generators", "2"}) }, "0s"},
		"upstreams beside it":        {func(s *Sweep) { s.Workloads = []string{"fan"} }, "0s"},
		"told not to, on its own":    {func(s *Sweep) { s.Axes = append(s.Axes, Axis{"spin", "0"}) }, "0s"},
		"told how long, on its own":  {func(s *Sweep) { s.Axes = append(s.Axes, Axis{"spin", "100us"}) }, "100µs"},
		"told how long, on no other": {func(s *Sweep) { s.ClientCPUs, s.Axes = "0-1", append(s.Axes, Axis{"spin", "100us"}) }, "0s"},
	} {
		s := small(Axis{"rate", "100"})
		c.change(&s)
		p, err := s.Resolve(calling, cpus("0-1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, point := range p.Points {
			if got := point.Text("spin"); got != c.want {
				t.Errorf("%s: it waits awake for %s, want %s", name, got, c.want)
			}
		}
	}
}

func TestAClosedLoopIsNotMeasuredOnceForEachWayToWait(t *testing.T) {
	p := resolve(t, small(Axis{"spin", "0,50us"}, Axis{"rate", "0,100"}))
	if n := len(p.Points); n != 2*3 {
		t.Errorf("%d points, want 3 for each of 2 engines: the closed loop, and the rate with either", n)
	}
}

func TestGeneratorsShareTheCPUsByDefault(t *testing.T) {
	s := small(Axis{"generators", "1,2,3,8"})
	p, err := s.Resolve(toys, cpus("0-11"))
	if err != nil {
		t.Fatal(err)
	}
	if got := column(p, "coop", "threads"); got != "6 3 2 1" {
		t.Errorf("on 6 CPUs 1, 2, 3 and 8 generators have %s threads each", got)
	}
}

package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// parts are two experiments that share a point; b has fewer blocks.
func parts() []Part {
	both := small(Axis{"conns", "1,2"})
	one := small(Axis{"conns", "2"})
	return []Part{{Experiment: "a", Sweeps: []Sweep{both}, Blocks: 3}, {Experiment: "b", Sweeps: []Sweep{one, small(Axis{"conns", "4"})}, Blocks: 2}}
}

func together(t *testing.T, list []Part) *Plan {
	t.Helper()
	p, err := Together(list, Sweep{Seed: 1}, toys, cpus("0-1"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryBlockHoldsTheExperimentsThatTakePartInIt(t *testing.T) {
	p := together(t, parts())
	if len(p.Points) != 8 || len(p.Order) != 3 {
		t.Fatalf("%d points in %d blocks", len(p.Points), len(p.Order))
	}
	for block, want := range []map[string]int{{"a": 4, "b": 4}, {"a": 4, "b": 4}, {"a": 4}} {
		got := map[string]int{}
		for _, i := range p.Order[block] {
			got[p.Points[i].Experiment]++
		}
		if !cmp.Equal(got, want) {
			t.Errorf("block %d: %v, want %v", block, got, want)
		}
	}
	if slices.IsSorted(p.Order[0]) {
		t.Error("the first block is not shuffled")
	}
}

func TestAPointOfTwoExperimentsIsTwoPointsUnderTheSameArrivals(t *testing.T) {
	p := together(t, parts())
	seeds := map[uint64]int{}
	for _, j := range p.Jobs() {
		if j.Block == 0 && j.Point.Number("conns") == 2 && j.Point.Engine == "coop" {
			seeds[j.Seed]++
		}
	}
	if len(seeds) != 1 || slices.Collect(mapsValues(seeds))[0] != 2 {
		t.Errorf("%v", seeds)
	}
	if a, b := p.Points[2], p.Points[4]; a.SameLoad() == b.SameLoad() {
		t.Errorf("%+v and %+v would be read together", a, b)
	}
}

func mapsValues(m map[uint64]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, n := range m {
			if !yield(n) {
				return
			}
		}
	}
}

func TestAPlanOfExperimentsSurvivesItsRecord(t *testing.T) {
	p := together(t, parts())
	run := record.Run{Plan: p.Points, Order: p.Order, Seed: p.Seed, ExperimentBlocks: p.Blocks}
	text, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	var read record.Run
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	again, err := Continue(&read, toys)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Jobs(), again.Jobs()); diff != "" {
		t.Error(diff)
	}
	read.Order[2] = read.Order[0] // block 3 would hold points of an experiment that has two
	if _, err := Continue(&read, toys); err == nil {
		t.Error("a block with others' points was accepted")
	}
}

func TestThePlanOfExperimentsSaysHowLongEachTakes(t *testing.T) {
	var out strings.Builder
	if err := together(t, parts()).Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"8 points in 3 blocks: 20 trials, about", "  a  12 trials  about", "  b  8 trials   about", "\na, 3 blocks\n", "\nb, 2 blocks\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestThePlanCountsTheSearchesThatFollow(t *testing.T) {
	list := parts()
	before := together(t, list).Estimate()
	list[1].SLOs, list[1].Width = []string{"p99<1ms", "p99<5ms"}, 0.05
	p := together(t, list)
	if p.Estimate() <= before || len(p.Searches) != 1 || p.Searches[0].Experiment != "b" {
		t.Errorf("%v with searches, %v without: %+v", p.Estimate(), before, p.Searches)
	}
	var out strings.Builder
	if err := p.Print(&out); err != nil || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "searches for the highest rate within p99<1ms, p99<5ms, from each point of b") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestAMistakeInOneExperimentIsTold(t *testing.T) {
	bad := parts()
	bad[1].Blocks = 0
	if _, err := Together(bad, Sweep{}, toys, cpus("0-1")); !misuse.Is(err) {
		t.Errorf("no blocks: %v", err)
	}
	bad = parts()
	bad[1].Sweeps[0].Axes = []Axis{{"http.payload", "1"}}
	if _, err := Together(bad, Sweep{}, toys, cpus("0-1")); !misuse.Is(err) {
		t.Errorf("an axis of another workload: %v", err)
	}
}

func TestARateCanBeAShareOfWhatAPointCanDo(t *testing.T) {
	p := resolve(t, small(Axis{"rate", "0,50%,90%,1k"}, Axis{"conns", "1,8"}))
	var coop []string
	for _, point := range p.Points {
		if point.Engine == "coop" && point.Number("conns") == 8 {
			coop = append(coop, point.Mode+" "+point.Text("rate")+" "+point.Text("rate-share"))
		}
	}
	if got := strings.Join(coop, ", "); got != "closed 0 , open  0.5, open  0.9, open 1000 " {
		t.Errorf("got %s", got)
	}
	probes := p.Probes()
	if len(probes) != 12 || p.Settled() { // three of two engines with two numbers of connections; both shares have the same
		t.Fatalf("%d probes, settled %v", len(probes), p.Settled())
	}
	if first, next := probes[0], probes[4]; first.Point.Label() != next.Point.Label() || first.Seed == next.Seed || first.Point.Text("duration") != "1s" {
		t.Errorf("%+v and %+v: want the same closed loop of a third of 3s, with other requests", first, next)
	}
	numbers := map[int]bool{}
	for _, j := range p.Jobs() {
		numbers[j.Trial] = true
	}
	for _, j := range probes {
		if j.Point.Mode != record.Closed || j.Point.Arm != record.Probe || j.Point.Text("rate") != "0" || j.Point.Text("rate-share") != "" || numbers[j.Trial] {
			t.Errorf("probe %+v", j)
		}
	}
	err := p.Settle(func(probe record.Point) (float64, bool) {
		return map[string]float64{"coop": 40_000, "preempt": 20_000}[probe.Engine] * probe.Number("conns"), true
	})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Settled() {
		t.Error("there are shares without a rate")
	}
	if got := column(p, "preempt", "rate"); got != "0 0 10000 80000 18000 144000 1000 1000" {
		t.Errorf("got %s", got)
	}
	if err := p.Settle(func(record.Point) (float64, bool) { return 0, false }); err == nil {
		t.Error("rates were made of nothing")
	}
}

func TestSharesAreTheSameLoadAndRatesAreNot(t *testing.T) {
	p := resolve(t, small(Axis{"rate", "50%"}))
	settled := 1000.0
	if err := p.Settle(func(record.Point) (float64, bool) { settled *= 2; return settled, true }); err != nil {
		t.Fatal(err)
	}
	if p.Points[0].SameLoad() != p.Points[1].SameLoad() || p.Points[0].Number("rate") == p.Points[1].Number("rate") {
		t.Errorf("%+v and %+v", p.Points[0], p.Points[1])
	}
}

func TestSharesOutOfBoundsAreRefused(t *testing.T) {
	for _, rate := range []string{"300%", "0%", "-5%", "50%,50%", "50%,0.5%%", "1k,1k,50%", "%"} {
		if _, err := small(Axis{"rate", rate}).Resolve(toys, cpus("0-1")); !misuse.Is(err) {
			t.Errorf("%s: %v", rate, err)
		}
	}
	if p := resolve(t, small(Axis{"rate", "10%..90%+20%"})); len(p.Points) != 10 {
		t.Errorf("a range of shares gave %d points", len(p.Points))
	}
}

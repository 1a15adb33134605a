package plan

import (
	"testing"

	"turnlab/harness/record"
)

func TestAtAShareOfWhatEachCanDoArrivalsHaveOnePattern(t *testing.T) {
	p := resolve(t, small(Axis{"rate", "20%,80%"}))
	before := p.Jobs()
	err := p.Settle(func(probe record.Point) (float64, bool) {
		return map[string]float64{"coop": 20_000, "preempt": 15_000}[probe.Label()], true
	})
	if err != nil {
		t.Fatal(err)
	}
	rates, seeds := map[float64]bool{}, map[uint64]float64{}
	for i, j := range p.Jobs() {
		if j.Seed != before[i].Seed {
			t.Errorf("%s: the seed of a share depends on the rate that came of it", j.Point.Label())
		}
		if j.Block > 0 {
			continue
		}
		rates[j.Point.Number("rate")] = true
		if share, met := seeds[j.Seed]; met && share != j.Point.Number(rateShare) {
			t.Errorf("shares of %v and %v have one seed", share, j.Point.Number(rateShare))
		}
		seeds[j.Seed] = j.Point.Number(rateShare)
	}
	if len(rates) != 4 || len(seeds) != 2 {
		t.Errorf("%d rates and %d seeds of two engines at two shares", len(rates), len(seeds))
	}
}

func TestARateThatIsGivenIsPartOfTheSeed(t *testing.T) {
	seeds := map[uint64]bool{}
	for _, j := range resolve(t, small(Axis{"rate", "1k,2k"})).Jobs() {
		seeds[j.Seed] = true
	}
	if len(seeds) != 4 {
		t.Errorf("%d seeds of two rates in two blocks", len(seeds))
	}
}

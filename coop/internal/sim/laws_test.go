package sim

import (
	"runtime/debug"
	"testing"

	"turnlab/coop"
)

// TestASelectBeginsWithEachEquallyOften counts which of several ready futures wins, and compares the counts with equal
// ones by the sum of squares: chi-squared with k-1 degrees of freedom, whose bound is exceeded once in a million.
func TestASelectBeginsWithEachEquallyOften(t *testing.T) {
	const rounds = 6000
	bounds := map[int]float64{2: 23.9, 3: 27.6, 4: 30.7, 8: 40.5}
	for k, bound := range bounds {
		w := newWorld(2)
		counts := make([]float64, k)
		ready := func() (all []coop.Future[int]) {
			for i := range k {
				all = append(all, coop.Ready(i))
			}
			return all
		}
		pick := func() coop.Future[int] {
			all := ready()
			switch k {
			case 2:
				return coop.Map[coop.Choice2[int, int]](coop.Select2(all[0], all[1]), func(c coop.Choice2[int, int]) int { return c.Which })
			case 3:
				return coop.Map[coop.Choice3[int, int, int]](coop.Select3(all[0], all[1], all[2]), func(c coop.Choice3[int, int, int]) int { return c.Which })
			case 4:
				return coop.Map[coop.Choice4[int, int, int, int]](coop.Select4(all[0], all[1], all[2], all[3]), func(c coop.Choice4[int, int, int, int]) int { return c.Which })
			default:
				return coop.Map[coop.Selected[int]](coop.SelectAll(all), func(s coop.Selected[int]) int { return s.Index })
			}
		}
		for range rounds {
			which, err := coop.BlockOn(w.ex, pick())
			if err != nil {
				t.Fatal(err)
			}
			counts[which]++
		}
		sum, want := 0.0, float64(rounds)/float64(k)
		for _, n := range counts {
			sum += (n - want) * (n - want) / want
		}
		if sum > bound {
			t.Errorf("%d futures: won %v, chi-squared %.1f, want at most %.1f", k, counts, sum, bound)
		}
		w.ex.Close()
	}
}

// TestNestedSubExecutorsShareOneBudget has a leaf that is always ready at the bottom of several sub-executors. One poll of
// the task must not complete more than its budget, and a level must not multiply the polls of the one below.
func TestNestedSubExecutorsShareOneBudget(t *testing.T) {
	const items = 1000
	polls := map[int]int64{}
	for _, depth := range []int{1, 5} {
		w := newWorld(2)
		leaf, inPoll, before := 0, 0, int64(-1)
		var f coop.Future[coop.Unit] = coop.PollFn[coop.Unit](func(cx *coop.Context) coop.Poll[coop.Unit] {
			for leaf < items {
				if !cx.Proceed() {
					return coop.Pending[coop.Unit]()
				}
				if now := w.ex.Stats().Polls; now != before {
					before, inPoll = now, 0
				}
				if inPoll++; inPoll > coop.OpsPerPoll {
					t.Fatalf("depth %d: %d operations in one poll", depth, inPoll)
				}
				cx.Spend()
				leaf++
			}
			return coop.Done()
		})
		for range depth {
			f = nest(f)
		}
		if _, err := coop.BlockOn(w.ex, f); err != nil {
			t.Fatal(err)
		}
		polls[depth] = w.ex.Stats().Polls
		w.ex.Close()
	}
	if polls[5] > polls[1]+10 {
		t.Errorf("%d polls of the task at depth 1, and %d at depth 5", polls[1], polls[5])
	}
}

// nest runs a future in a sub-executor.
func nest(f coop.Future[coop.Unit]) coop.Future[coop.Unit] {
	set := coop.NewFuturesUnordered[coop.Unit]()
	set.Push(f)
	return coop.Map(set.Next(), func(coop.Item[coop.Unit]) coop.Unit { return coop.Unit{} })
}

// TestNothingIsCollectedThatIsStillNeeded runs some seeds with a garbage collection after every few kilobytes: a pointer
// that is kept where the collector does not look, in a number or in the kernel, would point at something else soon.
func TestNothingIsCollectedThatIsStillNeeded(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	for seed := uint64(1); seed <= 100; seed++ {
		if _, err := play(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

package model

import (
	"strings"
	"testing"

	"turnlab/coop/internal/model/standin"
)

// lostUpdate has two threads that add to a number without the atomic operation for it.
func lostUpdate(w *World) {
	var n standin.Int64
	for _, name := range []string{"one", "two"} {
		w.Thread(name, func() { n.Store(n.Load() + 1) })
	}
	w.AtEnd(func() {
		if n.Load() != 2 {
			w.Failf("n is %d, want 2", n.Load())
		}
	})
}

// dekker has two threads that each say something and then look whether the other one has.
func dekker(w *World) {
	var said [2]standin.Bool
	var saw [2]bool
	for i, name := range []string{"one", "two"} {
		w.Thread(name, func() {
			said[i].Store(true)
			saw[i] = said[1-i].Load()
		})
	}
	w.AtEnd(func() {
		if !saw[0] && !saw[1] {
			w.Failf("neither has seen the other")
		}
	})
}

// embrace has two threads that take two locks in opposite orders.
func embrace(w *World) {
	var a, b standin.Mutex
	lock := func(first, second *standin.Mutex) func() {
		return func() {
			first.Lock()
			defer first.Unlock()
			second.Lock()
			defer second.Unlock()
		}
	}
	w.Thread("one", lock(&a, &b))
	w.Thread("two", lock(&b, &a))
}

func every() map[string]Scheduler {
	return map[string]Scheduler{
		"exhaustive": NewExhaustive(2, 10_000), "pct": NewPCT(3, 2000, 1), "random": NewRandom(2000, 1),
	}
}

func TestEverySchedulerFindsWhatCanGoWrong(t *testing.T) {
	for what, c := range map[string]struct {
		program Program
		want    string
	}{
		"a lost update":     {lostUpdate, "n is 1, want 2"},
		"a deadly embrace":  {embrace, "nobody can ever run again: one at lock, two at lock"},
		"a panic":           {func(w *World) { w.Thread("one", func() { panic("boom") }) }, "one panicked: boom"},
		"a loop for ever":   {func(w *World) { w.Thread("one", forever) }, "no end after 20000 steps"},
		"a check of a part": {func(w *World) { w.Thread("one", func() { w.Failf("no") }) }, "no"},
	} {
		for name, s := range every() {
			_, failure := Explore(c.program, s)
			if failure == nil || !strings.HasPrefix(failure.What, c.want) {
				t.Errorf("%s, %s: %v", what, name, failure)
			}
		}
	}
}

func forever() {
	for {
		standin.Running.Point("again")
	}
}

func TestNoSchedulerFindsWhatIsNotThere(t *testing.T) {
	for name, s := range every() {
		if n, failure := Explore(dekker, s); failure != nil || n == 0 {
			t.Errorf("%s, after %d executions: %v", name, n, failure)
		}
	}
}

func TestAFailureIsRepeatedFromItsSeed(t *testing.T) {
	_, found := Explore(lostUpdate, NewRandom(1000, 7))
	if found == nil {
		t.Fatal("nothing found")
	}
	again, err := Replay(lostUpdate, found.Seed)
	if err != nil || again == nil || again.Error() != found.Error() {
		t.Errorf("got %v, %v; want %v", again, err, found)
	}
	if !strings.Contains(again.Trace, "lostUpdate") {
		t.Errorf("the trace does not say where each step was taken:\n%s", again.Trace)
	}
	if _, err := Replay(lostUpdate, "nonsense"); err == nil {
		t.Error("nonsense is taken for a seed")
	}
}

// TestExhaustiveTriesEveryScheduleOnce counts the interleavings of two threads of three steps each: six over three.
func TestExhaustiveTriesEveryScheduleOnce(t *testing.T) {
	seen := map[string]bool{}
	threeSteps := func(w *World) {
		var order strings.Builder
		for _, name := range []string{"a", "b"} {
			w.Thread(name, func() {
				for range 3 {
					standin.Running.Point("step")
					order.WriteString(name)
				}
			})
		}
		w.AtEnd(func() { seen[order.String()] = true })
	}
	e := NewExhaustive(100, 10_000)
	if _, failure := Explore(threeSteps, e); failure != nil || !e.Complete() || len(seen) != 20 {
		t.Errorf("%d orders, complete: %v, %v; want 20", len(seen), e.Complete(), failure)
	}
}

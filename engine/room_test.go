package engine

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"turnlab/workloads"
)

// listener is a Member with a queue of a fixed length.
type listener struct {
	mu       sync.Mutex
	heard    []string
	room     int
	expelled int
}

func (l *listener) Offer(message string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.heard) == l.room {
		return false
	}
	l.heard = append(l.heard, message)
	return true
}

func (l *listener) Expel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expelled++
}

func counted(r *Room) map[string]int64 {
	c := map[string]int64{}
	r.AddTo(c)
	return c
}

func TestWhoIsInTheRoomHearsWhatIsPublishedMeanwhile(t *testing.T) {
	var r Room
	early, late := &listener{room: 10}, &listener{room: 10}
	r.Publish("nobody hears this")
	seat := r.Join(early, workloads.Op{})
	r.Publish("one")
	r.Join(late, workloads.Op{})
	r.Publish("two")
	r.Leave(seat)
	r.Leave(nil)
	r.Publish("three")
	if !slices.Equal(early.heard, []string{"one", "two"}) || !slices.Equal(late.heard, []string{"two", "three"}) {
		t.Errorf("early heard %q, late %q", early.heard, late.heard)
	}
	r.Delivered()
	if c := counted(&r); c["published"] != 4 || c["delivered"] != 1 || c["dropped"] != 0 || c["closed_slow"] != 0 {
		t.Errorf("counters %v", c)
	}
}

func TestAFullQueueLosesTheNewestOrItsOwner(t *testing.T) {
	var r Room
	drops, closes := &listener{room: 1}, &listener{room: 1}
	kept := r.Join(drops, workloads.Op{Overflow: workloads.DropNewest})
	gone := r.Join(closes, workloads.Op{Overflow: workloads.CloseSlow})
	for _, m := range []string{"one", "two", "three"} {
		r.Publish(m)
	}
	if !slices.Equal(drops.heard, []string{"one"}) || drops.expelled != 0 || kept.Expelled() {
		t.Errorf("who drops heard %q and was expelled %d times", drops.heard, drops.expelled)
	}
	if closes.expelled != 1 || !gone.Expelled() || (*Seat)(nil).Expelled() {
		t.Errorf("who is closed was expelled %d times", closes.expelled)
	}
	if c := counted(&r); c["dropped"] != 2 || c["closed_slow"] != 1 {
		t.Errorf("counters %v", c)
	}
}

func TestMessagesOfAPublisherKeepTheirOrderWhileOthersComeAndGo(t *testing.T) {
	const publishers, messages = 4, 500
	var r Room
	hears := &listener{room: publishers * messages}
	r.Join(hears, workloads.Op{})
	var all sync.WaitGroup
	for p := range publishers {
		all.Go(func() {
			for i := range messages {
				r.Publish(fmt.Sprint(p, " ", i))
				r.Leave(r.Join(&listener{}, workloads.Op{}))
			}
		})
	}
	all.Wait()
	next := make([]int, publishers)
	for _, m := range hears.heard {
		var p, i int
		if _, err := fmt.Sscan(m, &p, &i); err != nil || i != next[p] {
			t.Fatalf("%q, want number %d", m, next[p])
		}
		next[p]++
	}
	if len(hears.heard) != publishers*messages || len(r.members) != 1 {
		t.Errorf("%d messages, %d members", len(hears.heard), len(r.members))
	}
}

package engine

import (
	"sync"
	"sync/atomic"

	"turnlab/workloads"
)

// Room is the subscribers of an engine whose sessions run on many threads. What a subscriber's queue is made of, and how
// its owner is woken, is the engine's (see [Member]); who is in the room, what is done when a queue is full, and what is
// counted must be the same everywhere, so it is here.
//
// Publishers share the lock: two of them may publish at once. The messages of one publisher keep their order, because
// Publish returns only when the message is in every queue.
type Room struct {
	mu      sync.RWMutex
	members []*Seat

	published, delivered, dropped, closedSlow atomic.Int64
}

// Member is an engine's side of a subscriber. Both methods are called by publishers, many at once, and must not wait.
type Member interface {
	// Offer puts a message into the queue and wakes the subscriber. False says that the queue is full.
	Offer(message string) bool
	// Expel closes the connection, which was too slow. It is called at most once.
	Expel()
}

// Seat is a subscription.
type Seat struct {
	member   Member
	policy   workloads.Overflow
	place    int
	expelled atomic.Bool
}

// Join begins the subscription of a connection whose first Receive is op.
func (r *Room) Join(m Member, op workloads.Op) *Seat {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &Seat{member: m, policy: op.Overflow, place: len(r.members)}
	r.members = append(r.members, s)
	return s
}

// Leave ends a subscription; nil is none. When it returns, no publisher uses the member any more.
func (r *Room) Leave(s *Seat) {
	if s == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.members) - 1
	r.members[s.place] = r.members[last]
	r.members[s.place].place = s.place
	r.members[last] = nil
	r.members = r.members[:last]
}

// Expelled reports whether the connection is to end without a further Step; nil is no subscription.
func (s *Seat) Expelled() bool { return s != nil && s.expelled.Load() }

// Publish puts a message into the queue of every subscriber.
func (r *Room) Publish(message string) {
	r.published.Add(1)
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, s := range r.members {
		switch {
		case s.Expelled() || s.member.Offer(message):
		case s.policy == workloads.DropNewest:
			r.dropped.Add(1)
		case s.expelled.CompareAndSwap(false, true):
			r.closedSlow.Add(1)
			s.member.Expel()
		}
	}
}

// Delivered counts a message that a session has been given.
func (r *Room) Delivered() { r.delivered.Add(1) }

// AddTo adds the counters of the room to an engine's.
func (r *Room) AddTo(counters map[string]int64) {
	counters["published"], counters["delivered"] = r.published.Load(), r.delivered.Load()
	counters["dropped"], counters["closed_slow"] = r.dropped.Load(), r.closedSlow.Load()
}

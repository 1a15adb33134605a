package engine

import (
	"slices"
	"sync"
	"testing"

	"turnlab/internal/misuse"
	"turnlab/workloads"
)

func TestUpstreamsAreNamedByNetworkAndAddress(t *testing.T) {
	all, err := NewUpstreams[int]([]string{"tcp:127.0.0.1:80", "unix:/a:b"})
	if err != nil || len(all) != 2 || all[0].Network != "tcp" || all[0].Address != "127.0.0.1:80" || all[1].Address != "/a:b" {
		t.Errorf("got %+v, %v", all, err)
	}
	for _, wrong := range []string{"", "tcp", "udp:127.0.0.1:80", "unix:"} {
		if _, err := NewUpstreams[int]([]string{wrong}); !misuse.Is(err) {
			t.Errorf("%q gives %v", wrong, err)
		}
	}
}

// full returns an upstream of which all tickets are out, and one of them.
func full(t *testing.T) (*Upstream[int], *Ticket[int]) {
	t.Helper()
	u, last := &Upstream[int]{}, new(Ticket[int])
	for range workloads.UpstreamConns - 1 {
		if !u.Get(new(Ticket[int])) {
			t.Fatal("a ticket was refused before all were out")
		}
	}
	if !u.Get(last) {
		t.Fatal("the last ticket was refused")
	}
	return u, last
}

func TestWhoWaitsForATicketIsServedInTurn(t *testing.T) {
	u, holder := full(t)
	var granted []int
	waiting := make([]*Ticket[int], 4)
	for i := range waiting {
		waiting[i] = &Ticket[int]{Granted: func() { granted = append(granted, i) }}
		if u.Get(waiting[i]) || u.Holds(waiting[i]) {
			t.Fatal("more tickets than there are")
		}
	}
	u.Return(waiting[1]) // gives up
	u.Return(holder)
	u.Return(waiting[0])
	u.Return(waiting[2])
	if !slices.Equal(granted, []int{0, 2, 3}) || u.Holds(waiting[1]) || !u.Holds(waiting[3]) {
		t.Errorf("granted in the order %v", granted)
	}
	u.Return(waiting[3])
	if u.out != workloads.UpstreamConns-1 || len(u.queue) != 0 {
		t.Errorf("%d tickets are out, %d wait", u.out, len(u.queue))
	}
	u.Return(waiting[3]) // twice is once
	if u.out != workloads.UpstreamConns-1 {
		t.Errorf("a ticket was taken back twice: %d are out", u.out)
	}
}

func TestConnectionsAreKeptForTheNextAndEndedAtTheEnd(t *testing.T) {
	u := &Upstream[int]{}
	if _, ok := u.Idle(); ok {
		t.Error("a connection came from nowhere")
	}
	u.Keep(1)
	u.Keep(2)
	u.Keep(3)
	if c, ok := u.Idle(); !ok || c != 3 {
		t.Errorf("got %d, want the one that was used last: it is warm", c)
	}
	var ended []int
	u.Drain(func(c int) { ended = append(ended, c) })
	u.Drain(func(c int) { ended = append(ended, c) })
	if !slices.Equal(ended, []int{1, 2}) {
		t.Errorf("ended %v", ended)
	}
}

func TestNeverMoreTicketsAreOutThanThereMayBe(t *testing.T) {
	u, last := full(t)
	u.Return(last) // one to fight for
	var all sync.WaitGroup
	var mu sync.Mutex
	holds, most := 0, 0
	for range 8 {
		all.Go(func() {
			for range 300 {
				ready := make(chan struct{}, 1)
				ticket := &Ticket[int]{Granted: func() { ready <- struct{}{} }}
				if !u.Get(ticket) {
					<-ready
				}
				mu.Lock()
				holds++
				most = max(most, holds)
				holds--
				mu.Unlock()
				u.Return(ticket)
			}
		})
	}
	all.Wait()
	if most != 1 || u.out != workloads.UpstreamConns-1 {
		t.Errorf("%d held one ticket at once; %d are out", most, u.out)
	}
}

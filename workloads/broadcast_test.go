package workloads_test

import (
	"strings"
	"testing"

	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

// publish makes the next message of a client, stamped.
func publish(c workloads.Client, stamp int64) []byte {
	c.(workloads.Listener).Stamp(stamp)
	return c.Request(nil)
}

func hear(t *testing.T, c workloads.Client, in []byte) (workloads.Heard, error) {
	t.Helper()
	n, h, err := c.(workloads.Listener).Hear(in)
	if err == nil && n != len(in) {
		t.Fatalf("consumed %d of %d bytes", n, len(in))
	}
	return h, err
}

func TestBroadcastPublishesEveryFrameAndHearsItself(t *testing.T) {
	c := newClient(t, workloads.Broadcast)
	p := sessiontest.NewPlayer(newSession(t, workloads.Broadcast))
	one, two := publish(c, 1), publish(c, 2)
	p.Send(append(append(one[:len(one):len(one)], two...), "\x00\x00"...))
	if len(p.Published) != 2 || p.Published[0] != string(one) || p.Published[1] != string(two) {
		t.Fatalf("published %q", p.Published)
	}
	if replies, err := deliver(t, c, p.Out, 9); replies != 2 || err != nil || p.Unread() != 2 {
		t.Fatalf("%d replies, %v, %d bytes unread", replies, err, p.Unread())
	}
}

func TestBroadcastHandsOnWhatOthersSay(t *testing.T) {
	p := sessiontest.NewPlayer(newSession(t, workloads.Broadcast))
	p.Tell("something")
	p.Tell("more")
	if string(p.Out) != "somethingmore" || p.Closed {
		t.Fatalf("closed %v, %q", p.Closed, p.Out)
	}
	p.End()
	if !p.Closed {
		t.Fatal("whoever ends its side leaves the room")
	}
}

// Its own queue must not be filled by a publisher that does not wait for its own messages.
func TestBroadcastReceivesAfterEachPublish(t *testing.T) {
	c := newClient(t, workloads.Broadcast)
	p := sessiontest.NewPlayer(newSession(t, workloads.Broadcast))
	var in []byte
	for range 100 {
		in = append(in, publish(c, 0)...)
	}
	p.Send(in)
	for i, op := range p.Ops[1:] {
		if op.Kind == workloads.Publish && p.Ops[i].Kind == workloads.Publish {
			t.Fatal("two messages in a row")
		}
	}
	if len(p.Published) != 100 {
		t.Fatalf("%d published", len(p.Published))
	}
}

func TestBroadcastQueueAndOverflowAreTheOptions(t *testing.T) {
	for overflow, want := range map[string]workloads.Overflow{"drop": workloads.DropNewest, "close": workloads.CloseSlow} {
		p := sessiontest.NewPlayer(newSession(t, workloads.Broadcast, "queue", "7", "overflow", overflow))
		if op := p.Ops[0]; op.Kind != workloads.Receive || op.Queue != 7 || op.Overflow != want {
			t.Errorf("%s: %+v", overflow, op)
		}
	}
}

func TestBroadcastRefusesAFrameAboveTheBound(t *testing.T) {
	server, _ := resolve(t, workloads.Broadcast, nil)
	if got := play(server, false, []byte("\x00\x00\x80\x01")); !got.closed || !got.linger {
		t.Fatal(got)
	}
}

func TestBroadcastListenerHearsStampsAndCountsGaps(t *testing.T) {
	_, clients := resolve(t, workloads.Broadcast, nil)
	talks, listens := clients.NewClient(0), clients.NewClient(1)
	publish(talks, 5) // before the listener came
	for _, step := range []struct {
		skip int
		lost int
	}{{0, 0}, {0, 0}, {3, 3}, {0, 0}, {1, 1}} {
		for range step.skip {
			publish(talks, 7)
		}
		h, err := hear(t, listens, publish(talks, 1234567))
		if err != nil || !h.Done || h.Answer || h.IntendedNS != 1234567 || h.Lost != step.lost {
			t.Fatalf("%+v, %v; want %d lost", h, err, step.lost)
		}
	}
}

func TestBroadcastListenerRefusesDisorder(t *testing.T) {
	_, clients := resolve(t, workloads.Broadcast, nil)
	talks, listens := clients.NewClient(0), clients.NewClient(1)
	one, two := publish(talks, 1), publish(talks, 2)
	for _, in := range [][]byte{two, one} {
		_, err := hear(t, listens, in)
		if (err != nil) != (string(in) == string(one)) {
			t.Fatalf("error %v", err)
		}
	}
	if _, err := hear(t, listens, two); err == nil {
		t.Fatal("the same message twice")
	}
}

func TestBroadcastPublisherHearsOthersBetweenItsOwn(t *testing.T) {
	_, clients := resolve(t, workloads.Broadcast, []string{"publishers", "2"})
	me, other := clients.NewClient(0), clients.NewClient(1)
	mine := publish(me, 10)
	if h, err := hear(t, me, publish(other, 20)); err != nil || h.Answer || h.IntendedNS != 20 {
		t.Fatalf("%+v, %v", h, err)
	}
	if h, err := hear(t, me, mine); err != nil || !h.Answer || h.IntendedNS != 10 {
		t.Fatalf("%+v, %v", h, err)
	}
	if _, err := hear(t, me, publish(clients.NewClient(2), 0)); err == nil {
		t.Fatal("more publishers than there are")
	}
}

func TestBroadcastPublisherWhoseOwnMessageWasDroppedIsTold(t *testing.T) {
	c := newClient(t, workloads.Broadcast)
	publish(c, 1)
	if _, err := hear(t, c, publish(c, 2)); err == nil || !strings.Contains(err.Error(), "its queue was full") {
		t.Fatalf("error %v", err)
	}
}

// A connection that was lost and opened again begins to count anew, and nobody takes that for disorder or for loss.
func TestBroadcastMessagesOfTheNextLifeFollowThoseOfTheLast(t *testing.T) {
	_, clients := resolve(t, workloads.Broadcast, nil)
	listens := clients.NewClient(1)
	old := clients.NewClient(0)
	late := publish(old, 0)
	if _, err := hear(t, listens, publish(old, 0)); err != nil {
		t.Fatal(err)
	}
	if h, err := hear(t, listens, publish(clients.NewClient(0), 0)); err != nil || h.Lost != 0 {
		t.Fatalf("%+v, %v", h, err)
	}
	if _, err := hear(t, listens, late); err == nil {
		t.Fatal("a message of an earlier life after one of a later")
	}
}

func TestRolesAreSpreadEvenlyAndSomebodyAsks(t *testing.T) {
	for _, c := range []struct {
		workload *workloads.Workload
		option   string
		other    workloads.Role
	}{{workloads.Idle, "active", workloads.Silent}, {workloads.Broadcast, "publishers", workloads.Listens}} {
		for _, conns := range []int{1, 2, 7, 64, 1000} {
			_, clients := resolve(t, c.workload, []string{c.option, "5"})
			roles := clients.(workloads.Roles)
			firstHalf, all := 0, 0
			for i := range conns {
				switch roles.Role(i, conns) {
				case workloads.Asks:
					all++
					if i < conns/2 {
						firstHalf++
					}
				case c.other:
				default:
					t.Fatalf("%s: an odd role", c.workload.Name)
				}
			}
			if all != min(5, conns) || conns > 5 && (firstHalf < 2 || firstHalf > 3) {
				t.Errorf("%s: %d of %d ask, %d of them in the first half", c.workload.Name, all, conns, firstHalf)
			}
		}
	}
}

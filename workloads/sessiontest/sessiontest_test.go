package sessiontest

import (
	"io"
	"strings"
	"testing"

	"turnlab/workloads"
)

// stepper is a session made of one function.
type stepper func(x *workloads.Exchange) workloads.Op

func (f stepper) Step(x *workloads.Exchange) workloads.Op { return f(x) }

func panics(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, want) {
			t.Errorf("panic %q, want %q", text, want)
		}
	}()
	f()
}

func TestPlayGivesUpOnASessionThatDoesNotMove(t *testing.T) {
	panics(t, "neither moves nor asks for input: flush", func() {
		Play(stepper(func(*workloads.Exchange) workloads.Op { return workloads.Op{Kind: workloads.Flush} }))
	})
}

func TestPlayGivesUpOnOutputWithoutBound(t *testing.T) {
	panics(t, "bytes of output in one step", func() {
		Play(stepper(func(x *workloads.Exchange) workloads.Op {
			x.Out = append(x.Out, make([]byte, MaxOut+1)...)
			return workloads.Op{Kind: workloads.Flush}
		}))
	})
}

func TestPlayKeepsWhatWasNotConsumedAndSpoilsWhatWas(t *testing.T) {
	var kept []byte
	s := stepper(func(x *workloads.Exchange) workloads.Op {
		if kept == nil && len(x.In) > 0 {
			kept = x.In[:1]
			x.In = x.In[1:]
		}
		return workloads.Op{Kind: workloads.Read}
	})
	p := NewPlayer(s)
	p.Send([]byte("ab"))
	p.Send([]byte("c"))
	if p.Unread() != 2 || string(kept) == "a" {
		t.Fatalf("%d bytes unread; the session still reads %q", p.Unread(), kept)
	}
}

func TestPlayHoldsOutputBackDuringBurnOnly(t *testing.T) {
	turn := 0
	s := stepper(func(x *workloads.Exchange) workloads.Op {
		turn++
		switch turn {
		case 1:
			x.Out = append(x.Out, 'a')
			return workloads.Op{Kind: workloads.Burn, Units: 1}
		case 2:
			if string(x.Out) != "a" {
				t.Errorf("after Burn Out holds %q", x.Out)
			}
			return workloads.Op{Kind: workloads.Sleep}
		}
		if len(x.Out) != 0 {
			t.Errorf("after Sleep Out holds %q", x.Out)
		}
		return workloads.Op{Kind: workloads.Close}
	})
	if out, closed, ops := Play(s, []byte("ignored")); string(out) != "a" || !closed || len(ops) != 3 {
		t.Fatalf("%q, closed %v, %d ops", out, closed, len(ops))
	}
}

func TestPlayAsksTheUpstreamUntilEnoughHaveAnswered(t *testing.T) {
	var got []workloads.Reply
	calls := &workloads.Calls{Requests: [][]byte{[]byte("a"), []byte("b"), []byte("c"), []byte("d"), []byte("e")}, Need: 2, Within: 1}
	s := stepper(func(x *workloads.Exchange) workloads.Op {
		if len(x.In) > 0 {
			x.In = nil
			return workloads.Op{Kind: workloads.Call, Calls: calls}
		}
		got = append(got, x.Replies...)
		return workloads.Op{Kind: workloads.Read}
	})
	p := NewPlayer(s)
	p.Upstream = func(frame []byte) ([]byte, error) {
		switch string(frame) {
		case "a":
			return nil, nil
		case "b":
			return nil, io.EOF
		}
		return append([]byte("re "), frame...), nil
	}
	p.Send([]byte("go"))
	if len(got) != 3 || got[0].Index != 1 || got[0].Err != io.EOF || string(got[1].Data) != "re c" || got[2].Index != 3 {
		t.Fatalf("replies %v", got)
	}
	p.Send([]byte("go")) // replies of the last call must not come again
	if len(got) != 6 {
		t.Fatalf("%d replies to two calls", len(got))
	}
}

func TestPlayDeliversMessagesToThoseWhoReceive(t *testing.T) {
	var heard []string
	receives := false
	s := stepper(func(x *workloads.Exchange) workloads.Op {
		heard = append(heard, x.Message)
		if len(x.In) > 0 {
			x.In = nil
			receives = true
			return workloads.Op{Kind: workloads.Publish, Message: "mine"}
		}
		if receives {
			return workloads.Op{Kind: workloads.Receive, Queue: 1}
		}
		return workloads.Op{Kind: workloads.Read}
	})
	p := NewPlayer(s)
	p.Tell("too early")
	p.Send([]byte("go")) // publishes before it has received
	p.Tell("one")
	p.Send([]byte("go"))
	p.End()
	if got := strings.Join(heard, "|"); got != "|||one|||mine|" || !p.Closed || len(p.Published) != 2 {
		t.Fatalf("heard %q, closed %v, published %q", got, p.Closed, p.Published)
	}
}

func TestPlayGivesUpOnOpsOutOfBounds(t *testing.T) {
	for want, op := range map[string]workloads.Op{
		"an empty message":          {Kind: workloads.Publish},
		"a queue for 0 messages":    {Kind: workloads.Receive},
		"1 calls, 2 needed":         {Kind: workloads.Call, Calls: &workloads.Calls{Requests: [][]byte{nil}, Need: 2, Within: 1}},
		"0 calls, 0 needed":         {Kind: workloads.Call, Calls: &workloads.Calls{Within: 1}},
		"1 needed within 0s":        {Kind: workloads.Call, Calls: &workloads.Calls{Requests: [][]byte{nil}, Need: 1}},
		"a queue for 5000 messages": {Kind: workloads.Receive, Queue: 5000},
	} {
		panics(t, want, func() { Play(stepper(func(*workloads.Exchange) workloads.Op { return op })) })
	}
}

func TestPlayClosesASessionThatLeavesTooMuchUnread(t *testing.T) {
	s := stepper(func(*workloads.Exchange) workloads.Op { return workloads.Op{Kind: workloads.Read} })
	_, closed, _ := Play(s, make([]byte, workloads.MaxUnread-1))
	if closed {
		t.Fatal("closed too early")
	}
	if _, closed, _ = Play(s, make([]byte, workloads.MaxUnread)); !closed {
		t.Fatal("not closed")
	}
}

package sessiontest

import (
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

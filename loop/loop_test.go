package loop

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"turnlab/engine"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// restless echoes, until it is told "!": from then on it never rests and never waits.
type restless struct{ on bool }

func (s *restless) NewSession() workloads.Session { return new(restless) }

func (s *restless) Step(x *workloads.Exchange) workloads.Op {
	s.on = s.on || strings.Contains(string(x.In), "!")
	x.Out, x.In = append(x.Out, x.In...), nil
	if s.on {
		return workloads.Op{Kind: workloads.Flush}
	}
	return workloads.Op{Kind: workloads.Read}
}

func bounce(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("sent %q, got %q, %v", text, got, err)
	}
}

func TestASessionThatNeverRestsLeavesTheOthersTheirTurns(t *testing.T) {
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- e.Serve(l, new(restless)) }()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	bounce(t, dial(), "!")
	bounce(t, dial(), "my turn")
	if c := e.Counters(); c["accepted"] != 2 || c["open"] != 2 || c["waits"] == 0 || c["events"] == 0 {
		t.Errorf("counters %v", c)
	}
	e.Stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWorkloadsThatWaitForMoreThanTheSocketAreRefused(t *testing.T) {
	for _, op := range []workloads.Kind{workloads.Sleep, workloads.Call, workloads.Publish, workloads.Receive} {
		w := &workloads.Workload{Name: "w", Ops: []workloads.Kind{workloads.Burn, op}}
		if err := Spec.CanServe(w); !misuse.Is(err) || !strings.Contains(err.Error(), op.String()) {
			t.Errorf("%v gives %v", op, err)
		}
	}
	if err := Spec.CanServe(workloads.HTTP); err != nil {
		t.Error(err)
	}
}

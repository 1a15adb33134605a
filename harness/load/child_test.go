package load

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	"turnlab/harness/control"
)

// talk is the harness's end of a child that runs in this process.
type talk struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *json.Decoder
	code chan int
}

func startChild(t *testing.T) *talk {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &talk{t: t, in: inW, out: json.NewDecoder(outR), code: make(chan int, 1)}
	go func() {
		c.code <- Main(inR, outW)
		outW.Close()
		inR.Close()
	}()
	t.Cleanup(func() { inW.Close(); outR.Close() })
	return c
}

func (c *talk) ask(r control.Request) {
	c.t.Helper()
	if err := json.NewEncoder(c.in).Encode(r); err != nil {
		c.t.Fatal(err)
	}
}

func (c *talk) expect(is string) control.Event {
	c.t.Helper()
	var e control.Event
	if err := c.out.Decode(&e); err != nil || e.Is != is {
		c.t.Fatalf("event %+v, error %v, want %q", e, err, is)
	}
	return e
}

func (c *talk) exits(code int) {
	c.t.Helper()
	select {
	case got := <-c.code:
		if got != code {
			c.t.Errorf("the exit code is %d, want %d", got, code)
		}
	case <-time.After(5 * time.Second):
		c.t.Error("the child does not end")
	}
}

func TestChildTalksItsWayThroughALoad(t *testing.T) {
	s := serve(t, "tcp", echo)
	l := s.load()
	l.WarmupNS = int64(50 * time.Millisecond)
	c := startChild(t)
	c.ask(control.Request{Do: control.Start, Load: &l})
	c.expect(control.Ready)
	s.waitOpen(t, 4)
	if n := s.requests.Load(); n != 0 {
		t.Errorf("%d requests came before go", n)
	}
	c.ask(control.Request{Do: control.Go})
	first := c.expect(control.Measuring)
	second := c.expect(control.Measured)
	r := c.expect(control.Result).Result
	if open := s.open.Load(); open != 4 {
		t.Errorf("%d connections are open after the result, want 4 until stop", open)
	}
	if first.Usage.CPUNS >= second.Usage.CPUNS || r.Requests == 0 {
		t.Errorf("CPU time %d, then %d; %d requests", first.Usage.CPUNS, second.Usage.CPUNS, r.Requests)
	}
	checkResult(t, l, *r)
	c.ask(control.Request{Do: control.Stop})
	c.expect(control.Stopped)
	c.exits(0)
}

func TestChildEndsWhenItsInputEnds(t *testing.T) {
	s := serve(t, "tcp", echo)
	l := s.load()
	l.WindowNS = int64(time.Minute)
	steps := []struct {
		name string
		do   func(c *talk)
	}{
		{"before the start", func(c *talk) {}},
		{"while it connects", func(c *talk) {
			deaf := l
			deaf.Network, deaf.Address, deaf.Conns, deaf.TimeoutNS = "unix", deafSocket(t), 16, int64(time.Minute)
			c.ask(control.Request{Do: control.Start, Load: &deaf})
			time.Sleep(20 * time.Millisecond) // no event tells that it has begun to connect
		}},
		{"before go", func(c *talk) {
			c.ask(control.Request{Do: control.Start, Load: &l})
			c.expect(control.Ready)
		}},
		{"in the window", func(c *talk) {
			c.ask(control.Request{Do: control.Start, Load: &l})
			c.expect(control.Ready)
			c.ask(control.Request{Do: control.Go})
			c.expect(control.Measuring)
		}},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			c := startChild(t)
			step.do(c)
			c.in.Close()
			go func() { // what it still says must not keep it
				for e := (control.Event{}); c.out.Decode(&e) == nil; {
				}
			}()
			c.exits(1)
		})
	}
}

func TestChildStopsInTheMiddleOfALoad(t *testing.T) {
	s := serve(t, "tcp", echo)
	l := s.load()
	l.WindowNS = int64(time.Minute)
	c := startChild(t)
	c.ask(control.Request{Do: control.Start, Load: &l})
	c.expect(control.Ready)
	c.ask(control.Request{Do: control.Go})
	c.expect(control.Measuring)
	c.ask(control.Request{Do: control.Stop})
	for e := (control.Event{}); e.Is != control.Stopped; {
		if err := c.out.Decode(&e); err != nil {
			t.Fatal(err)
		}
	}
	c.exits(0)
}

func TestChildSaysWhichMistakesAreTheUsers(t *testing.T) {
	c := startChild(t)
	c.ask(control.Request{Do: control.Start, Load: &control.Load{Workload: "nope"}})
	if e := c.expect(control.Failed); !e.Misuse || e.Error == "" {
		t.Errorf("event %+v, want a mistake of the user with a text", e)
	}
	c.exits(2)
}

func TestChildRefusesARequestOutOfOrder(t *testing.T) {
	c := startChild(t)
	c.ask(control.Request{Do: control.Go})
	if e := c.expect(control.Failed); e.Misuse {
		t.Errorf("event %+v: a broken conversation is not the user's mistake", e)
	}
	c.exits(1)
}

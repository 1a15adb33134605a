package coop

import (
	"fmt"
	"slices"
	"testing"
)

// diary is a Trace that writes everything down.
type diary struct{ lines []string }

func (d *diary) Woken(id TaskID)      { d.add("woken", id) }
func (d *diary) PollBegins(id TaskID) { d.add("begins", id) }
func (d *diary) PollEnds(id TaskID)   { d.add("ends", id) }

func (d *diary) add(what string, id TaskID) {
	d.lines = append(d.lines, fmt.Sprintf("%s %d", what, uint32(id)))
}

func TestATraceIsToldOfEveryWakeAndEveryPollInTheirOrder(t *testing.T) {
	d := &diary{}
	ex := New(Config{Driver: &clock{t: t}, Trace: d})
	defer ex.Close()
	ex.Go(selfWaking(1, Unit{}))
	ex.Go(selfWaking(0, Unit{}))
	run[int](t, ex, selfWaking(2, 0))
	want := []string{
		"woken 0", "woken 1", "woken 2",
		"begins 0", "woken 0", "ends 0", "begins 1", "ends 1", "begins 2", "woken 2", "ends 2",
		"begins 0", "ends 0", "begins 2", "woken 2", "ends 2",
		"begins 2", "ends 2",
	}
	if !slices.Equal(d.lines, want) {
		t.Errorf("told %q\nwant %q", d.lines, want)
	}
}

func TestATraceIsToldOfTheEndOfAPollThatPanics(t *testing.T) {
	d := &diary{}
	ex := New(Config{Driver: &clock{t: t}, Trace: d, OnPanic: func(*JoinError) {}})
	defer ex.Close()
	ex.Go(fn[Unit](func(*Context) Poll[Unit] { panic("on purpose") }))
	run(t, ex, Yield())
	if !slices.Contains(d.lines, "ends 0") {
		t.Errorf("told %q; want the end of task 0's poll", d.lines)
	}
}

func TestAThousandPollsAreAThousandInATrace(t *testing.T) {
	d := &diary{}
	ex := New(Config{Driver: &clock{t: t}, Trace: d})
	defer ex.Close()
	run[int](t, ex, selfWaking(1000, 0))
	if n := len(d.lines); n != 3*1001 {
		t.Errorf("%d events of 1001 wakes and polls", n)
	}
}

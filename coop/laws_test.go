package coop

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"
)

// The laws: what every combinator must do with every kind of future inside, whenever it is dropped.

// kind is how a future behaves.
type kind rune

const (
	readyNow   kind = 'r' // ready at its first poll
	wokenOnce  kind = 'w' // pending once, then woken by an event between two polls
	selfWakes  kind = 's' // pending twice, having woken itself
	yieldsOnce kind = 'y' // pending once, by a yield
	panics     kind = 'p'
	neverReady kind = 'n'
)

const kinds = "rwsypn"

// strict is a future that checks how it is used.
type strict struct {
	t     *testing.T
	w     *world
	kind  kind
	value int
	polls int
	drops int
	ended bool
	waker LocalWaker
}

// world is what the futures of one case share.
type world struct {
	events []*strict // that wait to be woken from outside
	clones int
	drops  int
}

func (s *strict) Poll(cx *Context) Poll[int] {
	if s.ended || s.drops > 0 {
		s.t.Errorf("a %c future was polled after its end", s.kind)
	}
	s.polls++
	switch {
	case s.kind == panics:
		panic("boom")
	case s.kind == neverReady:
		s.waker.Register(cx)
		return Pending[int]()
	case s.kind == selfWakes && s.polls <= 2:
		cx.LocalWaker().Wake()
		return Pending[int]()
	case s.kind == yieldsOnce && s.polls == 1:
		cx.Defer()
		return Pending[int]()
	case s.kind == wokenOnce && s.polls == 1:
		s.waker.Register(cx)
		s.w.events = append(s.w.events, s)
		return Pending[int]()
	}
	s.ended = true
	return Ready(s.value)
}

func (s *strict) Drop(*Context) {
	s.drops++
	s.waker.Clear()
}

// counting is a waker table that counts references and passes wakes on.
type counting struct {
	w  *world
	to LocalWaker
}

func (c *counting) Wake(TaskID)           { c.to.Waker().Wake() }
func (c *counting) WakeLocal(TaskID)      { c.to.Wake() }
func (c *counting) Clone(id TaskID) Waker { c.w.clones++; return Waker{c, id} }
func (c *counting) Drop(TaskID)           { c.w.drops++ }

// counted polls a future with a counting waker.
type counted struct {
	Future[string]
	vt *counting
}

func (c *counted) Poll(cx *Context) Poll[string] {
	if c.vt.to.IsZero() {
		c.vt.to = cx.waker
	}
	outer := cx.waker
	cx.waker = LocalWaker{c.vt, outer.id}
	p := c.Future.Poll(cx)
	cx.waker = outer
	return p
}

func (c *counted) Drop(cx *Context) { Drop(cx, c.Future) }

// text makes any future one of a text, so that all can be compared.
func text[T any](f Future[T]) Future[string] {
	return Map(f, func(v T) string { return fmt.Sprint(v) })
}

// law is a combinator of two futures and what must come out.
type law struct {
	name string
	make func(a, b Future[int]) Future[string]
	want func(a, b kind) string
}

const (
	panicked = "panic"
	pends    = "never"
)

var laws = []law{
	{"Join2", func(a, b Future[int]) Future[string] { return text[Tuple2[int, int]](Join2(a, b)) }, both("{1 2}")},
	{"Join3", func(a, b Future[int]) Future[string] {
		return text[Tuple3[int, int, int]](Join3[int, int, int](a, b, Ready(3)))
	}, both("{1 2 3}")},
	{"Join4", func(a, b Future[int]) Future[string] {
		return text[Tuple4[int, int, int, int]](Join4[int, int, int, int](Ready(0), a, b, Ready(3)))
	}, both("{0 1 2 3}")},
	{"JoinAll", func(a, b Future[int]) Future[string] { return text(JoinAll([]Future[int]{a, b})) }, both("[1 2]")},
	{"JoinAll of many", func(a, b Future[int]) Future[string] {
		return text[[]int](Map(JoinAll(append(readies(joinAllLinear), a, b)), func(v []int) []int { return v[joinAllLinear:] }))
	}, both("[1 2]")},
	{"FuturesUnordered", unordered, both("[1 2]")},
	{"Select2", func(a, b Future[int]) Future[string] {
		return text[Choice2[int, int]](Select2(a, b).Biased())
	}, first("{0 {1 0}}", "{1 {0 2}}")},
	{"Select3", func(a, b Future[int]) Future[string] {
		return text[Choice3[int, int, int]](Select3[int, int, int](a, b, Pending[int]()).Biased())
	}, first("{0 {1 0 0}}", "{1 {0 2 0}}")},
	{"Select4", func(a, b Future[int]) Future[string] {
		return text[Choice4[int, int, int, int]](Select4[int, int, int, int](Pending[int](), a, Pending[int](), b).Biased())
	}, first("{1 {0 1 0 0}}", "{3 {0 0 0 2}}")},
	{"SelectAll", func(a, b Future[int]) Future[string] {
		return text[Selected[int]](SelectAll([]Future[int]{a, b}).Biased())
	}, first("{0 1}", "{1 2}")},
	{"Then", func(a, b Future[int]) Future[string] {
		return &owner{text[int](Then(a, func(int) Future[int] { return b })), b.(*strict)}
	}, inTurn("2")},
	{"Timeout", func(a, b Future[int]) Future[string] {
		return text[Result[int]](Timeout[int](time.Second, Map(Join2(a, b), func(Tuple2[int, int]) int { return 3 })))
	}, or(both("{3 <nil>}"), "{0 coop: timed out}")},
	{"Abortable", func(a, b Future[int]) Future[string] {
		f, _ := Abortable[Tuple2[int, int]](Join2(a, b))
		return text[Result[Tuple2[int, int]]](f)
	}, both("{{1 2} <nil>}")},
	{"Fuse", func(a, b Future[int]) Future[string] {
		return text[Tuple2[int, int]](Fuse[Tuple2[int, int]](Join2[int, int](Fuse(a), Fuse(b))))
	}, both("{1 2}")},
}

func readies(n int) (fs []Future[int]) {
	for i := range n {
		fs = append(fs, Ready(i))
	}
	return fs
}

// both is the law of a combinator that needs both values.
func both(value string) func(a, b kind) string {
	return func(a, b kind) string {
		switch {
		case a == panics || b == panics:
			return panicked
		case a == neverReady || b == neverReady:
			return pends
		}
		return value
	}
}

// inTurn is the law of a combinator that begins b when a is done.
func inTurn(value string) func(a, b kind) string {
	return func(a, b kind) string {
		if a == neverReady {
			return pends
		}
		return both(value)(a, b)
	}
}

// or replaces "never".
func or(law func(a, b kind) string, instead string) func(a, b kind) string {
	return func(a, b kind) string {
		if got := law(a, b); got != pends {
			return got
		}
		return instead
	}
}

// first is the law of a combinator that takes whichever is ready first and asks a before b.
func first(valueA, valueB string) func(a, b kind) string {
	polls := map[kind]int{readyNow: 1, panics: 1, wokenOnce: 2, yieldsOnce: 2, selfWakes: 3, neverReady: 99}
	return func(a, b kind) string {
		switch {
		case polls[a] == 99 && polls[b] == 99:
			return pends
		case polls[a] <= polls[b] && a == panics, polls[b] < polls[a] && b == panics:
			return panicked
		case polls[a] <= polls[b]:
			return valueA
		}
		return valueB
	}
}

// unordered collects the values of a set, in the order of their size.
func unordered(a, b Future[int]) Future[string] {
	u := NewFuturesUnordered[int]()
	u.Push(a)
	u.Push(b)
	var got []int
	return &withDrop{PollFn[string](func(cx *Context) Poll[string] {
		for {
			item, ok := u.PollNext(cx).Get()
			if !ok {
				return Pending[string]()
			}
			if !item.OK {
				sort.Ints(got)
				return Ready(fmt.Sprint(got))
			}
			got = append(got, item.Value)
		}
	}), u.Drop}
}

type withDrop struct {
	Future[string]
	drop func(*Context)
}

func (w *withDrop) Drop(cx *Context) { w.drop(cx) }

// owner owns a future that the one inside may never have been given.
type owner struct {
	Future[string]
	late *strict
}

func (o *owner) Drop(cx *Context) {
	Drop(cx, o.Future)
	if o.late.polls == 0 && o.late.drops == 0 {
		o.late.Drop(cx)
	}
}

// play runs a case for at most a number of turns, aborts what is not done by then, and returns what came out.
func play(t *testing.T, l law, ka, kb kind, turns int) string {
	w := &world{}
	c := &clock{t: t}
	c.late = func() {}
	ex := New(Config{Driver: c})
	defer ex.Close()
	a, b := &strict{t: t, w: w, kind: ka, value: 1}, &strict{t: t, w: w, kind: kb, value: 2}
	h := Spawn[string](ex, &counted{l.make(a, b), &counting{w: w}})
	ex.enter()
	for range turns {
		if h.Finished() {
			break
		}
		if err := ex.turn(); err != nil {
			t.Fatal(err)
		}
		for _, s := range w.events {
			if s.drops == 0 {
				s.waker.Wake()
			}
		}
		w.events = nil
	}
	h.Abort()
	ex.turn()
	ex.leave()
	if !h.Finished() {
		t.Fatal("the task has not ended after Abort")
	}
	if a.drops != 1 || b.drops != 1 {
		t.Errorf("dropped %d and %d times, want once each", a.drops, b.drops)
	}
	if w.clones != w.drops {
		t.Errorf("%d wakers cloned and %d dropped", w.clones, w.drops)
	}
	if n := ex.timers.Len(); n != 0 {
		t.Errorf("%d timers left", n)
	}
	return outcome(h)
}

func outcome(h *JoinHandle[string]) string {
	value, err := h.Wait()
	switch {
	case err == nil:
		return value
	case err == ErrAborted:
		return pends
	case strings.Contains(err.Error(), "boom"):
		return panicked
	}
	return err.Error()
}

func TestLaws(t *testing.T) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			for _, a := range kinds {
				for _, b := range kinds {
					t.Run(string(a)+string(b), func(t *testing.T) {
						want := l.want(kind(a), kind(b))
						if got := play(t, l, kind(a), kind(b), 50); got != want {
							t.Errorf("got %s, want %s", got, want)
						}
						for turns := range 6 { // dropped at every point
							if got := play(t, l, kind(a), kind(b), turns); got != want && got != pends {
								t.Errorf("dropped after %d turns: got %s", turns, got)
							}
						}
					})
				}
			}
		})
	}
}

func TestPollAfterTheEndIsAnswered(t *testing.T) {
	one := func() Future[int] { return Ready(1) }
	abortable, _ := Abortable(one())
	cx := NewContext(NoopWaker())
	for name, poll := range map[string]func(){
		"Lazy":      poller[int](cx, Lazy(func(*Context) int { return 1 })),
		"Map":       poller[int](cx, Map(one(), func(i int) int { return i })),
		"Then":      poller[int](cx, Then(one(), func(i int) Future[int] { return one() })),
		"Join2":     poller[Tuple2[int, int]](cx, Join2(one(), one())),
		"Join3":     poller[Tuple3[int, int, int]](cx, Join3(one(), one(), one())),
		"Join4":     poller[Tuple4[int, int, int, int]](cx, Join4(one(), one(), one(), one())),
		"JoinAll":   poller(cx, JoinAll([]Future[int]{one()})),
		"Select2":   poller[Choice2[int, int]](cx, Select2(one(), one())),
		"Select3":   poller[Choice3[int, int, int]](cx, Select3(one(), one(), one())),
		"Select4":   poller[Choice4[int, int, int, int]](cx, Select4(one(), one(), one(), one())),
		"SelectAll": poller[Selected[int]](cx, SelectAll([]Future[int]{one()})),
		"Abortable": poller[Result[int]](cx, abortable),
	} {
		poll()
		panicsWith(t, name+" was polled after Ready", poll)
	}
}

func poller[T any](cx *Context, f Future[T]) func() { return func() { f.Poll(cx) } }

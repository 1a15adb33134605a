package model

import (
	"fmt"
	"iter"
	"runtime"
	"strings"

	"turnlab/coop/internal/model/standin"
)

// stepsMax bounds an execution: a model that takes more steps is taken for one that never ends.
const stepsMax = 20_000

// Program sets up one execution: it starts threads in w and says what must hold at the end. It must do the same each time
// it is called, but for the order in which the scheduler lets the threads run.
type Program func(w *World)

// World is one execution of a program.
type World struct {
	pick     Scheduler
	threads  []*thread
	current  *thread // nil while no thread runs
	next     *thread // whom the loop resumes; nil ends the execution
	runnable []int
	schedule []byte // the number of the thread that took each step
	checks   []func()
	failure  string
	trace    *strings.Builder // nil unless somebody will read it
}

// thread is a virtual thread: a coroutine, so that switching is quick and nothing happens at the same time.
type thread struct {
	name   string
	number int
	resume func() (struct{}, bool)
	yield  func(struct{}) bool
	ready  func() bool // nil when the thread is not blocked
	op     string      // what it is about to do
	ended  bool
}

// Thread adds a thread to the program. All threads begin together.
func (w *World) Thread(name string, body func()) {
	t := &thread{name: name, number: len(w.threads), op: "begin"}
	// Note: nobody calls stop. A thread that is never resumed again belongs to a failed execution, and exploring ends there.
	t.resume, _ = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		body()
	})
	w.threads = append(w.threads, t)
}

// AtEnd adds a check of the state after all threads have ended.
func (w *World) AtEnd(check func()) { w.checks = append(w.checks, check) }

// Current returns the name of the thread that runs.
func (w *World) Current() string {
	if w.current == nil {
		return ""
	}
	return w.current.name
}

// Failf ends the execution as a failed one. Called by a thread it does not return.
func (w *World) Failf(format string, args ...any) {
	if w.failure == "" {
		w.failure = fmt.Sprintf(format, args...)
	}
	if w.current != nil {
		w.next = nil
		w.current.yield(struct{}{})
	}
}

// Point implements standin.Scheduler.
func (w *World) Point(op string) { w.Block(op, nil) }

// Block implements standin.Scheduler.
func (w *World) Block(op string, ready func() bool) {
	t := w.current
	if t == nil { // set-up and checks are not part of any thread
		return
	}
	t.op, t.ready = op, ready
	next := w.choose()
	if next != t {
		w.next = next
		t.yield(struct{}{})
	}
	t.ready = nil
	w.note(t)
}

// choose asks the scheduler who takes the next step. Nil ends the execution.
func (w *World) choose() *thread {
	w.runnable = w.runnable[:0]
	ended, current := 0, -1
	for _, t := range w.threads {
		switch {
		case t.ended:
			ended++
		case t.ready == nil || t.ready():
			w.runnable = append(w.runnable, t.number)
			if t == w.current {
				current = t.number
			}
		}
	}
	switch {
	case ended == len(w.threads) || w.failure != "":
		return nil
	case len(w.runnable) == 0:
		w.failure = "nobody can ever run again: " + w.whereEachIs()
		return nil
	case len(w.schedule) == stepsMax:
		w.failure = fmt.Sprintf("no end after %d steps: %s", stepsMax, w.whereEachIs())
		return nil
	}
	number := w.runnable[0]
	if len(w.runnable) > 1 {
		number = w.pick.Pick(current, w.runnable)
	}
	w.schedule = append(w.schedule, byte(number))
	return w.threads[number]
}

func (w *World) whereEachIs() string {
	var where []string
	for _, t := range w.threads {
		if !t.ended {
			where = append(where, t.name+" at "+t.op)
		}
	}
	return strings.Join(where, ", ")
}

// run lets the threads run until all have ended or something has failed.
func (w *World) run() {
	standin.Running = w
	defer func() { standin.Running = nil }()
	for w.next = w.choose(); w.next != nil; {
		w.resume(w.next)
	}
	for _, check := range w.checks {
		if w.failure == "" {
			check()
		}
	}
}

// resume runs a thread up to its next switch. A panic in it is a failure of the program.
func (w *World) resume(t *thread) {
	w.current, w.next = t, nil
	defer func() {
		w.current = nil
		if value := recover(); value != nil {
			t.ended = true
			w.next = nil
			w.Failf("%s panicked: %v", t.name, value)
		}
	}()
	if _, goesOn := t.resume(); !goesOn {
		t.ended = true
		w.current = nil
		w.next = w.choose()
	}
}

// note writes a step into the trace.
func (w *World) note(t *thread) {
	if w.trace == nil {
		return
	}
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !more || !strings.Contains(f.Function, "/model.(*World)") && !strings.Contains(f.Function, "/standin.") {
			fmt.Fprintf(w.trace, "%-10s %-16s %s:%d\n", t.name, t.op, f.Function[strings.LastIndex(f.Function, "/")+1:], f.Line)
			return
		}
	}
}

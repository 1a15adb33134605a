package model

import (
	"fmt"
	"strings"
)

// Failure is an execution in which something went wrong.
type Failure struct {
	What  string
	Seed  string // for Replay
	Trace string // what each thread did, step by step
}

// Error returns all of it.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s\nseed %s\n%s", f.What, f.Seed, f.Trace)
}

// Explore runs a program again and again until the scheduler has nothing left to try or an execution fails. It returns how
// often it ran it.
func Explore(p Program, s Scheduler) (executions int, failure *Failure) {
	for s.Begin() {
		executions++
		w := &World{pick: s}
		p(w)
		w.run()
		if w.failure != "" {
			return executions, traced(p, w)
		}
	}
	return executions, nil
}

// traced runs a failed execution once more and writes down what happens. Exploring does without, because it is slow.
func traced(p Program, failed *World) *Failure {
	again, err := Replay(p, seed(failed.schedule))
	if err != nil || again == nil || again.What != failed.failure {
		panic(fmt.Sprintf("model: %q did not fail in the same way again: %v %v", failed.failure, again, err))
	}
	return again
}

// Replay runs the execution that a seed stands for. It returns nil when nothing fails.
func Replay(p Program, text string) (*Failure, error) {
	schedule, err := unseed(text)
	if err != nil {
		return nil, err
	}
	r := &replay{schedule: schedule}
	w := &World{pick: r, trace: &strings.Builder{}}
	r.world = w
	p(w)
	w.run()
	if w.failure == "" {
		return nil, nil
	}
	return &Failure{What: w.failure, Seed: text, Trace: w.trace.String()}, nil
}

// Command protocols runs the futures library's protocols between threads under the model checker: wakes against polls,
// sleep, the end of a task and the reuse of its slot; aborts against polls and joins; spawns against sleep and shutdown.
//
// It must be compiled with the library's atomics replaced, which the tests of package model do. They are how to run it:
//
//	go test ./coop/internal/model
//	go test ./coop/internal/model -run Protocols -model wakes -seed a14b3a20 -v
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"turnlab/coop/internal/model"
	"turnlab/coop/internal/model/standin"
)

// protocols are what there is to check.
var protocols = []struct {
	name    string
	program model.Program
}{
	{"wakes", wakes},
	{"inbox", inbox},
	{"slots", slots},
	{"timer", timer},
	{"register", register},
	{"unordered", unordered},
	{"joined", joined},
	{"aborted", aborted},
	{"aborted or done", abortedOrDone},
	{"aborted early", early},
	{"spawns", spawns},
	{"stops", stops},
	{"stops BlockOn", stopsBlockOn},
	{"oneshot", oneshot},
	{"channel", channel},
	{"mutex", mutex},
	{"notify", notify},
}

var (
	only       = flag.String("model", "", "check only the protocol of this name")
	seed       = flag.String("seed", "", "repeat one execution of -model")
	mutants    = flag.String("mutants", "", "planted mistakes that must be found: protocol:mistake,protocol:mistake,…")
	executions = flag.Int("executions", 2_000, "executions per protocol and way of scheduling, at most")
)

func main() {
	flag.Parse()
	if !standin.Instrumented {
		fmt.Fprintln(os.Stderr, "protocols: compiled without scheduling points; run it with go test ./coop/internal/model")
		os.Exit(2)
	}
	ok := true
	switch {
	case *mutants != "":
		for _, mutant := range strings.Split(*mutants, ",") {
			protocol, name, _ := strings.Cut(mutant, ":")
			ok = hunt(protocol, name) && ok
		}
	default:
		ok = checkAll()
	}
	if !ok {
		os.Exit(1)
	}
}

// checkAll checks every protocol and prints how far it came with each.
func checkAll() bool {
	ok := true
	for _, p := range protocols {
		if *only != "" && *only != p.name {
			continue
		}
		how, failure := check(p.program)
		fmt.Printf("%-16s%s\n", p.name, how)
		if failure != nil {
			fmt.Printf("%s: FAILED: %v\n", p.name, failure)
			ok = false
		}
	}
	return ok
}

// check explores a program in several ways.
func check(program model.Program) (how string, failure *model.Failure) {
	if *seed != "" {
		failure, err := model.Replay(program, *seed)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return "  one execution", failure
	}
	for _, s := range schedulers() {
		n, failure := model.Explore(program, s.Scheduler)
		how += fmt.Sprintf("  %s %d", s.name, n)
		if e, ok := s.Scheduler.(*model.Exhaustive); ok && e.Complete() {
			how += " (all)"
		}
		if failure != nil {
			return how, failure
		}
	}
	return how, nil
}

type scheduler struct {
	name string
	model.Scheduler
}

// schedulers begin with the schedules of one preemption, of which there are few: an exhaustive search that is cut off has
// tried the preemptions near the end only.
func schedulers() []scheduler {
	return []scheduler{
		{"one preemption", model.NewExhaustive(1, *executions)},
		{"two", model.NewExhaustive(2, *executions)},
		{"pct", model.NewPCT(3, *executions, 1)},
		{"random", model.NewRandom(*executions, 1)},
	}
}

// hunt looks for a planted mistake in a protocol, and reports whether it has been found.
func hunt(protocol, name string) bool {
	standin.Mutant = name
	for _, p := range protocols {
		if p.name != protocol {
			continue
		}
		if how, failure := check(p.program); failure != nil {
			fmt.Printf("%s: found in %q after%s: %s\n", name, protocol, how, failure.What)
			return true
		}
	}
	fmt.Printf("%s: NOT FOUND in %q\n", name, protocol)
	return false
}

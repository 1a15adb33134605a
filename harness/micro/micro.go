// Package micro measures the operations that engines are made of: a switch, a spawn, a wake-up, a poll.
//
// A server's cost is made of many things, and two engines can differ in several of them at once. An operation is one of
// them alone, with no client, no protocol and, where it is possible, no system call around it. It is to a primitive trial
// what a workload is to a trial with a server: a name, options, and for each engine a way of doing it ([Way]), with what
// that engine is made of. A trial is a fresh process on fixed CPUs with GOMAXPROCS and the collector set, as for a server.
//
// What is counted as one operation is the same under every engine, and Operation.Summary says it. Where an operation needs
// input and output to exist at all, the engine loop does the same input and output without anybody to switch to: the
// baseline to subtract.
//
// [Main] is the child that does the work, [Operation] what it can do.
//
// Limits: an operation in a loop finds its caches warm and its branches predicted; in a server it does not. The figures are a
// lower bound, and a ratio of two of them says nothing about two servers. Threads are Go's: to make one also makes what the
// runtime keeps for it, and a blocking call announces itself to Go's scheduler, which takes some 50 ns that C does not pay.
package micro

import (
	"slices"
	"strings"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// An Operation is something that is measured without a client.
type Operation struct {
	Name    string
	Summary string     // what one operation is, one line
	Options option.Set // that every way has
	// Holds says that the operation is done as often as the option "tasks" says, once, and that everything it made is still
	// there when it has been; memory is then read.
	Holds bool
	Ways  []Way
}

// A Way is how an engine does an operation.
type Way struct {
	Engine  string     // label
	Does    string     // how, one line
	Options option.Set // of this way alone
	// Procs returns the GOMAXPROCS that the way needs when the engine's option procs is 0.
	Procs func(o option.Values, cpus int) int
	// Make sets the operation up. A mistake of the user's is a misuse error.
	Make func(o option.Values) (Runner, error)
}

// A Runner does an operation again and again. All of its methods are called on one goroutine, the one that called Make.
type Runner interface {
	// Run does n operations. n is even, unless the operation holds what it makes.
	Run(n int) error
	// Close ends whatever takes part. The process ends soon after.
	Close() error
}

// All lists the operations in the order in which they are shown. Adding one is a line here.
var All = []*Operation{poll, chain, future, switching, spawn, wake, ready, sleepers}

// Find returns the operation called name.
func Find(name string) (*Operation, error) {
	var names []string
	for _, o := range All {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return nil, misuse.Errorf("no operation %q; there are: %s", name, strings.Join(names, ", "))
}

// Way returns how an engine does the operation.
func (o *Operation) Way(engine string) (Way, error) {
	for _, w := range o.Ways {
		if w.Engine == engine {
			return w, nil
		}
	}
	return Way{}, misuse.Errorf("%s has no %s; it exists under: %s", engine, o.Name, strings.Join(o.Engines(), ", "))
}

// Engines lists the labels of the engines that have the operation.
func (o *Operation) Engines() []string {
	var labels []string
	for _, w := range o.Ways {
		labels = append(labels, w.Engine)
	}
	return labels
}

// Pinned reports whether the operation is to stay on one CPU: always, unless the user lets its threads have several.
func (o *Operation) Pinned(settings map[string]string) bool {
	return settings[pinnedOption.Name] != "no"
}

// pinnedOption is for operations in which threads take part, or could.
var pinnedOption = option.Option{Name: "pinned", Kind: option.Choice, Default: "yes", Choices: []string{"yes", "no"},
	Help: "yes: everything on the first server CPU, so that to wake somebody is to switch to him; no: on all CPUs of the run, " +
		"where it is to wake a CPU"}

// all returns the options of a way together with those of its operation.
func (o *Operation) all(w Way) option.Set { return slices.Concat(o.Options, w.Options) }

// Rules for GOMAXPROCS, those of the engines.
func coopProcs(option.Values, int) int          { return 2 }
func goroutineProcs(_ option.Values, c int) int { return max(1, c) }
func loopProcs(option.Values, int) int          { return 1 }

// threadProcs gives each of n threads a P of its own, and two for the rest, as package threads does.
func threadProcs(n int) func(option.Values, int) int {
	return func(option.Values, int) int { return n + 2 }
}

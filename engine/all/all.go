// Package all is the list of engines. Adding an engine is a package of its own and one line here.
package all

import (
	"fmt"
	"strings"

	coop "turnlab/coop/engine"
	"turnlab/engine"
	"turnlab/loop"
	"turnlab/preempt"
	"turnlab/threads"
)

// Specs lists the engines and their variants in the order in which they are shown.
var Specs = []*engine.Spec{
	coop.Spec,
	coop.Await,
	preempt.Spec,
	preempt.NoPreempt,
	threads.Spec,
	threads.PoolSpec,
	loop.Spec,
}

// Find returns the engine that a user calls name: "coop" or "coop/await".
func Find(name string) (*engine.Spec, error) {
	for _, s := range Specs {
		if s.Label() == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no engine %q; there are: %s", name, strings.Join(Names(), ", "))
}

// Names lists the labels of Specs.
func Names() []string {
	names := make([]string, len(Specs))
	for i, s := range Specs {
		names[i] = s.Label()
	}
	return names
}

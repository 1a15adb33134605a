package server

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"turnlab/engine"
)

// Environment returns this process's environment with what the engine needs in it from the start. Settings of GODEBUG are
// added to those that are there; the runtime takes the last of a kind.
func Environment(spec *engine.Spec) []string {
	environ := os.Environ()
	for _, pair := range missingEnviron(spec) {
		name, value, _ := strings.Cut(pair, "=")
		if have := os.Getenv(name); have != "" && name == "GODEBUG" {
			value = have + "," + value
		}
		environ = append(environ, name+"="+value)
	}
	return environ
}

// missingEnviron lists what the engine needs in the environment and this process does not have there.
func missingEnviron(spec *engine.Spec) []string {
	var missing []string
	for _, pair := range spec.Environ {
		name, value, _ := strings.Cut(pair, "=")
		if !slices.Contains(strings.Split(os.Getenv(name), ","), value) {
			missing = append(missing, pair)
		}
	}
	return missing
}

// startAnew replaces this process by the same command in an environment that the engine needs. It returns only when it
// cannot. The runtime reads its settings before main, so there is no later way.
func startAnew(spec *engine.Spec) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to start it anew: %w", err)
	}
	return fmt.Errorf("start %s anew: %w", self, unix.Exec(self, os.Args, Environment(spec)))
}

package conformance

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/harness/server"
)

// chosen names the engine that this process tests; its parent has set it.
const chosen = "TURNLAB_TEST_ENGINE"

// TestEveryEngineSendsTheSameBytes tests each engine in a process of its own, as the lab runs them: with the environment
// that the engine needs, and with a Go runtime that only this engine has set up.
func TestEveryEngineSendsTheSameBytes(t *testing.T) {
	if label := os.Getenv(chosen); label != "" {
		spec, err := all.Find(label)
		if err != nil {
			t.Fatal(err)
		}
		Run(t, spec)
		return
	}
	collect := map[string]func() ([]byte, error){}
	for _, spec := range all.Specs { // all at once, because scripts wait more than they work
		collect[spec.Label()] = begin(t, spec)
	}
	for _, label := range all.Names() {
		t.Run(label, func(t *testing.T) {
			if out, err := collect[label](); err != nil {
				t.Errorf("%v\n%s", err, out)
			} else {
				t.Logf("%s", out)
			}
		})
	}
}

// begin starts the test of one engine and returns what waits for its end.
func begin(t *testing.T, spec *engine.Spec) func() ([]byte, error) {
	t.Helper()
	args := []string{"-test.run=^" + t.Name() + "$", "-test.timeout=5m"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	var out bytes.Buffer
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(server.Environment(spec), chosen+"="+spec.Label())
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() ([]byte, error) { err := cmd.Wait(); return out.Bytes(), err }
}

package micro

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine/all"
	"turnlab/harness/control"
)

// role makes the test binary a micro child.
const role = "TURNLAB_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "child" {
		os.Exit(Main(os.Stdin, os.Stdout))
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or the race detector keeps each child for a second
	os.Exit(m.Run())
}

const long = 20 * time.Second // a bound that a passing test never meets

// measure carries out a trial in a child.
func measure(t *testing.T, ask control.Micro) *control.MicroResult {
	t.Helper()
	c, err := control.Spawn(t.Context(), control.Command{Name: "operation", Environ: []string{role + "=child"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	var result *control.Event
	for _, step := range []func() (*control.Event, error){
		func() (*control.Event, error) {
			return c.Ask(t.Context(), control.Request{Do: control.Start, Micro: &ask}, control.Ready, long)
		},
		func() (*control.Event, error) {
			return c.Ask(t.Context(), control.Request{Do: control.Go}, control.Measuring, long)
		},
		func() (*control.Event, error) { return c.Await(t.Context(), control.Measured, long) },
		func() (*control.Event, error) {
			result, err = c.Await(t.Context(), control.Result, long)
			return result, err
		},
	} {
		if _, err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Stop(t.Context(), long); err != nil {
		t.Error(err)
	}
	return result.Micro
}

// short is a measurement that shows what is counted, and nothing about speed.
func short(engine, operation string) control.Micro {
	return control.Micro{Engine: engine, Operation: operation, WarmupNS: int64(time.Millisecond), WindowNS: int64(10 * time.Millisecond)}
}

// variants are the settings that make a way do something else.
func variants(o *Operation, w Way) []control.Micro {
	plain := short(w.Engine, o.Name)
	if o.Holds {
		plain.Settings = map[string]string{"tasks": "200"}
	}
	all := []control.Micro{plain}
	for _, option := range w.Options {
		for _, choice := range option.Choices[1:] {
			other := short(w.Engine, o.Name)
			other.Options = map[string]string{option.Name: choice, "procs": "1"}
			if w.Engine == "threads" {
				other.Options["procs"] = "4"
			}
			all = append(all, other)
		}
	}
	for _, option := range o.Options {
		for _, choice := range option.Choices {
			if option.Name != "pinned" {
				other := short(w.Engine, o.Name)
				other.Settings = map[string]string{option.Name: choice}
				all = append(all, other)
			}
		}
	}
	return all
}

func TestEveryWayOfEveryOperationIsMeasured(t *testing.T) {
	for _, o := range All {
		for _, w := range o.Ways {
			for _, ask := range variants(o, w) {
				t.Run(fmt.Sprint(o.Name, "/", w.Engine, ask.Options, ask.Settings), func(t *testing.T) {
					r := measure(t, ask)
					if r.Operations < 2 || r.Used.MonotonicNS <= 0 || r.Used.CPUNS <= 0 || r.Used.Runtime["gomaxprocs"] == 0 {
						t.Errorf("%+v", r)
					}
					if !o.Holds && r.Used.MonotonicNS < ask.WindowNS {
						t.Errorf("the window was %v", time.Duration(r.Used.MonotonicNS))
					}
				})
			}
		}
	}
}

func TestEveryWayBelongsToAnEngine(t *testing.T) {
	for _, o := range All {
		for _, w := range o.Ways {
			spec, err := all.Find(w.Engine)
			if err != nil {
				t.Errorf("%s: %v", o.Name, err)
				continue
			}
			for _, option := range w.Options {
				if _, taken := CommonOptions(spec).Find(option.Name); taken {
					t.Errorf("%s under %s: option %s is every engine's", o.Name, w.Engine, option.Name)
				}
			}
		}
	}
}

// switches returns the voluntary context switches of this process.
func switches(t *testing.T) int64 {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		t.Fatal(err)
	}
	return ru.Nvcsw
}

// run does n operations in this process.
func run(t *testing.T, n int, ask control.Micro) (voluntary int64) {
	t.Helper()
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	j, err := open(ask)
	if err != nil {
		t.Fatal(err)
	}
	was := switches(t)
	if err := j.runner.Run(n); err != nil {
		t.Fatal(err)
	}
	voluntary = switches(t) - was
	if err := j.runner.Close(); err != nil {
		t.Fatal(err)
	}
	return voluntary
}

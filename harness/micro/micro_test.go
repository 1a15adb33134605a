package micro

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/coop"
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
			other.Options = map[string]string{option.Name: choice}
			if w.Engine == "preempt" {
				other.Options["procs"] = "1"
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

// switches returns the context switches of this process: those in which a thread waited, and all. A thread that is woken may
// take the CPU before the other waits for it, and so may a stranger.
func switches(t *testing.T) (waits, all int64) {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		t.Fatal(err)
	}
	return ru.Nvcsw, ru.Nvcsw + ru.Nivcsw
}

func TestEveryHandOverBetweenThreadsIsASwitchOfTheKernel(t *testing.T) {
	const n = 2000
	for _, ask := range []control.Micro{
		{Engine: "threads", Operation: "switch", Options: map[string]string{"via": "futex"}},
		{Engine: "threads", Operation: "switch", Options: map[string]string{"via": "pipe"}},
		{Engine: "threads", Operation: "wake"},
		{Engine: "threads", Operation: "ready"},
	} {
		// Whoever is woken may find what he waits for before he has gone to sleep, on a second CPU, but not often.
		if _, got := switched(t, n, ask); got < n/2 {
			t.Errorf("%+v: %d switches in %d hand-overs", ask, got, n)
		}
	}
}

func TestTasksOfOneThreadSwitchWithoutTheKernel(t *testing.T) {
	const n = 20_000
	for _, ask := range []control.Micro{
		{Engine: "coop", Operation: "switch"}, {Engine: "coop/await", Operation: "switch"},
		{Engine: "coop", Operation: "ready"}, {Engine: "loop", Operation: "switch"}, {Engine: "loop", Operation: "ready"},
		{Engine: "coop", Operation: "spawn"}, {Engine: "preempt", Operation: "switch", Options: map[string]string{"procs": "1"}},
	} {
		if got, _ := switched(t, n, ask); got > n/20 {
			t.Errorf("%+v: %d waits in the kernel in %d operations", ask, got, n)
		}
	}
}

// switched does n operations in this process and returns the context switches of the kernel meanwhile.
func switched(t *testing.T, n int, ask control.Micro) (waits, all int64) {
	t.Helper()
	r := opened(t, ask).runner
	waitsBefore, allBefore := switches(t)
	if err := r.Run(n); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	waits, all = switches(t)
	return waits - waitsBefore, all - allBefore
}

// opened makes an operation's runner in this process, whose runtime is put back when the test ends.
func opened(t *testing.T, ask control.Micro) *job {
	t.Helper()
	procs, gogc := runtime.GOMAXPROCS(0), debug.SetGCPercent(100)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(gogc)
		debug.SetMemoryLimit(math.MaxInt64)
	})
	j, err := open(ask)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestASwitchPassesTheBatonEachTime(t *testing.T) {
	for _, engine := range []string{"coop", "coop/await"} {
		p := opened(t, control.Micro{Engine: engine, Operation: "switch"}).runner.(*taskPair)
		for _, n := range []int{2, 1000} {
			before := p.baton.passes
			if err := p.Run(n); err != nil {
				t.Fatal(err)
			}
			if got := p.baton.passes - before; got != n {
				t.Errorf("%s: %d hand-overs for %d operations", engine, got, n)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestASpawnedThreadIsAnotherThread(t *testing.T) {
	seen := map[int]bool{}
	s := &goSpawner{done: make(chan struct{}), child: func(s *goSpawner) {
		runtime.LockOSThread()
		seen[unix.Gettid()] = true
		s.end()
	}}
	if err := s.Run(50); err != nil {
		t.Fatal(err)
	}
	if len(seen) < 25 { // the system may give a number again
		t.Errorf("50 threads had %d numbers", len(seen))
	}
}

func TestWhatAnOperationAllocatesIsCounted(t *testing.T) {
	boxed := short("coop", "future")
	boxed.Settings, boxed.Options = map[string]string{"bytes": "4k"}, map[string]string{"box": "boxed"}
	r := measure(t, boxed)
	if perOp := float64(r.AllocBytes) / float64(r.Operations); perOp < 4096 || perOp > 6000 {
		t.Errorf("a boxed future of 4 KiB allocates %.0f bytes", perOp)
	}
	boxed.Options["box"] = "inline"
	r = measure(t, boxed)
	if perOp := float64(r.AllocBytes) / float64(r.Operations); perOp > 100 {
		t.Errorf("an inline one allocates %.0f bytes", perOp)
	}
	if r := measure(t, short("coop", "switch")); float64(r.Allocs) > 0.01*float64(r.Operations) {
		t.Errorf("%d allocations in %d switches of tasks", r.Allocs, r.Operations)
	}
}

func TestAllSleepersSleepAndAllWake(t *testing.T) {
	for _, w := range sleepers.Ways {
		t.Run(w.Engine, func(t *testing.T) {
			const n = 300
			ask := control.Micro{Engine: w.Engine, Operation: "sleepers", Settings: map[string]string{"tasks": fmt.Sprint(n), "for": "400ms"}}
			j := opened(t, ask)
			if err := j.runner.Run(n); err != nil {
				t.Fatal(err)
			}
			a := lying(j.runner)
			if err := a.Held(); err != nil || a.down.Load() != n {
				t.Errorf("%d of %d sleep, %v", a.down.Load(), n, err)
			}
			if tasks, ok := j.runner.(*sleepTasks); ok { // an executor fires timers only while somebody runs it
				if _, err := coop.BlockOn(tasks.ex, coop.Future[coop.Unit](coop.SleepFor(500*time.Millisecond))); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 {
				if a.up.Load() == n {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			if err := a.Held(); a.up.Load() != n || err == nil {
				t.Errorf("%d of %d woke, and what is held says %v", a.up.Load(), n, err)
			}
			if err := j.runner.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func lying(r Runner) *asleep {
	if tasks, ok := r.(*sleepTasks); ok {
		return tasks.asleep
	}
	return r.(*sleepGoroutines).asleep
}

func TestSleepersHaveTheirMemoryMeasured(t *testing.T) {
	for engine, least := range map[string]uint64{"coop": 100, "coop/await": 2048, "preempt": 2048, "threads": 4096} {
		ask := control.Micro{Engine: engine, Operation: "sleepers", Settings: map[string]string{"tasks": "2000"}}
		r := measure(t, ask)
		grown := r.Used.Memory["pss"] - r.Before["pss"]
		if r.Operations != 2000 || grown < 2000*least || grown > 2000*256<<10 {
			t.Errorf("%s: %d tasks, %d bytes each", engine, r.Operations, grown/2000)
		}
		if engine == "threads" && r.Used.Memory["kernel_stacks"]-r.Before["kernel_stacks"] < 2000*16<<10 {
			t.Errorf("%d bytes of kernel stacks", r.Used.Memory["kernel_stacks"])
		}
	}
}

func TestSleepersThatWakeTooEarlyAreNoMeasurement(t *testing.T) {
	c, err := control.Spawn(t.Context(), control.Command{Name: "operation", Environ: []string{role + "=child"}})
	if err != nil {
		t.Fatal(err)
	}
	ask := control.Micro{Engine: "preempt", Operation: "sleepers", Settings: map[string]string{"tasks": "1k", "for": "1ms"}}
	if _, err := c.Ask(t.Context(), control.Request{Do: control.Start, Micro: &ask}, control.Ready, long); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(t.Context(), control.Request{Do: control.Go}, control.Measuring, long); err != nil {
		t.Fatal(err)
	}
	_, err = c.Await(t.Context(), control.Measured, long)
	if err == nil {
		_, err = c.Await(t.Context(), control.Result, long)
	}
	if err == nil || !strings.Contains(err.Error(), "let them sleep longer") {
		t.Errorf("got %v", err)
	}
}

// answers plays requests to a child in this process, which ends by itself, and returns its last event.
func answers(t *testing.T, requests ...control.Request) (code int, last control.Event) {
	t.Helper()
	in, harness := io.Pipe()
	out, child := io.Pipe()
	ended := make(chan int, 1)
	go func() { ended <- Main(in, child); child.Close() }()
	go func() {
		for _, r := range requests {
			_ = json.NewEncoder(harness).Encode(r)
		}
	}()
	defer harness.Close()
	for events := json.NewDecoder(out); ; {
		var e control.Event
		if events.Decode(&e) != nil {
			return <-ended, last
		}
		last = e
	}
}

func TestMistakesOfTheUserAreMarked(t *testing.T) {
	for want, ask := range map[string]control.Micro{
		"no engine":             {Engine: "corp", Operation: "switch"},
		"no operation":          {Engine: "coop", Operation: "stitch"},
		"threads has no poll":   {Engine: "threads", Operation: "poll"},
		"no option \"wia\"":     {Engine: "preempt", Operation: "switch", Options: map[string]string{"wia": "channel"}},
		"is not one of channel": {Engine: "preempt", Operation: "switch", Options: map[string]string{"via": "post"}},
		"no option \"speed\"":   {Engine: "preempt", Operation: "switch", Settings: map[string]string{"speed": "1"}},
		"out of bounds":         {Engine: "coop", Operation: "chain", Settings: map[string]string{"levels": "0"}},
		"it takes 64, 256":      {Engine: "coop", Operation: "future", Settings: map[string]string{"bytes": "65"}},
		"needs preempt.procs=1": {Engine: "preempt", Operation: "switch", Options: map[string]string{"via": "gosched", "procs": "2"}},
		"at most 30000 threads": {Engine: "threads", Operation: "sleepers", Settings: map[string]string{"tasks": "50k"}, Options: map[string]string{"procs": "4"}},
	} {
		t.Run(want, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
			code, e := answers(t, control.Request{Do: control.Start, Micro: &ask})
			if code != 2 || !e.Misuse || !strings.Contains(e.Error, want) {
				t.Errorf("code %d, %+v", code, e)
			}
		})
	}
}

func TestAChildEndsWithItsControlStreamAlsoInTheMiddleOfItsWork(t *testing.T) {
	endless := control.Micro{Engine: "coop", Operation: "poll", WarmupNS: int64(time.Hour), WindowNS: int64(time.Hour)}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"=child")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	requests := json.NewEncoder(in)
	if err := requests.Encode(control.Request{Do: control.Start, Micro: &endless}); err != nil {
		t.Fatal(err)
	}
	var e control.Event
	if err := json.NewDecoder(out).Decode(&e); err != nil || e.Is != control.Ready {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := requests.Encode(control.Request{Do: control.Go}); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { in.Close() }) // it works by then, or will have begun
	time.AfterFunc(long, func() { _ = cmd.Process.Kill() })
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("the child lived on: %v", err)
	}
}

func TestNonsenseOnTheControlStreamEndsTheChild(t *testing.T) {
	for _, r := range []control.Request{{Do: control.Go}, {Do: control.Start}, {Do: "dance"}} {
		if code, e := answers(t, r); code != 1 || e.Is != control.Failed {
			t.Errorf("%+v gives code %d, %+v", r, code, e)
		}
	}
}

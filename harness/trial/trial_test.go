package trial

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"turnlab/engine"
	"turnlab/harness/control"
	"turnlab/harness/flags"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/trial/trialtest"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

func TestMain(m *testing.M) {
	trialtest.Main()
	goleak.VerifyTestMain(m)
}

var catalog = plan.Catalog{
	Engines:   []*engine.Spec{{Name: "toy"}},
	Workloads: []*workloads.Workload{{Name: "echo"}},
}

func job(t *testing.T, axes ...plan.Axis) plan.Job {
	t.Helper()
	s := plan.Sweep{Engines: []string{"toy"}, Workloads: []string{"echo"}, Axes: axes, Blocks: 1, Seed: 3}
	p, err := s.Resolve(catalog, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	return p.Jobs()[0]
}

// brief are axes of a trial whose deadlines are not far.
var brief = []plan.Axis{{Name: "timeout", Values: "10ms"}, {Name: "warmup", Values: "0"}, {Name: "duration", Values: "50ms"}}

func lab() *Lab { return &Lab{Run: "r1", Catalog: catalog, Grace: 10 * time.Second} }

func near(a, b float64) bool { return a > b*0.999 && a < b*1.001 }

func TestATrialWritesDownWhatBothProcessesMeasured(t *testing.T) {
	t.Setenv(trialtest.Slow, "150ms") // long enough to watch the CPUs
	j := job(t)
	got, err := lab().Measure(t.Context(), j)
	if err != nil || got.Failed != "" {
		t.Fatal(err, got)
	}
	if got.Schema != record.Schema || got.Run != "r1" || got.Seed != j.Seed || got.Engine != "toy" || got.Mode != record.Closed {
		t.Errorf("identity: %+v", got)
	}
	if got.TookSeconds < 0.15 {
		t.Errorf("the trial took %v s, and its window alone 0.15", got.TookSeconds)
	}
	if got.ThroughputRPS != trialtest.RPS || got.Requests != 400 || got.WindowSeconds != 0.4 || got.Due != 0 {
		t.Errorf("throughput %v, requests %d, window %v, due %d", got.ThroughputRPS, got.Requests, got.WindowSeconds, got.Due)
	}
	if !near(got.CPU.ServerUtil, trialtest.ServerUtil) || !near(got.CPU.ServerNSPerReq, trialtest.ServerUtil*1e9/trialtest.RPS) {
		t.Errorf("server CPU: %+v", got.CPU)
	}
	if !near(got.CPU.ClientUtil, trialtest.ClientUtil) || !near(got.CPU.ClientNSPerReq, trialtest.ClientUtil*1e9/trialtest.RPS) {
		t.Errorf("client CPU: %+v", got.CPU)
	}
	if !near(got.Switches.Voluntary, trialtest.SwitchesPerRq) || got.Switches.Involuntary != 0 || !near(got.Switches.ClientVoluntary, 0.1) {
		t.Errorf("switches: %+v", got.Switches)
	}
	if got.Memory["pss"] != 10<<20 || got.ClientMemory["go_heap"] != 1<<20 || len(got.Windows) != 6 || len(got.Histograms) != 1 {
		t.Errorf("memory %v, %v; %d windows, %d histograms", got.Memory, got.ClientMemory, len(got.Windows), len(got.Histograms))
	}
	for name, want := range map[string]float64{"polls": 2500, "accepted": 0, "open": 64, "go_goroutines": 7, "go_gc_cycles": 1} {
		if got.Sched[name] != want {
			t.Errorf("sched %s: %v, want %v", name, got.Sched[name], want)
		}
	}
	if got.IdleMemory["pss"] != 10<<20 {
		t.Errorf("idle memory %v", got.IdleMemory)
	}
	if _, ok := got.ClientSched["kernel_waiting"]; !ok {
		t.Errorf("the kernel's account of the generator: %v", got.ClientSched)
	}
	if got.Machine == nil {
		t.Error("the machine was not watched")
	}
	// This machine's neighbours are not the test's business.
	got.Machine = nil
	if flags.Judge(got); len(got.Flags) > 0 {
		t.Errorf("flags: %+v", got.Flags)
	}
}

func TestAFaultAnywhereFailsTheTrialWithItsReason(t *testing.T) {
	steps := map[string][]string{
		"serve": {control.Start, control.Sample, control.Stop},
		"load":  {control.Start, control.Go, control.Measured, control.Result, control.Stop},
	}
	wants := map[string]string{
		"die": "the sky is falling", "error": "the epoll is empty", "garbage": "not an event", "silent": "within 3",
	}
	for role, list := range steps {
		for _, step := range list {
			for what, want := range wants {
				t.Run(role+" "+step+" "+what, func(t *testing.T) {
					t.Setenv(trialtest.Fault, role+" "+step+" "+what)
					l := lab()
					if what == "silent" {
						l.Grace = 300 * time.Millisecond
					}
					got, err := l.Measure(t.Context(), job(t, brief...))
					if err != nil || !strings.Contains(got.Failed, want) {
						t.Errorf("got %+v, %v; want %q", got, err, want)
					}
					if got != nil && got.Valid() {
						t.Error("a failed trial counts as valid")
					}
				})
			}
		}
	}
}

func TestMisuseInAChildEndsMore(t *testing.T) {
	for _, fault := range []string{"serve start misuse", "load start misuse"} {
		t.Setenv(trialtest.Fault, fault)
		_, err := lab().Measure(t.Context(), job(t))
		if !misuse.Is(err) || err.Error() != "toy echo: use fewer connections" {
			t.Errorf("%s: got %v", fault, err)
		}
	}
}

func TestAServerThatDiesInTheWindowEndsTheTrialAtOnce(t *testing.T) {
	t.Setenv(trialtest.Slow, "1m")
	t.Setenv(trialtest.Fault, "serve later die")
	start := time.Now()
	got, err := lab().Measure(t.Context(), job(t))
	if err != nil || !strings.Contains(got.Failed, "the server ended (exit status 3)") {
		t.Errorf("got %+v, %v", got, err)
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestCancelLeavesNoRecord(t *testing.T) {
	t.Setenv(trialtest.Slow, "1m")
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	time.AfterFunc(200*time.Millisecond, func() { cancel(cause) })
	got, err := lab().Measure(ctx, job(t))
	if got != nil || !errors.Is(err, cause) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheChildrenAreToldWhatThePointSays(t *testing.T) {
	j := job(t, plan.Axis{Name: "rate", Values: "500"}, plan.Axis{Name: "transport", Values: "unix"}, plan.Axis{Name: "depth", Values: "4"})
	got := LoadOf(&record.Trial{Point: j.Point, Seed: j.Seed}, "/tmp/s")
	want := control.Load{
		Workload: "echo", Settings: map[string]string{}, Network: "unix", Address: "/tmp/s", Conns: 64, Depth: 4,
		Threads: got.Threads, RateRPS: 500, Arrivals: "poisson", Seed: j.Seed, WarmupNS: 1e9, WindowNS: 3e9, TimeoutNS: 5e9,
		Parts: 1, SpinNS: 50e3,
	}
	if got.Threads < 1 || len(got.Settings) != 0 {
		t.Errorf("threads %d, settings %v", got.Threads, got.Settings)
	}
	got.Settings = want.Settings
	if d := diff(got, want); d != "" {
		t.Error(d)
	}
}

func TestAUnixSocketLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	if got, err := lab().Measure(t.Context(), job(t, plan.Axis{Name: "transport", Values: "unix"})); err != nil || got.Failed != "" {
		t.Fatal(err, got)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEachTrialHasAnotherEnvironmentAndTheSameOneAgain(t *testing.T) {
	var lengths []int
	for i := range 10 {
		lengths = append(lengths, len(padding(1, i)))
		if len(padding(1, i)) != lengths[i] {
			t.Error("not reproducible")
		}
	}
	slices.Sort(lengths)
	if len(slices.Compact(lengths)) < 5 {
		t.Errorf("lengths %v", lengths)
	}
}

func TestThroughputCountsWhatCameInDuringTheWindow(t *testing.T) {
	late := trialtest.Result(1)
	late.Requests = 4000 // answered in the end, most of them after the window
	if got := throughput(late); got != trialtest.RPS {
		t.Errorf("with late replies %v", got)
	}
	tiny := &control.LoadResult{WindowNS: 50e6, Requests: 100, Windows: []record.Window{{Received: 150}}}
	if got := throughput(tiny); got != 2000 {
		t.Errorf("without a whole slice %v", got)
	}
	if got := throughput(&control.LoadResult{}); got != 0 {
		t.Errorf("of nothing %v", got)
	}
}

func diff(got, want any) string { return cmp.Diff(want, got) }

func TestForeignWorkIsWhatTheCPUsDidBeyondOurs(t *testing.T) {
	start := time.Now()
	tr := &record.Trial{CPU: &record.CPU{ServerUtil: 0.5, ClientUtil: 0.25}}
	// In two seconds of two CPUs: 1.5 s idle, 0.2 s stolen, so 2.3 s busy; ours used 1.5 s.
	addMachine(tr, 2, cpuTime{at: start, busy: -100, steal: 7}, cpuTime{at: start.Add(2 * time.Second), busy: -101.7, steal: 7.2})
	if !near(tr.Machine.ForeignUtil, 0.4) || !near(tr.Machine.StealUtil, 0.1) {
		t.Errorf("%+v", tr.Machine)
	}
}

func TestATimeTooShortForTheKernelsClockSaysNothing(t *testing.T) {
	start := time.Now()
	tr := &record.Trial{CPU: &record.CPU{}}
	if addMachine(tr, 2, cpuTime{at: start}, cpuTime{at: start.Add(90 * time.Millisecond)}); tr.Machine != nil {
		t.Errorf("%+v", tr.Machine)
	}
}

func TestABusyCPUIsSeen(t *testing.T) {
	cpus := proc.Allowed().List()[:1]
	before, ok := readCPUs(cpus)
	if !ok {
		t.Fatal("no /proc/stat")
	}
	time.Sleep(50 * time.Millisecond)
	after, ok := readCPUs(cpus)
	lost := after.at.Sub(before.at).Seconds() + after.busy - before.busy
	if !ok || lost < -0.05 || lost > after.at.Sub(before.at).Seconds()+0.05 {
		t.Errorf("busy for %v s of %v", lost, after.at.Sub(before.at))
	}
	for _, absent := range [][]int{nil, {99999}} {
		if _, ok := readCPUs(absent); ok {
			t.Errorf("CPUs %v were read", absent)
		}
	}
}

package timeline

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"turnlab/engine/all"
	"turnlab/harness/control"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/server"
	"turnlab/harness/timeline/tracer"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// role makes the test binary a server child.
const role = "TIMELINE_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(role) != "" {
		os.Exit(server.Main(os.Stdin, os.Stdout))
	}
	os.Setenv(role, "child") // of the children, which inherit it
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

var catalog = plan.Catalog{Engines: all.Specs, Workloads: workloads.All}

// small is a sweep whose trials are short.
func small(engines []string, axes ...plan.Axis) plan.Sweep {
	return plan.Sweep{Engines: engines, Workloads: []string{"hog"}, Blocks: 1, Seed: 3, Axes: append([]plan.Axis{
		{Name: "conns", Values: "4"}, {Name: "rate", Values: "400"}, {Name: "warmup", Values: "10ms"},
		{Name: "duration", Values: "60ms"}, {Name: "hog.share", Values: "15%"}, {Name: "hog.burst", Values: "2ms"},
	}, axes...)}
}

func resolve(t *testing.T, s plan.Sweep) *plan.Plan {
	t.Helper()
	p, err := s.Resolve(catalog, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryEngineGetsATimelineOfTheSameRequests(t *testing.T) {
	dir := t.TempDir()
	engines := []string{"coop", "coop/await", "preempt", "preempt/nopreempt", "threads"}
	made, err := Record(t.Context(), resolve(t, small(engines)), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := record.LoadTimelines(dir)
	if err != nil || !reflect.DeepEqual(kept, made) {
		t.Errorf("what was kept is not what was made (%v)", err)
	}
	for i := range made {
		t.Run(made[i].Name, func(t *testing.T) {
			isConsistent(t, &made[i])
			if got, want := hogs(&made[i]), hogs(&made[0]); got != want || got == "" {
				t.Errorf("hogs on %s, under %s on %s", got, made[0].Name, want)
			}
		})
	}
}

// hogs lists the connections of hogs of the span in their order. Those at its edges depend on when they were answered.
func hogs(t *record.Timeline) string {
	var found []string
	for _, r := range t.Requests {
		if r.Class == record.Hog && r.ArrivedNS > 0 && r.ArrivedNS < t.SpanNS-int64(10*time.Millisecond) {
			found = append(found, t.Tasks[r.Task].Name)
		}
	}
	return strings.Join(found, ", ")
}

// isConsistent checks what must hold for every timeline.
func isConsistent(t *testing.T, tl *record.Timeline) {
	t.Helper()
	if len(tl.Tasks) != 4 || len(tl.Requests) == 0 || len(tl.Tracks) == 0 {
		t.Fatalf("%d tasks, %d requests, tracks %v", len(tl.Tasks), len(tl.Requests), tl.Tracks)
	}
	noOverlap(t, tl, "task", func(s record.Slice) int { return s.Task })
	noOverlap(t, tl, "track", func(s record.Slice) int { return s.Track })
	for _, s := range tl.Slices {
		if s.FromNS < 0 || s.ToNS > tl.SpanNS || s.FromNS >= s.ToNS || (s.Track >= 0) != (s.State == record.Running) {
			t.Errorf("slice %+v of a span of %d", s, tl.SpanNS)
		}
	}
	for _, r := range tl.Requests {
		if r.RepliedNS == 0 || r.RepliedNS < r.ArrivedNS || r.Class == "" {
			t.Errorf("request %+v", r)
		}
	}
	if tl.OnCPUNS == 0 {
		t.Logf("the kernel does not tell: %s", tl.Note)
		return
	}
	// The clock is read a little late at the edges, and a switch itself takes a few microseconds, of which there are thousands.
	slack := int64(4*time.Millisecond) + 2*tl.LateNS + tl.CPUNS/3
	if off := tl.OnCPUNS - tl.CPUNS; off > slack || off < -slack {
		t.Errorf("threads were on CPUs for %d ns, and the process's clock says %d", tl.OnCPUNS, tl.CPUNS)
	}
	if ran := tl.RunningNS(); ran > tl.OnCPUNS || ran < tl.OnCPUNS/4 && tl.OnCPUNS > slack {
		t.Errorf("connections ran for %d ns of %d", ran, tl.OnCPUNS)
	}
}

// noOverlap checks that the running slices with the same key follow each other.
func noOverlap(t *testing.T, tl *record.Timeline, what string, key func(record.Slice) int) {
	t.Helper()
	byKey := map[int][]record.Slice{}
	for _, s := range tl.Slices {
		if s.State == record.Running || what == "task" {
			byKey[key(s)] = append(byKey[key(s)], s)
		}
	}
	for k, slices := range byKey {
		if what == "track" {
			slices = sorted(slices)
		}
		for i := range slices[1:] {
			if slices[i+1].FromNS < slices[i].ToNS {
				t.Errorf("%s %d: %+v and %+v overlap", what, k, slices[i], slices[i+1])
			}
		}
	}
}

func sorted(list []record.Slice) []record.Slice {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b record.Slice) int { return int(a.FromNS - b.FromNS) })
	return list
}

// Two executors have a track each, and a hog that gives way is ready in between.
func TestVariantsOfAnEngineHaveNamesAndTracksOfTheirOwn(t *testing.T) {
	s := small([]string{"coop"}, plan.Axis{Name: "coop.yield", Values: "0s,100us"}, plan.Axis{Name: "coop.executors", Values: "2"},
		plan.Axis{Name: "transport", Values: "unix"})
	dir := t.TempDir()
	made, err := Record(t.Context(), resolve(t, s), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if made[0].Name != "coop, yield 0s" || made[1].Name != "coop, yield 100µs" || len(made[0].Tracks) != 2 {
		t.Errorf("%q and %q, tracks %v", made[0].Name, made[1].Name, made[0].Tracks)
	}
	isConsistent(t, &made[0])
	isConsistent(t, &made[1])
	for _, name := range []string{"01-coop-yield-0s.json", "02-coop-yield-100us.trace.json"} {
		if _, err := os.Stat(filepath.Join(dir, record.TimelineDir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatOthersComputeIsNotTakenForWaiting(t *testing.T) {
	made, err := Record(t.Context(), resolve(t, small([]string{"coop"}, plan.Axis{Name: "coop.offload", Values: "1"})), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	away := int64(0)
	for _, s := range made[0].Slices {
		if s.State == record.Away {
			away += s.ToNS - s.FromNS
		}
		if s.State == record.Running && s.Class == record.Hog && s.ToNS-s.FromNS > int64(time.Millisecond) {
			t.Errorf("an executor that offloads computed: %+v", s)
		}
	}
	if away < int64(time.Millisecond) {
		t.Errorf("hogs were away for %d ns", away)
	}
}

func TestWithoutHogsNothingHasAClass(t *testing.T) {
	s := small([]string{"preempt"})
	s.Workloads, s.Axes = []string{"echo"}, s.Axes[:4]
	made, err := Record(t.Context(), resolve(t, s), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range made[0].Slices {
		if s.Class != "" {
			t.Errorf("slice %+v", s)
		}
	}
	if text := Sentence(&made[0]); !strings.HasPrefix(text, "preempt: a request waited ") {
		t.Error(text)
	}
}

func TestWhatCannotBeDrawnIsTheUsersToMend(t *testing.T) {
	change := func(engine, workload string, axes ...plan.Axis) plan.Sweep {
		return plan.Sweep{Engines: []string{engine}, Workloads: []string{workload}, Blocks: 1, Seed: 1,
			Axes: append([]plan.Axis{{Name: "rate", Values: "100"}, {Name: "duration", Values: "100ms"}, {Name: "conns", Values: "2"}}, axes...)}
	}
	for want, s := range map[string]plan.Sweep{
		"cannot show engine loop": change("loop", "echo"),
		"needs a rate":            {Engines: []string{"coop"}, Workloads: []string{"hog"}, Blocks: 1},
		"at most 256":             change("coop", "hog", plan.Axis{Name: "depth", Values: "1"}, plan.Axis{Name: "warmup", Values: "0s"}),
		"takes at most 2s":        change("coop", "hog", plan.Axis{Name: "warmup", Values: "3s"}),
		"cannot show workload fanout: its sessions call": change("coop", "fanout"),
		"cannot show workload churn":                     change("coop", "churn"),
		"cannot show workload idle":                      change("coop", "idle"),
	} {
		if want == "at most 256" {
			s.Axes[2].Values = "257"
		}
		_, err := Record(t.Context(), resolve(t, s), Options{Dir: t.TempDir()})
		if !misuse.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestTheProcessIsOnItsCPUsAgainAfterwards(t *testing.T) {
	before := proc.Allowed()
	if _, err := Record(t.Context(), resolve(t, small([]string{"coop"})), Options{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	if after := proc.Allowed(); after != before {
		t.Errorf("on CPUs %v, before on %v", after, before)
	}
}

// story is a small trace by hand: two connections, a hog on the second that the first waits for. Times are in µs.
func story() (tracer.Raw, *journey, *record.Timeline) {
	us := func(n int64) int64 { return 1000 * n }
	poll := func(at int64, task uint64, kind string) tracer.Poll {
		return tracer.Poll{AtNS: us(at), Task: task, Kind: kind, Thread: 9}
	}
	raw := tracer.Raw{
		Method: tracer.Polls,
		Notes: []tracer.Note{
			{AtNS: us(11), Session: 0, Kind: tracer.Met}, {AtNS: us(21), Session: 1, Kind: tracer.Met},
			{AtNS: us(121), Session: 1, Kind: tracer.Burns}, {AtNS: us(170), Session: 1, Kind: tracer.Burned},
		},
		Polls: []tracer.Poll{
			poll(9, 5, tracer.Woken), poll(10, 5, tracer.Begins), poll(12, 5, tracer.Ends),
			poll(19, 6, tracer.Woken), poll(20, 6, tracer.Begins), poll(22, 6, tracer.Ends),
			poll(118, 6, tracer.Woken), poll(120, 6, tracer.Begins), poll(171, 6, tracer.Ends),
			poll(172, 5, tracer.Woken), poll(173, 5, tracer.Begins), poll(180, 5, tracer.Ends),
		},
	}
	j := &journey{from: us(100), to: us(200), last: control.Usage{MonotonicNS: us(100), CPUNS: us(60)}, callers: []*caller{
		{requests: []record.Request{{ArrivedNS: us(130), RepliedNS: us(179), Class: record.Innocent}}},
		{requests: []record.Request{{ArrivedNS: us(117), RepliedNS: us(172), Class: record.Hog}}},
	}}
	return raw, j, &record.Timeline{
		Schema: record.Schema, Name: "coop", SpanNS: us(100), Point: record.Point{Engine: "coop", Workload: "hog", Mode: record.Open},
	}
}

func isGolden(t *testing.T, name string, got any) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)+"\n"); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

func TestPollsBecomeSlices(t *testing.T) {
	raw, j, tl := story()
	if err := convert(tl, workloads.Hog, raw, j); err != nil {
		t.Fatal(err)
	}
	isGolden(t, "polls.json", tl)
	isGolden(t, "polls.trace.json", chromeTrace(tl))
}

// The same story, but the kernel took the executor's thread off its CPU in the middle of the hog.
func TestWhatTheKernelTookAwayDidNotRun(t *testing.T) {
	raw, _, _ := story()
	k := newKernel([]tracer.Switch{
		{AtNS: 0, Thread: 9, In: true}, {AtNS: 140_000, Thread: 9, Preempted: true}, {AtNS: 150_000, Thread: 9, In: true},
	})
	s := k.correct(fromPolls(raw))
	var hog []string
	for _, x := range append(s.running[2:4:4], s.ready[len(s.ready)-2]) {
		hog = append(hog, fmt.Sprintf("%d: %d-%d", x.task, x.from/1000, x.to/1000))
	}
	if got, want := strings.Join(hog, ", "), "1: 120-140, 1: 150-171, 1: 140-150"; got != want {
		t.Errorf("got %s, want %s; all: %+v", got, want, s)
	}
	if got := k.total(130_000, 160_000); got != 20_000 {
		t.Errorf("on a CPU for %d of 30,000 ns, want 20,000", got)
	}
}

func TestTimeIsStolenWhenThereIsSomethingToDoAndNobodyRuns(t *testing.T) {
	ms := func(n int64) int64 { return n * int64(time.Millisecond) }
	k := newKernel([]tracer.Switch{
		{AtNS: ms(10), Thread: 9, In: true}, {AtNS: ms(14), Thread: 9, Preempted: true}, {AtNS: ms(19), Thread: 9, In: true},
		{AtNS: ms(20), Thread: 9}, {AtNS: ms(21) - 1, Thread: 8, In: true}, {AtNS: ms(30), Thread: 8},
	})
	for _, test := range []struct{ from, to, want int64 }{
		{8, 13, 2},    // until the thread got a CPU
		{12, 20, 5},   // while it had lost it
		{11, 14, 0},   // it ran
		{20, 30, 1},   // nearly a millisecond until another ran
		{30, 300, 10}, // of which 10 ms lie in the span
	} {
		got := k.stolen([]stretch{{from: ms(test.from), to: ms(test.to)}}, 0, ms(40))
		if (got+ms(1)-1)/ms(1) != test.want {
			t.Errorf("something to do from %d to %d ms: stolen %v, want %d ms", test.from, test.to, time.Duration(got), test.want)
		}
	}
	short := []stretch{{from: ms(30), to: ms(30) + 400_000}}
	if got := k.stolen(short, 0, ms(40)); got != 0 {
		t.Errorf("%d ns, which it takes to wake a thread, count as stolen", got)
	}
}

func TestAThreadRunsWhenTheKernelSaysSo(t *testing.T) {
	raw := tracer.Raw{Notes: []tracer.Note{{Session: 0, Kind: tracer.Met, Thread: 4}, {Session: 1, Kind: tracer.Met, Thread: 5}}}
	s := fromSwitches(raw, newKernel([]tracer.Switch{
		{AtNS: 10, Thread: 4, CPU: 3, In: true}, {AtNS: 20, Thread: 4, CPU: 3, Preempted: true},
		{AtNS: 20, Thread: 5, CPU: 3, In: true}, {AtNS: 30, Thread: 5, CPU: 3},
		{AtNS: 30, Thread: 4, CPU: 3, In: true}, {AtNS: 44, Thread: 4, CPU: 3},
	}))
	want := seen{
		tracks:  []string{"CPU 3"},
		running: []stretch{{task: 0, from: 10, to: 20}, {task: 0, from: 30, to: 44}, {task: 1, from: 20, to: 30}},
		ready:   []stretch{{task: 0, track: -1, from: 20, to: 30}},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v\nwant %+v", s, want)
	}
}

func TestAPictureSaysWhatItsSourceCouldNotSee(t *testing.T) {
	raw, j, tl := story()
	raw.Blind, raw.Lost = "no permission", "what came later"
	if err := convert(tl, workloads.Hog, raw, j); err != nil {
		t.Fatal(err)
	}
	if text := Sentence(tl); !strings.Contains(text, "at most what ran: no permission") || !strings.Contains(text, "what came later") {
		t.Error(text)
	}
	if tl.OnCPUNS != 0 || tl.StolenNS != 0 {
		t.Errorf("figures of what nobody saw: %+v", tl)
	}
}

func TestSomebodyElseOnTheServerIsAnError(t *testing.T) {
	raw, j, tl := story()
	raw.Notes = append(raw.Notes, tracer.Note{Session: 2, Kind: tracer.Met})
	if err := convert(tl, workloads.Hog, raw, j); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("got %v", err)
	}
}

// What trace viewers ask of a file: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
func TestATraceIsWhatViewersRead(t *testing.T) {
	dir := t.TempDir()
	raw, j, tl := story()
	if err := convert(tl, workloads.Hog, raw, j); err != nil {
		t.Fatal(err)
	}
	if err := (Options{Dir: dir}).keep(0, tl); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, record.TimelineDir, "01-coop"+record.TraceSuffix))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		TraceEvents []map[string]any `json:"traceEvents"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	named, open, slices, last := map[float64]bool{}, map[float64]float64{}, 0, 0.0
	for _, e := range file.TraceEvents {
		at, pid, tid := e["ts"].(float64), e["pid"].(float64), e["tid"].(float64)
		if at < last || pid != tracePID || e["name"] == "" {
			t.Errorf("event %v after %v µs", e, last)
		}
		last = at
		switch e["ph"] {
		case "M":
			named[tid] = true
		case "X":
			slices++
			if !named[tid] || e["dur"].(float64) <= 0 {
				t.Errorf("slice %v", e)
			}
		case "b":
			open[e["id"].(float64)] = at
		case "e":
			if begun, ok := open[e["id"].(float64)]; !ok || at < begun {
				t.Errorf("end %v of what began at %v", e, begun)
			}
			delete(open, e["id"].(float64))
		default:
			t.Errorf("phase %v", e["ph"])
		}
	}
	if slices == 0 || len(open) > 0 || len(named) != 1+len(tl.Tracks) {
		t.Errorf("%d slices, %d open requests, %d names for %d tracks", slices, len(open), len(named), len(tl.Tracks))
	}
}

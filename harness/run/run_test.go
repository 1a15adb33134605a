package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"turnlab/docs/schema"
	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/harness/load"
	"turnlab/harness/micro"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/server"
	"turnlab/harness/trial/trialtest"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// real makes the children real ones instead of doubles.
const real = "RUN_TEST_REAL"

func TestMain(m *testing.M) {
	if os.Getenv(real) != "" && len(os.Args) == 3 && os.Args[1] == "child" {
		child := map[string]func() int{
			"serve": func() int { return server.Main(os.Stdin, os.Stdout) },
			"load":  func() int { return load.Main(os.Stdin, os.Stdout) },
			"micro": func() int { return micro.Main(os.Stdin, os.Stdout) },
			"null":  func() int { return load.NullMain(os.Stdin, os.Stdout) },
		}
		os.Exit(child[os.Args[2]]())
	}
	trialtest.Main()
	goleak.VerifyTestMain(m)
}

var toys = plan.Catalog{
	Engines:   []*engine.Spec{{Name: "toy"}, {Name: "doll"}},
	Workloads: []*workloads.Workload{{Name: "echo"}},
}

// sweep is four trials of doubles: two engines, two blocks.
func sweep(t *testing.T) *plan.Plan {
	t.Helper()
	s := plan.Sweep{Engines: []string{"toy", "doll"}, Workloads: []string{"echo"}, Blocks: 2, Seed: 1}
	p, err := s.Resolve(toys, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func options(t *testing.T) Options {
	return Options{Dir: filepath.Join(t.TempDir(), "run"), Grace: 10 * time.Second}
}

// loadFolder reads a run and holds its description and every record in it to the published schemas.
func loadFolder(t *testing.T, dir string) *record.Folder {
	t.Helper()
	f, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	run, err1 := os.ReadFile(filepath.Join(dir, "run.json"))
	text, err2 := os.ReadFile(filepath.Join(dir, "trials.jsonl"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := schema.Check(schema.Run, run); err != nil {
		t.Errorf("run.json: %v", err)
	}
	for line := range bytes.Lines(text) {
		if err := schema.Check(schema.Trial, line); err != nil {
			t.Error(err)
		}
	}
	return f
}

func TestARunLeavesARecordOfEveryTrialInOrder(t *testing.T) {
	o, p := options(t), sweep(t)
	got, err := Execute(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if got.Planned != 4 || got.Done != 4 || got.Failed != 0 || got.Invalid != 0 || got.Dir != o.Dir {
		t.Errorf("summary %+v", got)
	}
	f := loadFolder(t, o.Dir)
	if f.Run.ID != got.ID || len(f.Run.Plan) != 2 || f.Run.Host.CPUs < 1 || f.Run.Host.ServerCPUs == "" || f.Run.Version == "" {
		t.Errorf("run.json: %+v", f.Run)
	}
	for i, j := range p.Jobs() {
		if tr := f.Trials[i]; tr.Trial != i || tr.Block != j.Block || tr.Label() != j.Point.Label() || tr.Run != f.Run.ID {
			t.Errorf("trial %d is %d, block %d, %s", i, tr.Trial, tr.Block, tr.Label())
		}
	}
	if before := proc.Allowed(); before.Len() < p.ServerCPUs.Len() {
		t.Errorf("the process is still on CPUs %s", before)
	}
}

func TestAFolderThatIsTakenIsRefused(t *testing.T) {
	o := options(t)
	if _, err := Execute(t.Context(), sweep(t), o); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(o.Dir, "trials.jsonl"))
	_, err := Execute(t.Context(), sweep(t), o)
	if cut := new(Unfinished); !misuse.Is(err) || !strings.Contains(err.Error(), "holds a run already") || errors.As(err, &cut) {
		t.Errorf("got %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(o.Dir, "trials.jsonl")); !bytes.Equal(before, after) {
		t.Error("the earlier run was touched")
	}
	full := t.TempDir()
	os.WriteFile(filepath.Join(full, "thesis.txt"), nil, 0o644)
	if _, err := Execute(t.Context(), sweep(t), Options{Dir: full}); !misuse.Is(err) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("got %v", err)
	}
	if _, err := Execute(t.Context(), sweep(t), Options{Dir: filepath.Join(full, "thesis.txt")}); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestTooManyConnectionsAreRefusedBeforeThereIsAFolder(t *testing.T) {
	s := plan.Sweep{
		Engines: []string{"toy"}, Workloads: []string{"echo"}, Blocks: 1, Axes: []plan.Axis{{Name: "conns", Values: "1,1048576"}},
	}
	p, err := s.Resolve(toys, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	if _, err := Execute(t.Context(), p, o); err == nil {
		t.Skip("this machine lets a process open a million files")
	} else if !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(o.Dir); err == nil {
		t.Error("a folder was left behind")
	}
}

func TestMisuseInTheFirstTrialLeavesNoFolder(t *testing.T) {
	t.Setenv(trialtest.Fault, "serve start misuse")
	o := options(t)
	if _, err := Execute(t.Context(), sweep(t), o); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(o.Dir); err == nil {
		t.Error("a folder was left behind")
	}
	if err := os.Mkdir(o.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Execute(t.Context(), sweep(t), o); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("the user's own empty folder: %v, %v", left, err)
	}
}

func TestAFailedTrialIsARecordAndTheRunGoesOn(t *testing.T) {
	t.Setenv(trialtest.Fault, "serve start die")
	t.Setenv(trialtest.Engine, "doll")
	o := options(t)
	var log bytes.Buffer
	o.Stderr = &log
	got, err := Execute(t.Context(), sweep(t), o)
	if err != nil || got.Done != 4 || got.Failed != 2 {
		t.Errorf("summary %+v, %v", got, err)
	}
	for _, tr := range loadFolder(t, o.Dir).Trials {
		if failed := tr.Failed != ""; failed != (tr.Engine == "doll") {
			t.Errorf("%s: %q", tr.Engine, tr.Failed)
		}
	}
	if !strings.Contains(log.String(), "failed: doll echo 64 conns: the server ended") {
		t.Errorf("log: %s", log.String())
	}
}

func TestThreeFailuresInARowEndTheRun(t *testing.T) {
	t.Setenv(trialtest.Fault, "load go error")
	o := options(t)
	got, err := Execute(t.Context(), sweep(t), o)
	if err == nil || misuse.Is(err) || !strings.Contains(err.Error(), "3 trials in a row failed") || got.Done != 3 {
		t.Errorf("summary %+v, %v", got, err)
	}
	if cut := new(Unfinished); !errors.As(err, &cut) {
		t.Errorf("the run began, and the error does not say so: %v", err)
	}
	if n := len(loadFolder(t, o.Dir).Trials); n != 3 {
		t.Errorf("%d records", n)
	}
}

func TestAnInterruptedRunKeepsWhatIsDoneAndCanBeContinued(t *testing.T) {
	o, p := options(t), sweep(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.Stderr = onLine(func(text string) {
		if strings.Contains(text, "1 of 4 trials done") {
			cancel()
		}
	})
	got, err := Execute(ctx, p, o)
	if !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), o.Dir) || got.Done != 1 {
		t.Fatalf("summary %+v, %v", got, err)
	}
	// A crash in the middle of a write is worse than Ctrl-C.
	trials, _ := os.OpenFile(filepath.Join(o.Dir, "trials.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	trials.WriteString(`{"schema":"turn`)
	trials.Close()
	o.Stderr = nil
	got, err = Resume(t.Context(), toys, o)
	if err != nil || got.Done != 4 || got.Planned != 4 {
		t.Fatalf("summary %+v, %v", got, err)
	}
	f := loadFolder(t, o.Dir)
	for i, j := range p.Jobs() {
		if tr := f.Trials[i]; tr.Trial != i || tr.Seed != j.Seed || tr.Run != f.Run.ID {
			t.Errorf("trial %d: %+v", i, tr.Trial)
		}
	}
	if got, err := Resume(t.Context(), toys, o); err != nil || got.Done != 4 {
		t.Errorf("a run that is complete: %+v, %v", got, err)
	}
}

func TestARunInterruptedInItsFirstTrialCanBeContinued(t *testing.T) {
	t.Setenv(trialtest.Slow, "1m")
	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if got, err := Execute(ctx, sweep(t), o); !errors.Is(err, ErrInterrupted) || got.Done != 0 {
		t.Fatalf("summary %+v, %v", got, err)
	}
	t.Setenv(trialtest.Slow, "")
	if got, err := Resume(t.Context(), toys, o); err != nil || got.Done != 4 {
		t.Errorf("summary %+v, %v", got, err)
	}
}

// onLine is a writer that calls a function with what is written.
type onLine func(string)

func (f onLine) Write(p []byte) (int, error) { f(string(p)); return len(p), nil }

func TestOnlyARunCanBeContinued(t *testing.T) {
	for _, dir := range []string{t.TempDir(), "/no/such/folder"} {
		if _, err := Resume(t.Context(), toys, Options{Dir: dir}); !misuse.Is(err) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestARunContinuedByTwoIsRefusedToTheSecond(t *testing.T) {
	o := options(t)
	var second error
	o.Stderr = onLine(func(string) {
		if second == nil {
			_, second = Resume(t.Context(), toys, Options{Dir: o.Dir})
		}
	})
	if _, err := Execute(t.Context(), sweep(t), o); err != nil {
		t.Fatal(err)
	}
	if !misuse.Is(second) || !strings.Contains(second.Error(), "another lab") {
		t.Errorf("got %v", second)
	}
}

func TestQuietIsQuiet(t *testing.T) {
	o := options(t)
	var log bytes.Buffer
	o.Stderr, o.Quiet = &log, true
	if _, err := Execute(t.Context(), sweep(t), o); err != nil || log.Len() > 0 {
		t.Errorf("%v, %q", err, log.String())
	}
}

func TestRealChildrenGiveValidRecords(t *testing.T) {
	t.Setenv(real, "1")
	s := plan.Sweep{
		Engines: []string{"loop", "preempt"}, Workloads: []string{"http"}, Blocks: 1, Seed: 1,
		Axes: []plan.Axis{
			{Name: "conns", Values: "8"}, {Name: "rate", Values: "0,200"}, {Name: "duration", Values: "400ms"}, {Name: "warmup", Values: "100ms"},
			{Name: "transport", Values: "unix,tcp"},
		},
	}
	if testing.Short() {
		s.Engines, s.Axes = s.Engines[:1], s.Axes[:4]
	}
	p, err := s.Resolve(plan.Catalog{Engines: all.Specs, Workloads: workloads.All}, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	if _, err := Execute(t.Context(), p, o); err != nil {
		t.Fatal(err)
	}
	for _, tr := range loadFolder(t, o.Dir).Trials {
		text, _ := json.Marshal(tr.Flags)
		if tr.Failed != "" || len(tr.Errors) > 0 || tr.Unanswered > 0 || tr.Requests == 0 {
			t.Errorf("%s %v: failed %q, errors %v, requests %d, flags %s", tr.Label(), tr.Params, tr.Failed, tr.Errors, tr.Requests, text)
		}
		if tr.CPU.ServerNSPerReq <= 0 || tr.CPU.ClientNSPerReq <= 0 || tr.Memory["pss"] == 0 || len(tr.Sched) == 0 {
			t.Errorf("%s: CPU %+v, memory %v, sched %v", tr.Label(), tr.CPU, tr.Memory, tr.Sched)
		}
		if testing.Verbose() {
			t.Logf("%s %s %s %s: %.0f/s, %+v, %+v, flags %s, sched %v", tr.Label(), tr.Mode, tr.Text("transport"), tr.Text("rate"), tr.ThroughputRPS, *tr.CPU, tr.LatencyNS, text, tr.Sched)
		}
	}
}

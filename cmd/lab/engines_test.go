package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// sweepOnce measures one point for a moment, with the real binary, and returns its record.
func sweepOnce(t *testing.T, args ...string) *record.Trial {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	args = append([]string{"sweep", "-q", "--blocks", "1", "--retries", "0", "--warmup", "50ms", "--duration", "300ms", "--out", dir}, args...)
	if out, err := exec.Command(lab, args...).CombinedOutput(); err != nil {
		t.Fatalf("lab %v: %v\n%s", args, err, out)
	}
	folder, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(folder.Trials) != 1 || folder.Trials[0].Failed != "" {
		t.Fatalf("trials: %+v", folder.Trials)
	}
	return &folder.Trials[0]
}

// sweepCounted does so until the record has the server's counters: it has none where a busy machine let the server tell of
// itself too late.
func sweepCounted(t *testing.T, args ...string) *record.Trial {
	t.Helper()
	for range 5 {
		if got := sweepOnce(t, args...); got.Switches != nil {
			return got
		}
	}
	t.Skip("the machine is too busy for the server to tell of itself in time")
	return nil
}

func TestTheRecordSaysHowManyConnectionsWaitForAThread(t *testing.T) {
	got := sweepCounted(t, "--engine", "threads", "--set", "threads.max=4", "--workload", "echo", "--conns", "10", "--timeout", "1s")
	if got.Sched["waiting"] != 6 || got.Sched["open"] != 4 || got.Sched["threads"] != 4 {
		t.Errorf("sched: %v", got.Sched)
	}
	if got.Requests == 0 || len(got.Errors) == 0 {
		t.Errorf("%d answered, errors %v, flags %v", got.Requests, got.Errors, got.Flags)
	}
}

func TestAPoolLetsNoConnectionWaitForAThread(t *testing.T) {
	got := sweepCounted(t, "--engine", "threads/pool", "--set", "threads/pool.size=2", "--workload", "echo", "--conns", "10")
	if got.Sched["open"] != 10 || got.Sched["threads"] != 2 || got.Sched["turns"] == 0 || got.Unanswered != 0 || len(got.Errors) > 0 {
		t.Errorf("sched %v, %d unanswered, errors %v", got.Sched, got.Unanswered, got.Errors)
	}
}

func TestAnUpstreamRunsWhereItIsToldAndItsTimeIsNoStrangers(t *testing.T) {
	allowed := proc.Allowed().List()
	last := fmt.Sprint(allowed[len(allowed)-1])
	for _, upstream := range []string{"", last} {
		args := []string{"--engine", "preempt", "--workload", "fanout", "--conns", "8"}
		if upstream != "" {
			args = append(args, "--upstream-cpus", upstream)
		}
		got := sweepOnce(t, args...)
		want := upstream
		if want == "" {
			want = got.Text("client-cpus")
		}
		if got.Text("upstream-cpus") != want || got.CPU.UpstreamUtil <= 0 || got.Requests == 0 {
			t.Errorf("upstream on %s, want %s; CPU %+v, %d requests", got.Text("upstream-cpus"), want, got.CPU, got.Requests)
		}
	}
}

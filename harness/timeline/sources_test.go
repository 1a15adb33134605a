package timeline

import (
	"reflect"
	"testing"

	"golang.org/x/exp/trace"

	"turnlab/harness/timeline/tracer"
)

// goEvent makes an event of goroutine id, on P proc and thread 7.
func goEvent(t *testing.T, at trace.Time, id trace.GoID, proc trace.ProcID, from, to trace.GoState) trace.Event {
	t.Helper()
	on := trace.NoGoroutine
	if from.Executing() {
		on = id
	}
	e, err := trace.MakeEvent(trace.EventConfig[trace.StateTransition]{
		Time: at, Kind: trace.EventStateTransition, Goroutine: on, Proc: proc, Thread: 7, Details: trace.MakeGoStateTransition(id, from, to),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func logEvent(t *testing.T, at trace.Time, id trace.GoID, message string) trace.Event {
	t.Helper()
	e, err := trace.MakeEvent(trace.EventConfig[trace.Log]{
		Time: at, Kind: trace.EventLog, Goroutine: id, Proc: 0, Thread: 7, Details: trace.Log{Category: tracer.LogCategory, Message: message},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Goroutine 20 reads without blocking, is preempted for goroutine 21, which is nobody's, and goes on.
func TestGoroutinesRunOnPsAndAreReadyInBetween(t *testing.T) {
	const runnable, running, waiting, syscall = trace.GoRunnable, trace.GoRunning, trace.GoWaiting, trace.GoSyscall
	for blocking, want := range map[bool][]stretch{
		false: {{from: 10, to: 40, threads: []int{7}}, {from: 50, to: 60, threads: []int{7}}},
		true: {{from: 10, to: 15, threads: []int{7}}, {from: 18, to: 40, threads: []int{7}},
			{from: 50, to: 60, threads: []int{7}}},
	} {
		g := newGoReader(blocking)
		for _, e := range []trace.Event{
			goEvent(t, 8, 20, 0, waiting, runnable), goEvent(t, 10, 20, 0, runnable, running), logEvent(t, 11, 20, "0"),
			goEvent(t, 15, 20, 0, running, syscall), goEvent(t, 18, 20, 0, syscall, running),
			goEvent(t, 40, 20, 0, running, runnable), goEvent(t, 41, 21, 0, runnable, running), goEvent(t, 49, 21, 0, running, waiting),
			goEvent(t, 50, 20, 0, runnable, running), goEvent(t, 60, 20, 0, running, waiting),
		} {
			if err := g.event(e); err != nil {
				t.Fatal(err)
			}
		}
		s := g.result()
		ready := []stretch{{track: -1, from: 8, to: 10}, {track: -1, from: 40, to: 50}}
		if !reflect.DeepEqual(s.running, want) || !reflect.DeepEqual(s.ready, ready) || !reflect.DeepEqual(s.tracks, []string{"P 0"}) {
			t.Errorf("blocking %v: got %+v\nwant %v and %v", blocking, s, want, ready)
		}
	}
}

// A P that is taken from a goroutine in a system call runs one goroutine and not two.
func TestAPThatIsTakenAwayRunsOneGoroutine(t *testing.T) {
	g := newGoReader(false)
	for _, e := range []trace.Event{
		goEvent(t, 10, 20, 0, trace.GoRunnable, trace.GoRunning), logEvent(t, 11, 20, "0"),
		goEvent(t, 15, 20, 0, trace.GoRunning, trace.GoSyscall),
		goEvent(t, 20, 21, 0, trace.GoRunnable, trace.GoRunning), logEvent(t, 21, 21, "1"),
		goEvent(t, 30, 20, 1, trace.GoSyscall, trace.GoRunning),
		goEvent(t, 35, 20, 1, trace.GoRunning, trace.GoWaiting),
		goEvent(t, 40, 21, 0, trace.GoRunning, trace.GoWaiting),
	} {
		if err := g.event(e); err != nil {
			t.Fatal(err)
		}
	}
	on := []int{7}
	want := []stretch{{0, 0, 10, 20, on}, {0, 1, 30, 35, on}, {1, 0, 20, 40, on}}
	if got := g.result().running; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestATornGoTraceIsAnError(t *testing.T) {
	if _, err := fromRuntime(tracer.Raw{Go: []byte("go 1.26 trace\x00\x00\x00 and no more")}, false); err == nil {
		t.Error("accepted")
	}
}

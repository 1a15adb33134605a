package tracer

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// burner is a session that computes for every input.
type burner struct{ burned bool }

func (b *burner) NewSession() workloads.Session { return &burner{} }

func (b *burner) Step(x *workloads.Exchange) workloads.Op {
	x.In = nil
	if b.burned = !b.burned; b.burned {
		return workloads.Op{Kind: workloads.Burn, Units: 1}
	}
	return workloads.Op{Kind: workloads.Read}
}

// idle is an engine that does nothing, and polls if it is said to.
type idle struct{ engine.Engine }

type polling struct {
	idle
	trace engine.PollTrace
}

func (p *polling) Trace(t engine.PollTrace) { p.trace = t }

func newTracer(t *testing.T, method string) *Tracer {
	t.Helper()
	tracer, err := New(method)
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func collect(t *testing.T, tracer *Tracer) Raw {
	t.Helper()
	raw, err := tracer.Collect()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSessionsAreNumberedByTheirFirstInputAndTellWhenTheyCompute(t *testing.T) {
	tracer := newTracer(t, Polls)
	srv := tracer.Wrap(&burner{})
	first, second := srv.NewSession(), srv.NewSession()
	input := func() *workloads.Exchange { return &workloads.Exchange{In: []byte("x")} }
	second.Step(input())
	second.Step(&workloads.Exchange{})
	first.Step(input())
	raw := collect(t, tracer)
	var got []Note
	last := int64(0)
	for _, n := range raw.Notes {
		if n.AtNS < last {
			t.Errorf("notes are not in order: %v", raw.Notes)
		}
		last = n.AtNS
		if n.Kind == Met && n.Thread == 0 {
			t.Errorf("a session was met on no thread: %v", n)
		}
		n.AtNS, n.Thread = 0, 0
		got = append(got, n)
	}
	want := []Note{{0, 0, Met, 0}, {0, 0, Burns, 0}, {0, 0, Burned, 0}, {0, 1, Met, 0}, {0, 1, Burns, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("notes %v, want %v", got, want)
	}
}

func TestAServerThatIsNotTracedIsLeftAsItIs(t *testing.T) {
	tracer := newTracer(t, "")
	srv := &burner{}
	if tracer.Wrap(srv) != workloads.Server(srv) || tracer.Begin(idle{}) != nil {
		t.Error("it was changed")
	}
}

func TestAnEngineThatDoesNotPollCannotBeTracedByItsPolls(t *testing.T) {
	if err := newTracer(t, Polls).Begin(idle{}); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownMethodIsRefused(t *testing.T) {
	if _, err := New("tea leaves"); err == nil {
		t.Error("accepted")
	}
}

func TestPollsCarryTimeAndThread(t *testing.T) {
	tracer, e := newTracer(t, Polls), &polling{}
	if err := tracer.Begin(e); err != nil {
		t.Fatal(err)
	}
	e.trace.Woken(1, 7)
	e.trace.PollBegins(1, 7)
	e.trace.PollEnds(1, 7)
	polls := collect(t, tracer).Polls
	if len(polls) != 3 || polls[0].Kind != Woken || polls[1].Kind != Begins || polls[2].Kind != Ends {
		t.Fatalf("polls %v", polls)
	}
	for i, p := range polls {
		if p.Executor != 1 || p.Task != 7 || i > 0 && (p.Thread == 0 || p.AtNS < polls[i-1].AtNS) {
			t.Errorf("poll %d is %+v", i, p)
		}
	}
}

func TestTheGoTraceHasWhatTheRuntimeDid(t *testing.T) {
	tracer := newTracer(t, Runtime)
	if err := tracer.Begin(idle{}); err != nil {
		t.Fatal(err)
	}
	tracer.Wrap(&burner{}).NewSession().Step(&workloads.Exchange{In: []byte("x")})
	raw := collect(t, tracer)
	if !bytes.HasPrefix(raw.Go, []byte("go 1.")) || !bytes.Contains(raw.Go, []byte(LogCategory)) {
		t.Errorf("%d bytes that are no Go trace, or do not name the session's goroutine", len(raw.Go))
	}
}

// The kernel's account of this thread must be that of its CPU clock.
func TestTheKernelTellsWhenAThreadWasOnACPU(t *testing.T) {
	tracer := newTracer(t, Switches)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := tracer.Begin(idle{}); err != nil {
		t.Fatal(err)
	}
	if tracer.raw.Method != Switches {
		collect(t, tracer) // ends the Go trace
		t.Skip(tracer.raw.Blind)
	}
	before := threadCPU(t)
	for range 20 {
		workloads.Work(500)
		time.Sleep(time.Millisecond)
	}
	used := threadCPU(t) - before
	on, since := int64(0), int64(0)
	for _, s := range ParseSwitches(collect(t, tracer).Kernel) {
		switch {
		case s.Thread != unix.Gettid():
		case s.In:
			since = s.AtNS
		case since > 0:
			on += s.AtNS - since
		}
	}
	if on < used/2 || on > used*3/2 {
		t.Errorf("by the switches the thread ran for %v, by its clock for %v", time.Duration(on), time.Duration(used))
	}
}

func threadCPU(t *testing.T) int64 {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}

func TestAThreadThatIsMadeLaterIsWatchedToo(t *testing.T) {
	tracer := newTracer(t, Switches)
	if err := tracer.Begin(idle{}); err != nil {
		t.Fatal(err)
	}
	if tracer.raw.Method != Switches {
		collect(t, tracer)
		t.Skip(tracer.raw.Blind)
	}
	id := make(chan int)
	go func() { // never unlocks, so that it ends with its thread
		runtime.LockOSThread()
		time.Sleep(2 * time.Millisecond)
		unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
		id <- unix.Gettid()
	}()
	thread := <-id
	switches := ParseSwitches(collect(t, tracer).Kernel)
	if !slices.ContainsFunc(switches, func(s Switch) bool { return s.Thread == thread }) {
		t.Errorf("%d switches, none of thread %d", len(switches), thread)
	}
}

// encode writes a record as the kernel does.
func encode(kind uint32, flags uint16, thread, cpu uint32, at uint64) []byte {
	var b bytes.Buffer
	for _, v := range []any{kind, flags, uint16(recordBytes), uint32(os.Getpid()), thread, at, cpu, uint32(0)} {
		binary.Write(&b, binary.NativeEndian, v)
	}
	return b.Bytes()
}

func TestSwitchesAreReadByTimeAndOnce(t *testing.T) {
	off := encode(unix.PERF_RECORD_SWITCH, unix.PERF_RECORD_MISC_SWITCH_OUT|unix.PERF_RECORD_MISC_SWITCH_OUT_PREEMPT, 5, 1, 200)
	records := slices.Concat(off, encode(unix.PERF_RECORD_LOST, 0, 5, 1, 150), encode(unix.PERF_RECORD_SWITCH, 0, 5, 1, 100), off, []byte("torn"))
	want := []Switch{{AtNS: 100, Thread: 5, CPU: 1, In: true}, {AtNS: 200, Thread: 5, CPU: 1, Preempted: true}}
	if got := ParseSwitches(records); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNotesBeyondTheBoundAreLeftOutAndTold(t *testing.T) {
	tracer := newTracer(t, Polls)
	for range notesMax + 1 {
		tracer.note(0, Burns)
	}
	if raw := collect(t, tracer); len(raw.Notes) != notesMax || raw.Lost == "" {
		t.Errorf("%d notes, lost %q", len(raw.Notes), raw.Lost)
	}
}

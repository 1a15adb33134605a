// Package tracer watches from within a server process who runs when, for a picture of it.
//
// An engine is not changed for it. What runs is told by whoever decides: a cooperative executor through its hooks, Go's
// runtime through its execution trace, the kernel through its records of context switches. Which connection that was, and
// whether it computes, is told by the sessions: they are pure, so a thin session around each sees every step, on the very
// goroutine or thread that takes it.
//
// Everything is kept in memory until it is asked for. All times are of CLOCK_MONOTONIC, which all processes of a machine
// share, so that the client's times fit.
//
// Limits: tracing takes time, a fraction of a microsecond for each poll and each step, and more in the Go trace; what is traced
// is never measured. What does not fit into the bounds is left out and told (see Raw.Lost).
package tracer

import (
	"bytes"
	"context"
	"fmt"
	"runtime/trace"
	"sync"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// Methods: who tells what runs.
const (
	Polls    = "polls"    // the engine's executors
	Runtime  = "runtime"  // Go's execution trace
	Switches = "switches" // the kernel alone; Runtime where the kernel does not allow it
)

// Whatever the method, the kernel's records of context switches are taken too where they can be. Executors and Go's runtime
// do not see that the kernel has taken their thread off its CPU, for another process say, and believe that they run.

// Bounds of what is kept. All of it travels in one line of control, which has bounds of its own; it is enough for seconds of
// the small loads that make a picture.
const (
	notesMax  = 1 << 15
	pollsMax  = 1 << 16
	traceMax  = 6 << 20 // bytes of the Go trace
	kernelMax = 3 << 20 // bytes of the kernel's records
)

// Raw is what was seen.
type Raw struct {
	Method string `json:"method"` // what was used
	Notes  []Note `json:"notes"`
	Polls  []Poll `json:"polls,omitempty"`
	Go     []byte `json:"go,omitempty"`
	Kernel []byte `json:"kernel,omitempty"` // records of context switches, see ParseSwitches
	Blind  string `json:"blind,omitempty"`  // why there are none
	Lost   string `json:"lost,omitempty"`   // what did not fit
}

// Kinds of notes.
const (
	Met    = "met"    // the session got its first input, and its number
	Burns  = "burns"  // it asked to compute
	Burned = "burned" // that is done
)

// A Note is what a session told.
type Note struct {
	AtNS    int64  `json:"at_ns"`
	Session int    `json:"session"` // counted from 0, in the order of their first input
	Kind    string `json:"kind"`
	Thread  int    `json:"thread,omitempty"` // that took the step, with Met
}

// Kinds of what happens to a task.
const (
	Woken  = "woken"
	Begins = "begins"
	Ends   = "ends"
)

// A Poll is an event of an executor.
type Poll struct {
	AtNS     int64  `json:"at_ns"`
	Executor int    `json:"executor"`
	Task     uint64 `json:"task"`
	Kind     string `json:"kind"`
	Thread   int    `json:"thread,omitempty"` // of Begins and Ends
}

// A Tracer watches a server. Its methods are for any goroutine; a nil Tracer does nothing.
type Tracer struct {
	mu       sync.Mutex // guards the rest
	raw      Raw
	sessions int
	text     bounded   // of the Go trace
	kernel   *switches // nil where the kernel does not tell
}

// New returns a tracer that has not begun. An unknown method is the caller's mistake.
func New(method string) (*Tracer, error) {
	switch method {
	case "":
		return nil, nil
	case Polls, Runtime, Switches:
	default:
		return nil, fmt.Errorf("no method %q of tracing", method)
	}
	return &Tracer{raw: Raw{Method: method, Notes: make([]Note, 0, 1024)}}, nil
}

// now reads the clock, with a system call of 0.2 µs.
//
// Note: Go's own monotonic clock costs less and runs alike, but the constant between the two can only be known by reading both,
// and on a busy machine milliseconds may pass between two reads.
func now() int64 {
	var at unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &at) // every Linux has it
	return at.Nano()
}

// Begin begins to trace an engine that is prepared and does not serve yet. All threads that will serve must be there.
func (t *Tracer) Begin(e engine.Engine) error {
	if t == nil {
		return nil
	}
	kernel, err := watchThreads()
	if err != nil {
		t.raw.Blind = err.Error()
		if t.raw.Method == Switches {
			t.raw.Method = Runtime
		}
	}
	t.kernel = kernel
	switch t.raw.Method {
	case Polls:
		polled, ok := e.(engine.Polled)
		if !ok {
			return misuse.Errorf("this engine has no polls to show")
		}
		polled.Trace(t)
	case Runtime:
		if err := trace.Start(&t.text); err != nil {
			return fmt.Errorf("begin the Go trace: %w", err)
		}
	}
	return nil
}

// Collect ends the tracing and returns what was seen.
func (t *Tracer) Collect() (Raw, error) {
	if t.raw.Method == Runtime {
		trace.Stop()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	raw := t.raw
	if raw.Method == Runtime {
		if raw.Go = t.text.Bytes(); t.text.full {
			return raw, misuse.Errorf("the Go trace is longer than %d MiB: trace a shorter time or a lower rate", traceMax>>20)
		}
	}
	if t.kernel == nil {
		return raw, nil
	}
	records, full, err := t.kernel.collect()
	switch {
	case err != nil:
		return raw, err
	case full && raw.Method == Switches:
		return raw, misuse.Errorf("there were too many context switches to record: trace a shorter time or a lower rate")
	case full:
		raw.Blind = "there were too many context switches"
		return raw, nil
	}
	raw.Kernel = records
	return raw, nil
}

// bounded keeps no more than traceMax bytes.
type bounded struct {
	bytes.Buffer
	full bool
}

// Write keeps p if there is room.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > traceMax {
		b.full = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

// Wrap returns a server whose sessions are those of srv and tell the tracer.
func (t *Tracer) Wrap(srv workloads.Server) workloads.Server {
	if t == nil {
		return srv
	}
	return &server{srv, t}
}

type server struct {
	workloads.Server
	tracer *Tracer
}

// NewSession returns a session that tells.
func (s *server) NewSession() workloads.Session {
	return &session{Session: s.Server.NewSession(), tracer: s.tracer, number: unmet}
}

// session is a session that tells what it does. It has a number from its first input on: a client that opens one connection
// after the other, with a request on each, knows them by it.
type session struct {
	workloads.Session
	tracer  *Tracer
	number  int
	burning bool
}

const unmet = -1

// Step takes the session's step.
func (s *session) Step(x *workloads.Exchange) workloads.Op {
	if s.number == unmet && len(x.In) > 0 {
		s.number = s.tracer.meet()
	}
	if s.burning {
		s.tracer.note(s.number, Burned)
	}
	op := s.Session.Step(x)
	if s.burning = op.Kind == workloads.Burn; s.burning {
		s.tracer.note(s.number, Burns)
	}
	return op
}

// LogCategory is that of the messages in a Go trace that say which session a goroutine has: its number.
const LogCategory = "turnlab session"

// meet numbers a session, on the thread and the goroutine that will serve it.
func (t *Tracer) meet() int {
	t.mu.Lock()
	number := t.sessions
	t.sessions++
	t.raw.Notes = append(t.raw.Notes, Note{AtNS: now(), Session: number, Kind: Met, Thread: unix.Gettid()})
	t.mu.Unlock()
	trace.Log(context.Background(), LogCategory, fmt.Sprint(number))
	return number
}

func (t *Tracer) note(session int, kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.raw.Notes) == notesMax {
		t.raw.Lost = fmt.Sprintf("what sessions did after the first %d notes", notesMax)
		return
	}
	t.raw.Notes = append(t.raw.Notes, Note{AtNS: now(), Session: session, Kind: kind})
}

// Woken, PollBegins and PollEnds implement engine.PollTrace.
func (t *Tracer) Woken(executor int, task uint64)      { t.poll(executor, task, Woken) }
func (t *Tracer) PollBegins(executor int, task uint64) { t.poll(executor, task, Begins) }
func (t *Tracer) PollEnds(executor int, task uint64)   { t.poll(executor, task, Ends) }

func (t *Tracer) poll(executor int, task uint64, kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.raw.Polls) == pollsMax {
		t.raw.Lost = fmt.Sprintf("polls after the first %d events", pollsMax)
		return
	}
	p := Poll{AtNS: now(), Executor: executor, Task: task, Kind: kind}
	if kind != Woken {
		p.Thread = unix.Gettid()
	}
	t.raw.Polls = append(t.raw.Polls, p)
}

package conformance

import (
	"fmt"
	"sync"
	"testing"

	"turnlab/workloads"
)

// observer hands out sessions that write down every step. A step breaks the contract when
//
//   - it overlaps another step of its session;
//   - it comes after Close;
//   - the first one has input already;
//   - it follows a Read although neither input nor its end has come;
//   - it follows any op but Burn and finds output that has not been sent, or Burn and finds that it has;
//   - it has more input than MaxUnread and one read's worth, so that nobody bounds it.
type observer struct {
	inner workloads.Server

	mu       sync.Mutex
	sessions []*session // in the order of their connections
	faults   []string
}

// maxRead is the most that any engine reads at once.
const maxRead = 64 << 10

// NewSession implements workloads.Server.
func (o *observer) NewSession() workloads.Session {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := &session{inner: o.inner.NewSession(), observer: o}
	o.sessions = append(o.sessions, s)
	return s
}

// count returns how many sessions there have been.
func (o *observer) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.sessions)
}

// last returns the newest session.
func (o *observer) last() *session {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sessions[len(o.sessions)-1]
}

func (o *observer) fault(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = append(o.faults, fmt.Sprintf(format, args...))
}

// check reports the breaches of the contract.
func (o *observer) check(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.faults {
		t.Error(f)
	}
}

// session is a session under observation.
type session struct {
	inner    workloads.Session
	observer *observer
	inside   sync.Mutex // held by a step

	mu   sync.Mutex
	was  glance
	ops  []workloads.Op
	made int // bytes of output
}

// glance is what was last seen of a session.
type glance struct {
	steps, consumed, unread, unsent int
	eof                             bool
	op                              workloads.Op
}

// Step implements workloads.Session.
func (s *session) Step(x *workloads.Exchange) workloads.Op {
	if !s.inside.TryLock() {
		s.observer.fault("two steps of a session overlap")
	}
	defer s.inside.Unlock()
	s.examine(x)
	had, out := len(x.In), len(x.Out)
	op := s.inner.Step(x)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.was = glance{s.was.steps + 1, s.was.consumed + had - len(x.In), len(x.In), len(x.Out), x.EOF, op}
	s.made += len(x.Out) - out
	s.ops = append(s.ops, op)
	return op
}

// examine holds the engine to its side of the contract.
func (s *session) examine(x *workloads.Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, o := s.was, s.observer
	switch {
	case was.steps == 0 && len(x.In)+len(x.Out) > 0:
		o.fault("the first step has %d bytes of input and %d of output", len(x.In), len(x.Out))
	case was.steps == 0:
	case was.op.Kind == workloads.Close:
		o.fault("a step after Close")
	case was.op.Kind == workloads.Read && len(x.In) == was.unread && x.EOF == was.eof:
		o.fault("a step after Read without more input")
	case was.op.Kind == workloads.Receive && len(x.In) == was.unread && x.EOF == was.eof && x.Message == "":
		o.fault("a step after Receive without a message or more input")
	case was.op.Kind != workloads.Receive && x.Message != "":
		o.fault("a message after %v", was.op.Kind)
	case was.op.Kind != workloads.Call && len(x.Replies) > 0:
		o.fault("replies after %v", was.op.Kind)
	case was.op.Kind != workloads.Read && was.op.Kind != workloads.Receive && len(x.In) != was.unread:
		o.fault("a step after %v with other input: %d bytes unread, now %d", was.op.Kind, was.unread, len(x.In))
	case was.op.Kind != workloads.Burn && len(x.Out) > 0:
		o.fault("a step after %v with %d bytes of output not sent", was.op.Kind, len(x.Out))
	case was.op.Kind == workloads.Burn && len(x.Out) != was.unsent:
		o.fault("a step after burn with %d bytes of output, there were %d", len(x.Out), was.unsent)
	}
	if len(x.In) >= workloads.MaxUnread+maxRead {
		o.fault("a step with %d bytes of input: nobody bounds it", len(x.In))
	}
}

// received returns how much input the session has been given, and whether it was told the end of it.
func (s *session) received() (n int, eof bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.was.consumed + s.was.unread, s.was.eof
}

// closes reports whether the session has asked to close.
func (s *session) closes() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.was.op.Kind == workloads.Close
}

// steps returns how often the session was stepped.
func (s *session) steps() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.was.steps
}

// produced returns how much output the session has made.
func (s *session) produced() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made
}

// asked returns the session's ops so far.
func (s *session) asked() []workloads.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]workloads.Op(nil), s.ops...)
}

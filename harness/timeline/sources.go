package timeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"golang.org/x/exp/trace"

	"turnlab/harness/timeline/tracer"
)

// taskKey names a task of an executor.
type taskKey struct {
	executor int
	task     uint64
}

// taskStretch is a stretch of a task, whose session may not be known yet.
type taskStretch struct {
	taskKey
	from, to int64
}

// fromPolls reads what executors told. Which session a task has follows from when that got its first input: connections are
// opened one after the other, so no two executors poll at that moment.
//
// An executor's goroutine may come out of a poll on another thread than it went in, or have been on another in between. So a
// poll runs when one of the threads is on a CPU on which its executor was ever seen.
func fromPolls(raw tracer.Raw) (s seen) {
	polls, waits := stretchesOf(raw.Polls)
	threads := threadsOf(raw.Polls)
	sessions := map[taskKey]int{}
	executors := 0
	for _, p := range polls {
		executors = max(executors, p.executor+1)
		for _, n := range raw.Notes {
			if n.Kind == tracer.Met && p.from <= n.AtNS && n.AtNS <= p.to {
				sessions[p.taskKey] = n.Session
			}
		}
	}
	for _, p := range polls {
		if task, ok := sessions[p.taskKey]; ok {
			s.running = append(s.running, stretch{task, p.executor, p.from, p.to, threads[p.executor]})
		}
	}
	for _, p := range waits {
		if task, ok := sessions[p.taskKey]; ok {
			s.ready = append(s.ready, stretch{task: task, track: -1, from: p.from, to: p.to})
		}
	}
	for i := range executors {
		s.tracks = append(s.tracks, fmt.Sprintf("executor %d", i+1))
	}
	return s
}

// stretchesOf pairs the events of executors: polls from their beginning to their end, waits from a wake to the next poll.
func stretchesOf(events []tracer.Poll) (polls, waits []taskStretch) {
	begun, woken := map[taskKey]int64{}, map[taskKey]int64{}
	for _, p := range events {
		k := taskKey{p.Executor, p.Task}
		switch p.Kind {
		case tracer.Woken:
			woken[k] = p.AtNS
		case tracer.Begins:
			begun[k] = p.AtNS
			if at, ok := woken[k]; ok {
				waits = append(waits, taskStretch{k, at, p.AtNS})
				delete(woken, k)
			}
		case tracer.Ends:
			polls = append(polls, taskStretch{k, begun[k], p.AtNS})
			delete(begun, k)
		}
	}
	for k, from := range begun { // under way when the tracing ended
		polls = append(polls, taskStretch{k, from, math.MaxInt64})
	}
	return polls, waits
}

// threadsOf lists the threads on which each executor was seen.
func threadsOf(events []tracer.Poll) map[int][]int {
	threads := map[int][]int{}
	for _, p := range events {
		if p.Thread != 0 && !slices.Contains(threads[p.Executor], p.Thread) {
			threads[p.Executor] = append(threads[p.Executor], p.Thread)
		}
	}
	return threads
}

// fromSwitches takes what ran from the kernel alone. A thread that was taken off its CPU although it could have gone on is
// ready until it is put on one again. One that went to sleep is ready when its request comes, which the client knows.
func fromSwitches(raw tracer.Raw, k kernel) (s seen) {
	tracks := newTracks("CPU")
	for _, n := range raw.Notes {
		if n.Kind != tracer.Met {
			continue
		}
		for _, on := range k.on[n.Thread] {
			s.running = append(s.running, stretch{task: n.Session, track: tracks.of(on.track), from: on.from, to: on.to})
		}
		for _, off := range k.off[n.Thread] {
			s.ready = append(s.ready, stretch{task: n.Session, track: -1, from: off.from, to: off.to})
		}
	}
	s.tracks = tracks.names
	return s
}

// tracks numbers what tasks ran on, in the order in which it appears.
type tracks struct {
	kind  string
	index map[int]int
	names []string
}

func newTracks(kind string) *tracks { return &tracks{kind: kind, index: map[int]int{}} }

func (t *tracks) of(number int) int {
	i, ok := t.index[number]
	if !ok {
		i = len(t.names)
		t.index[number] = i
		t.names = append(t.names, fmt.Sprintf("%s %d", t.kind, number))
	}
	return i
}

// fromRuntime reads a Go execution trace. Where system calls block, time in them is not time on a CPU; on package net they
// never do, and a goroutine in one runs.
func fromRuntime(raw tracer.Raw, blocking bool) (seen, error) {
	r, err := trace.NewReader(bytes.NewReader(raw.Go))
	if err != nil {
		return seen{}, fmt.Errorf("read the Go trace: %w", err)
	}
	g := newGoReader(blocking)
	for {
		e, err := r.ReadEvent()
		if errors.Is(err, io.EOF) {
			return g.result(), nil
		}
		if err != nil {
			return seen{}, fmt.Errorf("read the Go trace: %w", err)
		}
		if err := g.event(e); err != nil {
			return seen{}, err
		}
	}
}

// span is a goroutine's time on a P so far.
type span struct {
	proc   trace.ProcID
	thread trace.ThreadID
	from   int64
}

// goReader follows goroutines through a trace.
type goReader struct {
	blocking bool
	offset   int64 // from the trace's clock to CLOCK_MONOTONIC
	tracks   *tracks
	sessions map[trace.GoID]int
	on       map[trace.ProcID]trace.GoID // who runs there
	since    map[trace.GoID]span         // of those that run
	waits    map[trace.GoID]int64        // since when the others are runnable
	running  []goStretch
	ready    []goStretch
}

// goStretch is a stretch of a goroutine, whose session may not be known yet.
type goStretch struct {
	id trace.GoID
	stretch
}

func newGoReader(blocking bool) *goReader {
	return &goReader{
		blocking: blocking, tracks: newTracks("P"), sessions: map[trace.GoID]int{}, on: map[trace.ProcID]trace.GoID{},
		since: map[trace.GoID]span{}, waits: map[trace.GoID]int64{},
	}
}

func (g *goReader) event(e trace.Event) error {
	switch e.Kind() {
	case trace.EventSync:
		if c := e.Sync().ClockSnapshot; c != nil {
			g.offset = int64(c.Mono) - int64(c.Trace)
		}
	case trace.EventLog:
		if log := e.Log(); log.Category == tracer.LogCategory {
			session, err := strconv.Atoi(log.Message)
			if err != nil {
				return fmt.Errorf("read the Go trace: session %q", log.Message)
			}
			g.sessions[e.Goroutine()] = session
		}
	case trace.EventStateTransition:
		if change := e.StateTransition(); change.Resource.Kind == trace.ResourceGoroutine {
			_, to := change.Goroutine()
			g.turns(change.Resource.Goroutine(), to, span{e.Proc(), e.Thread(), int64(e.Time()) + g.offset})
		}
	}
	return nil
}

// turns follows a goroutine into another state. It says where and when that was.
func (g *goReader) turns(id trace.GoID, to trace.GoState, now span) {
	if to == trace.GoSyscall && !g.blocking {
		return // it goes on
	}
	if to == trace.GoRunning {
		if _, runs := g.since[id]; runs && g.on[now.proc] == id {
			return // back from a system call
		}
		g.leaves(id, now.from)
		// Its P may have been taken from somebody in a system call.
		if other, ok := g.on[now.proc]; ok {
			g.leaves(other, now.from)
		}
		g.on[now.proc], g.since[id] = id, now
	} else {
		g.leaves(id, now.from)
	}
	if from, ok := g.waits[id]; ok && to != trace.GoRunnable {
		delete(g.waits, id)
		g.ready = append(g.ready, goStretch{id, stretch{track: -1, from: from, to: now.from}})
	}
	if to == trace.GoRunnable {
		g.waits[id] = now.from
	}
}

// leaves ends a goroutine's time on its P, if it has one.
func (g *goReader) leaves(id trace.GoID, at int64) {
	s, ok := g.since[id]
	if !ok {
		return
	}
	delete(g.since, id)
	if g.on[s.proc] == id {
		delete(g.on, s.proc)
	}
	g.running = append(g.running, goStretch{id, stretch{0, g.tracks.of(int(s.proc)), s.from, at, []int{int(s.thread)}}})
}

// result keeps what belongs to sessions.
func (g *goReader) result() seen {
	for id := range g.since { // still running at the end
		g.leaves(id, math.MaxInt64)
	}
	s := seen{tracks: g.tracks.names}
	for _, list := range []struct {
		from []goStretch
		to   *[]stretch
	}{{g.running, &s.running}, {g.ready, &s.ready}} {
		for _, x := range list.from {
			if session, ok := g.sessions[x.id]; ok {
				x.task = session
				*list.to = append(*list.to, x.stretch)
			}
		}
	}
	return s
}

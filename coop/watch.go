package coop

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Watch has an executor look at every poll and report tasks that break the rules of cooperation. It is for development and
// for finding out: a poll then costs several times as much, and a spawn a walk up the stack.
type Watch struct {
	// PollMax is how long a poll may take; 0 means any time. A poll that takes longer is reported while it still runs, with
	// the stack of where it is, by a watchdog: a goroutine of its own, which needs a P of its own (GOMAXPROCS).
	PollMax time.Duration
	// FirstPollMax is how long the first poll of a task may take; 0 means any time. A task that computes for long before it
	// waits for the first time is often one that never waits at all.
	FirstPollMax time.Duration
	// FutureBytesMax is how large the future of a task may be; 0 means any size. Large futures are expensive to copy, and
	// in Go, where a task is reached through an interface, to allocate. What a future points to is not counted.
	FutureBytesMax int
	// Report is told what was found. It is called from the executor's goroutine or the watchdog's, and must not block.
	Report func(Finding)
}

// Lint is a kind of finding.
type Lint string

// The lints. Each is reported once per task, but Stall once per poll.
const (
	// Stall: a poll took longer than Watch.PollMax. Time is by the clock, so that a thread that the kernel has taken off
	// the CPU looks the same as a task that computes.
	Stall Lint = "stall"
	// NeverYielded: the first poll took longer than Watch.FirstPollMax.
	NeverYielded Lint = "never yielded"
	// SelfWakes: more than half of the polls, of a hundred or more, ended with the task woken by itself. Such a task asks
	// again and again, which is what wakers are there to avoid. Only wakes through a LocalWaker count: who uses a Waker may be
	// another thread. A yield does not count.
	SelfWakes Lint = "self-wake storm"
	// LostWaker: a poll answered Pending, the task has not been woken, and nobody holds its waker, so that nobody can ever
	// wake it.
	//
	// Go does not count references, so it is counted under Watch only, by a vtable whose Clone and Drop do. What can be known
	// is bounded by that: a waker that is kept without Clone (a breach of the contract that has no other consequence here)
	// is reported, and one that is held by somebody who will never use it is not: a socket that keeps the waker of its last
	// reader, a sub-executor whose inner future has forgotten its own.
	LostWaker Lint = "lost waker"
	// LargeFuture: the future of a task is larger than Watch.FutureBytesMax.
	LargeFuture Lint = "large future"
)

// Finding is what a Watch has found about a task.
type Finding struct {
	Lint    Lint
	Task    TaskID
	Future  string        // the type
	Spawned string        // function, file and line
	Detail  string        // the figure and the limit
	Took    time.Duration // of a Stall: how long the poll has taken so far
	Stack   []byte        // of a Stall: where the poll is; nil when it ended before anybody could look
}

// String describes the finding in a line, with the stack below.
func (f Finding) String() string {
	s := fmt.Sprintf("coop: %s: task %#x (%s), spawned at %s: %s", f.Lint, uint64(f.Task), f.Future, f.Spawned, f.Detail)
	if f.Stack != nil {
		s += "\n" + string(f.Stack)
	}
	return s
}

// selfWakesPolls is how many polls a task must have had before it is judged by its self-wakes.
const selfWakesPolls = 100

// watcher is what an executor knows about its tasks under Watch. It belongs to the executor's goroutine, but for dog.
type watcher struct {
	Watch
	tasks []*watched // by the place of their slots
	dog   watchdog
}

func newWatcher(w Watch) *watcher {
	if w.Report == nil {
		panic("coop: Config.Watch needs a Report, or else nobody learns what it finds")
	}
	return &watcher{Watch: w}
}

// watched is a task under Watch. It is the vtable of the task's wakers and counts them.
type watched struct {
	slot   *slot
	id     TaskID
	future string
	site   string
	wakers atomic.Int64 // clones that have not been dropped

	polls     int64
	selfWakes int64
	told      map[Lint]bool
}

// Wake, WakeLocal, Clone and Drop implement WakerVTable.
func (w *watched) Wake(id TaskID)      { w.slot.Wake(id) }
func (w *watched) WakeLocal(id TaskID) { w.slot.WakeLocal(id) }
func (w *watched) Drop(TaskID)         { w.wakers.Add(-1) }
func (w *watched) Clone(id TaskID) Waker {
	w.wakers.Add(1)
	return Waker{w, id}
}

// started notes a new task.
func (w *watcher) started(t *slot, site string) {
	for int(t.place) >= len(w.tasks) {
		w.tasks = append(w.tasks, nil)
	}
	var f any = t.fut
	if j, ok := f.(interface{ inside() any }); ok {
		f = j.inside()
	}
	task := &watched{slot: t, id: t.id(), future: fmt.Sprintf("%T", f), site: site, told: map[Lint]bool{}}
	w.tasks[t.place] = task
	_, task.told[LostWaker] = f.(*coroutines) // which is a task for the sake of its Drop, and never to be woken
	if size := sizeOf(f); w.FutureBytesMax > 0 && size > w.FutureBytesMax {
		w.report(task, LargeFuture, fmt.Sprintf("%d bytes; at most %d are allowed", size, w.FutureBytesMax))
	}
}

// sizeOf returns the size of a future, without what it points to. Of a function nothing is known but the pointer.
func sizeOf(f any) int {
	t := reflect.TypeOf(f)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return int(t.Size())
}

// inside returns the future that is spawned, for its name.
func (j *job[T]) inside() any { return j.fut }

func (w *watcher) report(task *watched, lint Lint, detail string) {
	if task.told[lint] {
		return
	}
	task.told[lint] = true
	w.Report(Finding{Lint: lint, Task: task.id, Future: task.future, Spawned: task.site, Detail: detail})
}

// begin comes before a poll. Without Watch it returns nil.
func (w *watcher) begin(ex *Executor, t *slot) *watched {
	if w == nil {
		return nil
	}
	task := w.tasks[t.place]
	ex.cx.waker = LocalWaker{task, task.id}
	w.dog.begin(task)
	return task
}

// end comes after a poll that has not panicked.
func (w *watcher) end(ex *Executor, task *watched, took time.Duration, ready bool) {
	unheard := w.dog.end()
	task.polls++
	if w.PollMax > 0 && took > w.PollMax {
		ex.stats.Stalls++
		if unheard {
			w.Report(task.stall(took, w.PollMax, nil))
		}
	}
	if task.polls == 1 && w.FirstPollMax > 0 && took > w.FirstPollMax {
		w.report(task, NeverYielded, fmt.Sprintf("its first poll took %v; at most %v are allowed", took, w.FirstPollMax))
	}
	if !ready {
		w.judgeWakes(task)
	}
}

// judgeWakes looks at who will wake a task that has answered Pending. The count of wakers is read before the flag: a thread
// that wakes the task sets the flag first and drops its waker then.
func (w *watcher) judgeWakes(task *watched) {
	t := task.slot
	if t.queued {
		task.selfWakes++
	}
	if task.polls >= selfWakesPolls && task.selfWakes*2 > task.polls {
		w.report(task, SelfWakes, fmt.Sprintf("it woke itself in %d of %d polls", task.selfWakes, task.polls))
	}
	if task.wakers.Load() == 0 && !t.queued && t.word.Load()&flagNotified == 0 {
		w.report(task, LostWaker, "it is pending, and nobody holds its waker: it will never be polled again")
	}
}

func (task *watched) stall(took, limit time.Duration, stack []byte) Finding {
	detail := fmt.Sprintf("a poll has taken %v; at most %v are allowed", took.Round(time.Microsecond), limit)
	return Finding{Lint: Stall, Task: task.id, Future: task.future, Spawned: task.site, Detail: detail, Took: took, Stack: stack}
}

// here is how the names of this package's functions begin.
var here = reflect.TypeFor[Executor]().PkgPath() + "."

// site returns where a task is spawned, under Watch: the first caller outside this package.
func (ex *Executor) site() string {
	if ex.watcher == nil {
		return ""
	}
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, here) {
			return fmt.Sprintf("%s (%s:%d)", f.Function, path.Base(f.File), f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

package timeline

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"turnlab/harness/record"
	"turnlab/harness/timeline/tracer"
	"turnlab/workloads"
)

// A stretch of time, in CLOCK_MONOTONIC, in which a task ran (on a track) or was known to its scheduler as ready.
type stretch struct {
	task, track int
	from, to    int64
	threads     []int // of what ran: on one of these
}

// seen is what a source has told, by whatever means.
type seen struct {
	tracks  []string
	running []stretch
	ready   []stretch
}

// convert makes the timeline of what was seen on both sides.
func convert(t *record.Timeline, w *workloads.Workload, raw tracer.Raw, j *journey) error {
	if err := expectSessions(raw.Notes, len(j.callers)); err != nil {
		return err
	}
	s, err := see(t, raw)
	if err != nil {
		return err
	}
	t.CPUNS, t.LateNS, t.Cut, t.Tracks, t.Requests = j.cpuNS(), j.lateNS, raw.Lost, s.tracks, j.requests()
	c := composer{workload: w, sleeps: sleeps(w, t.Point), offload: t.Engine == "coop" && t.Point.Number("coop.offload") > 0, from: j.from, to: j.to}
	if len(raw.Kernel) > 0 {
		k := newKernel(tracer.ParseSwitches(raw.Kernel))
		t.OnCPUNS = k.total(j.from, j.to)
		if !c.sleeps {
			t.StolenNS = k.stolen(c.waits(t.Requests), j.from, j.to)
		}
		if raw.Method != tracer.Switches {
			s = k.correct(s)
		}
	}
	burns := burnsOf(raw.Notes, j.to)
	for task := range j.callers {
		t.Tasks = append(t.Tasks, record.Task{Name: fmt.Sprintf("conn %d", task+1), Class: c.classOf(t.Requests, task)})
		t.Slices = append(t.Slices, c.slices(task, s, burns[task], t.Requests)...)
	}
	return nil
}

// see reads what the source tells, and says which it is.
func see(t *record.Timeline, raw tracer.Raw) (s seen, err error) {
	switch raw.Method {
	case tracer.Polls:
		t.Source, s = record.SourcePolls, fromPolls(raw)
	case tracer.Switches:
		t.Source, s = record.SourceSwitches, fromSwitches(raw, newKernel(tracer.ParseSwitches(raw.Kernel)))
	case tracer.Runtime:
		t.Source = record.SourceGo
		s, err = fromRuntime(raw, t.Engine == "threads")
	default:
		err = fmt.Errorf("a trace by method %q", raw.Method)
	}
	if raw.Blind != "" {
		t.Note = "when the kernel takes a thread off its CPU is not seen, so that bars show at most what ran: " + raw.Blind
	}
	return s, err
}

// expectSessions makes sure that server and client number the connections alike.
func expectSessions(notes []tracer.Note, conns int) error {
	met := 0
	for _, n := range notes {
		if n.Kind == tracer.Met {
			met++
		}
	}
	if met != conns {
		return fmt.Errorf("the server met %d sessions and the client opened %d connections: somebody else has connected", met, conns)
	}
	return nil
}

// burnsOf lists when each session computed, or would have if it had been let.
func burnsOf(notes []tracer.Note, end int64) map[int][]stretch {
	burns := map[int][]stretch{}
	for _, n := range notes {
		of := burns[n.Session]
		switch n.Kind {
		case tracer.Burns:
			burns[n.Session] = append(of, stretch{task: n.Session, from: n.AtNS, to: max(end, n.AtNS)})
		case tracer.Burned:
			of[len(of)-1].to = n.AtNS
		}
	}
	return burns
}

// A composer makes the slices of a task out of what is known about it from several sides: what ran, what its scheduler
// called ready, what it computed, and what was asked of it.
type composer struct {
	workload *workloads.Workload
	sleeps   bool
	offload  bool
	from, to int64
}

// sleeps reports whether sessions wait for timers, so that a request under way is no sign that its task could run.
func sleeps(w *workloads.Workload, p record.Point) bool {
	settings, err := w.Options.Resolve(p.Options(w.Name))
	return err == nil && w.For(settings).Uses(workloads.Sleep)
}

// classOf says whether one of a task's requests is a hog.
func (c composer) classOf(requests []record.Request, task int) string {
	if !c.workload.Uses(workloads.Burn) {
		return ""
	}
	for _, r := range requests {
		if r.Task == task && r.Class == record.Hog {
			return record.Hog
		}
	}
	return record.Innocent
}

// slices cuts the span wherever something changes for a task, says what its state was in each piece, and joins pieces
// that are alike.
func (c composer) slices(task int, s seen, burns []stretch, requests []record.Request) []record.Slice {
	own := func(all []stretch) []stretch {
		var found []stretch
		for _, x := range all {
			if x.task == task && x.to > c.from && x.to > x.from {
				found = append(found, x)
			}
		}
		return found
	}
	f := facts{running: own(s.running), ready: own(s.ready), burns: own(burns)}
	for _, r := range requests {
		if r.Task == task {
			f.asked = append(f.asked, c.wait(r))
			f.classes = append(f.classes, r.Class)
		}
	}
	var slices []record.Slice
	cuts := f.cuts(c.from, c.to)
	for i, from := range cuts[:len(cuts)-1] {
		piece, ok := c.piece(f, from)
		if !ok {
			continue
		}
		piece.Task, piece.FromNS, piece.ToNS = task, from-c.from, cuts[i+1]-c.from
		slices = join(slices, piece)
	}
	return slices
}

// waits lists the waits of requests.
func (c composer) waits(requests []record.Request) (all []stretch) {
	for _, r := range requests {
		all = append(all, c.wait(r))
	}
	return all
}

// wait is the time that a request waits for its reply, which is for ever if none came.
func (c composer) wait(r record.Request) stretch {
	w := stretch{task: r.Task, from: r.ArrivedNS + c.from, to: math.MaxInt64}
	if r.RepliedNS != 0 {
		w.to = r.RepliedNS + c.from
	}
	return w
}

// piece says what a task did from a moment on, until something changes.
func (c composer) piece(f facts, at int64) (s record.Slice, ok bool) {
	_, computes := within(f.burns, at)
	running, runs := within(f.running, at)
	_, ready := within(f.ready, at)
	class, waits := f.waiting(at)
	switch {
	case runs:
		return record.Slice{State: record.Running, Track: running.track, Class: c.work(f, at, computes)}, true
	case computes && c.offload:
		return record.Slice{State: record.Away, Track: -1, Class: record.Hog}, true
	case ready || computes || waits && !c.sleeps:
		return record.Slice{State: record.Ready, Track: -1, Class: class}, true
	}
	return s, false
}

// work says whose work a task did: a hog's request is read, computed and answered.
func (c composer) work(f facts, at int64, computes bool) string {
	if !c.workload.Uses(workloads.Burn) {
		return ""
	}
	if i, asked := oldest(f.asked, at); computes || asked && f.classes[i] == record.Hog {
		return record.Hog
	}
	return record.Innocent
}

// waiting says whether a request waits for its task to run, and of which class it is. One for which the task will not run any
// more before its reply is with the client is answered already, and on its way.
func (f facts) waiting(at int64) (class string, ok bool) {
	next := sort.Search(len(f.running), func(i int) bool { return f.running[i].from >= at })
	first, _ := oldest(f.asked, at)
	for i := first; i < len(f.asked) && f.asked[i].from <= at; i++ {
		unanswered := f.asked[i].to == math.MaxInt64
		if unanswered || next < len(f.running) && f.running[next].from < f.asked[i].to {
			return f.classes[i], true
		}
	}
	return "", false
}

// facts are what is known about one task: lists of stretches that do not overlap, in order, but for asked, of which an
// element begins and ends no earlier than the one before.
type facts struct {
	running, ready, burns, asked []stretch
	classes                      []string // of asked
}

// cuts lists the moments between from and to at which something changes, with these two.
func (f facts) cuts(from, to int64) []int64 {
	cuts := []int64{from, to}
	for _, list := range [][]stretch{f.running, f.ready, f.burns, f.asked} {
		for _, s := range list {
			for _, at := range []int64{s.from, s.to} {
				if at > from && at < to {
					cuts = append(cuts, at)
				}
			}
		}
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// within returns the stretch of a list that holds a moment.
func within(list []stretch, at int64) (stretch, bool) {
	if i, ok := oldest(list, at); ok {
		return list[i], true
	}
	return stretch{}, false
}

// oldest returns the first stretch of a list that holds a moment.
func oldest(list []stretch, at int64) (int, bool) {
	i := sort.Search(len(list), func(i int) bool { return list[i].to > at })
	return i, i < len(list) && list[i].from <= at
}

// join adds a piece to a task's slices, to the last one if it only goes on.
func join(slices []record.Slice, s record.Slice) []record.Slice {
	if n := len(slices); n > 0 {
		last := &slices[n-1]
		if last.ToNS == s.FromNS && last.State == s.State && last.Track == s.Track && last.Class == s.Class {
			last.ToNS = s.ToNS
			return slices
		}
	}
	return append(slices, s)
}

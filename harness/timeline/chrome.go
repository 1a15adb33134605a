package timeline

import (
	"cmp"
	"slices"

	"turnlab/harness/record"
)

// The trace event format of Chrome, which Perfetto (ui.perfetto.dev) and chrome://tracing open. Times are in microseconds.
// Events of one track may not overlap there but by nesting, so a track is what tasks ran on, and the requests, which do
// overlap, are asynchronous events with a number each.
type (
	chromeFile struct {
		Events []chromeEvent `json:"traceEvents"`
		Unit   string        `json:"displayTimeUnit"`
		origin int64
	}
	chromeEvent struct {
		Name     string         `json:"name"`
		Category string         `json:"cat,omitempty"`
		Phase    string         `json:"ph"`
		AtUS     float64        `json:"ts"`
		LastsUS  *float64       `json:"dur,omitempty"`
		PID      int            `json:"pid"`
		TID      int            `json:"tid"`
		ID       int            `json:"id,omitempty"`
		Args     map[string]any `json:"args,omitempty"`
	}
)

// Phases of events.
const (
	phaseName     = "M" // metadata
	phaseComplete = "X" // with a length
	phaseBegin    = "b" // of something asynchronous
	phaseEnd      = "e"
)

// The process in the trace; its tracks are threads from 1 on, because viewers hide number 0.
const tracePID = 1

// chromeTrace returns a timeline as a trace viewer reads it. Viewers know no time before 0, so the clock begins with the
// oldest request that was under way.
func chromeTrace(t *record.Timeline) chromeFile {
	f := chromeFile{Unit: "ms"}
	for _, r := range t.Requests {
		f.origin = min(f.origin, r.ArrivedNS)
	}
	f.name("process_name", 0, t.Name+", "+t.Workload+" ("+t.Source+")")
	for i, track := range t.Tracks {
		f.name("thread_name", i+1, track)
	}
	for _, s := range t.Slices {
		if s.State != record.Running {
			continue
		}
		lasts := micros(s.ToNS - s.FromNS)
		f.Events = append(f.Events, chromeEvent{
			Name: t.Tasks[s.Task].Name, Category: s.Class, Phase: phaseComplete, AtUS: micros(s.FromNS - f.origin), LastsUS: &lasts,
			PID: tracePID, TID: s.Track + 1, Args: map[string]any{"class": s.Class},
		})
	}
	for i, r := range t.Requests {
		f.request(t, i+1, r)
	}
	slices.SortStableFunc(f.Events, func(a, b chromeEvent) int { return cmp.Compare(a.AtUS, b.AtUS) })
	return f
}

func (f *chromeFile) name(what string, thread int, name string) {
	f.Events = append(f.Events, chromeEvent{
		Name: what, Phase: phaseName, PID: tracePID, TID: thread, Args: map[string]any{"name": name},
	})
}

// request adds a wait, from the arrival to the reply, or to the end of the span if none came.
func (f *chromeFile) request(t *record.Timeline, id int, r record.Request) {
	e := chromeEvent{
		Name: "request on " + t.Tasks[r.Task].Name, Category: "request", Phase: phaseBegin, AtUS: micros(r.ArrivedNS - f.origin), PID: tracePID,
		ID: id, Args: map[string]any{"class": r.Class, "answered": r.RepliedNS != 0},
	}
	f.Events = append(f.Events, e)
	e.Phase, e.AtUS, e.Args = phaseEnd, micros(r.ArrivedNS+t.WaitNS(r)-f.origin), nil
	f.Events = append(f.Events, e)
}

func micros(ns int64) float64 { return float64(ns) / 1e3 }

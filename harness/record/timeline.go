package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"turnlab/internal/misuse"
)

// TimelineDir is the folder, in a run's, that holds its timelines: NAME.json, and NAME.trace.json for trace viewers.
const TimelineDir = "timeline"

// TraceSuffix ends the names of files for trace viewers.
const TraceSuffix = ".trace.json"

// A Timeline is who ran when in one short, traced trial. Tracing costs time, so such a trial gives a picture and no figure:
// it is never among the trials. A run keeps its timelines beside its records, in timeline/NAME.json.
//
// Times count from the start of the timeline. What was under way then may have begun before, at a time below 0.
type Timeline struct {
	Schema string `json:"schema"`
	Name   string `json:"name"` // for people: "coop, yield 100µs"
	Point
	Source string `json:"source"`         // where the running slices come from, see the Sources
	Note   string `json:"note,omitempty"` // what the source cannot show, or why it is not the usual one
	SpanNS int64  `json:"span_ns"`
	CPUNS  int64  `json:"cpu_ns"` // what the server's process used in the span, by the kernel's clock; see Coverage
	// OnCPUNS is how long all threads of the server were on CPUs in the span, by the kernel's records of switches: it should be
	// CPUNS, less a few microseconds for each switch. Absent where the kernel does not tell; then a slice may be longer than
	// what ran, if others had the CPU meanwhile.
	OnCPUNS int64 `json:"on_cpu_ns,omitempty"`
	// StolenNS is how long in the span there was something to do and no thread of the server ran, by the same records: other
	// processes had its CPUs.
	StolenNS int64 `json:"stolen_ns,omitempty"`
	// LateNS is how much later than it was due the client sent a request, at most.
	LateNS int64 `json:"late_ns"`
	// Tracks are what tasks ran on: an executor, a P, a CPU. Slices of one track do not overlap.
	Tracks   []string  `json:"tracks"`
	Tasks    []Task    `json:"tasks"`
	Slices   []Slice   `json:"slices"`   // by task, and by time within one
	Requests []Request `json:"requests"` // by arrival
	Cut      string    `json:"cut,omitempty"`
}

// Sources of timelines.
const (
	SourcePolls    = "executor hooks"
	SourceGo       = "Go execution trace"
	SourceSwitches = "kernel context switches"
)

// A Task is a row of the picture: a connection's future, goroutine or thread.
type Task struct {
	Name  string `json:"name"`
	Class string `json:"class,omitempty"` // Hog when one of its requests in the span is one
}

// Classes of requests that a picture tells apart.
const (
	Hog      = "hog"
	Innocent = "innocent"
)

// States of a task in a slice.
const (
	Running = "running" // on a CPU
	Ready   = "ready"   // has something to do, could run and does not
	Away    = "away"    // others compute for it: coop.offload
)

// A Slice is a stretch of time in which a task was in one state.
type Slice struct {
	Task   int    `json:"task"`  // index into Tasks
	Track  int    `json:"track"` // index into Tracks; -1 unless it runs
	State  string `json:"state"`
	FromNS int64  `json:"from_ns"`
	ToNS   int64  `json:"to_ns"`
	Class  string `json:"class,omitempty"` // of what it did, or waited to do
}

// A Request is seen from its client: the picture's beginning and end of a wait.
type Request struct {
	Task      int    `json:"task"`
	Class     string `json:"class,omitempty"`
	ArrivedNS int64  `json:"arrived_ns"`           // it was sent, which on one machine is when it is there
	RepliedNS int64  `json:"replied_ns,omitempty"` // its reply was with the client; absent when none came
}

// RunningNS is how long tasks ran, in all.
func (t *Timeline) RunningNS() (sum int64) {
	for _, s := range t.Slices {
		if s.State == Running {
			sum += s.ToNS - s.FromNS
		}
	}
	return sum
}

// Coverage is the share of the server's CPU time that the running slices account for. It is how far the picture can be
// trusted: the rest is work of nobody's, such as the executor's own, and above 1 something else had the CPU while a task
// was taken to run. ok is false when the server used none.
func (t *Timeline) Coverage() (share float64, ok bool) {
	if t.CPUNS <= 0 {
		return 0, false
	}
	return float64(t.RunningNS()) / float64(t.CPUNS), true
}

// DisturbedNS is how long others on the machine had a part in the picture: they had the server's CPUs, or made the client
// late.
func (t *Timeline) DisturbedNS() int64 { return t.StolenNS + t.LateNS }

// Disturbed reports whether that is so long that the picture is partly theirs: a twentieth of the span.
func (t *Timeline) Disturbed() bool { return t.DisturbedNS() > t.SpanNS/20 }

// Longest returns the request of a class that waited longest for its reply. One without a reply has waited to the end of the
// span. ok is false when there was none.
func (t *Timeline) Longest(class string) (longest Request, waitNS int64, ok bool) {
	for _, r := range t.Requests {
		if wait := t.WaitNS(r); r.Class == class && (!ok || wait > waitNS) {
			longest, waitNS, ok = r, wait, true
		}
	}
	return longest, waitNS, ok
}

// WaitNS is how long a request waited for its reply, as far as is known.
func (t *Timeline) WaitNS(r Request) int64 {
	if r.RepliedNS == 0 {
		return max(0, t.SpanNS-r.ArrivedNS)
	}
	return r.RepliedNS - r.ArrivedNS
}

// SaveTimeline keeps a timeline in a run's folder, under a name that is fit for a file.
func SaveTimeline(dir, name string, t *Timeline) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode timeline %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, TimelineDir), 0o755); err != nil {
		return misuse.Errorf("make the folder of the timelines: %w", err)
	}
	return writeFile(filepath.Join(dir, TimelineDir, name+".json"), append(text, '\n'))
}

// aboutFile says, in a folder that holds timelines and no run, where and how they were made.
const aboutFile = "timelines.json"

// about is what that file holds, under the names that a run has for it.
type about struct {
	Schema      string   `json:"schema"`
	Version     string   `json:"version"`
	StartedUnix int64    `json:"started_unix_ns"`
	Command     []string `json:"command"`
	Host        Host     `json:"host"`
}

// SaveAbout keeps of a run what says where and how timelines were made that belong to none.
func SaveAbout(dir string, run *Run) error {
	text, err := json.MarshalIndent(about{Schema, run.Version, run.StartedUnix, run.Command, run.Host}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what is known of the timelines: %w", err)
	}
	return writeFile(filepath.Join(dir, aboutFile), append(text, '\n'))
}

// LoadAbout reads it. Without the file nothing is known, which is no error.
func LoadAbout(dir string) (*Run, error) {
	path := filepath.Join(dir, aboutFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Run{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known of the timelines: %w", err)
	}
	var a about
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	return &Run{Version: a.Version, StartedUnix: a.StartedUnix, Command: a.Command, Host: a.Host}, nil
}

// HoldsRun reports whether a folder is that of a run.
func HoldsRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, runFile))
	return err == nil
}

// LoadTimelines reads the timelines in a run's folder, in the order of their file names. A run without any is no error.
func LoadTimelines(dir string) ([]Timeline, error) {
	paths, err := filepath.Glob(filepath.Join(globQuote(dir), TimelineDir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("look for timelines: %w", err)
	}
	var found []Timeline
	for _, path := range paths {
		if strings.HasSuffix(path, TraceSuffix) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read a timeline: %w", err)
		}
		var t Timeline
		if err := json.Unmarshal(text, &t); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", path, err)
		}
		if t.Schema != Schema {
			return nil, misuse.Errorf("%s was written in schema %q and this lab reads %q", path, t.Schema, Schema)
		}
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", path, err)
		}
		found = append(found, t)
	}
	return found, nil
}

// globQuote takes the meaning from characters that Glob would match with.
func globQuote(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// check makes sure that indexes are of something and that names are names, so that nobody else has to.
func (t *Timeline) check() error {
	for _, s := range t.Slices {
		if s.Task < 0 || s.Task >= len(t.Tasks) || s.Track < -1 || s.Track >= len(t.Tracks) || s.ToNS < s.FromNS {
			return fmt.Errorf("a slice from %d to %d is of task %d of %d, track %d of %d",
				s.FromNS, s.ToNS, s.Task, len(t.Tasks), s.Track, len(t.Tracks))
		}
	}
	for _, r := range t.Requests {
		if r.Task < 0 || r.Task >= len(t.Tasks) {
			return fmt.Errorf("a request is of task %d of %d", r.Task, len(t.Tasks))
		}
	}
	return t.Point.check()
}

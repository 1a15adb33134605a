package record

// A Timeline is who ran when in one short, traced trial. Tracing costs time, so such a trial gives a picture and no figure:
// it is never among the trials. A run keeps its timelines beside its records, in timeline/NAME.json.
type Timeline struct {
	Schema string `json:"schema"`
	Point
	Source string `json:"source"` // where the slices come from: "executor hooks", "go trace", "kernel switches"
	SpanNS int64  `json:"span_ns"`
	// Tracks are what tasks ran on: an executor, a P, a CPU.
	Tracks []string `json:"tracks"`
	Tasks  []Task   `json:"tasks"`
	Slices []Slice  `json:"slices"`
	Marks  []Mark   `json:"marks"`
	Cut    string   `json:"cut,omitempty"` // what was left out, if something was
}

// A Task is a row of the picture: a connection's future, goroutine or thread.
type Task struct {
	Name  string `json:"name"`
	Class string `json:"class,omitempty"` // of its requests: "hog", "innocent"
}

// States of a task in a slice.
const (
	Running = "running" // on a CPU
	Ready   = "ready"   // could run and does not
)

// A Slice is a stretch of time in which a task was in one state. Times count from the start of the timeline.
type Slice struct {
	Task   int    `json:"task"`  // index into Tasks
	Track  int    `json:"track"` // index into Tracks; -1 when ready
	State  string `json:"state"`
	FromNS int64  `json:"from_ns"`
	ToNS   int64  `json:"to_ns"`
	Class  string `json:"class,omitempty"` // of the request that it worked on, when that is known
}

// Kinds of marks.
const (
	Arrival = "arrival" // a request is there
	Reply   = "reply"   // its reply was sent
)

// A Mark is an event in a task's row.
type Mark struct {
	Task int    `json:"task"`
	Kind string `json:"kind"`
	AtNS int64  `json:"at_ns"`
}

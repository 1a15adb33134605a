// Package record is what a run leaves behind: its folder, its trial records and the files made from them.
//
// A run's folder holds run.json (the plan and the machine) and trials.jsonl (one object per trial, appended and fsynced as
// the trial ends). Those two are the source of truth; bench.txt, summary.csv, charts and the page are made from them and
// can be made again. A field that nothing measured is absent, never zero, so that nobody can mistake "not looked at" for
// "none". Every record names its schema version: fields may be added, and renaming one is a new major version.
package record

import (
	"encoding/json"
	"fmt"
)

// Schema is the version of every record that this code writes.
const Schema = "turnlab/1"

// Modes of a trial.
const (
	Closed    = "closed" // each connection sends its next request when the reply to the last has come
	Open      = "open"   // requests are sent at times that do not depend on the replies
	Primitive = "micro"  // no client and no server: one operation of an engine, repeated; see Micro
)

// Again marks trials of an engine that is measured a second time in each block, as if it were another one. What the two
// differ by is the noise of the run, and a difference between engines must exceed it. These trials count for nothing else.
const Again = "again"

// Probe marks trials that found out what a point can do before it was measured: the closed loop whose throughput a rate is
// a share of, a step of a search. They count for nothing else, and they follow the planned trials in number.
const Probe = "probe"

// A Run is run.json.
type Run struct {
	Schema      string   `json:"schema"`
	ID          string   `json:"run"`     // unique, sorts by start time
	Version     string   `json:"version"` // of the lab, with the commit
	Command     []string `json:"command"` // the command line
	StartedUnix int64    `json:"started_unix_ns"`
	Seed        uint64   `json:"seed"`
	Blocks      int      `json:"blocks"`
	// ExperimentBlocks says in how many blocks, from the first, the points of an experiment take part; absent means all.
	ExperimentBlocks map[string]int `json:"experiment_blocks,omitempty"`
	Plan             []Point        `json:"plan"`
	Order            [][]int        `json:"order"` // for each block, the points by index in the order in which they are measured
	Host             Host           `json:"host"`
	Notes            []string       `json:"notes,omitempty"`      // why points were left out, and the like
	Searches         []Search       `json:"searches,omitempty"`   // for capacities, after the blocks
	Capacities       []Capacity     `json:"capacities,omitempty"` // what they found
	Precision        float64        `json:"precision,omitempty"`  // stop when every median is known to this share; 0 for never
	Retries          int            `json:"retries,omitempty"`    // how often a trial that others spoilt is made again
	BudgetNS         int64          `json:"budget_ns,omitempty"`  // stop when another block would take longer in all; 0 for never
	Stopped          string         `json:"stopped,omitempty"`    // why it ended before all blocks were done
	// Calibrations say what the generator can do, measured before the first trial, when the plan has rates.
	Calibrations []Calibration `json:"calibrations,omitempty"`
}

// A Search asks for the highest rate at which service levels hold, for each closed-loop point of an experiment.
type Search struct {
	Experiment string   `json:"experiment,omitempty"`
	SLOs       []string `json:"slos"`  // "p99<5ms"
	Width      float64  `json:"width"` // of the bounds, as a share of the lower one
}

// A Capacity is what a search found for one point and one service level: bounds, because that is what a finite search knows.
type Capacity struct {
	Experiment string  `json:"experiment,omitempty"`
	Engine     string  `json:"engine"` // its label, "coop/await"
	Workload   string  `json:"workload"`
	Conns      float64 `json:"conns"`
	SLO        string  `json:"slo"`
	PeakRPS    float64 `json:"closed_loop_peak_rps"`  // where the search began
	GenMaxRPS  float64 `json:"gen_max_rps,omitempty"` // what the generator can do; absent if that is not known
	LowerRPS   float64 `json:"lower_rps,omitempty"`   // absent: even the lowest load failed
	UpperRPS   float64 `json:"upper_rps,omitempty"`   // absent: nothing failed, or only the generator
	Irregular  string  `json:"irregular,omitempty"`   // why a bound is absent, or the bounds are not close
	Probes     int     `json:"probes"`
	// Confirmed: the lower bound passed again, in trials that the search had not used. Absent where that is not known.
	Confirmed *bool `json:"confirmed,omitempty"`
	// Disturbed probes are those that others disturbed although they were made again. They count, because a search must end; a
	// bound that would not be one without them, or whose confirmation hangs on such trials, is not sure.
	Disturbed   int  `json:"disturbed,omitempty"`
	LowerUnsure bool `json:"lower_unsure,omitempty"`
	UpperUnsure bool `json:"upper_unsure,omitempty"`
}

// Doubt says what speaks against the bounds; it is empty when nothing does.
func (c Capacity) Doubt() string {
	var bounds string
	switch {
	case c.LowerUnsure && c.UpperUnsure:
		bounds = "both bounds are not sure"
	case c.LowerUnsure:
		bounds = "the lower bound is not sure"
	case c.UpperUnsure:
		bounds = "the upper bound is not sure"
	}
	if c.Disturbed == 0 { // of the trials that confirmed the lower bound some were
		return bounds
	}
	text := fmt.Sprintf("%d of %d probes disturbed", c.Disturbed, c.Probes)
	if bounds != "" {
		text += ": " + bounds
	}
	return text
}

// A Point is one engine, workload and set of parameter values; a trial measures it once.
type Point struct {
	Engine   string `json:"engine"`            // "coop"
	Variant  string `json:"variant,omitempty"` // "await"
	Workload string `json:"workload"`          // "http"
	Mode     string `json:"mode"`              // Closed or Open
	// Arm is Again for the second half of an engine's comparison with itself, Probe for what came before the measuring, and
	// empty for everything else.
	Arm string `json:"arm,omitempty"`
	// Experiment is the question that the point helps to answer. Two experiments may have the same point; it is measured
	// for each, so that each can be repeated alone.
	Experiment string `json:"experiment,omitempty"`
	// Params holds every parameter of the point by its command-line name: "conns", "rate" (requests per second, 0 for the
	// closed loop), "rate-share" (of what the point can do, where the rate was given as a share; "rate" is then what came of it), "depth", "duration", "warmup", and "coop.procs", "http.payload" and so on for each option of the
	// engine and the workload. Numbers are base units; everything else is text, durations as in Go.
	Params map[string]any `json:"params"`
	// InRun names the run that the point is of, where a report shows two side by side. Files never have it.
	InRun string `json:"-"`
}

// Label returns the engine as users write it: "coop" or "coop/await". Where two runs are shown it is "coop (before)".
func (p Point) Label() string {
	label := p.Engine
	if p.Variant != "" {
		label += "/" + p.Variant
	}
	if p.InRun != "" {
		return LabelInRun(label, p.InRun)
	}
	return label
}

// LabelInRun writes the label of an engine as that of one of two runs.
func LabelInRun(label, run string) string { return label + " (" + run + ")" }

// A Trial is one line of trials.jsonl: one measurement of one point, in a fresh server process.
type Trial struct {
	Schema string `json:"schema"`
	Run    string `json:"run"`
	Block  int    `json:"block"` // from 0
	Trial  int    `json:"trial"` // position in the run, from 0
	Point
	// Repeat counts from 1 when the trial was made again, because others had used its CPUs in the one before.
	Repeat        int                `json:"repeat,omitempty"`
	Seed          uint64             `json:"seed"` // of the arrivals and the requests
	StartedUnix   int64              `json:"started_unix_ns"`
	TookSeconds   float64            `json:"took_seconds,omitempty"` // from the start of the first process until the machine had got over the last one
	WindowSeconds float64            `json:"window_seconds"`         // length of the measured window
	WarmupSeconds float64            `json:"warmup_seconds,omitempty"`
	Steady        *bool              `json:"steady,omitempty"`   // settle=on: the load was steady when the window began
	Extended      int                `json:"extended,omitempty"` // how often the window was made longer
	Due           uint64             `json:"due,omitempty"`      // open loop: requests whose intended time lies in the window
	Sent          uint64             `json:"sent,omitempty"`     // open loop: of those, written by the window's end
	Requests      uint64             `json:"requests"`           // replies checked and right, of requests that belong to the window
	ThroughputRPS float64            `json:"throughput_rps"`     // right replies that came in during the window, per second
	OfferedRPS    float64            `json:"offered_rps,omitempty"`
	GenMaxRPS     float64            `json:"gen_max_rps,omitempty"` // open loop: what the generator can do with this shape of load; absent if that is not known
	Errors        map[string]uint64  `json:"errors,omitempty"`      // by kind: wrong, refused, reset, closed, timeout, backlog, other
	FirstError    string             `json:"first_error,omitempty"` // text of the first one
	Unanswered    uint64             `json:"unanswered,omitempty"`  // sent or due in the window and without a reply when the drain ended
	Waited        uint64             `json:"waited,omitempty"`      // open loop: requests of the window that were sent late because no connection was free
	Unrecorded    uint64             `json:"unrecorded,omitempty"`  // latencies that no histogram could hold
	LatencyNS     map[string]Latency `json:"latency_ns,omitempty"`  // "response", "service", "slip"
	Classes       map[string]Class   `json:"classes,omitempty"`     // right replies by class of request, when the workload has classes
	Connects      uint64             `json:"connects,omitempty"`    // connections that were opened by a request of the window
	Silent        *Silent            `json:"silent,omitempty"`
	Deliveries    *Deliveries        `json:"deliveries,omitempty"`
	Fairness      float64            `json:"fairness,omitempty"` // closed loop: Jain's index of the connections' right replies; 1 is even
	CPU           *CPU               `json:"cpu,omitempty"`
	Switches      *Switches          `json:"switches,omitempty"`
	Machine       *Machine           `json:"machine,omitempty"`
	SampleLateNS  int64              `json:"sample_late_ns,omitempty"`    // how long after an edge of the window the server was sampled, at worst
	Memory        map[string]uint64  `json:"memory_bytes,omitempty"`      // of the server, under load: pss rss go_heap go_stacks ...
	IdleMemory    map[string]uint64  `json:"idle_memory_bytes,omitempty"` // of the server, all connections open and no request yet
	ClientMemory  map[string]uint64  `json:"client_memory_bytes,omitempty"`
	Sched         map[string]float64 `json:"sched,omitempty"`               // what the engine and (go_...) the Go runtime counted in the window
	ClientSched   map[string]float64 `json:"client_sched,omitempty"`        // the same of the generator
	Windows       []Window           `json:"windows,omitempty"`             // 100 ms of progress each, warm-up included
	Histograms    map[string]string  `json:"histograms,omitempty"`          // HdrHistogram V2, zlib, base64; by kind
	Intervals     []Interval         `json:"intervals,omitempty"`           // parts of the window; absent when there is only one
	Arrivals      *Arrivals          `json:"arrivals,omitempty"`            // open loop, Poisson arrivals
	ApartNS       int64              `json:"generators_apart_ns,omitempty"` // between the windows of several generators, at worst
	Micro         *Micro             `json:"micro,omitempty"`
	Flags         []Flag             `json:"flags,omitempty"`
	Failed        string             `json:"failed,omitempty"` // why the trial gave no measurement at all
}

// Latency summarises one histogram, in nanoseconds. Percentiles that too few requests support are absent.
type Latency struct {
	P50   int64   `json:"p50,omitempty"`
	P90   int64   `json:"p90,omitempty"`
	P99   int64   `json:"p99,omitempty"`
	P999  int64   `json:"p999,omitempty"`
	P9999 int64   `json:"p9999,omitempty"`
	Max   int64   `json:"max"`
	Mean  float64 `json:"mean"`
	Count int64   `json:"count"`
}

// Class is what was measured of one class of requests, such as those that are innocent of a delay. It knows right replies
// only: which class a request without a reply belongs to, nobody can tell.
type Class struct {
	Requests   uint64             `json:"requests"`
	LatencyNS  map[string]Latency `json:"latency_ns,omitempty"` // "response", "service"
	Histograms map[string]string  `json:"histograms,omitempty"` // as those of the trial
}

// Silent is connections that were left alone during the load, and asked once when it had ended.
type Silent struct {
	Connections int    `json:"connections"`
	Right       uint64 `json:"right"` // of those, answered rightly
}

// Deliveries is messages of the window on their way to those who listen. Their latencies are LatencyNS["delivery"], from
// the time at which the message was due at its publisher.
type Deliveries struct {
	Due      uint64 `json:"due"`      // messages times connections, the publishers' own among them
	Received uint64 `json:"received"` // complete and right
	Missing  uint64 `json:"missing"`  // had not come when the drain ended
	Gaps     uint64 `json:"gaps"`     // of those, known to be dropped, because a later message came
	CutOff   uint64 `json:"cut_off"`  // listeners that lost their connection in the window
}

// Micro is what one operation costs, such as a wake-up or a spawn, without a socket server around it. The workload of such a
// trial is the operation's name.
type Micro struct {
	Operations  uint64  `json:"operations"` // in the measured time
	NSPerOp     float64 `json:"ns_per_op,omitempty"`
	CPUNSPerOp  float64 `json:"cpu_ns_per_op,omitempty"` // of the whole process; above NSPerOp when several CPUs worked
	AllocsPerOp float64 `json:"allocs_per_op"`
	BytesPerOp  float64 `json:"bytes_per_op"`     // allocated
	Voluntary   float64 `json:"voluntary_per_op"` // context switches of the kernel, as in Switches
	Involuntary float64 `json:"involuntary_per_op"`
}

// CPU is processor time of whole processes over the measured window. Utilisation 1 is one CPU busy all the time.
type CPU struct {
	ServerNSPerReq float64 `json:"server_ns_per_req,omitempty"` // absent where no reply came in the window, as that of the client
	ClientNSPerReq float64 `json:"client_ns_per_req,omitempty"`
	ServerUtil     float64 `json:"server_util"`
	ClientUtil     float64 `json:"client_util"`
	ClientSpinUtil float64 `json:"client_spin_util,omitempty"` // awake without work, to send on time; in neither of the other two
	UpstreamUtil   float64 `json:"upstream_util,omitempty"`    // of the process that the server calls, where there is one
}

// Machine is what others did to the trial's CPUs during the window, in CPUs.
type Machine struct {
	ForeignUtil float64 `json:"foreign_util"` // used by neither the server nor the generator
	StealUtil   float64 `json:"steal_util"`   // taken away by the hypervisor
}

// Switches counts context switches per request (getrusage(2)): voluntary ones wait for something, involuntary ones were
// made by the kernel. A trial in whose window no reply came has none.
type Switches struct {
	Voluntary         float64 `json:"voluntary_per_req"`
	Involuntary       float64 `json:"involuntary_per_req"`
	ClientVoluntary   float64 `json:"client_voluntary_per_req"`
	ClientInvoluntary float64 `json:"client_involuntary_per_req"`
}

// A Window is progress over a slice of the trial.
type Window struct {
	AtMS     int64  `json:"at_ms"` // start, after the load began
	Sent     uint64 `json:"sent"`
	Received uint64 `json:"received"` // right replies
	Measured bool   `json:"measured"` // inside the measured window
}

// Levels of a flag.
const (
	Warn    = "warn"
	Invalid = "invalid" // leaves verdicts and medians, never the files
)

// A Flag is a doubt about a trial, as a value.
type Flag struct {
	Code   string  `json:"code"`   // "client_limited"
	Level  string  `json:"level"`  // Warn or Invalid
	Figure float64 `json:"figure"` // what was measured
	Bound  float64 `json:"bound"`  // what it should have kept
	Unit   string  `json:"unit,omitempty"`
	Advice string  `json:"advice"` // what it means and what to do, one sentence
}

// MarshalJSON writes a trial. One that failed has an identity and a reason; its figures are zeros that nobody measured, and
// stay away. So do the requests of a trial that has no client: the two fields take the place of the trial's own, being less
// deep, and are nil.
func (t Trial) MarshalJSON() ([]byte, error) {
	type plain Trial // without this method
	switch {
	case t.Failed == "" && t.Mode == Primitive:
		return json.Marshal(struct {
			plain
			Requests      *uint64  `json:"requests,omitempty"`
			ThroughputRPS *float64 `json:"throughput_rps,omitempty"`
		}{plain: plain(t)})
	case t.Failed == "":
		return json.Marshal(plain(t))
	}
	return json.Marshal(struct {
		Schema string `json:"schema"`
		Run    string `json:"run"`
		Block  int    `json:"block"`
		Trial  int    `json:"trial"`
		Point
		Repeat      int    `json:"repeat,omitempty"`
		Seed        uint64 `json:"seed"`
		StartedUnix int64  `json:"started_unix_ns"`
		Failed      string `json:"failed"`
	}{t.Schema, t.Run, t.Block, t.Trial, t.Point, t.Repeat, t.Seed, t.StartedUnix, t.Failed})
}

// Valid reports whether a trial may enter medians and verdicts.
func (t *Trial) Valid() bool {
	if t.Failed != "" {
		return false
	}
	for _, f := range t.Flags {
		if f.Level == Invalid {
			return false
		}
	}
	return true
}

// A Host is the machine and its settings, as far as they can matter to a result.
type Host struct {
	Hostname    string            `json:"hostname"`
	OS          string            `json:"os"`
	Kernel      string            `json:"kernel"`
	Arch        string            `json:"arch"`
	CPU         string            `json:"cpu"`
	CPUs        int               `json:"cpus"`
	MemoryBytes uint64            `json:"memory_bytes"`
	Go          string            `json:"go"`
	ServerCPUs  string            `json:"server_cpus,omitempty"`
	ClientCPUs  string            `json:"client_cpus,omitempty"`
	Settings    map[string]string `json:"settings,omitempty"` // governor, somaxconn, nofile, mitigations, virtualisation ...
}

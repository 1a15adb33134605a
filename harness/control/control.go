// Package control is the wire between the harness and its children: JSON, one object a line, on the child's standard
// input and output.
//
// A child is this same binary, started as `lab child serve` or `lab child load`. Because the only channel is its standard
// streams, there is no control port to protect. A child whose standard input ends exits: no server outlives its harness.
// Standard error is the child's own; the harness keeps its last lines for the message when the child dies.
//
// The conversation, in order:
//
//	server:  > start{server}  < ready{address}  > sample*  < sample  > trace  < traced  > stop  < stopped
//	load:    > start{load}  < ready (all connected)  > go  < measuring  < measured  < result  > stop  < stopped
//	micro:   > start{micro}  < ready  > go  < measuring  < measured  < result  > stop  < stopped
//
// Either may answer error, after which it exits.
package control

import (
	"encoding/json"

	"turnlab/harness/record"
)

// Requests of the harness.
const (
	Start  = "start"
	Go     = "go"     // load: begin warm-up and the measured window
	Sample = "sample" // server: answer with a Usage
	Trace  = "trace"  // server: end the tracing that Start asked for, and answer with what was seen
	Stop   = "stop"
)

// Events of a child.
const (
	Ready     = "ready"
	Measuring = "measuring" // load: the window has begun
	Measured  = "measured"  // load: the window has ended; the connections are still there
	Result    = "result"
	Sampled   = "sample"
	Traced    = "traced"
	Stopped   = "stopped"
	Failed    = "error"
)

// Request is one line to a child.
type Request struct {
	Do     string  `json:"do"`
	Server *Server `json:"server,omitempty"` // with Start, to a server
	Load   *Load   `json:"load,omitempty"`   // with Start, to a generator
	Micro  *Micro  `json:"micro,omitempty"`  // with Start, to a micro child
	Memory bool    `json:"memory,omitempty"` // with Sample: memory too, which takes longer
	// StartNS, with Go, is when the load begins, on the machine's monotonic clock: several generators that are told the same
	// time open their windows together. 0 is at once.
	StartNS int64 `json:"start_ns,omitempty"`
}

// Event is one line from a child.
type Event struct {
	Is      string       `json:"is"`
	Address string       `json:"address,omitempty"` // Ready, of a server: where it listens
	Options any          `json:"options,omitempty"` // Ready, of a server: what it resolved: GOMAXPROCS and the like
	PIDs    []int        `json:"pids,omitempty"`    // Ready, of a server: the processes that serve
	Usage   *Usage       `json:"usage,omitempty"`   // Sampled, Measuring, Measured
	Result  *LoadResult  `json:"result,omitempty"`
	Micro   *MicroResult `json:"micro,omitempty"`
	// Trace, of Traced, is what was seen: a tracer.Raw. Only those who draw it need to know its form.
	Trace  json.RawMessage `json:"trace,omitempty"`
	Error  string          `json:"error,omitempty"`  // Failed
	Misuse bool            `json:"misuse,omitempty"` // Failed: the user's input is wrong (exit code 2), not the machine
}

// Server tells a server child what to serve.
type Server struct {
	Engine   string            `json:"engine"` // label: coop, coop/await
	Workload string            `json:"workload"`
	Network  string            `json:"network"` // tcp or unix
	Address  string            `json:"address"`
	Options  map[string]string `json:"options,omitempty"`  // of the engine, common ones included
	Settings map[string]string `json:"settings,omitempty"` // options of the workload
	Conns    int               `json:"conns,omitempty"`    // how many connections to expect
	Command  string            `json:"command,omitempty"`  // of an exec engine: how to start the foreign server
	// Upstreams are the servers that the workload's sessions call, NETWORK:ADDRESS each.
	Upstreams []string `json:"upstreams,omitempty"`
	// Trace is how to watch who runs when (see package tracer); empty is not at all. A traced server is never measured.
	Trace string `json:"trace,omitempty"`
}

// Load tells a generator child what load to make.
type Load struct {
	Workload  string            `json:"workload"`
	Settings  map[string]string `json:"settings,omitempty"`
	Network   string            `json:"network"`
	Address   string            `json:"address"`
	Conns     int               `json:"conns"`
	Depth     int               `json:"depth"`    // requests in flight per connection
	Threads   int               `json:"threads"`  // of each generator
	RateRPS   float64           `json:"rate_rps"` // over all connections; 0 is the closed loop
	Arrivals  string            `json:"arrivals"` // poisson or fixed
	Seed      uint64            `json:"seed"`
	WarmupNS  int64             `json:"warmup_ns"`
	WindowNS  int64             `json:"window_ns"`
	Settle    bool              `json:"settle,omitempty"` // the warm-up goes on until the load is steady
	Extend    string            `json:"extend,omitempty"` // the window goes on until this percentile has a finite interval
	TimeoutNS int64             `json:"timeout_ns"`       // of a connect and of a reply; also the longest drain
	// SpinNS is how long before a request is due its thread is awake already, at most. It needs a CPU for each thread.
	SpinNS int64 `json:"spin_ns,omitempty"`
	// Several generators may share a load: this one makes part Part, counted from 0, of Parts. Everything else describes the
	// whole; connections, rate and streams of arrivals are cut as among threads, so that two generators with a thread each
	// make the requests of one generator with two threads. 0 Parts are one.
	Part  int `json:"part,omitempty"`
	Parts int `json:"parts,omitempty"`
}

// LoadResult is what a generator measured. Every request whose intended time lies in the window is in exactly one of
// Requests, Errors and Unanswered; so are errors of connections that no request is to blame for (see package load).
type LoadResult struct {
	WarmupNS   int64                     `json:"warmup_ns"`          // as it really was
	WindowNS   int64                     `json:"window_ns"`          // likewise
	Steady     *bool                     `json:"steady,omitempty"`   // whether the load was steady when the window began, if asked
	Extended   int                       `json:"extended,omitempty"` // how often the window was made longer
	Due        uint64                    `json:"due"`                // requests whose intended time lies in the window
	Sent       uint64                    `json:"sent"`               // of those, written by the window's end
	Requests   uint64                    `json:"requests"`           // of those, answered rightly
	Errors     map[string]uint64         `json:"errors,omitempty"`
	FirstError string                    `json:"first_error,omitempty"`
	Waited     uint64                    `json:"waited,omitempty"` // open loop: sent late because no connection was free
	Unanswered uint64                    `json:"unanswered,omitempty"`
	Unrecorded uint64                    `json:"unrecorded,omitempty"` // latencies that no histogram could hold; must be 0
	Latency    map[string]record.Latency `json:"latency_ns"`
	Histograms map[string]string         `json:"histograms,omitempty"`
	Classes    map[string]record.Class   `json:"classes,omitempty"`
	Connects   uint64                    `json:"connects,omitempty"`
	Silent     *record.Silent            `json:"silent,omitempty"`
	Deliveries *record.Deliveries        `json:"deliveries,omitempty"`
	Fairness   float64                   `json:"fairness,omitempty"`
	Asking     int                       `json:"asking"` // connections that made requests
	Windows    []record.Window           `json:"windows,omitempty"`
	Intervals  []record.Interval         `json:"intervals,omitempty"`
	Arrivals   *Arrivals                 `json:"arrivals,omitempty"` // open loop with Poisson arrivals
	Usage      Usage                     `json:"usage"`              // the generator's own, over the window
}

// Arrivals is what shows whether requests left as a Poisson process (see package load): for sums of a number of gaps between
// sends, their places in the distribution that such sums have.
type Arrivals struct {
	Gaps   int       `json:"gaps"` // of a sum
	Places []float64 `json:"places"`
}

// Usage is what a process has used: totals since it began in a server's sample, differences over the window in a
// LoadResult.
type Usage struct {
	MonotonicNS int64              `json:"monotonic_ns"`      // CLOCK_MONOTONIC
	CPUNS       int64              `json:"cpu_ns"`            // CLOCK_PROCESS_CPUTIME_ID: ended threads included
	SpinNS      int64              `json:"spin_ns,omitempty"` // of that, a generator's that was awake and had nothing to do
	Voluntary   int64              `json:"voluntary"`
	Involuntary int64              `json:"involuntary"`
	Memory      map[string]uint64  `json:"memory_bytes,omitempty"`
	Counters    map[string]int64   `json:"counters,omitempty"` // the engine's own
	Runtime     map[string]float64 `json:"runtime,omitempty"`  // of Go's runtime/metrics: goroutines, threads, gc_cpu_seconds ...
}

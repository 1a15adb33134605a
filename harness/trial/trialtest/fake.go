// Package trialtest is a test double of the lab's children: a test binary that starts itself again plays the server and the
// generator, keeps to the control protocol, measures nothing, answers at once with figures that a test can compute with,
// and goes wrong where it is told to.
package trialtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/record"
)

// Fault is the environment variable that says what goes wrong: "ROLE STEP WHAT", as in "serve sample die". The roles are
// serve and load; the steps are the requests, "measured" and "result", and "later", a moment after a server's first sample;
// what: die, error, misuse, garbage, silent.
// Engine is another, that restricts the fault to trials of one engine; the fault never strikes when it names another one.
const (
	Fault  = "TRIALTEST_FAULT"
	Engine = "TRIALTEST_ENGINE"
	// Slow is a third: how long the window takes, as a duration.
	Slow = "TRIALTEST_SLOW"
)

// What the fake server's samples and the fake generator's result say: 1,000 requests per second in a window of 0.4 s, one
// fourth of a CPU used by the server and half of one by the generator.
const (
	RPS           = 1000
	WindowNS      = 400e6
	ServerUtil    = 0.25
	ClientUtil    = 0.5
	SwitchesPerRq = 2
)

// Main plays a child and does not return when the command line asks for one; in a test's TestMain it comes first. The race
// detector makes a process wait for a second before it exits, which hundreds of children need not do.
func Main() {
	if len(os.Args) != 3 || os.Args[1] != "child" {
		os.Setenv("GORACE", "atexit_sleep_ms=0")
		return
	}
	signal.Ignore(syscall.SIGPIPE)
	c := &child{role: os.Args[2]}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var r control.Request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			panic(err)
		}
		c.answer(r)
	}
	os.Exit(1)
}

type child struct {
	role   string
	engine string
	conns  int
	taken  int // samples
}

func (c *child) answer(r control.Request) {
	if r.Server != nil {
		c.engine = r.Server.Engine
	}
	c.fault(r.Do)
	switch {
	case r.Do == control.Stop:
		say(control.Event{Is: control.Stopped})
		os.Exit(0)
	case r.Do == control.Start && r.Load != nil:
		c.conns, c.engine = r.Load.Conns, r.Load.Address // the fake server's address is its engine
		say(control.Event{Is: control.Ready})
	case r.Do == control.Start:
		say(control.Event{Is: control.Ready, Address: c.engine})
	case r.Do == control.Sample:
		u := Usage(c.taken, r.Memory)
		c.taken++
		say(control.Event{Is: control.Sampled, Usage: &u})
		time.AfterFunc(50*time.Millisecond, func() { c.fault("later") })
	case r.Do == control.Go:
		c.window()
	}
}

func (c *child) window() {
	say(control.Event{Is: control.Measuring})
	if d, err := time.ParseDuration(os.Getenv(Slow)); err == nil {
		time.Sleep(d)
	}
	c.fault(control.Measured)
	say(control.Event{Is: control.Measured})
	c.fault(control.Result)
	say(control.Event{Is: control.Result, Result: Result(c.conns)})
}

// fault strikes when it is this role's and this step's turn.
func (c *child) fault(step string) {
	words := strings.Fields(os.Getenv(Fault))
	if only := os.Getenv(Engine); len(words) != 3 || words[0] != c.role || words[1] != step || only != "" && c.engine != only {
		return
	}
	switch words[2] {
	case "die":
		fmt.Fprintln(os.Stderr, "panic: the sky is falling")
		os.Exit(3)
	case "error":
		say(control.Event{Is: control.Failed, Error: "the epoll is empty"})
		os.Exit(1)
	case "misuse":
		say(control.Event{Is: control.Failed, Error: "use fewer connections", Misuse: true})
		os.Exit(2)
	case "garbage":
		fmt.Println("Segmentation fault")
	case "silent":
		time.Sleep(time.Minute)
	}
}

func say(e control.Event) {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// Usage is the fake server's sample number i: half a second, and half a second's usage, lie between two.
func Usage(i int, memory bool) control.Usage {
	t := int64(i) * 500e6
	u := control.Usage{
		MonotonicNS: 1e9 + t, CPUNS: 2e9 + int64(float64(t)*ServerUtil),
		Voluntary: 10 + t*RPS*SwitchesPerRq/1e9, Involuntary: 5,
		Counters: map[string]int64{"accepted": 64, "open": 64, "polls": 100 + int64(i)*2500},
		Runtime:  map[string]float64{"goroutines": 7, "gc_cycles": float64(i)},
	}
	if memory {
		u.Memory = map[string]uint64{"pss": 10 << 20, "rss": 12 << 20}
	}
	return u
}

// Result is the fake generator's: it obeys Little's law for any number of connections.
func Result(conns int) *control.LoadResult {
	mean := float64(conns) / RPS * 1e9
	l := record.Latency{P50: int64(mean), P90: int64(mean * 2), P99: int64(mean * 3), Max: int64(mean * 4), Mean: mean, Count: 400}
	r := &control.LoadResult{
		WindowNS: WindowNS, Due: 400, Sent: 400, Requests: 400,
		Latency: map[string]record.Latency{"service": l}, Histograms: map[string]string{"service": "SElTVA=="},
		Usage: control.Usage{
			MonotonicNS: WindowNS, CPUNS: ClientUtil * WindowNS, Voluntary: 40, Memory: map[string]uint64{"go_heap": 1 << 20},
		},
	}
	for i := range 6 {
		r.Windows = append(r.Windows, record.Window{
			AtMS: int64(i) * 100, Sent: RPS / 10, Received: RPS / 10, Measured: i >= 1 && i < 5,
		})
	}
	return r
}

package flags_test

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"turnlab/engine"
	foreign "turnlab/exec"
	"turnlab/harness/control"
	"turnlab/harness/flags"
	"turnlab/harness/load"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/server"
	"turnlab/harness/trial"
	"turnlab/workloads"
)

// faultVar is the environment variable that makes this test's binary a server with a fault.
const faultVar = "TURNLAB_TEST_FAULT"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(faultVar) != "" && len(os.Args) == 2:
		serve(os.Getenv(faultVar), os.Args[1])
	case len(os.Args) == 3 && os.Args[1] == "child" && os.Args[2] == "serve":
		os.Exit(server.Main(heard(os.Stdin), os.Stdout))
	case len(os.Args) == 3 && os.Args[1] == "child" && os.Args[2] == "load":
		os.Exit(load.Main(heard(os.Stdin), os.Stdout))
	}
	os.Exit(m.Run())
}

// A fault is a trial in which something goes wrong for real, and what its flag must say.
type fault struct {
	server      string // what is wrong with the server: see reply
	workload    string // echo, unless something else is said
	axes        string // NAME=VALUE, by blanks
	disturb     func(t *testing.T, p record.Point)
	level       string
	least, most float64                     // the figure lies between them
	also        func(t *record.Trial) error // what else must be so
}

// real is what can be made to go wrong. Where the figure follows from the fault, its bounds are close; where it depends on the
// machine, they say no more than is sure.
var real = map[string]fault{
	"bad_answers":    {server: "lies", level: record.Invalid, least: 0.0004, most: 0.004},
	"no_answers":     {server: "mute", level: record.Invalid},
	"unanswered":     {server: "swallows", axes: "conns=64 timeout=600ms", level: record.Warn, least: 1e-6, most: 0.004}, // those whose time is up before the end are errors
	"rate_missed":    {server: "slow", axes: "rate=2000 conns=1", level: record.Invalid, least: 0.02, most: 0.30},
	"overloaded":     {server: "slow", axes: "rate=2000 conns=64", level: record.Warn, least: 0.02, most: 0.30},
	"arrivals_wrong": {server: "freezes", axes: "rate=1000 conns=2 duration=1s", level: record.Warn, least: 6, most: 1e6},
	"slip_high":      {server: "freezes", axes: "rate=1000 conns=4 duration=900ms", level: record.Warn, least: 40e6, most: 90e6, also: frozenP99},
	"not_stationary": {server: "tires", axes: "conns=8 duration=1300ms", level: record.Warn, least: 0.2, most: 1},
	"no_steady":      {server: "sinks", axes: "conns=4 settle=on timeout=3s", level: record.Invalid, least: 10, most: 10},
	"client_limited": {server: "right", axes: "rate=400k conns=64 depth=16", level: record.Invalid, least: 0.8, most: 1.2},
	"foreign_cpu":    {server: "right", axes: "conns=1", disturb: burn, level: record.Invalid, least: 0.175, most: 1},
	"cpu_overlap":    {server: "right", axes: "server-cpus=0 client-cpus=0", level: record.Warn, least: 1, most: 1},
	"thin_tail":      {server: "right", axes: "rate=100", level: record.Warn, least: 10, most: 80},
	"deliveries_missing": {server: "forgets", workload: "broadcast", axes: "rate=1000 conns=5 depth=16 timeout=500ms", level: record.Warn,
		least: 0.07, most: 0.09}, // four of five do not hear one message of ten
	"generators_apart": {server: "right", axes: "generators=2 conns=4", disturb: late(control.Go), level: record.Warn,
		least: 100e6, most: 1e9}, // one hears late when to begin, and begins then
	"sample_late": {server: "right", disturb: late(control.Sample), level: record.Warn, least: float64(lateness), most: 1e9, also: leavesCountsOut},
}

// unreal is what a test cannot bring about, with the reason. These have their faults as changed records.
var unreal = map[string]string{
	"unrecorded":  "histograms hold all that a timeout lets pass",
	"client_gc":   "the generator's collector is off",
	"littles_law": "takes a clock that lies",
	"stolen_cpu":  "takes a hypervisor",
}

func TestEveryFlagIsMadeToHappenOrHasAReasonWhyNot(t *testing.T) {
	for _, rule := range flags.Rules {
		_, made := real[rule.Code]
		if why := unreal[rule.Code]; made == (why != "") {
			t.Errorf("%s: made to happen %v, reason why not %q", rule.Code, made, why)
		}
	}
	if n := len(real) + len(unreal); n != len(flags.Rules) {
		t.Errorf("%d faults for %d flags", n, len(flags.Rules))
	}
}

// frozenP99 holds the response p99 to what can be computed. Of every 300 requests at 1,000 a second the last 60 meet a freeze
// of 60 ms, each a millisecond later than the one before; the three that wait longest are the last hundredth.
func frozenP99(t *record.Trial) error {
	if p99 := t.LatencyNS["response"].P99; p99 < 50e6 || p99 > 90e6 {
		return fmt.Errorf("response p99 is %v, want 57ms or a little more", time.Duration(p99))
	}
	return nil
}

// leavesCountsOut: what a server counted at another time than the window's is not in the record.
func leavesCountsOut(t *record.Trial) error {
	if t.Switches != nil || t.CPU == nil || t.CPU.ServerUtil == 0 {
		return fmt.Errorf("switches %+v, CPU time %+v: want only what was read from outside", t.Switches, t.CPU)
	}
	return nil
}

// tries bounds the repetitions of a trial on a machine that does other things as well.
const tries = 4

// unhurried is the fault that needs the ten seconds of the longest warm-up and next to no CPU. It happens beside the others.
const unhurried = "no_steady"

func TestARealFaultRaisesItsFlag(t *testing.T) {
	needCPUs(t)
	slow := prepare(t, real[unhurried])
	var slowTrial *record.Trial
	var slowErr error
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { slowTrial, slowErr = slow() })
	for code, f := range real {
		if code != unhurried {
			t.Run(code, func(t *testing.T) { f.mustRaise(t, code, func() *record.Trial { return measure(t, f) }) })
		}
	}
	t.Run(unhurried, func(t *testing.T) {
		beside.Wait()
		if slowErr != nil {
			t.Fatal(slowErr)
		}
		real[unhurried].mustRaise(t, unhurried, func() *record.Trial { return slowTrial })
	})
}

// mustRaise makes trials until one raises the flag as it should, or there have been enough.
func (f fault) mustRaise(t *testing.T, code string, trial func() *record.Trial) {
	var last *record.Trial
	var err error
	for range tries {
		last = trial()
		if err = f.raises(code, last); err == nil {
			return
		}
	}
	if code != "foreign_cpu" && raised(last, "foreign_cpu") {
		t.Skipf("this machine is busy: %v; there are %+v, %d right, %v, %d unanswered", err, last.Flags, last.Requests, last.Errors, last.Unanswered)
	}
	t.Errorf("%v; there are %+v; failed %q", err, last.Flags, last.Failed)
}

// raises says what is wrong with the flag that a trial should have.
func (f fault) raises(code string, t *record.Trial) error {
	at := slices.IndexFunc(t.Flags, func(f record.Flag) bool { return f.Code == code })
	if at < 0 {
		return errors.New("not raised")
	}
	flag := t.Flags[at]
	if flag.Level != f.level || flag.Figure < f.least || flag.Figure > f.most {
		return fmt.Errorf("raised as %s %v, want %s from %v to %v", flag.Level, flag.Figure, f.level, f.least, f.most)
	}
	if f.also != nil {
		return f.also(t)
	}
	return nil
}

func raised(t *record.Trial, code string) bool {
	return slices.ContainsFunc(t.Flags, func(f record.Flag) bool { return f.Code == code })
}

func TestATrialThatGoesRightRaisesNoFlag(t *testing.T) {
	needCPUs(t)
	for _, axes := range []string{"conns=1", "rate=1000 conns=16"} {
		t.Run(axes, func(t *testing.T) {
			var last *record.Trial
			for range tries {
				if last = measure(t, fault{server: "right", axes: axes}); ours(last) == 0 && last.Failed == "" {
					return
				}
			}
			if m := last.Machine; m != nil && m.ForeignUtil+m.StealUtil > quiet {
				t.Skipf("others used %.2g CPUs: whether their doubt or ours was raised, nobody can tell", m.ForeignUtil+m.StealUtil)
			}
			t.Errorf("%+v; failed %q", last.Flags, last.Failed)
		})
	}
}

// quiet is what others may use of the trial's CPUs while a clean trial must be clean. A generator that waits for a neighbour
// between a reply and the next request loses a hundredth of a connection's time with a hundredth of a CPU.
const quiet = 0.02

// ours counts the flags that are not for what else runs on the machine of the test.
func ours(t *record.Trial) int {
	return len(slices.DeleteFunc(slices.Clone(t.Flags), func(f record.Flag) bool {
		return slices.Contains([]string{"foreign_cpu", "stolen_cpu", "slip_high", "not_stationary"}, f.Code)
	}))
}

func needCPUs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes real trials")
	}
	if !proc.Allowed().Has(0) || !proc.Allowed().Has(1) {
		t.Skip("takes CPUs 0 and 1")
	}
}

// measure carries out a trial of a server with a fault.
func measure(t *testing.T, f fault) *record.Trial {
	t.Helper()
	got, err := prepare(t, f)()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// prepare makes all ready for a trial, and returns what carries it out, on whatever goroutine.
func prepare(t *testing.T, f fault) func() (*record.Trial, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := foreign.NewSpec("faulty", fmt.Sprintf("env %s=%s '%s' {addr}", faultVar, f.server, self))
	if err != nil {
		t.Fatal(err)
	}
	workload, err := workloads.Find(cmp.Or(f.workload, "echo"))
	if err != nil {
		t.Fatal(err)
	}
	catalog := plan.Catalog{Engines: []*engine.Spec{spec}, Workloads: []*workloads.Workload{workload}}
	axes := map[string]string{
		"warmup": "50ms", "duration": "400ms", "timeout": "150ms", "conns": "16", "threads": "1",
	}
	for _, word := range strings.Fields(f.axes) {
		name, value, _ := strings.Cut(word, "=")
		axes[name] = value
	}
	s := plan.Sweep{Engines: []string{spec.Label()}, Workloads: []string{workload.Name}, Blocks: 1, Seed: 5, ServerCPUs: "0", ClientCPUs: "1"}
	for name, value := range axes {
		switch name {
		case "server-cpus":
			s.ServerCPUs = value
		case "client-cpus":
			s.ClientCPUs = value
		default:
			s.Axes = append(s.Axes, plan.Axis{Name: name, Values: value})
		}
	}
	p, err := s.Resolve(catalog, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	job := p.Jobs()[0]
	if f.disturb != nil {
		f.disturb(t, job.Point)
	}
	l := &trial.Lab{Run: "faults", Catalog: catalog}
	return func() (*record.Trial, error) { return l.Measure(t.Context(), job) }
}

// lateVar is the environment variable that names the request that children of the harness hear late, by lateness.
const (
	lateVar  = "TURNLAB_TEST_LATE"
	lateness = 150 * time.Millisecond
)

// late makes children hear a request late until the test ends, as they do where more wants to run than can.
func late(request string) func(*testing.T, record.Point) {
	return func(t *testing.T, _ record.Point) { t.Setenv(lateVar, request) }
}

// heard is a child's control stream, on which the request that lateVar names is late: when a load begins for all generators
// but the first, and samples for a server, except those of memory, which are outside the window.
func heard(in io.Reader) io.Reader {
	what := os.Getenv(lateVar)
	if what == "" {
		return in
	}
	r, w := io.Pipe()
	go func() {
		from, to, part := json.NewDecoder(in), json.NewEncoder(w), 0
		for {
			var q control.Request
			if err := from.Decode(&q); err != nil {
				_ = w.CloseWithError(err)
				return
			}
			if q.Load != nil {
				part = q.Load.Part
			}
			if q.Do == what && !q.Memory && (q.Do != control.Go || part > 0) {
				time.Sleep(lateness)
			}
			_ = to.Encode(q) // a child that reads no more has ended
		}
	}()
	return r
}

// burn keeps the server's CPU busy with something else until the test ends.
func burn(t *testing.T, p record.Point) {
	t.Helper()
	cpus, err := proc.ParseCPUs(p.Text("server-cpus"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	if err := proc.Start(cmd, cpus); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// serve is a server with something wrong, until it is killed: of echo, or of broadcast if it forgets.
func serve(wrong, address string) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		panic(err)
	}
	s := &faulty{wrong: wrong, began: time.Now()}
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		if wrong == "forgets" {
			go s.room.join(c)
		} else {
			go s.echo(c)
		}
	}
}

type faulty struct {
	wrong   string
	began   time.Time
	one     sync.Mutex // what only one connection at a time may do
	replies atomic.Int64
	room    room
}

func (s *faulty) echo(c net.Conn) {
	defer c.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if s.reply(buffer[:n]) {
			if _, err := c.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
}

// reply does what is wrong with the server, and says whether to send the bytes back.
func (s *faulty) reply(b []byte) bool {
	n := s.replies.Add(1)
	switch s.wrong {
	case "lies": // in one byte of a thousand replies
		if n%1000 == 0 {
			b[0] ^= 1
		}
	case "mute":
		return false
	case "swallows": // one reply of a thousand, after the warm-up
		return n%1000 != 0
	case "slow": // 500 replies a second
		s.one.Lock()
		defer s.one.Unlock()
		time.Sleep(2 * time.Millisecond)
	case "freezes": // every 300 replies, for 60 ms
		s.one.Lock()
		defer s.one.Unlock()
		if n%300 == 0 {
			time.Sleep(60 * time.Millisecond)
		}
	case "tires": // 1 ms more every 100 ms
		time.Sleep(time.Millisecond + time.Since(s.began)/100)
	case "sinks": // 10 ms more every 100 ms, which no noise hides
		time.Sleep(time.Since(s.began) / 10)
	}
	return true
}

// A room hands every message to all who have joined it. One message of ten only its sender gets back.
type room struct {
	mu       sync.Mutex
	members  []net.Conn
	messages int
}

func (r *room) join(c net.Conn) {
	r.mu.Lock()
	r.members = append(r.members, c)
	r.mu.Unlock()
	in := bufio.NewReader(c)
	for {
		head, err := in.Peek(workloads.FrameHeader)
		if err != nil {
			return
		}
		message := make([]byte, workloads.FrameHeader+binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(in, message); err != nil {
			return
		}
		r.tell(c, message)
	}
}

func (r *room) tell(from net.Conn, message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages++
	for _, c := range r.members {
		if c == from || r.messages%10 != 0 {
			_, _ = c.Write(message) // who has left hears nothing
		}
	}
}

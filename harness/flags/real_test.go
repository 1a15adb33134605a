package flags_test

import (
	"fmt"
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
		os.Exit(server.Main(os.Stdin, os.Stdout))
	case len(os.Args) == 3 && os.Args[1] == "child" && os.Args[2] == "load":
		os.Exit(load.Main(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// A fault is a trial in which something goes wrong for real.
type fault struct {
	server  string // what is wrong with the server: see reply
	axes    string // NAME=VALUE, by blanks
	disturb func(t *testing.T, p record.Point)
}

// real is what can be made to go wrong.
var real = map[string]fault{
	"bad_answers":    {server: "lies"},
	"no_answers":     {server: "mute"},
	"unanswered":     {server: "swallows"},
	"rate_missed":    {server: "slow", axes: "rate=2000 conns=1"},
	"overloaded":     {server: "slow", axes: "rate=2000 conns=64"},
	"arrivals_wrong": {server: "freezes", axes: "rate=1000 conns=2 duration=1s"},
	"slip_high":      {server: "freezes", axes: "rate=1000 conns=4"},
	"not_stationary": {server: "tires", axes: "conns=8 duration=1300ms"},
	"client_limited": {server: "right", axes: "rate=400k conns=64 depth=16"},
	"foreign_cpu":    {server: "right", axes: "conns=1", disturb: burn},
	"cpu_overlap":    {server: "right", axes: "server-cpus=0 client-cpus=0"},
	"thin_tail":      {server: "right", axes: "rate=100"},
}

// unreal is what a test cannot bring about, with the reason. These have their faults as changed records.
var unreal = map[string]string{
	"unrecorded":         "histograms hold all that a timeout lets pass",
	"client_gc":          "the generator's collector is off",
	"generators_apart":   "takes a machine that stops one generator at the edge of a window",
	"littles_law":        "takes a clock that lies",
	"no_steady":          "takes the ten seconds of the longest warm-up",
	"sample_late":        "takes a server of a thousand busy threads",
	"stolen_cpu":         "takes a hypervisor",
	"deliveries_missing": "takes queues that overflow: the conformance of engines has it",
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

// tries bounds the repetitions of a trial on a machine that does other things as well.
const tries = 4

func TestARealFaultRaisesItsFlag(t *testing.T) {
	needCPUs(t)
	for code, f := range real {
		t.Run(code, func(t *testing.T) {
			var last *record.Trial
			for range tries {
				if last = measure(t, f); raised(last, code) {
					return
				}
			}
			if raised(last, "foreign_cpu") {
				t.Skip("this machine is busy")
			}
			t.Errorf("not raised; there are %+v; failed %q", last.Flags, last.Failed)
		})
	}
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
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := foreign.NewSpec("faulty", fmt.Sprintf("env %s=%s '%s' {addr}", faultVar, f.server, self))
	if err != nil {
		t.Fatal(err)
	}
	echo, err := workloads.Find("echo")
	if err != nil {
		t.Fatal(err)
	}
	catalog := plan.Catalog{Engines: []*engine.Spec{spec}, Workloads: []*workloads.Workload{echo}}
	axes := map[string]string{
		"warmup": "50ms", "duration": "400ms", "timeout": "150ms", "conns": "16", "threads": "1",
	}
	for _, word := range strings.Fields(f.axes) {
		name, value, _ := strings.Cut(word, "=")
		axes[name] = value
	}
	s := plan.Sweep{Engines: []string{spec.Label()}, Workloads: []string{"echo"}, Blocks: 1, Seed: 5, ServerCPUs: "0", ClientCPUs: "1"}
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
	got, err := l.Measure(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	return got
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

// serve is an echo server with something wrong, until it is killed.
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
		go s.echo(c)
	}
}

type faulty struct {
	wrong   string
	began   time.Time
	one     sync.Mutex // what only one connection at a time may do
	replies atomic.Int64
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
	}
	return true
}

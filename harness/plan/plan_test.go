package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"turnlab/engine"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// toys is a catalog that the tests own, so that a new engine does not change what they say.
var toys = Catalog{
	Engines: []*engine.Spec{
		{Name: "coop", Options: option.Set{
			{Name: "yield", Kind: option.Duration, Default: "0s"},
			{Name: "offload", Kind: option.Choice, Default: "off", Choices: []string{"off", "on"}},
		}},
		{Name: "coop", Variant: "await", Options: option.Set{{Name: "yield", Kind: option.Duration, Default: "0s"}}},
		{Name: "preempt", Defaults: map[string]string{"gogc": "50"}},
		{Name: "loop", Serves: func(w *workloads.Workload) error {
			if w.Uses(workloads.Sleep) {
				return errors.New("a bare loop cannot wait")
			}
			return nil
		}},
	},
	Workloads: []*workloads.Workload{
		{Name: "echo", Options: option.Set{{Name: "payload", Kind: option.Size, Default: "64", Min: 1, Max: 1 << 20}}},
		{Name: "http", Options: option.Set{
			{Name: "payload", Kind: option.Size, Default: "13", Min: 1, Max: 1 << 20},
			{Name: "path", Kind: option.Text, Default: "/"},
		}},
		{Name: "sleep", Ops: []workloads.Kind{workloads.Sleep}, Options: option.Set{
			{Name: "delay", Kind: option.Duration, Default: "1ms"},
		}},
	},
}

func cpus(text string) proc.CPUSet {
	set, err := proc.ParseCPUs(text)
	if err != nil {
		panic(err)
	}
	return set
}

// small is a valid sweep that a test then changes.
func small(axes ...Axis) Sweep {
	return Sweep{Engines: []string{"coop", "preempt"}, Workloads: []string{"echo"}, Axes: axes, Blocks: 2, Seed: 1}
}

func resolve(t *testing.T, s Sweep) *Plan {
	t.Helper()
	p, err := s.Resolve(toys, cpus("0-1"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// column returns a parameter of every point of an engine, in order.
func column(p *Plan, label, name string) string {
	var out []string
	for _, point := range p.Points {
		if point.Label() == label {
			out = append(out, point.Text(name))
		}
	}
	return strings.Join(out, " ")
}

func TestPlanIsAsWritten(t *testing.T) {
	p := resolve(t, Sweep{
		Engines: []string{"coop", "preempt", "loop"}, Workloads: []string{"http", "sleep"},
		Axes: []Axis{
			{"conns", "1..64*8"}, {"payload", "1k"}, {"coop.yield", "0,100us"}, {"rate", "0,10k"}, {"engine.gogc", "200"},
		},
		Blocks: 3, Seed: 7,
	})
	var out bytes.Buffer
	if err := p.Print(&out); err != nil {
		t.Fatal(err)
	}
	first, _ := json.MarshalIndent(p.Points[0], "", "  ")
	fmt.Fprintf(&out, "\nthe first point: %s\n\nthe orders: %v\n", first, p.Order)
	const golden = "testdata/plan.golden"
	if *update {
		os.MkdirAll("testdata", 0o755)
		os.WriteFile(golden, out.Bytes(), 0o644)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAnAxisMultipliesOnlyWhatItAppliesTo(t *testing.T) {
	p := resolve(t, small(Axis{"coop.yield", "0,100us"}, Axis{"conns", "1,2"}))
	if got := column(p, "coop", "coop.yield"); got != "0s 0s 100µs 100µs" {
		t.Errorf("coop has %s", got)
	}
	if got := column(p, "preempt", "conns"); got != "1 2" {
		t.Errorf("preempt has %s", got)
	}
	if _, ok := p.Points[len(p.Points)-1].Params["coop.yield"]; ok {
		t.Error("preempt has an option of coop")
	}
}

func TestTheNamesOfAnAxisReachTheirOptions(t *testing.T) {
	for _, test := range []struct{ axis, label, param, want string }{
		{"coop.yield", "coop/await", "coop.yield", "1ms"},
		{"coop/await.yield", "coop/await", "coop.yield", "1ms"},
		{"coop/await.yield", "coop", "coop.yield", "0s"},
		{"engine.yield", "coop", "coop.yield", "1ms"},
		{"engine.procs", "preempt", "preempt.procs", "1"},
		{"echo.payload", "preempt", "echo.payload", "1"},
		{"payload", "preempt", "echo.payload", "1"},
		{"depth", "preempt", "depth", "1"},
	} {
		s := small(Axis{test.axis, "1"})
		if strings.HasSuffix(test.axis, "yield") {
			s.Axes[0].Values = "1ms"
		}
		s.Engines = []string{"coop", "coop/await", "preempt"}
		if got := column(resolve(t, s), test.label, test.param); got != test.want {
			t.Errorf("%s: %s of %s is %q, want %q", test.axis, test.param, test.label, got, test.want)
		}
	}
}

func TestEveryPointCarriesEveryParameter(t *testing.T) {
	p := resolve(t, small(Axis{"rate", "1k"}))
	want := map[string]any{
		"conns": 64.0, "rate": 1000.0, "arrivals": "poisson", "depth": 1.0, "transport": "tcp", "threads": 1.0,
		"duration": "3s", "warmup": "1s", "timeout": "5s", "settle": "off", "extend": "off", "server-cpus": "0", "client-cpus": "1", "generators": 1.0, "spin": "50µs",
		"preempt.procs": 0.0, "preempt.gogc": 50.0, "preempt.memlimit": 0.0, "preempt.gc-every": "0s", "echo.payload": 64.0,
	}
	if diff := cmp.Diff(want, p.Points[1].Params); diff != "" {
		t.Error(diff)
	}
}

func TestTheClosedLoopHasNoArrivals(t *testing.T) {
	p := resolve(t, small(Axis{"arrivals", "poisson,fixed"}, Axis{"rate", "0,100"}))
	if got := column(p, "coop", "rate") + " " + column(p, "coop", "arrivals"); got != "0 100 100  poisson fixed" {
		t.Errorf("got %q", got)
	}
	if p.Points[0].Mode != record.Closed || p.Points[1].Mode != record.Open {
		t.Errorf("modes: %s, %s", p.Points[0].Mode, p.Points[1].Mode)
	}
}

func TestAnEngineThatCannotServeIsLeftOutWithANote(t *testing.T) {
	s := small()
	s.Engines, s.Workloads = []string{"loop", "coop"}, []string{"sleep", "echo"}
	p := resolve(t, s)
	if len(p.Points) != 3 || len(p.Notes) != 1 || p.Notes[0] != "loop does not run sleep: a bare loop cannot wait" {
		t.Errorf("%d points, notes %q", len(p.Points), p.Notes)
	}
}

func TestMistakesAreTheUsersToMendAndSayWhatThereIs(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Sweep)
		want   string
	}{
		{"no engine", func(s *Sweep) { s.Engines = nil }, "name one or more of coop, coop/await, preempt, loop"},
		{"no workload", func(s *Sweep) { s.Workloads = nil }, "name one or more of echo, http, sleep"},
		{"unknown engine", func(s *Sweep) { s.Engines = []string{"coup"} }, `no engine "coup"; there are: coop, coop/await`},
		{"unknown variant", func(s *Sweep) { s.Engines = []string{"coop/x"} }, `no engine "coop/x"`},
		{"unknown workload", func(s *Sweep) { s.Workloads = []string{"ftp"} }, `no workload "ftp"; there are: echo`},
		{"engine twice", func(s *Sweep) { s.Engines = []string{"coop", "coop"} }, "coop is given twice"},
		{"no blocks", func(s *Sweep) { s.Blocks = 0 }, "0 blocks"},
		{"too many blocks", func(s *Sweep) { s.Blocks = 1001 }, "1001 blocks"},
		{"unknown axis", func(s *Sweep) { s.Axes[0].Name = "con" }, `no axis "con"; there are: conns, rate, arrivals`},
		{"a workload's option named", func(s *Sweep) { s.Axes[0].Name = "path" }, "the options of echo: payload"},
		{"unknown option of an engine", func(s *Sweep) { s.Axes[0].Name = "coop.yeild" }, `coop has no option "yeild"; it has: gc-every, gogc, memlimit, offload, procs, yield`},
		{"unknown option of a workload", func(s *Sweep) { s.Axes[0].Name = "echo.path" }, `echo has no option "path"; it has: payload`},
		{"unknown option of all engines", func(s *Sweep) { s.Axes[0].Name = "engine.x" }, `no engine of the sweep has an option "x"`},
		{"engine not in the sweep", func(s *Sweep) { s.Axes[0].Name = "loop.procs" }, "loop is not in the sweep; there are: coop, preempt, echo"},
		{"axis twice", func(s *Sweep) { s.Axes = append(s.Axes, s.Axes[0]) }, "conns is given twice"},
		{"axis twice by two names", func(s *Sweep) {
			s.Axes = []Axis{{"payload", "1"}, {"echo.payload", "2"}}
		}, "echo.payload is given twice, by payload and by echo.payload"},
		{"value twice", func(s *Sweep) { s.Axes[0].Values = "4,1..4*2" }, "conns: 4 is given twice"},
		{"bad range", func(s *Sweep) { s.Axes[0].Values = "64..1*2" }, "never reaches its end"},
		{"no step", func(s *Sweep) { s.Axes[0].Values = "1..4" }, "has no step"},
		{"no connections", func(s *Sweep) { s.Axes[0].Values = "0" }, "conns: 0 is out of bounds"},
		{"negative", func(s *Sweep) { s.Axes[0].Values = "-3" }, "conns: -3 is out of bounds"},
		{"not a number", func(s *Sweep) { s.Axes[0].Values = "many" }, `"many" is not a whole number`},
		{"empty", func(s *Sweep) { s.Axes[0].Values = "" }, "conns: empty value"},
		{"negative rate", func(s *Sweep) { s.Axes[0] = Axis{"rate", "-1"} }, "rate: -1"},
		{"no window", func(s *Sweep) { s.Axes[0] = Axis{"duration", "0"} }, "duration: 0"},
		{"transport", func(s *Sweep) { s.Axes[0] = Axis{"transport", "udp"} }, `"udp" is not one of tcp, unix`},
		{"CPUs", func(s *Sweep) { s.ServerCPUs = "7" }, "7 is not on this machine or not ours to use; we have 0-1"},
		{"CPU list", func(s *Sweep) { s.ClientCPUs = "x" }, "not a list of CPUs"},
		{"too much in flight", func(s *Sweep) { s.Axes = []Axis{{"conns", "100k"}, {"depth", "64"}} }, "100000 connections x depth 64: at most 4194304"},
		{"nothing left", func(s *Sweep) { s.Engines, s.Workloads = []string{"loop"}, []string{"sleep"} }, "nothing to measure: loop does not run sleep"},
		{"too many points", func(s *Sweep) { s.Axes = []Axis{{"conns", "1..200+1"}, {"depth", "1..100+1"}} }, "more than 10000 points"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := small(Axis{"conns", "1"})
			test.change(&s)
			_, err := s.Resolve(toys, cpus("0-1"))
			if !misuse.Is(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want %q", err, test.want)
			}
		})
	}
}

func TestServerAndGeneratorGetTheirOwnCPUs(t *testing.T) {
	for _, test := range []struct{ allowed, server, client, wantServer, wantClient string }{
		{"0", "", "", "0", "0"},
		{"0-1", "", "", "0", "1"},
		{"2,4,6", "", "", "2", "4,6"},
		{"0-7", "", "", "0-3", "4-7"},
		{"0-7", "0", "", "0", "1-7"},
		{"0-7", "", "0-5", "6-7", "0-5"},
		{"0-1", "0-1", "", "0-1", "0-1"},
		{"0-3", "1", "1-2", "1", "1-2"},
	} {
		s := small()
		s.ServerCPUs, s.ClientCPUs = test.server, test.client
		p, err := s.Resolve(toys, cpus(test.allowed))
		if err != nil || p.ServerCPUs.String() != test.wantServer || p.ClientCPUs.String() != test.wantClient {
			t.Errorf("%+v: got %s and %s, %v", test, p.ServerCPUs, p.ClientCPUs, err)
		}
	}
}

func TestTheGeneratorHasAThreadPerCPU(t *testing.T) {
	s := small(Axis{"threads", "0,3"})
	p, err := s.Resolve(toys, cpus("0-7"))
	if err != nil {
		t.Fatal(err)
	}
	if got := column(p, "coop", "threads"); got != "4 3" {
		t.Errorf("got %s", got)
	}
}

func TestEachBlockHoldsEveryPointOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points, blocks := rapid.IntRange(1, 50).Draw(t, "points"), rapid.IntRange(1, 10).Draw(t, "blocks")
		seed := rapid.Uint64().Draw(t, "seed")
		order := shuffled(points, blocks, seed)
		if len(order) != blocks {
			t.Fatalf("%d blocks", len(order))
		}
		for _, o := range order {
			for want, i := range slices.Sorted(slices.Values(o)) {
				if i != want || len(o) != points {
					t.Fatalf("block %v", o)
				}
			}
		}
		if more := shuffled(points, blocks+1, seed); !slices.EqualFunc(order, more[:blocks], slices.Equal) {
			t.Fatal("a further block changed the earlier ones")
		}
	})
}

// shuffled returns the order of a plan of so many points.
func shuffled(points, blocks int, seed uint64) [][]int {
	p := &Plan{Points: make([]record.Point, points), Seed: seed}
	p.shuffle(blocks)
	return p.Order
}

func TestTheOrderDependsOnTheSeedAndTheBlock(t *testing.T) {
	a, b := shuffled(20, 2, 1), shuffled(20, 2, 2)
	if slices.Equal(a[0], a[1]) || slices.Equal(a[0], b[0]) {
		t.Error("orders repeat")
	}
}

func TestEnginesOfABlockGetTheSameSeedAndNothingElseDoes(t *testing.T) {
	s := small(Axis{"conns", "1,2"}, Axis{"coop.yield", "0,1ms"})
	s.Engines, s.Blocks = []string{"coop", "coop/await", "preempt"}, 3
	p := resolve(t, s)
	loads := map[string]uint64{}
	seeds := map[uint64]string{}
	for _, j := range p.Jobs() {
		load := fmt.Sprintf("block %d conns %s", j.Block, j.Point.Text("conns"))
		if seed, ok := loads[load]; ok && seed != j.Seed {
			t.Errorf("%s of %s has another seed", load, j.Point.Label())
		}
		if other, ok := seeds[j.Seed]; ok && other != load {
			t.Errorf("%s and %s share a seed", load, other)
		}
		loads[load], seeds[j.Seed] = j.Seed, load
	}
	if len(loads) != 6 {
		t.Errorf("%d loads", len(loads))
	}
}

func TestJobsAreNumberedInTheirOrder(t *testing.T) {
	p := resolve(t, small(Axis{"conns", "1,2,3"}))
	for i, j := range p.Jobs() {
		want := p.Points[p.Order[i/6][i%6]]
		if j.Trial != i || j.Block != i/6 || !cmp.Equal(j.Point, want) {
			t.Errorf("job %d is %+v", i, j)
		}
	}
}

func TestTheEstimateIsTheSumOfTheTrials(t *testing.T) {
	p := resolve(t, small(Axis{"duration", "2s"}, Axis{"warmup", "500ms"}))
	if got, want := Estimate(p.Jobs()), 4*(2500*time.Millisecond+CoolDown(p.Points[0])+overhead+64*overheadPerConn); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAPlanSurvivesItsRecord(t *testing.T) {
	p := resolve(t, small(Axis{"conns", "1,2"}, Axis{"rate", "0,5k"}))
	text, err := json.Marshal(record.Run{Plan: p.Points, Order: p.Order, Seed: p.Seed})
	if err != nil {
		t.Fatal(err)
	}
	var run record.Run
	if err := json.Unmarshal(text, &run); err != nil {
		t.Fatal(err)
	}
	again, err := Continue(&run, toys)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Jobs(), again.Jobs()); diff != "" {
		t.Error(diff)
	}
	if again.ServerCPUs != p.ServerCPUs || again.ClientCPUs != p.ClientCPUs {
		t.Errorf("CPUs %s and %s", again.ServerCPUs, again.ClientCPUs)
	}
}

func TestADamagedRunIsNotContinued(t *testing.T) {
	p := resolve(t, small())
	for name, run := range map[string]record.Run{
		"a point twice":     {Plan: p.Points, Order: [][]int{{0, 0}}},
		"a point missing":   {Plan: p.Points, Order: [][]int{{1}}},
		"no points":         {},
		"an engine is gone": {Plan: []record.Point{{Engine: "gone", Workload: "echo"}}},
	} {
		if _, err := Continue(&run, toys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

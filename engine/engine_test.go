package engine

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

func resolve(t *testing.T, s *Spec, given map[string]string) Config {
	t.Helper()
	v, err := s.AllOptions().Resolve(given)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Options: v, Conns: 10, CPUs: 3}
}

func TestASpecsDefaultsReplaceTheCommonOnes(t *testing.T) {
	s := &Spec{Name: "x", Variant: "y", Defaults: map[string]string{"gogc": "-1"},
		Options: option.Set{{Name: "own", Kind: option.Int, Default: "7"}}}
	c := resolve(t, s, nil)
	if c.Options.Int("gogc") != -1 || c.Options.Int("memlimit") != 0 || c.Options.Int("own") != 7 {
		t.Errorf("options %v", c.Options.Texts())
	}
	if Common[1].Default != "100" {
		t.Error("the common default was changed for everybody")
	}
	if s.Label() != "x/y" || (&Spec{Name: "x"}).Label() != "x" {
		t.Error("labels")
	}
}

func TestGOMAXPROCSIsWhatTheUserSaysOrTheEnginesRule(t *testing.T) {
	plain, ruled := &Spec{}, &Spec{Procs: func(c Config) int { return c.Conns + 2 }}
	for _, c := range []struct {
		spec  *Spec
		procs string
		want  int
	}{{plain, "0", 3}, {plain, "5", 5}, {ruled, "0", 12}, {ruled, "5", 5}} {
		if got := c.spec.GOMAXPROCS(resolve(t, c.spec, map[string]string{"procs": c.procs})); got != c.want {
			t.Errorf("procs=%s gives %d, want %d", c.procs, got, c.want)
		}
	}
	if n := plain.GOMAXPROCS(Config{Options: resolve(t, plain, nil).Options}); n != 1 {
		t.Errorf("without CPUs it is %d", n)
	}
}

func TestSetUpTellsTheRuntimeWhatItReports(t *testing.T) {
	procs, percent, limit := runtime.GOMAXPROCS(0), debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}()
	s := &Spec{}
	set := s.SetUp(resolve(t, s, map[string]string{"procs": "5", "gogc": "50", "memlimit": "1g", "gc-every": "1h"}))
	if want := (Setup{GOMAXPROCS: 5, GOGC: 50, MemLimitBytes: 1 << 30, GCEveryNS: time.Hour.Nanoseconds()}); set != want {
		t.Errorf("reported %+v", set)
	}
	if runtime.GOMAXPROCS(0) != 5 || debug.SetGCPercent(100) != 50 || debug.SetMemoryLimit(-1) != 1<<30 {
		t.Error("the runtime was told something else")
	}
	s.SetUp(resolve(t, s, nil))
	if debug.SetMemoryLimit(-1) < 1<<60 {
		t.Error("memlimit 0 is a limit")
	}
}

func TestGarbageIsCollectedAsOftenAsAsked(t *testing.T) {
	var before, now debug.GCStats
	debug.ReadGCStats(&before)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		collect(time.Millisecond, done)
	}()
	for deadline := time.Now().Add(10 * time.Second); now.NumGC < before.NumGC+3; debug.ReadGCStats(&now) {
		if time.Now().After(deadline) {
			t.Fatalf("%d collections in 10 s", now.NumGC-before.NumGC)
		}
		time.Sleep(time.Millisecond)
	}
	close(done)
	<-ended
}

func TestEnginesShareUnlessTheySayNot(t *testing.T) {
	alone := &Spec{Shared: func(Config) bool { return false }}
	if !(&Spec{}).IsShared(Config{}) || alone.IsShared(Config{}) {
		t.Error("sharing is not what the spec says")
	}
}

func TestAnEngineServesEverythingUnlessItSaysNot(t *testing.T) {
	no := errors.New("no")
	picky := &Spec{Serves: func(*workloads.Workload) error { return no }}
	some := &Spec{Serves: Only("x", workloads.Burn)}
	sleeps := &workloads.Workload{Name: "dozy", Ops: []workloads.Kind{workloads.Burn, workloads.Sleep}}
	if err := some.CanServe(sleeps); !misuse.Is(err) || !strings.Contains(err.Error(), "engine x has no op sleep, which workload dozy needs") {
		t.Errorf("got %v", err)
	}
	if sleeps.Ops = sleeps.Ops[:1]; some.CanServe(sleeps) != nil {
		t.Error("an op that it has is refused")
	}
	if (&Spec{}).CanServe(workloads.Echo) != nil || picky.CanServe(workloads.Echo) != no {
		t.Error("what is served is not what the spec says")
	}
}

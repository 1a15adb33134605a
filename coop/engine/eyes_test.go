package engine

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"turnlab/engine"
	"turnlab/workloads"
)

// hogs sends back what it gets, after it has computed without yielding.
func hogs(d time.Duration) script {
	return func(x *workloads.Exchange) workloads.Op {
		if len(x.In) > 0 {
			for end := time.Now().Add(d); time.Now().Before(end); {
			}
		}
		return echoScript(x)
	}
}

// exchange serves s, makes n requests on one connection, stops, and returns what was counted and printed.
func exchange(t *testing.T, s script, settings map[string]string, n int) (map[string]int64, string) {
	t.Helper()
	e := newEngine(t, settings)
	var printed bytes.Buffer
	e.complaints.to = &printed
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.Serve(l, s) }()
	c, err := net.Dial("tcp", l.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range n {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	e.Stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return e.Counters(), printed.String()
}

func TestTheWatchdogCountsAndPrintsTheStallsOfSessions(t *testing.T) {
	counters, printed := exchange(t, hogs(30*time.Millisecond), map[string]string{"watchdog": "10ms"}, 2)
	if counters["stalls"] < 2 || !strings.Contains(printed, "coop: stall: task") || !strings.Contains(printed, "hogs") {
		t.Errorf("%d stalls; printed: %s", counters["stalls"], printed)
	}
}

func TestTheWatchdogIsSilentAboutSessionsThatCooperate(t *testing.T) {
	counters, printed := exchange(t, echoScript, map[string]string{"watchdog": "10s"}, 300)
	if n, measured := counters["stalls"]; !measured || n != 0 || printed != "" {
		t.Errorf("%d stalls, %v; printed: %s", n, measured, printed)
	}
}

func TestWithoutTheWatchdogNobodyCountsStalls(t *testing.T) {
	counters, printed := exchange(t, hogs(30*time.Millisecond), nil, 1)
	if _, measured := counters["stalls"]; measured || printed != "" {
		t.Errorf("stalls are counted, or printed: %s", printed)
	}
}

func TestTheWatchdogStopsPrintingBeforeItFillsAPipe(t *testing.T) {
	counters, printed := exchange(t, hogs(4*time.Millisecond), map[string]string{"watchdog": "2ms"}, 15)
	if n := strings.Count(printed, "coop: stall"); n > complaintsMax || counters["stalls"] < 15 || !strings.Contains(printed, "more are not") {
		t.Errorf("%d printed, %d counted", n, counters["stalls"])
	}
}

func TestCountersHoldHistogramsOfPollTimesAndDelays(t *testing.T) {
	counters, _ := exchange(t, echoScript, nil, 1000)
	sampled := map[string]int64{}
	for counter, n := range counters {
		if name, _, ok := engine.SplitBucket(counter); ok {
			sampled[name] += n
		}
	}
	for _, name := range []string{"poll", "delay"} {
		if polls := counters["polls"]; sampled[name] < polls/96-1 || sampled[name] > polls/33+1 {
			t.Errorf("%d of %d polls are in histogram %s", sampled[name], polls, name)
		}
	}
}

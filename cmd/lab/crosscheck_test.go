package main

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"turnlab/harness/record"
)

// A server that is the limit shows every client the same throughput. This one gives a reply every 500 µs and no sooner, on an
// absolute schedule, so that its limit is a number and not a matter of the machine.
func TestClosedLoopThroughputIsThatOfWrkWhenTheServerIsTheLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("real clients take their time")
	}
	const gap, within = 500 * time.Microsecond, 0.15
	pace := pacer{gap: gap}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pace.wait()
		w.Write([]byte("Hello, World!"))
	}))
	defer server.Close()
	var ours, theirs float64
	for range 3 { // a busy machine may keep any of them from asking often enough
		theirs = wrkRate(t, client(t, "", "wrk", "-t1", "-c16", "-d1s", server.URL+"/plaintext"))
		ours = labRate(t, strings.TrimPrefix(server.URL, "http://"))
		if math.Abs(ours/theirs-1) <= within && math.Abs(ours*gap.Seconds()-1) <= within {
			return
		}
	}
	t.Errorf("the lab sees %.0f requests per second, wrk %.0f, and the server gives %.0f", ours, theirs, 1/gap.Seconds())
}

// pacer lets somebody through every gap; what was missed is made up for, unless it is long ago.
type pacer struct {
	gap  time.Duration
	mu   sync.Mutex
	next time.Time
}

func (p *pacer) wait() {
	p.mu.Lock()
	if longAgo := time.Now().Add(-50 * time.Millisecond); p.next.Before(longAgo) {
		p.next = longAgo
	}
	p.next = p.next.Add(p.gap)
	turn := p.next
	p.mu.Unlock()
	time.Sleep(time.Until(turn))
}

func wrkRate(t *testing.T, out string) float64 {
	t.Helper()
	found := regexp.MustCompile(`Requests/sec:\s+([\d.]+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("wrk reports no rate:\n%s", out)
	}
	rate, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return rate
}

func labRate(t *testing.T, address string) float64 {
	t.Helper()
	out, err := exec.Command(lab, "load", "--workload", "http", "--set", "http.check=body", "--target", address, "--conns", "16",
		"--warmup", "100ms", "--duration", "1s", "--json").Output()
	if err != nil {
		t.Fatalf("lab load: %v\n%s", err, out)
	}
	var tr record.Trial
	if err := json.Unmarshal(out, &tr); err != nil {
		t.Fatal(err)
	}
	if len(tr.Errors) > 0 || tr.Unanswered > 0 {
		t.Errorf("errors %v: %s", tr.Errors, tr.FirstError)
	}
	return tr.ThroughputRPS
}

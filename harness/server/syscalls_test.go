package server

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"turnlab/engine/all"
	"turnlab/harness/control"
)

// mostCalls is the most system calls per request that each engine may make, at one request in flight on each of 64
// connections. A read and a write are two. An event loop adds one wait for a batch, and how large that is depends on how the
// tracer slows whom down; a third call for every request would still show. A pool waits for each request, and gives each
// connection back. Package net reads a second time, to learn that there is nothing more. Only calls that have a descriptor
// are counted: how often the Go runtime wakes its own sleeping threads depends on how slow the tracer makes it.
var mostCalls = map[string]float64{"coop": 2.5, "loop": 2.5, "threads": 2.5, "threads/pool": 4.5, "preempt": 4.5}

func TestARequestCostsAsManySystemCallsAsItShould(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed")
	}
	if testing.Short() {
		t.Skip("the race detector makes engines take other paths")
	}
	for _, spec := range all.Specs {
		most, ok := mostCalls[spec.Label()]
		if !ok {
			continue
		}
		t.Run(spec.Label(), func(t *testing.T) {
			t.Parallel()
			// Two runs of different length: the difference is free of what start and end cost.
			const conns, few, many = 64, 10, 110
			calls := countCalls(t, spec.Label(), conns, many) - countCalls(t, spec.Label(), conns, few)
			perRequest := float64(calls) / (conns * (many - few))
			t.Logf("%.2f system calls per request", perRequest)
			if perRequest > most || perRequest < 1.8 {
				t.Errorf("%.2f system calls per request, want about 2, and at most %.1f", perRequest, most)
			}
		})
	}
}

// countCalls runs a server under strace for some rounds of one request per connection, and returns how many system calls
// all its threads made.
func countCalls(t *testing.T, engine string, conns, rounds int) int {
	t.Helper()
	table := filepath.Join(t.TempDir(), "calls")
	child, err := control.Spawn(t.Context(), control.Command{
		Name: "server", Program: "strace", Args: []string{"-f", "-c", "-e", "trace=%desc,%network", "-o", table, os.Args[0]},
		Environ: []string{role + "=child"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer child.Kill()
	s := echo(engine)
	s.Conns = conns
	ready := begin(t, child, s)
	open := make([]net.Conn, conns)
	for i := range open {
		if open[i], err = net.Dial("tcp", ready.Address); err != nil {
			t.Fatal(err)
		}
		defer open[i].Close()
	}
	for range rounds {
		round(t, open)
	}
	if err := child.Stop(t.Context(), 20*time.Second); err != nil {
		t.Fatal(err)
	}
	return total(t, table)
}

// round sends a request on every connection and then reads all replies.
func round(t *testing.T, open []net.Conn) {
	t.Helper()
	request, reply := make([]byte, 64), make([]byte, 64)
	for _, c := range open {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range open {
		if _, err := io.ReadFull(c, reply); err != nil {
			t.Fatal(err)
		}
	}
}

// total reads the last line of strace's table: percent, seconds, microseconds per call, calls, errors, "total".
func total(t *testing.T, table string) int {
	t.Helper()
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	words := strings.Fields(lines[len(lines)-1])
	if len(words) < 4 || words[len(words)-1] != "total" {
		t.Fatalf("strace wrote %s", text)
	}
	n, err := strconv.Atoi(words[3])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// servesFor is set in a process that is to serve, for one that counts its system calls.
const servesFor = "COOP_ENGINE_SERVES"

// TestServeUntilTheInputEnds is that process.
func TestServeUntilTheInputEnds(t *testing.T) {
	if os.Getenv(servesFor) == "" {
		t.Skip("for TestARequestCostsTwoSystemCalls, which runs it under strace")
	}
	address, _ := start(t, script(echoScript), map[string]string{})
	fmt.Printf("address %s\n", address)
	io.Copy(io.Discard, os.Stdin)
}

// TestARequestCostsTwoSystemCalls holds the engine to its bill: with one request in flight on each of 64 connections, a read
// and a write, and a share of a wait. Registering again, or ringing a bell while the executor is awake, would cost more than
// anything else in the library, and no timing on a shared machine would show it.
//
// Two runs of different length are compared, so that what start and end cost does not count. How many requests one wait
// takes in depends on who is quicker; on a busy machine the best of a few tries counts.
func TestARequestCostsTwoSystemCalls(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed")
	}
	if testing.Short() || raceEnabled {
		t.Skip("the race detector makes the engine take other calls")
	}
	const conns, few, many, tries = 64, 5, 55, 4
	const requests = conns * (many - few)
	best := 0.0
	for range tries {
		less, more := countCalls(t, conns, few), countCalls(t, conns, many)
		grew := func(names ...string) (n int) {
			for _, name := range names {
				n += more[name] - less[name]
			}
			return n
		}
		if n := grew("epoll_ctl"); n != 0 {
			t.Errorf("%d calls of epoll_ctl that are not for a new connection", n)
		}
		if n := grew("recvfrom"); n != requests {
			t.Errorf("%d reads for %d requests", n, requests)
		}
		if n := grew("sendto"); n != requests {
			t.Errorf("%d writes for %d requests", n, requests)
		}
		if n := grew("write"); n > 5 { // the Go runtime may ring its own bell now and then
			t.Errorf("%d rings although nobody called from another thread", n)
		}
		perRequest := float64(grew("recvfrom", "sendto", "epoll_pwait", "epoll_pwait2")) / requests
		if best == 0 || perRequest < best {
			best = perRequest
		}
		if best <= 2.1 || t.Failed() {
			break
		}
	}
	t.Logf("%.3f system calls per request", best)
	if best > 2.1 {
		t.Errorf("%.3f system calls per request, want at most 2.1", best)
	}
}

// countCalls serves some rounds under strace and returns how often each system call was made.
func countCalls(t *testing.T, conns, rounds int) map[string]int {
	t.Helper()
	table := filepath.Join(t.TempDir(), "calls")
	cmd := exec.Command("strace", "-f", "-c", "-o", table, os.Args[0], "-test.run", "^TestServeUntilTheInputEnds$")
	cmd.Env = append(os.Environ(), servesFor+"=1")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	address := ""
	for address == "" && lines.Scan() {
		address, _ = strings.CutPrefix(lines.Text(), "address ")
	}
	var open []net.Conn
	for range conns {
		open = append(open, dial(t, address))
	}
	for range rounds {
		round(t, open)
	}
	input.Close() // with the connections open: whether the engine still reads their ends would be chance
	io.Copy(io.Discard, output)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return readTable(t, table)
}

// round sends a request on every connection and then reads every reply.
func round(t *testing.T, open []net.Conn) {
	t.Helper()
	message := make([]byte, 64)
	for _, c := range open {
		if _, err := c.Write(message); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range open {
		if _, err := io.ReadFull(c, message); err != nil {
			t.Fatal(err)
		}
	}
}

// readTable reads strace's summary: percent, seconds, microseconds per call, calls, perhaps errors, name.
func readTable(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) < 5 {
			continue
		}
		if n, err := strconv.Atoi(words[3]); err == nil {
			calls[words[len(words)-1]] = n
		}
	}
	if calls["recvfrom"] == 0 {
		t.Fatalf("strace wrote %s", text)
	}
	return calls
}

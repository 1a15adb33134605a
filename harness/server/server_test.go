package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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
	"turnlab/preempt"
	"turnlab/workloads"
)

// role makes the test binary a server child or a foreground server.
const role = "TURNLAB_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "child":
		os.Exit(Main(os.Stdin, os.Stdout))
	case "foreground":
		err := Foreground(context.Background(), control.Server{
			Engine: os.Args[1], Workload: "echo", Network: "tcp", Address: os.Args[2]}, os.Stdout)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// spawn starts a server child.
func spawn(t *testing.T, environ ...string) *control.Child {
	t.Helper()
	child, err := control.Spawn(t.Context(), control.Command{Name: "server", Environ: append(environ, role+"=child")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(child.Kill)
	return child
}

func echo(engine string) control.Server {
	return control.Server{Engine: engine, Workload: "echo", Network: "tcp", Address: "127.0.0.1:0", Conns: 8}
}

// ask asks a child, which must answer with the event want.
func ask(t *testing.T, c *control.Child, r control.Request, want string) *control.Event {
	t.Helper()
	e, err := c.Ask(t.Context(), r, want, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func begin(t *testing.T, c *control.Child, s control.Server) *control.Event {
	t.Helper()
	return ask(t, c, control.Request{Do: control.Start, Server: &s}, control.Ready)
}

// bounce sends text to an echo server and wants it back.
func bounce(t *testing.T, network, address, text string) {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Errorf("sent %q, got %q, %v", text, got, err)
	}
}

func TestEveryEngineServesAsAChild(t *testing.T) {
	for _, spec := range all.Specs {
		t.Run(spec.Label(), func(t *testing.T) {
			c := spawn(t, spec.Environ...)
			ready := begin(t, c, echo(spec.Label()))
			bounce(t, "tcp", ready.Address, "hello")
			u := ask(t, c, control.Request{Do: control.Sample, Memory: true}, control.Sampled).Usage
			if u.CPUNS <= 0 || u.MonotonicNS <= 0 || u.Memory["pss"] == 0 || u.Runtime["goroutines"] == 0 {
				t.Errorf("usage %+v", u)
			}
			if u.Counters["accepted"] != 1 {
				t.Errorf("counters %v", u.Counters)
			}
			if u := ask(t, c, control.Request{Do: control.Sample}, control.Sampled).Usage; u.Memory != nil {
				t.Error("memory was measured unasked")
			}
			if err := c.Stop(t.Context(), 10*time.Second); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReadySaysWhatWasResolved(t *testing.T) {
	s := echo("threads")
	s.Options = map[string]string{"max": "5"}
	s.Settings = map[string]string{"payload": "1k"}
	ready := begin(t, spawn(t), s)
	text, _ := json.Marshal(ready.Options)
	var r Resolved
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.GOMAXPROCS != 7 || r.GOGC != -1 || r.MemLimitBytes != 2<<30 || !r.Shared || r.CPUs == "" {
		t.Errorf("resolved %+v", r)
	}
	if r.Options["max"] != "5" || r.Options["buffer"] != "4096" || r.Settings["payload"] != "1024" {
		t.Errorf("options %v, settings %v", r.Options, r.Settings)
	}
}

func TestTheGoRuntimeIsSetUpAsResolved(t *testing.T) {
	s := echo("preempt")
	s.Options = map[string]string{"procs": "3"}
	c := spawn(t)
	begin(t, c, s)
	u := ask(t, c, control.Request{Do: control.Sample}, control.Sampled).Usage
	if u.Runtime["gomaxprocs"] != 3 {
		t.Errorf("GOMAXPROCS is %v", u.Runtime["gomaxprocs"])
	}
}

func TestUnixSocketsAreServedAndRemoved(t *testing.T) {
	s := echo("preempt")
	s.Network, s.Address = "unix", filepath.Join(t.TempDir(), "sock")
	c := spawn(t)
	ready := begin(t, c, s)
	bounce(t, "unix", ready.Address, "hello")
	if err := c.Stop(t.Context(), 10*time.Second); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.Address); !os.IsNotExist(err) {
		t.Errorf("the path is still there: %v", err)
	}
}

func TestAForeignServerIsMeasuredInTheChildsPlace(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := echo("exec/mine") // the foreign server is one of ours, without a harness
	s.Command = fmt.Sprintf("env %s=foreground '%s' preempt {addr}", role, self)
	c := spawn(t)
	ready := begin(t, c, s)
	before := ask(t, c, control.Request{Do: control.Sample, Memory: true}, control.Sampled).Usage
	for range 50 {
		bounce(t, "tcp", ready.Address, strings.Repeat("x", 1000))
	}
	after := ask(t, c, control.Request{Do: control.Sample}, control.Sampled).Usage
	if after.CPUNS <= before.CPUNS || after.Voluntary <= before.Voluntary || before.Memory["pss"] == 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if after.Runtime != nil {
		t.Error("our runtime's figures stand for a stranger's")
	}
	if err := c.Stop(t.Context(), 10*time.Second); err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", ready.Address); err == nil {
		conn.Close()
		t.Error("the foreign server still listens")
	}
}

func TestMistakesOfTheUserAreMarked(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for want, change := range map[string]func(*control.Server){
		"no engine":       func(s *control.Server) { s.Engine = "corp" },
		"no workload":     func(s *control.Server) { s.Workload = "ecco" },
		"no option":       func(s *control.Server) { s.Options = map[string]string{"maxx": "1"} },
		"no option \"p\"": func(s *control.Server) { s.Settings = map[string]string{"p": "1"} },
		"out of bounds":   func(s *control.Server) { s.Settings = map[string]string{"payload": "0"} },
		"no transport":    func(s *control.Server) { s.Network = "udp" },
		"in use":          func(s *control.Server) { s.Address = busy.Addr().String() },
		"open files":      func(s *control.Server) { s.Conns = 1 << 30 },
		"needs a command": func(s *control.Server) { s.Engine = "exec/x" },
	} {
		t.Run(want, func(t *testing.T) {
			s := echo("preempt")
			change(&s)
			var out bytes.Buffer
			code := Main(requests(t, control.Request{Do: control.Start, Server: &s}), &out)
			var e control.Event
			if err := json.Unmarshal(out.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			if code != 2 || e.Is != control.Failed || !e.Misuse || !strings.Contains(e.Error, want) {
				t.Errorf("code %d, %+v", code, e)
			}
		})
	}
}

func requests(t *testing.T, rs ...control.Request) io.Reader {
	var in bytes.Buffer
	for _, r := range rs {
		if err := json.NewEncoder(&in).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	return &in
}

func TestAServerEndsWithItsControlStream(t *testing.T) {
	in, harness := io.Pipe()
	out, child := io.Pipe()
	code := make(chan int)
	go func() { code <- Main(in, child) }()
	s := echo("loop")
	go json.NewEncoder(harness).Encode(control.Request{Do: control.Start, Server: &s})
	var e control.Event
	if err := json.NewDecoder(out).Decode(&e); err != nil || e.Is != control.Ready {
		t.Fatalf("%+v, %v", e, err)
	}
	bounce(t, "tcp", e.Address, "x")
	harness.Close()
	if c := <-code; c != 1 {
		t.Errorf("exit code %d", c)
	}
	if conn, err := net.Dial("tcp", e.Address); err == nil {
		conn.Close()
		t.Error("somebody still listens")
	}
}

func TestNonsenseOnTheControlStreamEndsTheServer(t *testing.T) {
	for _, text := range []string{"hello\n", `{"do":"go"}` + "\n", `{"do":"sample"}` + "\n", `{"do":"start"}` + "\n"} {
		var out bytes.Buffer
		if code := Main(strings.NewReader(text), &out); code != 1 || !strings.Contains(out.String(), `"error"`) {
			t.Errorf("%q gives code %d, %s", text, code, out.String())
		}
	}
	if code := Main(requests(t, control.Request{Do: control.Stop}), io.Discard); code != 0 {
		t.Errorf("stop before start gives %d", code)
	}
}

func TestAnEngineWithoutItsEnvironmentRefuses(t *testing.T) {
	s := echo("preempt/nopreempt")
	var out bytes.Buffer
	if code := Main(requests(t, control.Request{Do: control.Start, Server: &s}), &out); code != 1 ||
		!strings.Contains(out.String(), "GODEBUG=asyncpreemptoff=1") {
		t.Errorf("code %d, %s", code, out.String())
	}
}

func TestTheEnvironmentIsAddedToAndKept(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	environ := Environment(preempt.NoPreempt)
	if last := environ[len(environ)-1]; last != "GODEBUG=panicnil=1,asyncpreemptoff=1" {
		t.Errorf("environment ends with %s", last)
	}
	t.Setenv("GODEBUG", "panicnil=1,asyncpreemptoff=1")
	if missing := missingEnviron(preempt.NoPreempt); len(missing) != 0 {
		t.Errorf("missing %v", missing)
	}
}

func TestTheForegroundSaysWhereItListens(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	log, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Foreground(ctx, echo("preempt"), w) }()
	line := make([]byte, 100)
	n, err := log.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(strings.TrimSuffix(string(line[:n]), "\n"))
	if p, _ := strconv.Atoi(port); err != nil || host != "127.0.0.1" || p == 0 {
		t.Fatalf("it says %q", line[:n])
	}
	bounce(t, "tcp", net.JoinHostPort(host, port), strings.Repeat("x", workloads.MaxUnread))
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTheForegroundStartsAnewForAnEnvironment(t *testing.T) {
	cmd := exec.Command(os.Args[0], "preempt/nopreempt", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), role+"=foreground")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	bounce(t, "tcp", strings.TrimSpace(string(line[:n])), "hello")
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", cmd.Process.Pid))
	if err != nil || !strings.Contains(string(environ), "asyncpreemptoff=1") {
		t.Errorf("environment %q, %v", environ, err)
	}
}

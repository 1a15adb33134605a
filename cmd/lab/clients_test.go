package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"turnlab/engine/all"
	"turnlab/harness/record"
	"turnlab/workloads"
)

// Real clients are the referee of what the lab's own client takes for a right answer: they were written by people who have
// never seen this code. Each test skips, by name, when its client is not installed; where they are said to be there, as in
// .ci/run, a missing one is a failure.

// required is the environment variable that says that no client may be missing.
const required = "TURNLAB_CLIENTS"

func TestRealClientsGetRightAnswersFromEveryEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("real clients take their time")
	}
	for _, s := range all.Specs {
		if s.CanServe(workloads.HTTP) != nil {
			continue
		}
		t.Run(s.Label(), func(t *testing.T) {
			t.Parallel() // what they say is right or wrong, not how fast
			address := serve(t, s.Label(), "http")
			t.Run("curl", func(t *testing.T) { curl(t, address) })
			t.Run("wrk", func(t *testing.T) { wrk(t, address) })
			t.Run("h2load", func(t *testing.T) { h2load(t, address) })
			t.Run("ab", func(t *testing.T) { ab(t, address) })
			t.Run("nc", func(t *testing.T) { nc(t, serve(t, s.Label(), "echo")) })
		})
	}
}

func curl(t *testing.T, address string) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"GET", "Hello, World!", nil},
		{"HTTP/1.0", "Hello, World!", []string{"-0"}},
		{"JSON", `{"message":"Hello, World!"}`, []string{"--request-target", "/json"}},
		{"POST", strings.Repeat("body ", 20000), []string{"--request-target", "/echo", "--data-binary", "@-"}},
	} {
		got := client(t, c.want, "curl", append(c.args, "-sS", "-m", "10", "http://"+address+"/")...)
		if got != c.want {
			t.Errorf("%s: got %.60q (%d bytes), want %.60q (%d bytes)", c.name, got, len(got), c.want, len(c.want))
		}
	}
	head := client(t, "", "curl", "-sS", "-m", "10", "-I", "http://"+address+"/")
	if !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || !strings.Contains(head, "Content-Length: 13\r\n") {
		t.Errorf("HEAD: got %q", head)
	}
	missing := client(t, "", "curl", "-s", "-m", "10", "-o", os.DevNull, "-w", "%{http_code}", "http://"+address+"/missing")
	if missing != "404" {
		t.Errorf("a missing page has status %s", missing)
	}
}

func wrk(t *testing.T, address string) {
	out := client(t, "", "wrk", "-t1", "-c16", "-d1s", "http://"+address+"/")
	if strings.Contains(out, "Non-2xx") || strings.Contains(out, "Socket errors") || !regexp.MustCompile(`[1-9]\d* requests in`).MatchString(out) {
		t.Errorf("wrk reports:\n%s", out)
	}
}

func h2load(t *testing.T, address string) {
	out := client(t, "", "h2load", "--h1", "-n", "2000", "-c", "16", "-m", "4", "http://"+address+"/")
	if !strings.Contains(out, "2000 succeeded, 0 failed, 0 errored, 0 timeout") {
		t.Errorf("h2load reports:\n%s", out)
	}
}

func ab(t *testing.T, address string) {
	for _, args := range [][]string{{"-k"}, nil} {
		out := client(t, "", "ab", append(args, "-q", "-n", "1000", "-c", "16", "http://"+address+"/")...)
		if !regexp.MustCompile(`Failed requests:\s+0\n`).MatchString(out) || !regexp.MustCompile(`Complete requests:\s+1000\n`).MatchString(out) {
			t.Errorf("ab %v reports:\n%s", args, out)
		}
	}
}

func nc(t *testing.T, address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("as it came, so it goes\n", 5000)
	if got := client(t, text, "nc", "-N", "-w", "10", host, port); got != text {
		t.Errorf("nc sent %d bytes and got %d back, or other ones", len(text), len(got))
	}
}

// find returns the path of a program and skips when it is not installed.
func find(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv(required) == "required" {
		t.Fatalf("%s is not installed, and %s says that it must be", name, required)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// client runs a real client, skips when it is not installed, and returns what it prints on standard output.
func client(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	path := find(t, name)
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(input)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}

// serve starts `lab serve` on a free port and returns its address.
func serve(t *testing.T, engine, workload string, more ...string) string {
	t.Helper()
	cmd := exec.Command(lab, append([]string{"serve", "--engine", engine, "--workload", workload, "--listen", "127.0.0.1:0"}, more...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("lab serve did not end well after an interrupt: %v\n%s", err, errs.String())
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if a := regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:\d+`).FindString(lines.Text()); a != "" {
			return a
		}
	}
	t.Fatalf("lab serve printed no address: %s", errs.String())
	return ""
}

func TestLoadGetsRightAnswersFromNginx(t *testing.T) {
	address := startNginx(t, find(t, "nginx"))
	out, err := exec.Command(lab, "load", "--workload", "http", "--set", "http.check=body", "--target", address,
		"--conns", "16", "--warmup", "100ms", "--duration", "500ms", "--json").Output()
	if err != nil {
		t.Fatalf("lab load: %v\n%s", err, out)
	}
	var trial record.Trial
	if err := json.Unmarshal(out, &trial); err != nil {
		t.Fatalf("not one trial record: %v\n%s", err, out)
	}
	if trial.Requests == 0 || len(trial.Errors) > 0 || trial.Unanswered > 0 {
		t.Errorf("requests %d, errors %v, unanswered %d", trial.Requests, trial.Errors, trial.Unanswered)
	}
}

func startNginx(t *testing.T, nginx string) string {
	t.Helper()
	dir := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/errors;
events { worker_connections 512; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s; location / { default_type text/plain; return 200 "Hello, World!"; } }
}`, dir, address)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nginx, "-p", dir, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("nginx does not listen")
	return ""
}

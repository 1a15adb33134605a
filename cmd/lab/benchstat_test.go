package main

import (
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// What bench.txt is for is to be read by others. Benchstat is the one that everybody has; it must find the engines side by side
// and the difference that was put in, and have nothing to complain about.
func TestBenchstatReadsWhatARunExports(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	m := madeUp{id: "r", blocks: 10, conns: "8,64", engines: []string{"coop=6000", "preempt=9000"}, experiments: []string{""}}
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	if code := Main([]string{"report", dir, "--format", "md"}, nil, io.Discard, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	errs.Reset()
	cmd := exec.Command("go", "tool", "benchstat", "-col", "/engine", filepath.Join(dir, "bench.txt"))
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("%v: %s", err, errs.String())
	}
	for _, want := range []string{
		`│ +coop +│ +preempt +│`,
		// Nanoseconds become seconds there.
		`│ server-cpu-sec/req │[^\n]*\nEcho/conns=8 [^\n]*\+(49|50|51)\.\d+% \(p=0\.000 n=10\)\nEcho/conns=64 [^\n]*\+(49|50|51)\.\d+% \(p=0\.000 n=10\)\n`,
		`req/s`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("no %s in:\n%s", want, out)
		}
	}
}

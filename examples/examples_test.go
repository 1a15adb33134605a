// Package examples tests that what is shown to those who add a workload or an engine is true.
package examples

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"turnlab/engine/all"
	gil "turnlab/examples/engine"
	reverse "turnlab/examples/workload"
	"turnlab/harness/load"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/server"
	"turnlab/harness/trial"
	"turnlab/workloads"
)

// TestMain adds the examples, as their lines would, and plays the children of a trial.
func TestMain(m *testing.M) {
	all.Specs = append(all.Specs, gil.Spec)
	workloads.All = append(workloads.All, reverse.Workload)
	if len(os.Args) == 3 && os.Args[1] == "child" {
		if os.Args[2] == "serve" {
			os.Exit(server.Main(os.Stdin, os.Stdout))
		}
		os.Exit(load.Main(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func TestTheLabMeasuresTheExamplesLikeItsOwn(t *testing.T) {
	brief := []plan.Axis{{Name: "warmup", Values: "20ms"}, {Name: "duration", Values: "400ms"}, {Name: "conns", Values: "8"}}
	s := plan.Sweep{
		Engines: []string{"gil", "coop", "threads/pool"}, Workloads: []string{"reverse", "hog"}, Axes: brief, Blocks: 1,
	}
	p, err := s.Resolve(plan.Catalog{Engines: all.Specs, Workloads: workloads.All}, proc.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	lab := trial.Lab{Run: "examples", Catalog: p.Catalog}
	for _, job := range p.Jobs() {
		got, err := lab.Measure(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		if got.Failed != "" || got.Requests == 0 || len(got.Errors) > 0 {
			t.Errorf("%s %s: %d right answers, errors %v, %s", got.Label(), got.Workload, got.Requests, got.Errors, got.Failed)
		}
	}
}

// Every piece of Go in the README's chapters on additions is a piece of an example, to the letter; parts of it are divided by
// empty lines.
func TestTheREADMEShowsTheExamplesAsTheyAre(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var code []byte
	for _, pattern := range []string{"workload/*.go", "engine/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			code = append(code, text...)
		}
	}
	chapters := regexp.MustCompile("(?s)\n## Add a workload\n.*?\n## Add an engine\n.*?\n## ").Find(readme)
	pieces := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(chapters, -1)
	if len(pieces) < 2 {
		t.Fatalf("%d pieces of Go", len(pieces))
	}
	for _, piece := range pieces {
		for _, part := range strings.Split(string(piece[1]), "\n\n") {
			if !bytes.Contains(code, []byte(strings.TrimSpace(part)+"\n")) {
				t.Errorf("no example has this piece of the README:\n%s", part)
			}
		}
	}
}

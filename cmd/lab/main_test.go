package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// lab is the path of the real binary, built once: the harness starts itself as a child, which a test binary cannot play.
var lab string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lab-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lab = filepath.Join(dir, "lab")
	if out, err := exec.Command("go", "build", "-o", lab, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building lab: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// The scripts in testdata/script say what each command prints and how it exits; see the package testscript for their form.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"misuse": misused, "fake-run": fakeRun},
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(lab)+string(os.PathListSeparator)+os.Getenv("PATH"))
			return nil
		},
	})
}

// misused is the script command `misuse REGEXP ARG...`: lab ARG... must end with 2 and say why in one line on standard
// error that matches REGEXP, and nothing on standard output.
func misused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: misuse REGEXP ARG...")
	}
	cmd := exec.Command(lab, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 2 {
		ts.Fatalf("lab %v: exit code %d, want 2\n%s%s", args[1:], code, out.String(), errs.String())
	}
	text := errs.String()
	if strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "lab: ") {
		ts.Fatalf("lab %v: want one line that begins with lab:, got %q", args[1:], text)
	}
	if !regexp.MustCompile(args[0]).MatchString(text) {
		ts.Fatalf("lab %v: %q does not match %q", args[1:], text, args[0])
	}
	if out.Len() > 0 {
		ts.Fatalf("lab %v: unexpected output %q", args[1:], out.String())
	}
}

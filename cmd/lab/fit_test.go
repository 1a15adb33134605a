package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"turnlab/experiments"
	"turnlab/harness/fit"
	"turnlab/harness/plan"
)

// connsOf returns the numbers of connections that a sweep's command line asks for.
func connsOf(t *testing.T, line string) string {
	t.Helper()
	args := words(t, line)
	o, ok := plan.Load.Find("conns")
	at := slices.Index(args, "--conns")
	if at < 0 || !ok {
		t.Fatalf("%s: no connections", line)
	}
	values, err := o.Expand(args[at+1])
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, v := range values {
		list = append(list, v.String())
	}
	return strings.Join(list, ",")
}

func TestASweepThatIsSuggestedForAFitCanBeFitted(t *testing.T) {
	suggested := []string{fit.Sweep}
	for _, e := range experiments.All {
		for _, line := range e.Next {
			if strings.Contains(line, "lab fit") {
				suggested = append(suggested, line)
			}
		}
	}
	if len(suggested) < 2 {
		t.Error("no experiment suggests a fit")
	}
	for _, line := range suggested {
		dir := filepath.Join(t.TempDir(), "r")
		m := madeUp{id: "r", blocks: 6, conns: connsOf(t, line), engines: []string{"coop=6000"}, experiments: []string{""}}
		if err := m.write(dir); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := Main([]string{"fit", dir}, nil, &out, &errs); code != 0 || !strings.Contains(out.String(), "sigma") {
			t.Errorf("%s: exit code %d: %s", line, code, errs.String())
		}
	}
}

func TestARunThatCannotBeFittedSaysWhichSweepCan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	m := madeUp{id: "r", blocks: 3, conns: "1,32,1024", engines: []string{"coop=6000"}, experiments: []string{"connections"}}
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := Main([]string{"fit", dir}, nil, &out, &errs); code != exitMisuse || !strings.Contains(errs.String(), fit.Sweep) {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

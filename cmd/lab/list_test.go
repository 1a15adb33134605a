package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"turnlab/engine/all"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// told returns what lab list NAME prints.
func told(t *testing.T, name string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := Main([]string{"list", name}, nil, &out, &errs); code != 0 {
		t.Fatalf("list %s: exit code %d: %s", name, code, errs.String())
	}
	return out.String()
}

func TestEverythingCanBeAskedAboutAndItsExamplesCanBeCarriedOut(t *testing.T) {
	for _, thing := range things() {
		examples := 0
		for line := range strings.Lines(told(t, thing.name)) {
			line = strings.TrimSuffix(line, "\n")
			command, isCommand := strings.CutPrefix(line, "    lab ")
			if isCommand {
				examples++
				tryCommand(t, "lab "+command)
			}
			if n := utf8.RuneCountInString(line); n > listWidth && !isCommand && !strings.HasPrefix(line, "    ") {
				t.Errorf("%s: %d columns: %s", thing.name, n, line)
			}
		}
		if examples == 0 {
			t.Errorf("%s has no example", thing.name)
		}
	}
}

func TestAllOptionsOfWhatIsAskedAboutAreToldWithTheirDefaultsAndUnits(t *testing.T) {
	owners := map[string]option.Set{}
	for _, s := range all.Specs {
		owners[s.Label()] = s.AllOptions()
	}
	for _, w := range workloads.All {
		owners[w.Name] = w.Options
	}
	for name, options := range owners {
		text := strings.Join(strings.Fields(told(t, name)), " ")
		for _, o := range options {
			if want := o.Name + "=" + o.Default + " (" + o.Takes() + ")"; !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in %s", name, want, text)
			}
		}
	}
}

func TestANameThatTwoKindsHaveTellsOfBoth(t *testing.T) {
	if text := told(t, "hog"); !strings.HasPrefix(text, "WORKLOAD  hog\n") || !strings.Contains(text, "\nEXPERIMENT  hog\n") {
		t.Errorf("hog is a workload and an experiment:\n%s", text)
	}
}

func TestAMisspeltNameIsAnsweredWithTheNearest(t *testing.T) {
	names := []string{"coop", "coop/await", "preempt", "preempt/nopreempt", "http", "primitives"}
	for text, want := range map[string]string{
		"premept": "preempt", "cop": "coop", "htpp": "http", "await": "coop/await", "primitive": "primitives", "x": "", "everything": "", "": "",
	} {
		if got := nearest(text, names); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"turnlab/experiments"
)

// Commands that a page shows are carried out as far as that takes no time: those with --dry-run make their plan, the others
// only read their flags.
var planned = []string{"sweep", "bench"}

// commandsIn returns the lines of a page's code blocks that begin with lab, without their comments.
func commandsIn(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	inside := false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "```") {
			inside = !inside
		}
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); inside && strings.HasPrefix(line, "lab ") {
			commands = append(commands, line)
		}
	}
	return commands
}

func tryCommand(t *testing.T, line string) {
	t.Helper()
	args := strings.Fields(strings.ReplaceAll(line, "'", ""))[1:]
	if !slices.Contains(args, "--dry-run") && !slices.Contains(args, "--resume") && slices.Contains(planned, args[0]) {
		args = append(args, "--dry-run")
	} else if args[0] != "list" && !slices.Contains(args, "--dry-run") {
		args = append(args, "--help")
	}
	var out, errs bytes.Buffer
	if code := Main(args, nil, &out, &errs); code != 0 || out.Len() == 0 {
		t.Errorf("%s: exit code %d: %s", line, code, errs.String())
	}
}

func TestCommandsOfThePageOnExperimentsCanBeCarriedOut(t *testing.T) {
	commands := commandsIn(t, "../../docs/experiments.md")
	if len(commands) < 20 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, line := range commands {
		tryCommand(t, line)
	}
}

func TestCommandsThatExperimentsSuggestCanBeCarriedOut(t *testing.T) {
	for _, e := range experiments.All {
		for _, line := range e.Next {
			if strings.HasPrefix(line, "lab ") {
				tryCommand(t, line)
			}
		}
	}
}

func TestThePageOnExperimentsHasEveryQuestion(t *testing.T) {
	text, err := os.ReadFile("../../docs/experiments.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range experiments.All {
		if !strings.Contains(string(text), "\n### "+e.Name+"\n\n*"+e.Question+"*") {
			t.Errorf("%s is not on the page with its question: %s", e.Name, e.Question)
		}
	}
}

package model

import (
	"flag"
	"os/exec"
	"strings"
	"testing"
)

var (
	only       = flag.String("model", "", "check only the protocol of this name")
	seedFlag   = flag.String("seed", "", "repeat one execution of -model, as printed by a failure")
	executions = flag.String("executions", "1000", "executions per protocol and way of scheduling, at most")
)

func TestProtocolsHoldInEveryOrderOfTheThreads(t *testing.T) {
	t.Parallel()
	program := compile(t, nil)
	n := *executions
	if testing.Short() {
		n = "100"
	}
	out, err := exec.Command(program, "-model", *only, "-seed", *seedFlag, "-executions", n).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("%v; repeat it with -model and -seed", err)
	}
}

func TestEveryPlantedMistakeIsFound(t *testing.T) {
	t.Parallel()
	program := compile(t, mutants)
	var hunts []string
	for _, m := range mutants {
		hunts = append(hunts, m.In+":"+m.Name)
	}
	out, err := exec.Command(program, "-executions", "20000", "-mutants", strings.Join(hunts, ",")).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

package plan

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func printed(t *testing.T, p *Plan) string {
	t.Helper()
	var out strings.Builder
	if err := p.Print(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	return out.String()
}

func TestAPlanSaysOnceWhatAllPointsHaveInCommon(t *testing.T) {
	text := printed(t, resolve(t, small(Axis{"conns", "1,8"})))
	for _, want := range []string{"\n  all: workload echo, loop closed\n", "\n  engines: coop, preempt\n", "\n  conns\n      1\n      8\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "preempt"); n != 1 {
		t.Errorf("preempt is named %d times:\n%s", n, text)
	}
}

func TestAPlanGivesALoadOneLineAndItsEnginesTheirOptions(t *testing.T) {
	s := small(Axis{"coop.yield", "0,100us"}, Axis{"conns", "1,8"})
	s.AA = true
	text := printed(t, resolve(t, s))
	if !strings.Contains(text, "engines: coop, coop yield=100µs, preempt, coop (again)") && !strings.Contains(text, "engines: coop, coop (again), coop yield=100µs") {
		t.Errorf("the engines are not told apart:\n%s", text)
	}
}

func TestAPlanFitsEightyColumnsHoweverManyParametersVary(t *testing.T) {
	wide := small(Axis{"conns", "1,8"}, Axis{"rate", "0,100000"}, Axis{"duration", "100ms,1s"}, Axis{"warmup", "100ms,200ms"},
		Axis{"timeout", "1s,10s"}, Axis{"arrivals", "poisson,fixed"}, Axis{"depth", "1,16"}, Axis{"payload", "1k,64k"}, Axis{"coop.yield", "0,100us"})
	wide.Workloads = []string{"echo", "http"}
	text := printed(t, resolve(t, wide))
	if !strings.Contains(text, "payload 65536") || !strings.Contains(text, "coop yield=100µs") {
		t.Errorf("something is left out:\n%.2000s", text)
	}
}

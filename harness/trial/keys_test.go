package trial

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/harness/flags"
	"turnlab/harness/proc"
)

// namedInTables are the words of code in the first columns of the methodology's tables. It is what a reader holds the records
// against: what it does not name, nobody knows the meaning of.
func namedInTables(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../METHODOLOGY.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(string(text), -1) {
		first := ""
		for _, word := range regexp.MustCompile("`([a-z_0-9]+)`").FindAllStringSubmatch(row[1], -1) {
			name := word[1]
			if strings.HasPrefix(name, "_") { // `go_delay_p50_ns`, `_p99_ns`
				named = append(named, first+name)
				continue
			}
			first = regexp.MustCompile(`_p50_ns$`).ReplaceAllString(name, "")
			named = append(named, name)
		}
	}
	return named
}

func TestTheMethodologyNamesEveryFlagKeyAndKindOfMemory(t *testing.T) {
	named := namedInTables(t)
	want := []string{"kernel_waiting", "kernel_wait_ns_per_req", "kernel_calls_per_req"}
	for _, rule := range flags.Rules {
		want = append(want, rule.Code)
	}
	for _, k := range slices.Concat(proc.Kinds, proc.SocketKinds) {
		if k.Name != "swap" {
			want = append(want, k.Name)
		}
	}
	u, err := proc.Self(false)
	if err != nil {
		t.Fatal(err)
	}
	for name := range u.Runtime {
		if histogram, _, ok := engine.SplitBucket(name); ok {
			name = histogram + "_max_ns"
		}
		want = append(want, "go_"+name)
	}
	for _, name := range want {
		if !slices.Contains(named, name) {
			t.Errorf("%s is not in the tables", name)
		}
	}
}

func TestTheMethodologyNamesEverythingThatEnginesCount(t *testing.T) {
	named, counted := namedInTables(t), map[string]bool{}
	for _, spec := range all.Specs {
		given := map[string]string{}
		if _, ok := spec.AllOptions().Find("watchdog"); ok {
			given["watchdog"] = "10ms" // what it counts is absent without it
		}
		options, err := spec.AllOptions().Resolve(given)
		if err != nil {
			t.Fatal(err)
		}
		made, err := spec.New(engine.Config{Options: options, Conns: 1, CPUs: 1})
		if err != nil {
			t.Fatal(err)
		}
		for name := range made.Counters() {
			counted[name] = true
		}
	}
	for _, want := range []string{"accepted", "polls", "stalls", "dropped", "calls_failed"} {
		if !counted[want] {
			t.Errorf("no engine counts %s", want)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		if !slices.Contains(named, name) {
			t.Errorf("%s is not in the tables", name)
		}
	}
}

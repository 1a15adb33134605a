package trial

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"turnlab/engine"
	"turnlab/harness/flags"
	"turnlab/harness/proc"
)

// The methodology is what a reader holds the records against. What it does not name, nobody knows the meaning of.
func TestTheMethodologyNamesEveryFlagKeyAndKindOfMemory(t *testing.T) {
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

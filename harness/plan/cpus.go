package plan

import (
	"fmt"
	"strings"

	"turnlab/harness/proc"
	"turnlab/internal/misuse"
)

// cpus decides which CPUs the server and the generator get. Of what the user has not named, the other side gets the rest.
func (s Sweep) cpus(allowed proc.CPUSet) (server, client proc.CPUSet, err error) {
	if s.ServerCPUs == "" && s.ClientCPUs == "" {
		server, client = SplitCPUs(allowed)
		return server, client, nil
	}
	if s.ServerCPUs != "" {
		if server, err = within(allowed, s.ServerCPUs); err != nil {
			return server, client, fmt.Errorf("server CPUs: %w", err)
		}
	}
	if s.ClientCPUs != "" {
		if client, err = within(allowed, s.ClientCPUs); err != nil {
			return server, client, fmt.Errorf("client CPUs: %w", err)
		}
	}
	if s.ServerCPUs == "" {
		server = rest(allowed, client)
	}
	if s.ClientCPUs == "" {
		client = rest(allowed, server)
	}
	return server, client, nil
}

// upstreams decides which CPUs the servers get that a workload calls: the generator's, unless the user has named some.
func (s Sweep) upstreams(allowed, client proc.CPUSet) (proc.CPUSet, error) {
	if s.UpstreamCPUs == "" {
		return client, nil
	}
	set, err := within(allowed, s.UpstreamCPUs)
	if err != nil {
		return set, fmt.Errorf("upstream CPUs: %w", err)
	}
	return set, nil
}

// SplitCPUs gives the server the first half of the CPUs and the generator the others. A single CPU they must share, which
// every trial is then flagged for: what one uses, the other lacks.
func SplitCPUs(allowed proc.CPUSet) (server, client proc.CPUSet) {
	all := allowed.List()
	if len(all) < 2 {
		return allowed, allowed
	}
	return setOf(all[:len(all)/2]), setOf(all[len(all)/2:])
}

// rest returns the CPUs that are not taken, or all when none would be left.
func rest(allowed, taken proc.CPUSet) proc.CPUSet {
	var left []int
	for _, cpu := range allowed.List() {
		if !taken.Has(cpu) {
			left = append(left, cpu)
		}
	}
	if len(left) == 0 {
		return allowed
	}
	return setOf(left)
}

func within(allowed proc.CPUSet, text string) (proc.CPUSet, error) {
	set, err := proc.ParseCPUs(text)
	if err != nil {
		return set, err
	}
	if set.And(allowed) != set {
		return set, misuse.Errorf("%s is not on this machine or not ours to use; we have %s", text, allowed)
	}
	return set, nil
}

// setOf makes a set from a list of CPUs that came from a set.
func setOf(cpus []int) proc.CPUSet {
	text := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(cpus)), ","), "[]")
	set, err := proc.ParseCPUs(text)
	if err != nil {
		panic("plan: " + err.Error())
	}
	return set
}

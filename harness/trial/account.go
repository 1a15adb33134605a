package trial

import (
	"maps"

	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// accounts is what the kernel has counted of both processes at one edge of the window.
type accounts struct{ server, client proc.Account }

func takeAccounts(server, client []int) accounts {
	return accounts{proc.TakeAccount(server), proc.TakeAccount(client)}
}

// pids lists the generators' processes.
func (g *generators) pids() []int {
	pids := make([]int, len(g.children))
	for i, child := range g.children {
		pids[i] = child.PID()
	}
	return pids
}

// addAccounts writes down what both processes did between two edges of the window, as the kernel saw it.
func addAccounts(t *record.Trial, before, after accounts) {
	t.Sched = withAccount(t, t.Sched, before.server, after.server)
	t.ClientSched = withAccount(t, t.ClientSched, before.client, after.client)
}

// withAccount adds to figures
//
//   - kernel_waiting: how many threads could have run and had no CPU, on average over the window,
//   - kernel_wait_ns_per_req: the same by request.
func withAccount(t *record.Trial, figures map[string]float64, before, after proc.Account) map[string]float64 {
	seconds := float64(after.AtNS-before.AtNS) / 1e9
	if seconds <= 0 {
		return figures
	}
	found := map[string]float64{}
	if ns, ok := after.WaitedSince(before); ok {
		found["kernel_waiting"] = float64(ns) / 1e9 / seconds
		if t.ThroughputRPS > 0 {
			found["kernel_wait_ns_per_req"] = perRequest(t, float64(ns), seconds)
		}
	}
	if figures == nil {
		return found
	}
	maps.Copy(figures, found)
	return figures
}

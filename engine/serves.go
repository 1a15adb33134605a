package engine

import (
	"slices"

	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// Only returns a Spec.Serves for an engine that carries out the given ops besides Read, Flush and Close, and refuses
// workloads that need others. An op that an engine skipped in silence would be a different workload.
func Only(name string, ops ...workloads.Kind) func(*workloads.Workload) error {
	return func(w *workloads.Workload) error {
		for _, op := range w.Ops {
			if !slices.Contains(ops, op) {
				return misuse.Errorf("engine %s has no op %s, which workload %s needs", name, op, w.Name)
			}
		}
		return nil
	}
}

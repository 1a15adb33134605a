package proc

import (
	"fmt"

	"github.com/prometheus/procfs"
)

// A Kind is one kind of memory in a Usage.
type Kind struct{ Name, Means string }

// Kinds says what each kind of memory is and where its figure comes from. They overlap: pss contains private and all of
// Go's, and rss contains pss.
var Kinds = []Kind{
	{"pss", "resident pages, shared ones divided by the number of processes that share them (smaps_rollup)"},
	{"rss", "resident pages, shared ones in full (smaps_rollup)"},
	{"private", "resident pages that no other process has (smaps_rollup)"},
	{"swap", "pages that were moved to swap (smaps_rollup)"},
	{"page_tables", "the process's page tables, held by the kernel (VmPTE)"},
	{"kernel_stacks", "inferred, not measured: threads x 16 KiB, the kernel stack of a thread on x86-64 and arm64"},
	{"go_heap", "Go heap spans in use, touched or not (runtime/metrics, heap objects + unused)"},
	{"go_stacks", "stacks of goroutines and, as no C is linked in, of threads (runtime/metrics, heap stacks + os-stacks)"},
	{"go_metadata", "the Go runtime's own tables (runtime/metrics, metadata)"},
}

// kernelStackBytes is the size of a thread's kernel stack on the lab's two architectures. The kernel tells only the sum
// over all processes (/proc/meminfo, KernelStack), which is of no use on a machine that does other things.
const kernelStackBytes = 16 << 10

// memoryOf reads what the kernel knows of a process's memory.
func memoryOf(pid int) (map[string]uint64, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return nil, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	maps, err := p.ProcSMapsRollup()
	if err != nil {
		return nil, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	status, err := p.NewStatus()
	if err != nil {
		return nil, fmt.Errorf("read the page tables of process %d: %w", pid, err)
	}
	stat, err := p.Stat()
	if err != nil {
		return nil, fmt.Errorf("count the threads of process %d: %w", pid, err)
	}
	return map[string]uint64{
		"pss":           maps.Pss,
		"rss":           maps.Rss,
		"private":       maps.PrivateClean + maps.PrivateDirty,
		"swap":          maps.Swap,
		"page_tables":   status.VmPTE,
		"kernel_stacks": uint64(stat.NumThreads) * kernelStackBytes,
	}, nil
}

// addGoMemory adds what this process's Go runtime knows.
func addGoMemory(m map[string]uint64) {
	read := func(name string) uint64 { return uint64(readFigure("/memory/classes/" + name + ":bytes")) }
	m["go_heap"] = read("heap/objects") + read("heap/unused")
	m["go_stacks"] = read("heap/stacks") + read("os-stacks")
	m["go_metadata"] = read("metadata/mcache/inuse") + read("metadata/mspan/inuse") + read("metadata/other")
}

// Package host describes the machine and the program that measures on it, as far as they can matter to a result.
//
// A figure without its machine cannot be repeated, and a page that compares two machines must say so. What the kernel does
// not tell is left out: an absent governor means that there is none to see, as in most virtual machines.
//
// Limits: Linux. Of vulnerabilities only the mitigations in force are noted. Nothing here identifies the user but the name of
// the machine.
package host

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// Describe returns what can be known about this machine.
func Describe() record.Host {
	h := record.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(), Settings: settings("/")}
	h.Hostname, _ = os.Hostname()
	h.CPU = cpuModel(read("/proc/cpuinfo"))
	h.MemoryBytes = memTotal(read("/proc/meminfo"))
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		h.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	if why := uncounted(); why != "" {
		h.Settings["system_calls"] = why
	}
	return h
}

// uncounted says why system calls are not counted, or nothing when they are.
func uncounted() string {
	c, err := proc.CountCalls([]int{os.Getpid()})
	if err != nil {
		return "not counted: " + err.Error()
	}
	c.Close()
	return ""
}

// read returns a small file's text, or nothing.
func read(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// cpuModel finds the processor's name; arm64 has only numbers, of which the part is the most telling.
func cpuModel(cpuinfo string) string {
	for _, key := range []string{"model name", "CPU part"} {
		if v := field(cpuinfo, key); v != "" {
			return v
		}
	}
	return "unknown"
}

// field returns the value of the first line "key : value".
func field(text, key string) string {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func memTotal(meminfo string) uint64 {
	number, _, _ := strings.Cut(field(meminfo, "MemTotal"), " ")
	kib, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// files are settings that are one file each.
var files = map[string]string{
	"governor":          "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
	"turbo_off":         "sys/devices/system/cpu/intel_pstate/no_turbo",
	"smt":               "sys/devices/system/cpu/smt/control",
	"clocksource":       "sys/devices/system/clocksource/clocksource0/current_clocksource",
	"somaxconn":         "proc/sys/net/core/somaxconn",
	"local_ports":       "proc/sys/net/ipv4/ip_local_port_range",
	"tcp_mem":           "proc/sys/net/ipv4/tcp_mem",
	"max_map_count":     "proc/sys/vm/max_map_count",
	"threads_max":       "proc/sys/kernel/threads-max",
	"pid_max":           "proc/sys/kernel/pid_max",
	"preemption":        "sys/kernel/debug/sched/preempt",
	"transparent_pages": "sys/kernel/mm/transparent_hugepage/enabled",
	"product":           "sys/devices/virtual/dmi/id/product_name",
	"kernel_build":      "proc/version",
	"cpus_isolated":     "sys/devices/system/cpu/isolated",
	"cpus_nohz_full":    "sys/devices/system/cpu/nohz_full",
}

// settings reads files below root and what takes more than a file.
func settings(root string) map[string]string {
	out := map[string]string{}
	for name, file := range files {
		if text := read(filepath.Join(root, file)); text != "" && text != "(null)" {
			out[name] = strings.Join(strings.Fields(text), " ")
		}
	}
	if m := mitigations(filepath.Join(root, "sys/devices/system/cpu/vulnerabilities")); m != "" {
		out["mitigations"] = m
	}
	if v := virtualisation(read(filepath.Join(root, "proc/cpuinfo"))); v != "" {
		out["virtualisation"] = v
	}
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) == nil {
		out["nofile"] = fmt.Sprintf("%d soft, %d hard", files.Cur, files.Max)
	}
	return out
}

// mitigations lists the vulnerabilities that the kernel does something about: it costs system calls and switches, which is
// what a socket server consists of.
func mitigations(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	active := map[string]bool{}
	for _, e := range entries {
		if strings.HasPrefix(read(filepath.Join(dir, e.Name())), "Mitigation") {
			active[e.Name()] = true
		}
	}
	if len(active) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(active)), " ")
}

// virtualisation says whether a hypervisor runs below; on such a machine CPU time can be stolen.
func virtualisation(cpuinfo string) string {
	if slices.Contains(strings.Fields(field(cpuinfo, "flags")), "hypervisor") {
		return "guest"
	}
	return ""
}

// Version returns what this binary was built from: its module version or commit, "+dirty" when the tree had changes, and
// the Go version.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "turnlab, build unknown, " + runtime.Version()
	}
	return version(info)
}

func version(info *debug.BuildInfo) string {
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	commit := set["vcs.revision"]
	switch {
	case commit == "" && info.Main.Version != "" && info.Main.Version != "(devel)":
		commit = info.Main.Version
	case commit == "":
		commit = "commit unknown"
	default:
		commit = commit[:min(12, len(commit))]
		if set["vcs.modified"] == "true" {
			commit += "+dirty"
		}
	}
	return fmt.Sprintf("turnlab %s, %s", commit, info.GoVersion)
}

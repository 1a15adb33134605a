package host

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"turnlab/harness/proc"
)

func TestThisMachineIsDescribed(t *testing.T) {
	h := Describe()
	if h.OS != "linux" || h.Arch != runtime.GOARCH || h.CPUs < 1 || h.MemoryBytes < 1<<20 || h.Kernel == "" || h.CPU == "" || h.Go == "" {
		t.Errorf("%+v", h)
	}
	for _, name := range []string{"somaxconn", "nofile", "kernel_build"} {
		if h.Settings[name] == "" {
			t.Errorf("%s is missing in %v", name, h.Settings)
		}
	}
	c, err := proc.CountCalls([]int{os.Getpid()})
	if why := h.Settings["system_calls"]; (why == "") != (err == nil) || err != nil && !strings.Contains(why, err.Error()) {
		t.Errorf("system calls: %q, but to count them gives %v", why, err)
	}
	if err == nil {
		c.Close()
	}
}

// machine makes a folder that looks like the root of a machine.
func machine(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestSettingsAreReadAndAbsentOnesLeftOut(t *testing.T) {
	got := settings(machine(t, map[string]string{
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
		"proc/sys/net/ipv4/ip_local_port_range":                "32768\t60999\n",
		"sys/devices/system/cpu/isolated":                      "\n",
		"sys/devices/system/cpu/nohz_full":                     "(null)\n",
		"proc/cpuinfo":                                         "processor : 0\nflags : fpu hypervisor sse\n",
		"sys/devices/system/cpu/vulnerabilities/meltdown":      "Mitigation: PTI\n",
		"sys/devices/system/cpu/vulnerabilities/mds":           "Not affected\n",
		"sys/devices/system/cpu/vulnerabilities/spectre_v2":    "Mitigation: Retpolines\n",
	}))
	for name, want := range map[string]string{
		"governor": "performance", "local_ports": "32768 60999", "virtualisation": "guest", "mitigations": "meltdown spectre_v2",
		"cpus_isolated": "", "cpus_nohz_full": "", "somaxconn": "",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestAMachineWithoutMitigationsSaysSo(t *testing.T) {
	got := settings(machine(t, map[string]string{"sys/devices/system/cpu/vulnerabilities/meltdown": "Vulnerable\n"}))
	if got["mitigations"] != "none" || got["virtualisation"] != "" {
		t.Errorf("%v", got)
	}
}

func TestTheProcessorsNameIsFoundOnBothArchitectures(t *testing.T) {
	for text, want := range map[string]string{
		"processor\t: 0\nmodel name\t: Xeon @ 2 GHz\n": "Xeon @ 2 GHz",
		"processor\t: 0\nCPU part\t: 0xd0c\n":          "0xd0c",
		"":                                             "unknown",
	} {
		if got := cpuModel(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if memTotal("MemTotal:       1024 kB\nMemFree: 5 kB\n") != 1<<20 || memTotal("") != 0 {
		t.Error("memory")
	}
}

func TestAVersionNamesItsCommit(t *testing.T) {
	build := func(version string, settings ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{GoVersion: "go1.26"}
		info.Main.Version = version
		for i := 0; i < len(settings); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return info
	}
	for want, info := range map[string]*debug.BuildInfo{
		"turnlab 0123456789ab, go1.26":       build("v1.2.3", "vcs.revision", "0123456789abcdef"),
		"turnlab 0123456789ab+dirty, go1.26": build("(devel)", "vcs.revision", "0123456789abcdef", "vcs.modified", "true"),
		"turnlab v1.2.3, go1.26":             build("v1.2.3"),
		"turnlab commit unknown, go1.26":     build("(devel)"),
	} {
		if got := version(info); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if !strings.Contains(Version(), "turnlab") {
		t.Error(Version())
	}
}

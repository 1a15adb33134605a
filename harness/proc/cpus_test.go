package proc

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

func TestListsOfCPUsReadBackAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "0-3,5": "0-3,5", "3,2,1": "1-3", "5,0-1": "0-1,5", "1023": "1023", "0-1023": "0-1023", " 1, 2": "1-2",
	} {
		s, err := ParseCPUs(text)
		if err != nil || s.String() != want {
			t.Errorf("ParseCPUs(%q) = %q, %v; want %q", text, s, err, want)
		}
	}
}

func TestBadListsOfCPUsAreTheUsersToMend(t *testing.T) {
	for _, text := range []string{"", "a", "1-", "-1", "3-1", "1024", "0,,1", "0-9999999999999999999"} {
		if _, err := ParseCPUs(text); !misuse.Is(err) {
			t.Errorf("ParseCPUs(%q) gives %v", text, err)
		}
	}
}

func TestSetsCountAndIntersect(t *testing.T) {
	a, _ := ParseCPUs("0-3,64")
	b, _ := ParseCPUs("3-5,64")
	if a.Len() != 5 || a.And(b).String() != "3,64" || !a.Has(64) || a.Has(4) {
		t.Errorf("len %d, and %s", a.Len(), a.And(b))
	}
	if l := b.List(); len(l) != 4 || l[3] != 64 {
		t.Errorf("list %v", l)
	}
}

func TestAStartedCommandRunsOnItsCPUsAndTheStarterKeepsItsOwn(t *testing.T) {
	before := Allowed()
	one, _ := ParseCPUs(strconv.Itoa(before.List()[0]))
	var out strings.Builder
	cmd := exec.Command("grep", "Cpus_allowed_list", "/proc/self/status")
	cmd.Stdout = &out
	if err := Start(cmd, one); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(out.String()); got[1] != one.String() {
		t.Errorf("child ran on %v, want %s", got, one)
	}
	if Allowed() != before {
		t.Errorf("starter is on %s, was on %s", Allowed(), before)
	}
}

func TestStartSaysWhichCPUsAreMissing(t *testing.T) {
	gone, _ := ParseCPUs("1000")
	for _, s := range []CPUSet{gone, {}} {
		if err := Start(exec.Command("true"), s); !misuse.Is(err) {
			t.Errorf("start on CPUs %q gives %v", s, err)
		}
	}
}

func TestPinSelfMovesEveryThread(t *testing.T) {
	before := Allowed()
	defer func() {
		if err := PinSelf(before); err != nil {
			t.Error(err)
		}
	}()
	one, _ := ParseCPUs(strconv.Itoa(before.List()[0]))
	if err := PinSelf(one); err != nil {
		t.Fatal(err)
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		status, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if !strings.Contains(string(status), "Cpus_allowed_list:\t"+one.String()+"\n") {
			t.Errorf("thread %s is elsewhere", task.Name())
		}
	}
	var s unix.CPUSet
	if err := unix.SchedGetaffinity(0, &s); err != nil || s != one.mask {
		t.Errorf("this thread has %v, %v", CPUSet{s}, err)
	}
}

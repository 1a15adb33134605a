package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// The test binary starts itself again as the child; this variable says which part it plays.
const part = "CONTROL_TEST_PART"

func TestMain(m *testing.M) {
	if name := os.Getenv(part); name != "" {
		parts[name]()
		os.Exit(0)
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or the race detector keeps each child for a second
	goleak.VerifyTestMain(m)
}

var parts = map[string]func(){
	"polite":    polite,
	"garbage":   func() { fmt.Println("Welcome to the machine!"); sleepy() },
	"endless":   func() { endless(); sleepy() },
	"silent":    sleepy,
	"dies":      func() { fmt.Fprintln(os.Stderr, "out of luck"); os.Exit(7) },
	"torn":      func() { fmt.Print(`{"is":"rea`) },
	"mute":      func() { os.Stdout.Close(); sleepy() },
	"other":     func() { say(Event{Is: Result}); sleepy() },
	"refuses":   func() { say(Event{Is: Failed, Error: "port 80 is taken", Misuse: true}); os.Exit(2) },
	"breaks":    func() { say(Event{Is: Failed, Error: "epoll broke"}); os.Exit(1) },
	"last word": func() { say(Event{Is: Ready}); say(Event{Is: Failed, Error: "too few files", Misuse: true}) },
	"deaf":      func() { say(Event{Is: Ready}); sleepy() },
	"stubborn":  func() { hear(); say(Event{Is: Stopped}); sleepy() },
	"parent":    parent,
	"huge":      func() { say(Event{Is: Result, Result: &LoadResult{Windows: make([]record.Window, 36_000)}}); hear() },
}

func polite() {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var r Request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			panic(err)
		}
		switch r.Do {
		case Start:
			say(Event{Is: Ready, Address: strings.Join(os.Args[1:], " ")})
		case Sample:
			say(Event{Is: Sampled, Usage: &Usage{CPUNS: 5}})
		case Stop:
			say(Event{Is: Stopped})
		}
	}
}

// parent leaves a process behind that holds the standard streams open.
func parent() {
	cmd := exec.Command("sleep", "60")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	say(Event{Is: Ready, Address: fmt.Sprint(cmd.Process.Pid)})
}

// maxLine is what the tests allow, so that a line that is too long need not be 16 MiB.
const maxLine = 100_000

func endless() { fmt.Print(strings.Repeat("x", maxLine+1)) }

func say(e Event) {
	text, _ := json.Marshal(e)
	fmt.Println(string(text))
}

func hear()   { bufio.NewReader(os.Stdin).ReadString('\n') }
func sleepy() { time.Sleep(time.Minute) }

func spawn(t *testing.T, name string) *Child {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c, err := Spawn(ctx, Command{Name: "server", Args: []string{"child", "serve"}, Environ: []string{part + "=" + name}, maxLine: maxLine})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		select {
		case <-c.Gone():
		case <-time.After(10 * time.Second):
			t.Error("the child outlived the end of its context")
		}
	})
	return c
}

const long = 20 * time.Second // a bound that a passing test never meets

func TestAChildThatKeepsToTheConversationIsUnderstood(t *testing.T) {
	c := spawn(t, "polite")
	ready, err := c.Ask(t.Context(), Request{Do: Start}, Ready, long)
	if err != nil || ready.Address != "child serve" {
		t.Fatalf("got %+v, %v; want its arguments back", ready, err)
	}
	sampled, err := c.Ask(t.Context(), Request{Do: Sample}, Sampled, long)
	if err != nil || sampled.Usage.CPUNS != 5 {
		t.Fatalf("got %+v, %v; want a usage", sampled, err)
	}
	if err := c.Stop(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	if c.cmd.ProcessState == nil || !c.cmd.ProcessState.Success() {
		t.Errorf("a child that stopped was not reaped: %v", c.cmd.ProcessState)
	}
}

func TestAWrongChildGivesAnErrorThatSaysWhatHappened(t *testing.T) {
	for _, test := range []struct{ part, want string }{
		{"garbage", `not an event: "Welcome to the machine!"`},
		{"endless", "a line of more than 100000 bytes"},
		{"dies", `the server ended (exit status 7) before it said "ready"; it wrote:` + "\nout of luck"},
		{"torn", `not an event: "{\"is\":\"rea"`},
		{"mute", "closed its standard output"},
		{"other", `said "result" where "ready" was due`},
		{"breaks", "the server: epoll broke"},
	} {
		t.Run(test.part, func(t *testing.T) {
			t.Parallel()
			c := spawn(t, test.part)
			_, err := c.Await(t.Context(), Ready, long)
			if err == nil || !strings.Contains(err.Error(), test.want) || misuse.Is(err) {
				t.Errorf("got %v; want %q", err, test.want)
			}
			isGone(t, c)
		})
	}
}

func isGone(t *testing.T, c *Child) {
	t.Helper()
	select {
	case <-c.Gone():
	default:
		t.Error("the child is still there after an error")
	}
}

func TestAResultOfManyWindowsFitsIntoALine(t *testing.T) {
	c, err := Spawn(t.Context(), Command{Name: "generator", Environ: []string{part + "=huge"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Await(t.Context(), Result, long)
	if err != nil || len(got.Result.Windows) != 36_000 {
		t.Errorf("an hour of windows: %v", err)
	}
	c.Kill()
	<-c.Gone()
}

func TestSilenceEndsAtTheDeadline(t *testing.T) {
	c := spawn(t, "silent")
	_, err := c.Await(t.Context(), Ready, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), `did not say "ready" within 50ms`) {
		t.Errorf("got %v", err)
	}
	isGone(t, c)
}

func TestAChildsMisuseIsTheUsersToMend(t *testing.T) {
	c := spawn(t, "refuses")
	_, err := c.Await(t.Context(), Ready, long)
	if !misuse.Is(err) || err.Error() != "port 80 is taken" {
		t.Errorf("got %v", err)
	}
}

func TestARefusalIsHeardEvenWhenTheNextRequestCannotBeSent(t *testing.T) {
	c := spawn(t, "last word")
	if _, err := c.Await(t.Context(), Ready, long); err != nil {
		t.Fatal(err)
	}
	<-c.Gone()
	if _, err := c.Ask(t.Context(), Request{Do: Go}, Measuring, long); !misuse.Is(err) {
		t.Errorf("got %v; want the child's own words", err)
	}
}

func TestAChildThatDoesNotReadDoesNotBlockTheHarness(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the send deadline")
	}
	t.Parallel()
	c := spawn(t, "deaf")
	if _, err := c.Await(t.Context(), Ready, long); err != nil {
		t.Fatal(err)
	}
	big := Request{Do: Start, Server: &Server{Address: strings.Repeat("x", 1<<20)}}
	if err := c.Send(t.Context(), big); err == nil {
		t.Error("a megabyte went into a pipe that nobody reads")
	}
	isGone(t, c)
}

func TestAChildThatStaysAfterStopIsKilled(t *testing.T) {
	c := spawn(t, "stubborn")
	err := c.Stop(t.Context(), 100*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "did not exit") {
		t.Errorf("got %v", err)
	}
	isGone(t, c)
}

func TestCancelEndsAWaitAndTheChild(t *testing.T) {
	c := spawn(t, "silent")
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the user has seen enough")
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	if _, err := c.Await(ctx, Ready, long); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	isGone(t, c)
}

func TestWhatAChildLeavesBehindGoesWithIt(t *testing.T) {
	c := spawn(t, "parent")
	ready, err := c.Await(t.Context(), Ready, long)
	if err != nil {
		t.Fatal(err)
	}
	<-c.Gone()
	var pid int
	fmt.Sscan(ready.Address, &pid)
	for until := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("process %d outlived its parent", pid)
		}
	}
}

// alive reports whether a process runs; one that has ended but was not collected does not.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ") && syscall.Kill(pid, 0) == nil
}

func TestTheEndOfTheContextFreesWhatAChildLeftUnheard(t *testing.T) {
	// That nothing stays behind is seen by the leak check at the end of all tests.
	c := spawn(t, "last word")
	if _, err := c.Await(t.Context(), Ready, long); err != nil {
		t.Fatal(err)
	}
	<-c.Gone()
}

func TestAProgramThatIsNotThereIsAnErrorWithItsName(t *testing.T) {
	_, err := Spawn(t.Context(), Command{Name: "generator", Program: "/no/such/lab"})
	if err == nil || !strings.Contains(err.Error(), "/no/such/lab") {
		t.Errorf("got %v", err)
	}
}

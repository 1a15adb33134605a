package exec

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"turnlab/engine"
	"turnlab/internal/misuse"
)

// role makes the test binary a foreign server: it echoes on the address in its arguments.
const role = "TURNLAB_TEST_SERVES"

func TestMain(m *testing.M) {
	if network := os.Getenv(role); network != "" {
		serveEcho(network, os.Args[1])
	}
	os.Exit(m.Run())
}

func serveEcho(network, address string) {
	l, err := net.Listen(network, address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go io.Copy(c, c)
	}
}

// start prepares an engine from a command and serves until the test ends.
func start(t *testing.T, network, address, command string) (*Engine, *engine.Listener, error) {
	t.Helper()
	l, err := engine.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := NewSpec("echo", command)
	if err != nil {
		t.Fatal(err)
	}
	options, err := spec.AllOptions().Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := spec.New(engine.Config{Options: options})
	if err != nil {
		t.Fatal(err)
	}
	e := made.(*Engine)
	if err := e.Prepare(l, nil); err != nil {
		return e, l, err
	}
	done := make(chan error, 1)
	go func() { done <- e.Serve(l, nil) }()
	t.Cleanup(func() {
		e.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := syscall.Kill(-e.PID(), 0); err != syscall.ESRCH {
			t.Errorf("the group is still there: %v", err)
		}
	})
	return e, l, nil
}

func itself(network, rest string) string {
	return fmt.Sprintf("env %s=%s '%s' %s", role, network, os.Args[0], rest)
}

func TestAForeignServerServesWhereItIsTold(t *testing.T) {
	for name, c := range map[string][3]string{
		"host and port": {"tcp", "127.0.0.1:0", "{host}:{port}"},
		"address":       {"tcp", "127.0.0.1:0", "{addr}"},
		"unix":          {"unix", filepath.Join(t.TempDir(), "s"), "{addr}"},
	} {
		t.Run(name, func(t *testing.T) {
			e, l, err := start(t, c[0], c[1], itself(c[0], c[2]))
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial(l.Network, l.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, "hello")
			got := make([]byte, 5)
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
				t.Errorf("%q, %v", got, err)
			}
			exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", e.PID()))
			if self, _ := os.Executable(); exe != self {
				t.Errorf("the measured process is %s", exe)
			}
		})
	}
}

func TestAServerThatDiesAtOnceIsQuoted(t *testing.T) {
	_, _, err := start(t, "tcp", "127.0.0.1:0", "sh -c 'echo no licence for {port} >&2; exit 7'")
	if !misuse.Is(err) || !strings.Contains(err.Error(), "no licence for ") || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("got %v", err)
	}
	_, _, err = start(t, "tcp", "127.0.0.1:0", "/no/such/server {port}")
	if !misuse.Is(err) || !strings.Contains(err.Error(), "/no/such/server") {
		t.Errorf("got %v", err)
	}
}

func TestStopEndsAPreparationThatWouldTakeTooLong(t *testing.T) {
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	spec, _ := NewSpec("deaf", "sleep 100")
	made, _ := spec.New(engine.Config{})
	time.AfterFunc(50*time.Millisecond, made.Stop)
	if err := made.Serve(l, nil); err == nil {
		t.Error("a server that never accepted was served")
	}
	if err := syscall.Kill(-made.(*Engine).PID(), 0); err != syscall.ESRCH {
		t.Errorf("the group is still there: %v", err)
	}
}

func TestAServerThatEndsWhileServingIsAnError(t *testing.T) {
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	spec, _ := NewSpec("frail", itself("tcp", "{addr}"))
	made, _ := spec.New(engine.Config{})
	e := made.(*Engine)
	if err := e.Prepare(l, nil); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(e.PID(), syscall.SIGTERM)
	if err := e.Serve(l, nil); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotBeStartedIsTheUsersToMend(t *testing.T) {
	for _, c := range [][2]string{{"", "x"}, {"a/b", "x"}, {"a,b", "x"}, {"a", " "}} {
		if _, err := NewSpec(c[0], c[1]); !misuse.Is(err) {
			t.Errorf("NewSpec(%q, %q) gives %v", c[0], c[1], err)
		}
	}
	spec, _ := NewSpec("a", "x")
	options, _ := spec.AllOptions().Resolve(map[string]string{"gogc": "50"})
	if _, err := spec.New(engine.Config{Options: options}); !misuse.Is(err) || !strings.Contains(err.Error(), "gogc") {
		t.Errorf("an option that would be ignored gives %v", err)
	}
	_, err := fill("x {port}", &engine.Listener{Network: "unix", Address: "/tmp/x"})
	if !misuse.Is(err) {
		t.Errorf("a port on a unix socket gives %v", err)
	}
}

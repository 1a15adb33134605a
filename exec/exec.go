// Package exec is the engine that somebody else wrote: any server that speaks a workload's protocol, started as a command.
//
// It lets a sceptic put nginx, redis, or a server of their own into the same blocks, under the same load, with the same
// checks of every reply. The lab only starts the process, on the server's CPUs, waits until it accepts, and ends it; CPU
// time, memory and switches are read from the process group that it leads, so worker processes count.
//
// Limits: what a foreign server does with its options is its own affair, so this engine has none; counters are absent; the
// CPU time of worker processes that end during a trial is lost.
package exec

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/internal/lastwords"
	"turnlab/internal/misuse"
	"turnlab/workloads"
)

// Name is the engine's; the variant is what the user calls the server: exec/nginx.
const Name = "exec"

// Bounds of a foreign server's life.
const (
	acceptTime = 10 * time.Second      // from its start until it accepts
	acceptStep = 10 * time.Millisecond // between two tries
	lastWords  = time.Second           // for its output to end after its own end
)

// NewSpec describes a foreign server. The command is one command line for sh(1), with sh's rules for quotes; {host}, {port}
// and {addr} (host:port, or the path of a unix socket) stand for where it must listen. sh is replaced by the server
// ("exec ..."), so the process that is measured is the server.
func NewSpec(name, command string) (*engine.Spec, error) {
	if name == "" || strings.ContainsAny(name, "/, \t\n") {
		return nil, misuse.Errorf("engine exec/%s: give the server a name without slashes, commas and blanks, such as exec/nginx", name)
	}
	if strings.TrimSpace(command) == "" {
		return nil, misuse.Errorf("engine exec/%s needs a command such as \"./server {host} {port}\"", name)
	}
	return &engine.Spec{
		Name:    Name,
		Variant: name,
		Summary: "somebody else's server: " + command,
		Command: command,
		New: func(c engine.Config) (engine.Engine, error) {
			if err := takesNoOptions(name, c); err != nil {
				return nil, err
			}
			return &Engine{command: command, stop: make(chan struct{}), gone: make(chan struct{})}, nil
		},
	}, nil
}

// takesNoOptions refuses what would otherwise be ignored.
func takesNoOptions(name string, c engine.Config) error {
	for _, o := range engine.Common {
		if v, ok := c.Options[o.Name]; ok && v.String() != o.Default {
			return misuse.Errorf("engine exec/%s has no option %s: put the server's own settings into its command", name, o.Name)
		}
	}
	return nil
}

// Engine is a foreign server's process.
type Engine struct {
	command string
	said    lastwords.Tail
	cmd     *exec.Cmd // nil until Prepare

	stop     chan struct{} // closed by Stop
	stopping sync.Once
	gone     chan struct{} // closed when the process has been reaped

	mu     sync.Mutex
	reaped bool // the process id is no longer ours to kill
}

// PID returns the leader of the foreign server's process group.
func (e *Engine) PID() int { return e.cmd.Process.Pid }

// Prepare starts the server and returns when it accepts. The listener has found a free address and is closed, since the
// server must have it; somebody else may take it in between, in which case the server says so and Prepare repeats it.
func (e *Engine) Prepare(l *engine.Listener, _ workloads.Server) error {
	if err := l.Close(); err != nil {
		return err
	}
	if err := e.start(l); err != nil {
		return fmt.Errorf("start %q: %w", e.command, err)
	}
	err := e.awaitAccept(l)
	if err != nil {
		e.kill()
		<-e.gone
	}
	return err
}

func (e *Engine) start(l *engine.Listener) error {
	line, err := fill(e.command, l)
	if err != nil {
		return err
	}
	e.cmd = exec.Command("/bin/sh", "-c", "exec "+line)
	e.cmd.Stdout, e.cmd.Stderr = &e.said, &e.said
	e.cmd.WaitDelay = lastWords
	// A group of its own, to be measured and ended as a whole; and its leader dies if this process is killed.
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := e.cmd.Start(); err != nil {
		return err
	}
	go e.reap()
	return nil
}

// fill puts the address into the command.
func fill(command string, l *engine.Listener) (string, error) {
	pairs := []string{"{addr}", l.Address}
	if host, port, err := net.SplitHostPort(l.Address); err == nil && l.Network == "tcp" {
		pairs = append(pairs, "{host}", host, "{port}", port)
	} else if strings.Contains(command, "{host}") || strings.Contains(command, "{port}") {
		return "", misuse.Errorf("on a unix socket there is no {host} and no {port}: use {addr}, the socket's path")
	}
	return strings.NewReplacer(pairs...).Replace(command), nil
}

// reap waits for the process, kills what is left of its group, and collects it. Until it is collected its id cannot
// belong to anybody else.
func (e *Engine) reap() {
	for unix.Waitid(unix.P_PID, e.PID(), nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	e.kill()
	e.mu.Lock()
	e.reaped = true
	e.mu.Unlock()
	_ = e.cmd.Wait() // how it ended is in ProcessState
	close(e.gone)
}

// kill ends the process group.
func (e *Engine) kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.reaped {
		_ = unix.Kill(-e.PID(), unix.SIGKILL)
	}
}

func (e *Engine) awaitAccept(l *engine.Listener) error {
	for end := time.Now().Add(acceptTime); time.Now().Before(end); {
		conn, err := net.DialTimeout(l.Network, l.Address, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-e.gone:
			return e.died()
		case <-e.stop:
			return errors.New("stopped before the server accepted")
		case <-time.After(acceptStep):
		}
	}
	return misuse.Errorf("%q does not accept on %s after %v: does it listen where {host} {port} or {addr} say? %s",
		e.command, l.Address, acceptTime, e.lastWords())
}

// lastWords returns the end of what the server has said, in one line.
func (e *Engine) lastWords() string {
	if lines := e.said.Lines(5); len(lines) > 0 {
		return strings.Join(lines, "; ")
	}
	return "none"
}

// died says how the server ended.
func (e *Engine) died() error {
	return misuse.Errorf("%q ended (%v); its last words: %s", e.command, e.cmd.ProcessState, e.lastWords())
}

// Serve waits until Stop, or until the server ends.
func (e *Engine) Serve(l *engine.Listener, srv workloads.Server) error {
	if e.cmd == nil {
		if err := e.Prepare(l, srv); err != nil {
			return err
		}
	}
	var err error
	select {
	case <-e.stop:
		e.kill()
		<-e.gone
	case <-e.gone:
		err = e.died()
	}
	if l.Network == "unix" {
		_ = os.Remove(l.Address) // a killed server leaves its socket's path behind
	}
	return err
}

// Stop makes Serve end the process group and return.
func (e *Engine) Stop() { e.stopping.Do(func() { close(e.stop) }) }

// Counters returns nothing: the server is a stranger.
func (e *Engine) Counters() map[string]int64 { return nil }

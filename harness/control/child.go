package control

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/internal/lastwords"
	"turnlab/internal/misuse"
)

// Bounds of a conversation. A step's own deadline comes from the caller, who knows how long a window is.
const (
	// MaxLine is the longest line a child may write, in bytes. Histograms and the windows of an hour fit in it many times.
	MaxLine = 16 << 20
	// sendTime bounds the write of a request: a child that does not read its input fills the pipe.
	sendTime = 2 * time.Second
	// lastWords bounds the wait for a dead child's remaining output, which a grandchild may keep open.
	lastWords = time.Second
	// killTime bounds the wait for a killed process to be gone. SIGKILL takes no time, but what the kernel has to take back of a
	// large process does.
	killTime = 5 * time.Second
)

// Command says how to start a child.
type Command struct {
	Name    string   // for messages: "server", "generator"
	Args    []string // after the program: "child", "serve"
	Program string   // the binary; empty means this one
	Environ []string // added to the environment of this process
	maxLine int      // for tests; 0 means MaxLine
	// Start starts the prepared command, on the CPUs it should have; nil starts it as it is.
	Start func(*exec.Cmd) error
}

// A Child is a running child process and the harness's end of the conversation with it. Its methods are for one goroutine,
// except Kill and Gone. Whatever happens the process is reaped, and with it goes everything left in its process group.
type Child struct {
	name   string
	cmd    *exec.Cmd
	in     *os.File // the child's standard input
	out    *os.File // the child's standard output
	stderr *lastwords.Tail
	events chan line     // from the reader; closed at the end of the output
	most   int           // bytes of a line
	deaf   chan struct{} // closed when nobody will listen any more
	gone   chan struct{} // closed when the process has been reaped

	mu     sync.Mutex
	reaped bool        // the process id is no longer ours to kill
	killed bool        // deaf is closed
	forget func() bool // takes Kill off the end of the context
}

// line is what the reader makes of one line of a child's output.
type line struct {
	event *Event
	err   error
}

// Spawn starts a child. It lives until Stop, Kill, or the end of ctx, one of which must come.
func Spawn(ctx context.Context, c Command) (*Child, error) {
	cmd, err := c.prepare()
	if err != nil {
		return nil, err
	}
	child := &Child{
		name: c.Name, cmd: cmd, stderr: &lastwords.Tail{}, most: MaxLine,
		events: make(chan line), deaf: make(chan struct{}), gone: make(chan struct{}),
	}
	cmd.Stderr = child.stderr
	if c.maxLine > 0 {
		child.most = c.maxLine
	}
	if err := child.start(c.Start); err != nil {
		return nil, fmt.Errorf("start the %s (%s): %w", c.Name, cmd.Path, err)
	}
	go child.read()
	go child.reap()
	child.mu.Lock()
	defer child.mu.Unlock()
	child.forget = context.AfterFunc(ctx, child.Kill)
	return child, nil
}

func (c Command) prepare() (*exec.Cmd, error) {
	program := c.Program
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program, to start it as the %s: %w", c.Name, err)
		}
		program = self
	}
	cmd := exec.Command(program, c.Args...)
	cmd.Env = append(os.Environ(), c.Environ...)
	// A group of its own: Ctrl-C at the terminal reaches the harness alone, which then ends the trial in order, and a kill
	// reaches whatever the child has started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = lastWords
	return cmd, nil
}

// start makes the pipes and starts the process.
//
// Note: the pipes are our own and not those of package exec, because exec closes its standard output when the process
// ends, which can lose the last line, and because only an *os.File has deadlines.
func (c *Child) start(start func(*exec.Cmd) error) error {
	if start == nil {
		start = (*exec.Cmd).Start
	}
	inR, inW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer inR.Close()
	outR, outW, err := os.Pipe()
	if err != nil {
		inW.Close()
		return err
	}
	defer outW.Close()
	c.cmd.Stdin, c.cmd.Stdout = inR, outW
	if err := start(c.cmd); err != nil {
		inW.Close()
		outR.Close()
		return err
	}
	c.in, c.out = inW, outR
	return nil
}

// reap waits for the process, kills what is left of its group, and collects it. The order matters: until the process is
// collected its id, which is also the group's, cannot belong to anybody else.
func (c *Child) reap() {
	for unix.Waitid(unix.P_PID, c.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	c.mu.Lock()
	_ = unix.Kill(-c.cmd.Process.Pid, unix.SIGKILL)
	c.reaped = true
	c.mu.Unlock()
	_ = c.cmd.Wait() // how it ended is kept in cmd.ProcessState
	c.in.Close()
	c.out.SetReadDeadline(time.Now().Add(lastWords))
	close(c.gone)
}

// Kill ends the child and its process group at once. It may be called from any goroutine and more than once.
func (c *Child) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		_ = unix.Kill(-c.cmd.Process.Pid, unix.SIGKILL)
	}
	if !c.killed {
		c.killed = true
		c.forget()
		c.in.Close()
		close(c.deaf)
	}
}

// Gone is closed when the child has ended and been reaped.
func (c *Child) Gone() <-chan struct{} { return c.gone }

// PID returns the process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Ask sends a request and waits for the event that answers it.
func (c *Child) Ask(ctx context.Context, r Request, want string, within time.Duration) (*Event, error) {
	if err := c.Send(ctx, r); err != nil {
		return nil, err
	}
	return c.Await(ctx, want, within)
}

// Send writes a request. After an error the child is dead.
func (c *Child) Send(ctx context.Context, r Request) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a request to the %s: %w", c.name, err)
	}
	c.in.SetWriteDeadline(time.Now().Add(sendTime))
	if _, err := c.in.Write(append(text, '\n')); err == nil {
		return nil
	}
	// A child that refused to go on said why before it died: that is worth more than "broken pipe".
	_, err = c.Await(ctx, "an answer to "+r.Do, lastWords)
	return err // never nil: no event has that name
}

// Await waits for the event want. An error event, another event, garbage, silence for longer than within, the child's
// death and the end of ctx are errors, after which the child is dead.
func (c *Child) Await(ctx context.Context, want string, within time.Duration) (*Event, error) {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case l, ok := <-c.events:
		switch {
		case !ok:
			return nil, c.fail(ctx, c.death(want))
		case l.err != nil:
			return nil, c.fail(ctx, l.err)
		case l.event.Is == Failed:
			return nil, c.fail(ctx, c.refusal(l.event))
		case l.event.Is != want:
			return nil, c.fail(ctx, fmt.Errorf("the %s said %.40q where %q was due", c.name, l.event.Is, want))
		}
		return l.event, nil
	case <-late.C:
		return nil, c.fail(ctx, fmt.Errorf("the %s did not say %q within %v", c.name, want, within))
	case <-ctx.Done():
		return nil, c.fail(ctx, context.Cause(ctx))
	}
}

// Stop asks the child to end and waits for that; one that does not end in time is killed, which is an error.
func (c *Child) Stop(ctx context.Context, within time.Duration) error {
	if err := c.Dismiss(ctx, within); err != nil {
		return err
	}
	return c.Ended(ctx, within)
}

// Dismiss asks the child to end and returns when it has said that it does. Ended must follow: what the kernel has to take
// back of a large process takes its time, in which others can be told to end as well.
func (c *Child) Dismiss(ctx context.Context, within time.Duration) error {
	_, err := c.Ask(ctx, Request{Do: Stop}, Stopped, within)
	return err
}

// Ended waits for the end of a child that was dismissed; one that does not end in time is killed, which is an error.
func (c *Child) Ended(ctx context.Context, within time.Duration) error {
	c.in.Close()
	if !c.wait(ctx, within) {
		return c.fail(ctx, fmt.Errorf("the %s did not exit within %v of stop", c.name, within))
	}
	c.Kill() // the process is gone; this lets the reader go too
	return nil
}

// wait waits until the process has been reaped and reports whether it was in time.
func (c *Child) wait(ctx context.Context, within time.Duration) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-c.gone:
		return true
	case <-late.C:
	case <-ctx.Done():
	}
	return false
}

// fail ends the child, waits until it is reaped and completes the message with the child's last words. When ctx has ended,
// that is the cause and everything else a consequence.
func (c *Child) fail(ctx context.Context, err error) error {
	c.Kill()
	if !c.wait(context.Background(), killTime) {
		return fmt.Errorf("%w; and process %d cannot be killed: end it by hand", err, c.PID())
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the %s was stopped: %w", c.name, context.Cause(ctx))
	}
	if words := strings.Join(c.stderr.Lines(10), "\n"); words != "" && !misuse.Is(err) {
		return fmt.Errorf("%w; it wrote:\n%s", err, words)
	}
	return err
}

// death describes a child whose output ended when it should have said want. Its exit usually comes right after.
func (c *Child) death(want string) error {
	if !c.wait(context.Background(), lastWords) {
		return fmt.Errorf("the %s closed its standard output before it said %q", c.name, want)
	}
	return fmt.Errorf("the %s ended (%s) before it said %q", c.name, c.cmd.ProcessState, want)
}

// refusal turns a child's error event into an error of the right kind.
func (c *Child) refusal(e *Event) error {
	if e.Misuse {
		return misuse.Errorf("%s", e.Error)
	}
	return fmt.Errorf("the %s: %s", c.name, e.Error)
}

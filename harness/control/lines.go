package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// read turns the child's output into events until its end. The channel has no buffer: a child that writes more than the
// harness wants to hear is stopped by its own pipe.
func (c *Child) read() {
	defer c.out.Close()
	defer close(c.events)
	scanner := bufio.NewScanner(c.out)
	scanner.Buffer(make([]byte, 0, min(c.most, 64<<10)), c.most)
	for scanner.Scan() {
		if !c.deliver(c.parse(scanner.Bytes())) {
			return
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		c.deliver(line{err: fmt.Errorf("the %s wrote a line of more than %d bytes", c.name, c.most)})
	}
}

// deliver hands l to Await, however late that comes, unless nobody will listen any more.
func (c *Child) deliver(l line) bool {
	select {
	case c.events <- l:
	case <-c.deaf:
		return false
	}
	select {
	case <-c.gone:
		// What a dead child left in the pipe is still to be read, but something it started may hold the pipe open.
		c.out.SetReadDeadline(time.Now().Add(lastWords))
	default:
	}
	return true
}

func (c *Child) parse(text []byte) line {
	e := new(Event)
	if err := json.Unmarshal(text, e); err != nil || e.Is == "" {
		return line{err: fmt.Errorf("the %s wrote something that is not an event: %s (only events may go to its standard "+
			"output; a launcher's greetings must go elsewhere)", c.name, excerpt(text))}
	}
	return line{event: e}
}

// excerpt quotes the start of a text.
func excerpt(text []byte) string {
	const most = 120
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

// tail keeps the last words a child wrote to its standard error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailBytes is how much a tail keeps.
const tailBytes = 4 << 10

// Write implements io.Writer; it cannot fail.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

// String returns the last lines, at most ten.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-10):], []byte("\n")))
}

package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
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
			"output)", c.name, excerpt(text))}
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

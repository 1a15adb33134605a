// Package lastwords keeps the end of what a process says, for the message when it dies.
//
// Limits: the last 4 KiB; a line that is longer has lost its beginning.
package lastwords

import (
	"strings"
	"sync"
)

// most is how many bytes are kept.
const most = 4 << 10

// Tail keeps the end of what is written to it. The zero Tail is ready to use, by many at once.
type Tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer; it cannot fail.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - most; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

// Lines returns the last n lines that are kept, or as many as there are; none when nothing but blanks was said.
func (t *Tail) Lines(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-n):]
}

package exec

import (
	"bytes"
	"sync"
)

// tail keeps the last words of a process, for the message when it dies.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailBytes is how much a tail keeps.
const tailBytes = 2 << 10

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

// String returns the last five lines in one.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.text), []byte("\n"))
	if len(lines[0]) == 0 {
		return "none"
	}
	return string(bytes.Join(lines[max(0, len(lines)-5):], []byte("; ")))
}

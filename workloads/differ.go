package workloads

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrUnasked is the error of a reply that belongs to no request.
var ErrUnasked = errors.New("the server sent bytes that no request asked for")

// excerpt is how many bytes an error shows from each side.
const excerpt = 24

// match compares in with the start of want, as far as both go, and returns how many bytes it compared. The error names the
// first byte that differs; base is where want begins in the whole, which is called what.
func match(in, want []byte, what string, base int) (int, error) {
	n := min(len(in), len(want))
	if bytes.Equal(in[:n], want[:n]) {
		return n, nil
	}
	at := shared(in, want)
	return at, fmt.Errorf("byte %d of the %s is wrong: got %q, want %q", base+at, what, cut(in[at:]), cut(want[at:]))
}

// shared returns how many bytes the two begin with in common.
func shared(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func cut(b []byte) []byte { return b[:min(len(b), excerpt)] }

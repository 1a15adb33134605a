package lastwords

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTheLastLinesAreKeptAndNoMore(t *testing.T) {
	var tail Tail
	if lines := tail.Lines(3); lines != nil {
		t.Errorf("of nothing: %q", lines)
	}
	for i := range 10_000 {
		fmt.Fprintf(&tail, "line %d\n", i)
	}
	if lines := tail.Lines(2); !slices.Equal(lines, []string{"line 9998", "line 9999"}) {
		t.Errorf("got %q", lines)
	}
	if kept := strings.Join(tail.Lines(10_000), "\n"); len(kept) > most || len(kept) < most/2 {
		t.Errorf("%d bytes are kept", len(kept))
	}
}

func TestOneWriteOfTooMuchKeepsItsEnd(t *testing.T) {
	var tail Tail
	if n, err := tail.Write([]byte(strings.Repeat("x", 3*most) + "\nthe end \n")); n != 3*most+10 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if lines := tail.Lines(1); !slices.Equal(lines, []string{"the end"}) {
		t.Errorf("got %q", lines)
	}
}

package misuse

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestIsFindsTheMarkUnderOtherErrors(t *testing.T) {
	err := fmt.Errorf("reading the plan: %w", Errorf("no engine %q", "x"))
	if !Is(err) || err.Error() != `reading the plan: no engine "x"` {
		t.Fatal(err)
	}
	if !Is(errors.Join(io.EOF, err)) {
		t.Fatal("not found in joined errors")
	}
}

func TestIsDoesNotBlameTheUserForOtherErrors(t *testing.T) {
	if Is(io.EOF) || Is(nil) || Is(fmt.Errorf("disk: %w", io.ErrShortWrite)) {
		t.Fatal("an error of the machine is marked as the user's")
	}
}

func TestTheCauseCanBeAskedFor(t *testing.T) {
	if !errors.Is(Errorf("no such folder: %w", io.EOF), io.EOF) {
		t.Fatal("the cause is lost")
	}
}

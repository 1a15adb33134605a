// Package misuse marks errors that the user can mend: an unknown name, a bad value, a port in use. The command line prints
// them as one line and exits with 2; every other error exits with 1.
package misuse

import (
	"errors"
	"fmt"
)

// Error is a mistake in what the user asked for. Its text says what is wrong and what to do.
type Error struct{ err error }

// Errorf makes an Error; %w works as in fmt.Errorf.
func Errorf(format string, args ...any) error { return &Error{fmt.Errorf(format, args...)} }

// Error returns the text.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.err }

// Is reports whether err, or an error it wraps, is the user's to mend.
func Is(err error) bool {
	var e *Error
	return errors.As(err, &e)
}

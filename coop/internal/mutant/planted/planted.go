// Package planted is the switch of planted mistakes in programs that tests have compiled with them.
package planted

import "os"

var active = os.Getenv("COOP_MUTANT")

// Mutated reports whether the mistake of that name is the active one.
func Mutated(name string) bool { return active == name }

//go:build !coopdebug

package coop

// noCopy makes `go vet` complain about copies. A future must stay where it is from its first poll to its end, because lists
// and wakers may point into it; Rust has Pin for that, Go has this. Copies that vet cannot see (through reflection, an
// interface or a type parameter) are found when they are used, in a build with the tag coopdebug; without it noCopy has no
// size and stay does nothing.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

func (*noCopy) stay(string) {}

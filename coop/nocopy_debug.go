//go:build coopdebug

package coop

// noCopy remembers where it was when it was first used. A copy has the address of the original in it, and not its own.
type noCopy struct {
	self *noCopy
}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// stay panics when n is a copy of something that has been used in another place.
func (n *noCopy) stay(name string) {
	if n.self == nil {
		n.self = n
	}
	if n.self != n {
		panic("coop: " + name + " was copied after its first use, and the copy was used: use it by pointer, or see Pinned")
	}
}

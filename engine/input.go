package engine

import "turnlab/workloads"

// Input is the memory for one connection's input in an engine that waits inside read: the buffer has to be there before
// the bytes are. It starts at a given size, doubles while a session leaves more unread, and never exceeds
// workloads.MaxUnread.
//
// Note: an engine that is told of readiness first needs no such thing. It reads into one buffer for all its connections
// and keeps per connection only what was left unread, which is most often nothing.
type Input struct {
	buf  []byte
	size int // to start with, and to go back to
	kept int // unread bytes at the front of buf
}

// NewInput returns an Input of a given size, in bytes.
func NewInput(size int) Input { return Input{buf: make([]byte, size), size: size} }

// Room moves what x has left unread to the front of the buffer and returns the free space after it, which is never empty
// as long as less than workloads.MaxUnread is unread.
func (in *Input) Room(x *workloads.Exchange) []byte {
	if len(x.In) == len(in.buf) {
		in.resize(min(2*len(in.buf), workloads.MaxUnread), x)
	}
	in.kept = copy(in.buf, x.In)
	return in.buf[in.kept:]
}

// Shrink gives memory beyond the starting size back when nothing in it is unread.
func (in *Input) Shrink(x *workloads.Exchange) {
	if len(in.buf) > in.size && len(x.In) == 0 {
		in.resize(in.size, x)
	}
}

func (in *Input) resize(size int, x *workloads.Exchange) {
	bigger := make([]byte, size)
	x.In = bigger[:copy(bigger, x.In)]
	in.buf = bigger
}

// Got gives x the n bytes that were read into the room, after what it had left unread.
func (in *Input) Got(x *workloads.Exchange, n int) { x.In = in.buf[:in.kept+n] }

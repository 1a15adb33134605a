package reactor

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// System is what the reactor and the socket futures ask of the operating system: waiting, and the calls that never block on
// a non-blocking descriptor. [NewEpoll] is the real one. It is an interface so that a simulation can take its place, with
// short reads, interrupted calls, resets, stale events and a clock of its own, all repeatable from a seed.
//
// Errors are plain numbers, 0 for none: nothing is allocated on the path of a request.
type System interface {
	// Add watches fd for both directions, edge-triggered: Wait reports token when something *becomes* possible. It is
	// called once per descriptor; closing the descriptor ends it.
	Add(fd int32, token uint64) syscall.Errno
	// Wait stores what has happened in events and returns how many there are. It waits as coop.Driver.Wait does.
	Wait(events []Event, timeout time.Duration) (int, syscall.Errno)
	// Wake ends a Wait, or the next one. It may be called from any thread and after Close.
	Wake()
	// Now returns nanoseconds on a clock that never goes back.
	Now() int64
	// Close gives back what the System holds, but not the descriptors that were added.
	Close() error

	Read(fd int32, p []byte) (int, syscall.Errno)
	Write(fd int32, p []byte) (int, syscall.Errno)
	// Accept returns a new non-blocking descriptor.
	Accept(fd int32) (int32, syscall.Errno)
	// Connect opens a non-blocking socket and begins to connect it.
	Connect(to unix.Sockaddr) (int32, syscall.Errno)
	// ConnectError returns how a connection attempt has ended, once the descriptor is writable.
	ConnectError(fd int32) syscall.Errno
	// CloseWrite ends the sending side of a connection.
	CloseWrite(fd int32) syscall.Errno
	CloseFD(fd int32) syscall.Errno
}

// Event is one thing that has happened to a descriptor.
type Event struct {
	Token uint64
	Flags Flags
}

// Flags say what has happened. They are those of epoll.
type Flags uint32

// The flags that the reactor understands.
const (
	In    Flags = 0x1    // there is something to read, or to accept
	Out   Flags = 0x4    // there is room to write
	Err   Flags = 0x8    // an error waits; reading or writing will report it
	Hup   Flags = 0x10   // both directions have ended
	RdHup Flags = 0x2000 // the peer will send nothing more
)

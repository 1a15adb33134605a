// Package workloads holds the protocols that the engines serve, with the I/O taken out.
//
// The lab compares engines, so the work must be the same, literally: one source per workload, run by every engine. A
// [Session] is one connection's side of a protocol as a pure state machine ("sans-IO"): bytes come in, bytes and one [Op]
// come out. It opens no socket, starts no goroutine and reads no clock; whoever runs it does the reading, the waiting and
// the writing, and *how* that is done is the engine. What cannot differ cannot bias: two engines that run the same sessions
// over the same bytes must send the same bytes, and a conformance test holds them to it.
//
// The other half, a [Client], makes requests and checks each reply byte for byte, also without I/O. A benchmark that does
// not read the answers measures how fast a server can be wrong.
//
// Limits: a session sees one connection; what sessions share lives in their [Server]. Protocols are request and reply, or
// server push; nothing here speaks TLS.
package workloads

import "time"

// Session is one connection's side of a workload.
//
// The engine calls Step once when the connection opens (In is empty then, so that a server may speak first) and again after
// it has carried out the returned [Op]. Calls for one session never overlap, but they may come from different threads.
type Session interface {
	Step(x *Exchange) Op
}

// MaxUnread is the most input a session may leave unread, in bytes. An engine that has this much for a session which still
// asks to Read closes the connection: it bounds the memory a peer can make a server hold.
const MaxUnread = 64 << 10

// FlushAt is the amount of unsent output, in bytes, at which a session should return Flush before it makes more, so that
// pipelined requests cannot make the output grow without bound.
const FlushAt = 64 << 10

// Exchange is what a session and its engine hand each other. It belongs to the worker that runs the session, not to the
// connection: an engine keeps unread input and unsent output per connection only while there are any. That is what lets
// ten thousand silent connections cost next to nothing.
type Exchange struct {
	// In is what was received and not yet consumed. Step drops what it has consumed by reslicing; the rest is kept and
	// more is added after it. Its bytes are valid only during Step.
	In []byte
	// EOF says that the peer will send nothing after In. A session that has nothing left to do answers with Close; one
	// that returns Read all the same is closed by the engine.
	EOF bool
	// Out is what to send. Step appends; the engine sends it before it carries out any op except Burn.
	Out []byte
}

// Kind is what a session asks its engine to do.
type Kind uint8

// The ops. Before every op except Burn the engine sends what is in Out.
const (
	Read  Kind = iota // wait for more input, or its end
	Flush             // nothing more: Out is sent, then Step goes on
	Sleep             // wait for Op.Wait; input is not read meanwhile
	Burn              // compute for Op.Units units of fixed work (see [Work])
	Close             // close the connection
)

// String returns the op's name.
func (k Kind) String() string {
	return [...]string{"read", "flush", "sleep", "burn", "close"}[k]
}

// Op is a request of a session to its engine.
type Op struct {
	Kind Kind
	// Linger, with Close: input may be on its way that nobody will read. The engine ends its sending side, then reads and
	// throws away what comes until the peer closes or [LingerBytes] or [LingerTime] are used up. Closing at once would
	// make TCP answer that input with a reset, which can destroy the reply before the peer has read it (RFC 9112 §9.6).
	Linger bool
	Wait   time.Duration // Sleep: for how long
	Units  int64         // Burn: how much
}

// Bounds of a lingering close.
const (
	LingerBytes = 256 << 10
	LingerTime  = time.Second
)

// Server is what the sessions of one server process share.
type Server interface {
	// NewSession returns the session of a connection that was just accepted. It may be called from any thread.
	NewSession() Session
}

// Env tells a workload's server half about the engine it runs under.
type Env struct {
	// Shared says that sessions run on more than one thread at the same time, so that what they share needs a lock. It is
	// false on a single executor, which takes turns; that difference is part of what the lab measures.
	Shared bool
}

// Client is one connection's requesting side: it makes requests and checks the replies, in order. Not safe for concurrent
// use; a connection belongs to one generator thread.
type Client interface {
	// Request appends the connection's next request to dst and returns it. It may be called again before the reply to the
	// previous request has come (pipelining).
	Request(dst []byte) []byte
	// Reply checks what has arrived against the oldest request that has no reply yet. It consumes n bytes, done says that
	// the reply is complete with them; with n = 0 and done = false it needs more than in holds. An error means that the
	// bytes are not the right answer, says how they differ, and ends the connection.
	Reply(in []byte) (n int, done bool, err error)
}

// Classed is implemented by a Client whose requests are of several classes with latencies that must not be mixed, such as
// those that cause a delay and those that suffer from it. Workload.Classes names the classes.
type Classed interface {
	// Class returns the class of the request whose reply Reply completed last, an index of Workload.Classes. It is asked
	// after Reply has said done and before it is called again.
	Class() int
}

// Clients makes the clients of one trial.
type Clients interface {
	// NewClient returns the client of connection number conn, counted from 0 over the whole trial. A client that needs
	// chance draws it from the trial's seed and conn, so that each engine gets the same requests.
	NewClient(conn int) Client
}

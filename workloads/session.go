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
	// Replies is what came of the Call before this Step: an entry for each request that was answered or failed, in the
	// order in which that happened; a request without an entry was cancelled. Valid only during Step, and only after Call.
	Replies []Reply
	// Message is what ended the Receive before this Step; empty when input or its end did, and in every other Step.
	Message string
}

// Kind is what a session asks its engine to do.
type Kind uint8

// The ops. Before every op except Burn the engine sends what is in Out. Only Read and Receive read input; what arrives
// during the others waits.
const (
	Read    Kind = iota // wait for more input, or its end
	Flush               // nothing more: Out is sent, then Step goes on
	Sleep               // wait for Op.Wait
	Burn                // compute for Op.Units units of fixed work (see [Work])
	Close               // close the connection
	Call                // ask upstream servers (see [Calls]); then Exchange.Replies
	Publish             // put Op.Message into the queue of every subscriber; does not wait until they have taken it
	Receive             // wait for a message, for more input or for its end, whichever comes first
)

// String returns the op's name.
func (k Kind) String() string {
	return [...]string{"read", "flush", "sleep", "burn", "close", "call", "publish", "receive"}[k]
}

// Op is a request of a session to its engine.
type Op struct {
	Kind Kind
	// Linger, with Close: input may be on its way that nobody will read. The engine ends its sending side, then reads and
	// throws away what comes until the peer closes or [LingerBytes] or [LingerTime] are used up. Closing at once would
	// make TCP answer that input with a reset, which can destroy the reply before the peer has read it (RFC 9112 §9.6).
	Linger bool
	// Overflow and Queue, with Receive: what happens when more than Queue messages wait for this connection. The first
	// Receive fixes both.
	Overflow Overflow
	Queue    int32         // 1 to QueueMax
	Wait     time.Duration // Sleep: for how long
	Units    int64         // Burn: how much
	Calls    *Calls        // Call: what; the session's own, which it leaves alone until its next Step
	Message  string        // Publish: what; never empty. A string, because nobody can change one that a thousand queues share
}

// Calls are requests to upstream servers, made at the same time: the join, the select and the timeout of a server that
// asks others.
//
// The op is over when Need requests have been answered, or when no request is under way any more because all have been
// answered or have failed, or when Within has passed, whichever is first. So Need = len(Requests) waits for all, Need = 1 is
// a race (a hedged request), and Within makes either a deadline. What is under way then is cancelled: its connection is
// closed, because an answer that may still come makes it useless for anybody else. A connection that breaks cancels the
// calls of its session at once.
//
// Request i goes to upstream i mod n of the n that the engine was given. Upstreams speak frames: a body's length, 4 bytes
// big-endian, and the body (see [AppendFrame] and [CutFrame]); each request is one frame, and so is its reply. A
// connection carries one request at a time; the engine keeps connections that are done with one for the next, at most
// UpstreamConns per upstream and server process. A request that finds none free waits for one, first come, first served;
// its wait counts against Within. Requests are not retried.
//
// Counted by engines under these names: "calls", "calls_failed", "calls_cancelled" (requests) and "upstream_connects".
type Calls struct {
	Requests [][]byte      // whole frames, at most CallsMax, at least one
	Need     int           // answers to wait for, 1 to len(Requests)
	Within   time.Duration // bound of the wait; above 0
}

// Bounds of a Call.
const (
	CallsMax      = 64
	UpstreamConns = 1024
)

// Reply is what came of one request of a Call.
type Reply struct {
	Index int    // of the request in Calls.Requests
	Data  []byte // body of the answer
	Err   error  // why there is none: no connection, a broken one, a frame above FrameMax
}

// Overflow is what to do with a message for a subscriber whose queue is full, because it reads too slowly. Either bounds
// the memory that one slow reader can make a server hold, and neither makes the publisher wait for it.
//
// A connection is a subscriber from its first Receive to its end. It gets what is published from then on, its own
// messages too, and those of one publisher in the order in which they were published. One message ends one Receive, so
// that every engine makes the same steps for it. Between Receives (while output is blocked, say) messages wait in the
// queue. Counted by engines: "published" (messages), "delivered", "dropped", "closed_slow" (connections).
type Overflow uint8

// The overflow policies.
const (
	DropNewest Overflow = iota // the message is not queued for this subscriber
	CloseSlow                  // the subscriber is closed without a further Step
)

// QueueMax is the most messages that may wait for one subscriber.
const QueueMax = 4096

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
	// Now returns the time since some moment in the past, by a clock that only moves forward. Sessions are pure: those that
	// need the time ask here, so that a test can say what it is. Nil is a clock that stands still.
	Now func() time.Duration
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
	// chance draws it from the trial's seed and conn, so that each engine gets the same requests. It is called again for
	// the same number when a connection was lost or has ended (see [Ending]), never by two threads at once.
	NewClient(conn int) Client
}

// Role is what the generator does with a connection.
type Role uint8

// The roles.
const (
	// Asks: requests become due on it. The rate, or the closed loop, is that of these connections alone.
	Asks Role = iota
	// Silent: it is opened with the others and left alone until the load has ended and all replies have come or been given
	// up. Then it is asked one request, whose reply proves that the server has served it all the time. That request has no
	// latency and belongs to no window; a reply that is wrong or does not come within the timeout is an error.
	Silent
	// Listens: nothing is ever sent on it; what arrives is given to its client, which is a [Listener].
	Listens
)

// Roles is implemented by Clients whose connections do not all ask. The others ask, all of them.
type Roles interface {
	// Role returns what connection conn of conns is for. At least one asks. Roles are spread evenly over the numbers, so
	// that each generator thread gets its share of each.
	Role(conn, conns int) Role
}

// Ending is implemented by a Client whose connection ends after some requests, to be replaced by a new one.
type Ending interface {
	// Left returns how many more requests the connection takes. The generator asks before each Request and makes none at 0.
	// When the last reply has come the server closes; the generator waits for that end, which is no error. (Who closes
	// first keeps the port for a minute; it must not be the generator, whose ports are few.) The connection is opened
	// again, with a new client, when the next request is due on it. That request is sent when the connect begins: the
	// handshake is part of its service and its response time.
	Left() int
}

// Listener is implemented by a Client to which the server speaks unasked: messages of one connection that go to others.
// All clients of a trial are Listeners, or none is.
type Listener interface {
	// Stamp tells the client the intended time of the request that Request will be asked for next, in nanoseconds of the
	// generator's clock, which all its threads share. It travels in the message.
	Stamp(intendedNS int64)
	// Hear takes the place of Reply, and is called whenever something has arrived, requests under way or not. It consumes
	// n bytes; with n = 0 and nothing done it needs more than in holds.
	Hear(in []byte) (n int, h Heard, err error)
}

// Heard is what a Listener has understood.
type Heard struct {
	Done       bool  // a message is complete
	Answer     bool  // it is the reply to the connection's oldest request as well
	IntendedNS int64 // the stamp of the request that caused it: now − IntendedNS is the latency of its delivery
	Lost       int   // messages before it that never came: the server has dropped them
}

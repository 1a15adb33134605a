package netio

import (
	"turnlab/coop"
)

// ReadFuture is a read; see Conn.Read.
type ReadFuture struct {
	conn *Conn
	into []byte
}

// Read returns a future of one PollRead into p. It is cancel-safe: bytes are taken from the socket only by the poll that
// answers with them.
func (c *Conn) Read(p []byte) *ReadFuture { return &ReadFuture{c, p} }

// Poll reads.
func (f *ReadFuture) Poll(cx *coop.Context) coop.Poll[coop.Result[int]] {
	return f.conn.PollRead(cx, f.into)
}

// WriteFuture is a write; see Conn.Write.
type WriteFuture struct {
	conn *Conn
	from []byte
}

// Write returns a future of one PollWrite of p, which may take a part of it. It is cancel-safe.
func (c *Conn) Write(p []byte) *WriteFuture { return &WriteFuture{c, p} }

// Poll writes.
func (f *WriteFuture) Poll(cx *coop.Context) coop.Poll[coop.Result[int]] {
	return f.conn.PollWrite(cx, f.from)
}

// WriteAllFuture writes until nothing is left; see Conn.WriteAll.
type WriteAllFuture struct {
	conn *Conn
	rest []byte
	sent int
}

// WriteAll returns a future that writes all of p. It is not cancel-safe: dropped half-way, it has written a part, and
// nobody learns how much.
func (c *Conn) WriteAll(p []byte) *WriteAllFuture { return &WriteAllFuture{conn: c, rest: p} }

// Poll writes what can be written now. It is bounded by the task's budget.
func (f *WriteAllFuture) Poll(cx *coop.Context) coop.Poll[coop.Result[int]] {
	for len(f.rest) > 0 {
		r, ok := f.conn.PollWrite(cx, f.rest).Get()
		if !ok {
			return coop.Pending[coop.Result[int]]()
		}
		f.sent += r.Value
		f.rest = f.rest[r.Value:]
		if r.Err != nil {
			return coop.Ready(coop.Result[int]{Value: f.sent, Err: r.Err})
		}
	}
	return coop.Ok(f.sent)
}

// AcceptFuture is an accept; see Listener.Accept.
type AcceptFuture struct {
	listener *Listener
}

// Accept returns a future of the next connection's descriptor. It is cancel-safe.
func (l *Listener) Accept() *AcceptFuture { return &AcceptFuture{l} }

// Poll accepts.
func (f *AcceptFuture) Poll(cx *coop.Context) coop.Poll[coop.Result[int32]] {
	return f.listener.PollAccept(cx)
}

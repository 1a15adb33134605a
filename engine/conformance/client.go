package conformance

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// client is a script's end of a connection. What comes back is gathered in the background, so that a script never keeps
// the engine from sending, unless it wants to.
type client struct {
	r *rig
	net.Conn
	session *session // the other end
	sent    int

	mu    sync.Mutex
	got   []byte
	ended error // io.EOF, or what broke the connection; nil while it is open

	seen, counted int // of got: bytes that have been looked at, and lines in them
}

// dial opens a connection and waits until its session exists.
func (r *rig) dial() *client {
	c := r.dialDeaf()
	go c.gather()
	return c
}

// dialDeaf opens a connection from which nobody reads yet.
func (r *rig) dialDeaf() *client {
	r.Helper()
	before := r.seen.count()
	conn, err := net.Dial(r.listener.Network, r.listener.Address)
	if err != nil {
		r.Fatal(err)
	}
	c := &client{r: r, Conn: conn}
	c.patient()
	r.Cleanup(func() { conn.Close() })
	r.await("a session", func() bool { return r.seen.count() > before })
	c.session = r.seen.last()
	return c
}

// patient gives what the connection does next its full time.
func (c *client) patient() { _ = c.SetDeadline(time.Now().Add(patience)) }

// gather reads until the end.
func (c *client) gather() {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		c.mu.Lock()
		c.got = append(c.got, buf[:n]...)
		c.ended = err
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// received returns what has come so far.
func (c *client) received() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.got)
}

// lines returns how many lines have come so far. It looks at what is new only: a flood is long.
func (c *client) lines() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counted += bytes.Count(c.got[c.seen:], []byte("\n"))
	c.seen = len(c.got)
	return c.counted
}

// end returns how the connection ended, nil while it has not.
func (c *client) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// send sends a chunk. An engine may have closed the connection before, which is no concern of the sender's.
func (c *client) send(chunk []byte) {
	c.r.Helper()
	n, err := c.Write(chunk)
	c.sent += n
	if err != nil && !broken(err) {
		c.r.Fatalf("send: %v", err)
	}
}

// paced sends a chunk and waits until the session has been given all of it, or wants no more.
func (c *client) paced(chunk []byte) {
	c.r.Helper()
	c.send(chunk)
	c.r.await("the session to be given its input", func() bool {
		n, _ := c.session.received()
		return n == c.sent || c.session.closes() || c.end() != nil
	})
}

// closeWrite says that nothing more will come.
func (c *client) closeWrite() {
	c.r.Helper()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil && !broken(err) {
		c.r.Fatalf("shut down: %v", err)
	}
}

// reset breaks the connection: the peer gets a reset in place of an end.
func (c *client) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

// awaitEnd waits until the engine has closed the connection and returns all that has come.
func (c *client) awaitEnd() []byte {
	c.r.Helper()
	c.r.await("the engine to close the connection", func() bool { return c.end() != nil })
	if err := c.end(); err != io.EOF && !broken(err) {
		c.r.Fatalf("the connection ended with %v", err)
	}
	return c.received()
}

// awaitBytes waits until exactly these bytes have come since the connection began.
func (c *client) awaitBytes(want []byte) {
	c.r.Helper()
	c.r.await("the reply", func() bool { return len(c.received()) >= len(want) || c.end() != nil })
	c.r.same("reply", c.received(), want)
}

// broken reports whether an error says that the other side closed the connection the hard way.
func broken(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// same demands equal bytes and shows where they part.
func (r *rig) same(what string, got, want []byte) {
	r.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	r.Errorf("%s differs: %d bytes, want %d; from byte %d on it is %.40q, want %.40q",
		what, len(got), len(want), at, got[at:], want[at:])
}

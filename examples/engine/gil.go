// Package gil is an example of an engine: a goroutine per connection, and one lock that whoever computes has to hold.
//
// That is how interpreters with a global lock run threads: connections wait side by side and compute one at a time, and a
// session gives the lock up when it waits and not before. It is all that an engine needs: a description, and a loop that
// carries out the ops of a session.
//
// Limits: sessions cannot call, publish or receive.
package gil

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"turnlab/engine"
	"turnlab/workloads"
)

// Spec describes it. A line in engine/all adds it to the lab.
var Spec = &engine.Spec{
	Name:    "gil",
	Summary: "the task decides, by waiting: goroutines with one lock for all that compute",
	Serves:  engine.Only("gil", workloads.Burn, workloads.Sleep),
	Shared:  func(engine.Config) bool { return false }, // the lock is all the locking that a workload needs
	New: func(engine.Config) (engine.Engine, error) {
		return &Engine{conns: map[net.Conn]struct{}{}}, nil
	},
}

// bufferBytes is for input that a connection holds while it waits; it grows if a session leaves more unread.
const bufferBytes = 4096

// Engine serves connections.
type Engine struct {
	gil      sync.Mutex
	accepted atomic.Int64
	running  sync.WaitGroup // the connections' goroutines

	mu       sync.Mutex // guards the rest
	stopped  bool
	listener net.Listener
	conns    map[net.Conn]struct{} // open ones
}

// Serve accepts connections until Stop.
func (e *Engine) Serve(l *engine.Listener, srv workloads.Server) error {
	defer l.Close()
	nl, err := l.Net()
	if err != nil {
		return err
	}
	defer e.running.Wait()
	defer e.Stop()
	if !e.begin(nl) {
		return nil
	}
	for {
		nc, err := nl.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		e.accepted.Add(1)
		e.running.Go(func() { e.serve(nc, srv) })
	}
}

// begin notes what Stop has to close. It reports false when Stop has been called already.
func (e *Engine) begin(nl net.Listener) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listener = nl
	return !e.stopped
}

// Stop closes everything, which ends every wait.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	if e.listener != nil {
		e.listener.Close()
	}
	for nc := range e.conns {
		nc.Close()
	}
}

// Counters returns the connections accepted and open.
func (e *Engine) Counters() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return map[string]int64{"accepted": e.accepted.Load(), "open": int64(len(e.conns))}
}

// serve runs a connection's session to its end.
func (e *Engine) serve(nc net.Conn, srv workloads.Server) {
	defer nc.Close()
	e.mu.Lock()
	stopped := e.stopped
	e.conns[nc] = struct{}{}
	e.mu.Unlock()
	if !stopped {
		c := conn{Conn: nc, engine: e, input: engine.NewInput(bufferBytes)}
		c.drive(srv.NewSession())
	}
	e.mu.Lock()
	delete(e.conns, nc)
	e.mu.Unlock()
}

// conn is one connection and its goroutine's hands.
type conn struct {
	net.Conn
	engine *Engine
	input  engine.Input
	x      workloads.Exchange
}

// drive carries out what the session asks for until it is over.
func (c *conn) drive(s workloads.Session) {
	for {
		op := c.step(s)
		if op.Kind != workloads.Burn && !c.flush() {
			return
		}
		switch op.Kind {
		case workloads.Read:
			if !c.read() {
				return
			}
		case workloads.Sleep:
			time.Sleep(op.Wait)
		case workloads.Burn:
			c.burn(op.Units)
		case workloads.Close:
			if op.Linger {
				c.linger()
			}
			return
		}
	}
}

// step lets the session compute, while nobody else does.
func (c *conn) step(s workloads.Session) workloads.Op {
	c.engine.gil.Lock()
	defer c.engine.gil.Unlock()
	return s.Step(&c.x)
}

// burn computes, while nobody else does.
func (c *conn) burn(units int64) {
	c.engine.gil.Lock()
	defer c.engine.gil.Unlock()
	workloads.Work(units)
}

// read waits for more input, or its end. A session that still asks after the end, or that leaves too much unread, is closed.
func (c *conn) read() bool {
	if c.x.EOF || len(c.x.In) >= workloads.MaxUnread {
		return false
	}
	n, err := c.Read(c.input.Room(&c.x))
	c.input.Got(&c.x, n)
	c.x.EOF = err == io.EOF
	return err == nil || c.x.EOF
}

// flush waits until the kernel has taken the output.
func (c *conn) flush() bool {
	if len(c.x.Out) == 0 {
		return true
	}
	_, err := c.Write(c.x.Out)
	c.x.Out = c.x.Out[:0]
	return err == nil
}

// linger ends our side and throws input away until the peer ends its own, within the bounds.
func (c *conn) linger() {
	if c.Conn.(interface{ CloseWrite() error }).CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(workloads.LingerTime))
	_, _ = io.CopyN(io.Discard, c.Conn, workloads.LingerBytes)
}

package preempt

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/workloads"
)

// call asks the upstreams, each request in a goroutine of its own, and selects among their answers and the deadline: the
// form that Go was made for. It reports whether the session goes on.
//
// It returns when every goroutine has ended, the losers too: they hold on to the session's memory for requests. That is
// soon, because the context that ends closes their connections.
func (c *conn) call(calls *workloads.Calls) bool {
	ctx, cancel := context.WithTimeout(context.Background(), calls.Within)
	defer cancel()
	var running sync.WaitGroup
	replies := make(chan workloads.Reply, len(calls.Requests)) // so that no loser waits for somebody to listen
	for i, frame := range calls.Requests {
		running.Go(func() {
			body, err := c.engine.ask(ctx, i, frame)
			replies <- workloads.Reply{Index: i, Data: body, Err: err}
		})
	}
	broken, stopWatching := c.watch()
	whole := c.collect(ctx, calls, replies, broken)
	cancel()
	running.Wait()
	stopWatching()
	counts := &c.engine.calls
	counts.Calls.Add(int64(len(calls.Requests)))
	counts.Cancelled.Add(int64(len(calls.Requests) - len(c.x.Replies)))
	return whole
}

// collect gathers replies until the call is over. It reports false when the connection broke.
func (c *conn) collect(ctx context.Context, calls *workloads.Calls, replies <-chan workloads.Reply, broken <-chan struct{}) bool {
	for need := calls.Need; need > 0 && len(c.x.Replies) < len(calls.Requests); {
		select {
		case r := <-replies:
			if r.Err != nil && ctx.Err() != nil {
				return true // it was cancelled, and so are the others
			}
			c.x.Replies = append(c.x.Replies, r)
			if r.Err == nil {
				need--
			} else {
				c.engine.calls.Failed.Add(1)
			}
		case <-ctx.Done():
			return true
		case <-broken:
			return false
		}
	}
	return true
}

// ask makes request number i.
func (e *Engine) ask(ctx context.Context, i int, frame []byte) ([]byte, error) {
	u := e.upstreams[i%len(e.upstreams)]
	granted := make(chan struct{})
	t := &engine.Ticket[net.Conn]{Granted: func() { close(granted) }}
	defer u.Return(t)
	if !u.Get(t) {
		select {
		case <-granted:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	nc, err := e.connection(ctx, u)
	if err != nil {
		return nil, err
	}
	// Closing is what cancels: it ends a Read and a Write that wait.
	cancelled := context.AfterFunc(ctx, func() { nc.Close() })
	body, err := exchange(nc, frame)
	if !cancelled() || err != nil {
		nc.Close()
		return body, err
	}
	u.Keep(nc)
	return body, nil
}

func (e *Engine) connection(ctx context.Context, u *engine.Upstream[net.Conn]) (net.Conn, error) {
	if nc, ok := u.Idle(); ok {
		return nc, nil
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, u.Network, u.Address)
	if err == nil {
		e.calls.Connects.Add(1)
	}
	return nc, err
}

// exchange sends a frame and reads the one that answers it.
func exchange(nc net.Conn, frame []byte) ([]byte, error) {
	if _, err := nc.Write(frame); err != nil {
		return nil, err
	}
	buf := make([]byte, workloads.FrameHeader)
	if _, err := io.ReadFull(nc, buf); err != nil {
		return nil, err
	}
	if _, _, err := workloads.CutFrame(buf); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(buf))
	_, err := io.ReadFull(nc, body)
	return body, err
}

// watch finds out that the connection breaks while its goroutine waits for others, as net/http's server does: another
// goroutine waits for input meanwhile. It must not take any, so it asks poll(2) whether what woke it is an error. The
// returned function ends it, by a deadline that has passed. A subscriber has somebody who reads already.
func (c *conn) watch() (broken <-chan struct{}, stop func()) {
	if c.member != nil {
		if !c.x.EOF && len(c.x.In) < workloads.MaxUnread {
			c.member.read()
		}
		return c.member.broken, func() {}
	}
	found, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		raw, err := c.Conn.(syscall.Conn).SyscallConn()
		if err == nil {
			err = raw.Read(isBroken)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) { // broken, or closed by Stop
			close(found)
		}
	}()
	return found, func() {
		_ = c.SetReadDeadline(time.Unix(1, 0))
		<-ended
		_ = c.SetReadDeadline(time.Time{})
	}
}

// isBroken reports whether a connection is past all use. The end of the peer's sending alone is not.
func isBroken(fd uintptr) bool {
	p := []unix.PollFd{{Fd: int32(fd)}}
	n, _ := unix.Poll(p, 0)
	return n > 0 && p[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}

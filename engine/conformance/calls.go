package conformance

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"turnlab/workloads"
)

// callsServer's sessions make calls. A client sends commands, one a line:
//
//	NEED MS FATE...   calls with a fate each, needs NEED answers within MS milliseconds
//
// A fate is what the upstream does with a call: a number of milliseconds after which it answers, "fail" to close the
// connection, "odd" to answer with a frame that is too long, "never" to stay silent. The reply is a line: the indices of
// the calls that were answered, in order, and then those that failed, each with a minus sign.
type callsServer struct{}

// NewSession implements workloads.Server.
func (callsServer) NewSession() workloads.Session { return new(callsSession) }

type callsSession struct {
	calls *workloads.Calls
}

// Step implements workloads.Session.
func (s *callsSession) Step(x *workloads.Exchange) workloads.Op {
	if s.calls != nil {
		x.Out = s.tell(x.Out, x.Replies)
		s.calls = nil
	}
	line, rest, whole := strings.Cut(string(x.In), "\n")
	switch {
	case whole:
		x.In = x.In[len(x.In)-len(rest):]
		s.calls = parseCalls(strings.Fields(line))
		return workloads.Op{Kind: workloads.Call, Calls: s.calls}
	case x.EOF:
		return workloads.Op{Kind: workloads.Close}
	}
	return workloads.Op{Kind: workloads.Read}
}

func parseCalls(words []string) *workloads.Calls {
	need, _ := strconv.Atoi(words[0])
	within, _ := strconv.Atoi(words[1])
	c := &workloads.Calls{Need: need, Within: time.Duration(within) * time.Millisecond}
	for _, fate := range words[2:] {
		c.Requests = append(c.Requests, workloads.AppendFrame(nil, []byte(fate)))
	}
	return c
}

// tell appends what came of the calls. An answer repeats its request.
func (s *callsSession) tell(dst []byte, replies []workloads.Reply) []byte {
	var answered, failed []int
	for _, r := range replies {
		switch request := s.calls.Requests[r.Index][workloads.FrameHeader:]; {
		case r.Err != nil:
			failed = append(failed, -r.Index)
		case string(r.Data) != string(request):
			return fmt.Appendf(dst, "call %d %q was answered with %q\n", r.Index, request, r.Data)
		default:
			answered = append(answered, r.Index)
		}
	}
	slices.Sort(answered)
	slices.Sort(failed)
	return fmt.Appendf(dst, "%v %v\n", answered, failed)
}

// upstream is the server that the sessions call.
type upstream struct {
	net.Listener
	accepted atomic.Int64
	asked    atomic.Int64 // requests that have come
	lost     atomic.Int64 // connections that the engine closed before their request was answered
	running  sync.WaitGroup
	mu       sync.Mutex // guards conns
	conns    []net.Conn
}

// startUpstream begins to serve calls.
func startUpstream(network, address string) (*upstream, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	u := &upstream{Listener: l}
	u.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			u.accepted.Add(1)
			u.mu.Lock()
			u.conns = append(u.conns, conn)
			u.mu.Unlock()
			u.running.Go(func() { u.serve(conn) })
		}
	})
	return u, nil
}

// name is the upstream as an engine is told of it.
func (u *upstream) name() string { return u.Addr().Network() + ":" + u.Addr().String() }

// stop closes everything.
func (u *upstream) stop() {
	u.Close()
	u.mu.Lock()
	for _, c := range u.conns {
		c.Close()
	}
	u.mu.Unlock()
	u.running.Wait()
}

func (u *upstream) serve(conn net.Conn) {
	defer conn.Close()
	var in []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
		for {
			body, n, _ := workloads.CutFrame(in)
			if n == 0 {
				break
			}
			if !u.answer(conn, string(body)) {
				return
			}
			in = in[n:]
		}
	}
}

// answer does with a call what it asks for, and reports whether the connection goes on. The answer comes a byte at a time,
// the first time around, so that an engine that takes a part for the whole is found out.
func (u *upstream) answer(conn net.Conn, fate string) bool {
	u.asked.Add(1)
	switch fate {
	case "fail":
		return false
	case "odd":
		_, _ = conn.Write(binary.BigEndian.AppendUint32(nil, workloads.FrameMax+1))
		return u.awaitLoss(conn)
	case "never":
		return u.awaitLoss(conn)
	}
	ms, _ := strconv.Atoi(strings.TrimLeft(fate, "x"))
	time.Sleep(time.Duration(ms) * time.Millisecond)
	frame := workloads.AppendFrame(nil, []byte(fate))
	for len(frame) > 0 {
		n := 1
		if len(frame) > 16 {
			n = len(frame) - 16
		}
		if _, err := conn.Write(frame[:n]); err != nil {
			u.lost.Add(1)
			return false
		}
		frame = frame[n:]
	}
	return true
}

// awaitLoss waits until the engine closes the connection.
func (u *upstream) awaitLoss(conn net.Conn) bool {
	_, _ = conn.Read(make([]byte, 1))
	u.lost.Add(1)
	return false
}

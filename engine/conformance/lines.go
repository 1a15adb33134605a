package conformance

import (
	"bytes"
	"strconv"
	"time"

	"turnlab/workloads"
)

// linesServer speaks a protocol that can ask its engine for anything. A client sends commands, one a line:
//
//	say TEXT     TEXT comes back
//	sleep MS     sleeps, then says "slept"
//	burn N       says "burning" and "burnt" in one piece, with N units of work in between
//	big N        N bytes in one piece
//	stream N     N bytes, flushed in pieces of 10,000
//	need N       waits until N more bytes are there, unread, then says "had N"
//	hold         reads on without ever consuming
//	stay         from here on, reads on even at the end of input
//	quit         says "bye" and closes
//	linger       says "bye" and closes, with more input on its way
//
// It greets first. At the end of input it says "end" and closes.
type linesServer struct{}

// NewSession implements workloads.Server.
func (linesServer) NewSession() workloads.Session { return &lines{next: (*lines).greet} }

// lines is a session: the function that takes its next step, and what that needs.
type lines struct {
	next func(*lines, *workloads.Exchange) workloads.Op
	left int // bytes still to be sent, or needed
	stay bool
}

// Step implements workloads.Session.
func (s *lines) Step(x *workloads.Exchange) workloads.Op { return s.next(s, x) }

func (s *lines) greet(x *workloads.Exchange) workloads.Op {
	s.next = (*lines).command
	return say(x, "hello", workloads.Op{Kind: workloads.Flush})
}

func say(x *workloads.Exchange, text string, then workloads.Op) workloads.Op {
	x.Out = append(append(x.Out, text...), '\n')
	return then
}

// command takes the next line, when it is there.
func (s *lines) command(x *workloads.Exchange) workloads.Op {
	line, rest, whole := bytes.Cut(x.In, []byte("\n"))
	if !whole {
		return s.await(x)
	}
	x.In = rest
	verb, argument, _ := bytes.Cut(line, []byte(" "))
	n, _ := strconv.Atoi(string(argument))
	s.left = n
	switch string(verb) {
	case "sleep":
		s.next = (*lines).woken
		return workloads.Op{Kind: workloads.Sleep, Wait: time.Duration(n) * time.Millisecond}
	case "burn":
		s.next = (*lines).burnt
		return say(x, "burning", workloads.Op{Kind: workloads.Burn, Units: int64(n)})
	case "big":
		x.Out = appendPattern(x.Out, n, n)
	case "stream":
		return s.stream(x)
	case "need":
		return s.need(x)
	case "hold":
		return s.hold(x)
	case "stay":
		s.stay = true
	case "quit", "linger":
		return say(x, "bye", workloads.Op{Kind: workloads.Close, Linger: string(verb) == "linger"})
	default:
		return say(x, string(argument), workloads.Op{Kind: workloads.Flush})
	}
	return workloads.Op{Kind: workloads.Flush}
}

// await waits for the rest of a line.
func (s *lines) await(x *workloads.Exchange) workloads.Op {
	if x.EOF && !s.stay {
		return say(x, "end", workloads.Op{Kind: workloads.Close})
	}
	return workloads.Op{Kind: workloads.Read}
}

func (s *lines) woken(x *workloads.Exchange) workloads.Op {
	s.next = (*lines).command
	return say(x, "slept", workloads.Op{Kind: workloads.Flush})
}

func (s *lines) burnt(x *workloads.Exchange) workloads.Op {
	s.next = (*lines).command
	return say(x, "burnt", workloads.Op{Kind: workloads.Flush})
}

func (s *lines) stream(x *workloads.Exchange) workloads.Op {
	const piece = 10_000
	s.next = (*lines).stream
	n := min(piece, s.left)
	x.Out = appendPattern(x.Out, s.left, n)
	if s.left -= n; s.left == 0 {
		s.next = (*lines).command
	}
	return workloads.Op{Kind: workloads.Flush}
}

func (s *lines) need(x *workloads.Exchange) workloads.Op {
	s.next = (*lines).need
	if len(x.In) < s.left {
		return workloads.Op{Kind: workloads.Read}
	}
	s.next = (*lines).command
	x.In = x.In[s.left:]
	return say(x, "had "+strconv.Itoa(s.left), workloads.Op{Kind: workloads.Flush})
}

func (s *lines) hold(*workloads.Exchange) workloads.Op {
	s.next = (*lines).hold
	return workloads.Op{Kind: workloads.Read}
}

// pattern is letters in no order, of a prime length, so that no piece of output is like its neighbour.
var pattern = func() []byte {
	p := make([]byte, 65_521)
	for i := range p {
		p[i] = byte('a' + i*i%26 + i/1000%5)
	}
	return p
}()

// appendPattern appends n bytes that differ with their place, counted back from the end, so that a lost, doubled or swapped
// piece shows.
func appendPattern(dst []byte, fromEnd, n int) []byte {
	for n > 0 {
		end := fromEnd % len(pattern)
		if end == 0 {
			end = len(pattern)
		}
		part := pattern[len(pattern)-end:]
		part = part[:min(n, len(part))]
		dst = append(dst, part...)
		fromEnd -= len(part)
		n -= len(part)
	}
	return dst
}

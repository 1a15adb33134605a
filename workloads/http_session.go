package workloads

import "strconv"

// phase is where in a request a session is.
type phase uint8

const (
	inHead phase = iota
	inEcho       // the body goes back; its reply head has not been sent yet
	inEchoBody
	inSkip // the body is thrown away, then the reply goes out
	ended  // nothing of this connection matters any more
)

// httpSession is all that a connection costs the protocol: 32 bytes, and no buffer. The phase is kept in the head, where
// there is room for it; outside it would cost 16 bytes more.
type httpSession struct {
	server *httpServer
	head   requestHead
}

// Step answers every request that is complete in In, up to FlushAt bytes of replies. After a body its reply can go over
// that by one reply, which the option payload bounds.
func (s *httpSession) Step(x *Exchange) Op {
	for len(x.Out) < FlushAt {
		if op, stop := s.advance(x); stop {
			return op
		}
	}
	return Op{Kind: Flush}
}

// advance does the next part of a request, until it can do no more without its engine.
func (s *httpSession) advance(x *Exchange) (op Op, stop bool) {
	switch s.head.phase {
	case inHead:
		return s.readHead(x)
	case inEcho, inEchoBody:
		return s.echo(x)
	case inSkip:
		return s.skip(x)
	}
	return Op{Kind: Close}, true
}

func (s *httpSession) readHead(x *Exchange) (Op, bool) {
	if len(x.In) == 0 {
		return s.starved(x), true
	}
	n, done, p := s.head.parse(x.In)
	x.In = x.In[n:]
	switch {
	case p == nil && !done:
		return s.starved(x), true
	case p == nil && s.head.length > s.server.maxBody:
		p = &bodyTooLarge
	}
	if p != nil {
		x.Out = p.reply(x.Out, s.head.method == methodHEAD)
		s.head.phase = ended
		return Op{Kind: Close, Linger: true}, true
	}
	return s.begin(x)
}

// starved asks for more input. There will be none after EOF: a request that breaks off has no reply (RFC 9112 §8).
func (s *httpSession) starved(x *Exchange) Op {
	if x.EOF {
		s.head.phase = ended
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

// begin starts on the body. The reply to a request whose body nobody wants goes out after the body, so that the rule is
// the same with and without 100-continue: first the body, then what it leads to.
func (s *httpSession) begin(x *Exchange) (Op, bool) {
	h := &s.head
	if h.length > 0 && h.saw(seenContinue) && !h.saw(seenMinor0) {
		x.Out = append(x.Out, "HTTP/1.1 100 Continue\r\n\r\n"...)
	}
	switch {
	case h.route == routeEcho && h.method == methodPOST:
		s.head.phase = inEcho
		return Op{}, false
	case h.length > 0:
		s.head.phase = inSkip
		return Op{}, false
	}
	return s.answer(x)
}

func (s *httpSession) answer(x *Exchange) (Op, bool) {
	a := s.server.answersTo(&s.head)
	x.Out = a[s.ending()].appendTo(x.Out, s.head.method == methodHEAD)
	return s.finish(x)
}

// ending says what the reply must tell the client about the connection.
func (s *httpSession) ending() ending {
	switch {
	case !s.head.keepAlive():
		return andClose
	case s.head.saw(seenMinor0):
		return andKeep
	}
	return silent
}

// finish makes ready for the next request, or closes. The lingering close is for a client that has sent more than the
// request it called its last.
func (s *httpSession) finish(x *Exchange) (Op, bool) {
	if !s.head.keepAlive() {
		s.head.phase = ended
		return Op{Kind: Close, Linger: len(x.In) > 0}, true
	}
	s.head = requestHead{phase: inHead}
	return Op{}, false
}

// echo sends the body back as it arrives, and the head of the reply before its first byte.
func (s *httpSession) echo(x *Exchange) (Op, bool) {
	h := &s.head
	if h.length > 0 && len(x.In) == 0 {
		return s.starved(x), true
	}
	if s.head.phase == inEcho {
		x.Out = append(x.Out, s.server.echoStart...)
		x.Out = strconv.AppendInt(x.Out, h.length, 10)
		x.Out = append(append(x.Out, "\r\n"...), headEnd(s.ending())...)
		s.head.phase = inEchoBody
	}
	n := min(h.length, int64(len(x.In)), FlushAt)
	x.Out = append(x.Out, x.In[:n]...)
	x.In = x.In[n:]
	h.length -= n
	if h.length > 0 {
		return Op{}, false
	}
	return s.finish(x)
}

func (s *httpSession) skip(x *Exchange) (Op, bool) {
	if len(x.In) == 0 {
		return s.starved(x), true
	}
	n := min(s.head.length, int64(len(x.In)))
	x.In = x.In[n:]
	s.head.length -= n
	if s.head.length > 0 {
		return Op{}, false
	}
	return s.answer(x)
}

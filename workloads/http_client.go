package workloads

import (
	"bytes"
	"fmt"
	"strconv"
)

// A requestPlan is what the clients of a trial share: what they send and what must come back. A request is start and, for
// echo, a body off the tape; an exact reply is replyStart and then the same body.
type requestPlan struct {
	start      []byte
	replyStart []byte
	fixed      []byte // the body of a reply, unless it comes off the tape
	tape       *tape  // of POST /echo, else nil
}

func newRequestPlan(path string, payload int, seed uint64) requestPlan {
	const host = " HTTP/1.1\r\nHost: localhost\r\n"
	switch path {
	case "echo":
		t := newTape(seed, payload)
		length := strconv.Itoa(payload)
		return requestPlan{
			start:      []byte("POST /echo" + host + "Content-Length: " + length + "\r\n\r\n"),
			replyStart: []byte(string(headStart(200, "application/octet-stream")) + length + "\r\n" + headEnd(silent)),
			tape:       &t,
		}
	case "json":
		a := compose(200, "application/json", "", helloJSON)[silent]
		return requestPlan{start: []byte("GET /json" + host + "\r\n"), replyStart: a.bytes, fixed: a.bytes[a.head:]}
	}
	a := compose(200, "text/plain", "", plaintextBody(payload))[silent]
	return requestPlan{start: []byte("GET /" + host + "\r\n"), replyStart: a.bytes, fixed: a.bytes[a.head:]}
}

// first returns the counter with which connection conn begins.
func (p *requestPlan) first(conn int) uint32 {
	if p.tape == nil {
		return 0
	}
	return p.tape.first(conn)
}

func (p *requestPlan) request(dst []byte, i uint32) []byte {
	dst = append(dst, p.start...)
	if p.tape != nil {
		dst = append(dst, p.tape.body(i)...)
	}
	return dst
}

// body returns the body that the reply to request i must have.
func (p *requestPlan) body(i uint32) []byte {
	if p.tape != nil {
		return p.tape.body(i)
	}
	return p.fixed
}

// rest returns the bytes that must follow the first at bytes of an exact reply, up to its next seam, and whether the reply
// ends with them.
func (p *requestPlan) rest(i uint32, at int) (want []byte, last bool) {
	if p.tape == nil {
		return p.replyStart[at:], true
	}
	if at < len(p.replyStart) {
		return p.replyStart[at:], false
	}
	return p.tape.body(i)[at-len(p.replyStart):], true
}

type exactClients struct{ plan requestPlan }

// NewClient returns the client of a connection.
func (s *exactClients) NewClient(conn int) Client {
	first := s.plan.first(conn)
	return &exactClient{plan: &s.plan, sent: first, received: first}
}

// exactClient wants replies exactly as this package's server sends them, head included: one comparison per reply.
type exactClient struct {
	plan     *requestPlan
	sent     uint32 // counter of the next request; wraps round
	received uint32 // counter of the oldest request without a full reply
	checked  int32  // bytes of its reply that have come and were right
}

// Request appends the next request.
func (c *exactClient) Request(dst []byte) []byte {
	dst = c.plan.request(dst, c.sent)
	c.sent++
	return dst
}

// Reply compares and consumes what has come of the oldest reply.
func (c *exactClient) Reply(in []byte) (n int, done bool, err error) {
	for n < len(in) {
		if c.sent == c.received {
			return n, false, ErrUnasked
		}
		want, last := c.plan.rest(c.received, int(c.checked))
		m, err := match(in[n:], want, "reply", int(c.checked))
		n += m
		if err != nil {
			return n, false, fmt.Errorf("%w; against another server, check status and body only: --set http.check=body", err)
		}
		c.checked += int32(m)
		if last && m == len(want) {
			c.received++
			c.checked = 0
			return n, true, nil
		}
	}
	return n, false, nil
}

type bodyClients struct{ plan requestPlan }

// NewClient returns the client of a connection.
func (s *bodyClients) NewClient(conn int) Client {
	first := s.plan.first(conn)
	return &bodyClient{plan: &s.plan, sent: first, received: first}
}

// bodyClient reads the reply of any HTTP/1.1 server: it wants status 200 and the right body, framed by Content-Length or
// in chunks, and skips interim replies (1xx).
//
// Limits: a body that ends with the connection is an error, because each request would need a new one; fields other than
// those that frame the body are not judged.
type bodyClient struct {
	plan     *requestPlan
	left     int64 // bytes to come of the body or of the chunk
	sent     uint32
	received uint32
	checked  int32  // bytes of the body that were right
	size     uint16 // bytes of this head, or of this chunk's lines
	scanned  uint16 // bytes of the unfinished line that hold no line end
	status   uint16
	stage    stage
	framing  framing
}

// stage is what a reply's next bytes are.
type stage uint8

const (
	atStatus stage = iota
	atField
	atBody
	atChunkSize
	atChunk
	atChunkEnd
	atTrailer
)

// framing is how the reply says where its body ends.
type framing uint8

const (
	noFraming framing = iota
	byLength
	byChunks
)

// Request appends the next request.
func (c *bodyClient) Request(dst []byte) []byte {
	dst = c.plan.request(dst, c.sent)
	c.sent++
	return dst
}

// Reply reads on in the oldest reply.
func (c *bodyClient) Reply(in []byte) (n int, done bool, err error) {
	for n < len(in) {
		if c.sent == c.received {
			return n, false, ErrUnasked
		}
		m, more, err := c.read(in[n:])
		n += m
		if err != nil {
			return n, false, err
		}
		if c.stage == atStatus && m > 0 && c.status == 200 {
			c.status = 0
			c.received++
			c.checked = 0
			return n, true, nil
		}
		if more {
			break
		}
	}
	return n, false, nil
}

// read takes one line or one piece of the body; more says that it needs more than in holds.
func (c *bodyClient) read(in []byte) (n int, more bool, err error) {
	if c.stage == atBody || c.stage == atChunk {
		n, err = c.readBody(in)
		return n, false, err
	}
	line, state := cutLine(in, int(c.scanned), maxHead-int(c.size))
	switch state {
	case linePartial:
		c.scanned = uint16(len(line))
		return 0, true, nil
	case lineBad:
		return len(line), false, fmt.Errorf("a line of the reply does not end in CRLF: %q", cut(in))
	case lineLong:
		return len(line), false, fmt.Errorf("the head of the reply has more than %d bytes: %q", maxHead, cut(in))
	}
	c.scanned = 0
	c.size += uint16(len(line) + 2)
	return len(line) + 2, false, c.readLine(line)
}

func (c *bodyClient) readLine(line []byte) error {
	switch c.stage {
	case atStatus:
		return c.readStatus(line)
	case atField:
		if len(line) == 0 {
			return c.endHead()
		}
		return c.readField(line)
	case atChunkSize:
		return c.readChunkSize(line)
	case atChunkEnd:
		c.stage, c.size = atChunkSize, 0
		if len(line) > 0 {
			return fmt.Errorf("a chunk is longer than it says: %q follows it", cut(line))
		}
		return nil
	}
	if len(line) == 0 { // the end of the trailer
		c.stage, c.size = atStatus, 0
	}
	return nil
}

// readStatus reads "HTTP/1.1 200 OK" (RFC 9112 §4); the reason may be missing.
func (c *bodyClient) readStatus(line []byte) error {
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return fmt.Errorf("the reply does not begin with an HTTP/1.1 status line: %q", cut(line))
	}
	status, ok := parseLength(line[9:12])
	if !ok || status < 100 || len(line) > 12 && line[12] != ' ' {
		return fmt.Errorf("the reply has no status of three digits: %q", cut(line))
	}
	if status != 200 && (status > 199 || status == 101) {
		return fmt.Errorf("status %d, want 200: %q", status, cut(line))
	}
	c.status = uint16(status)
	c.stage = atField
	c.framing, c.left = noFraming, 0
	return nil
}

func (c *bodyClient) readField(line []byte) error {
	name, value, ok := cutField(line)
	switch {
	case !ok:
		return fmt.Errorf("a field of the reply is not name and value: %q", cut(line))
	case same(name, "content-length"):
		n, ok := parseLength(value)
		if !ok || c.framing != noFraming {
			return fmt.Errorf("the length of the reply is ambiguous: %q", cut(line))
		}
		c.framing, c.left = byLength, n
	case same(name, "transfer-encoding"):
		if !same(value, "chunked") || c.framing != noFraming {
			return fmt.Errorf("the length of the reply is ambiguous: %q", cut(line))
		}
		c.framing = byChunks
	}
	return nil
}

// endHead decides how to read the body. Interim replies have none (RFC 9110 §15.2).
func (c *bodyClient) endHead() error {
	c.size = 0
	want := int64(len(c.plan.body(c.received)))
	switch {
	case c.status < 200:
		c.stage = atStatus
	case c.framing == byChunks:
		c.stage = atChunkSize
	case c.framing == noFraming:
		return fmt.Errorf("the reply has neither Content-Length nor chunked coding: its body would end only with the connection")
	case c.left != want:
		return fmt.Errorf("the body has %d bytes, want %d", c.left, want)
	default:
		c.stage = atBody
	}
	return nil
}

// readBody compares the next bytes of the body.
func (c *bodyClient) readBody(in []byte) (int, error) {
	in = in[:min(int64(len(in)), c.left)]
	want := c.plan.body(c.received)[c.checked:]
	n, err := match(in, want, "body", int(c.checked))
	if err != nil {
		return n, err
	}
	if n < len(in) {
		return n, fmt.Errorf("the body is longer than the %d bytes wanted", int(c.checked)+n)
	}
	c.checked += int32(n)
	c.left -= int64(n)
	if c.left == 0 {
		c.stage = c.afterBody()
	}
	return n, nil
}

func (c *bodyClient) afterBody() stage {
	if c.framing == byChunks {
		return atChunkEnd
	}
	return atStatus
}

// readChunkSize reads a size in hexadecimal and ignores extensions (RFC 9112 §7.1). Size 0 ends the body.
func (c *bodyClient) readChunkSize(line []byte) error {
	digits, _, _ := bytes.Cut(line, []byte{';'})
	size, ok := parseHex(trim(digits))
	if !ok {
		return fmt.Errorf("a chunk has no size: %q", cut(line))
	}
	c.left, c.stage = size, atChunk
	if size > 0 {
		return nil
	}
	c.stage, c.size = atTrailer, 0
	if want := len(c.plan.body(c.received)); int(c.checked) != want {
		return fmt.Errorf("the body has %d bytes, want %d", c.checked, want)
	}
	return nil
}

// parseHex reads a number of 1 to 12 hexadecimal digits.
func parseHex(b []byte) (n int64, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int64(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | int64(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, len(b) > 0 && len(b) <= 12
}

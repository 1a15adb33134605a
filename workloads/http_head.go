package workloads

import "bytes"

// Bounds of a request head. RFC 9112 §3 wants at least 8000 bytes for a request line; the rest is as in common servers.
const (
	maxRequestLine = 8 << 10  // bytes with CRLF
	maxHead        = 16 << 10 // bytes, request line included
	maxFields      = 100
)

// What requestHead.seen remembers.
const (
	seenEmptyLine = 1 << iota // the one empty line that may come before a request
	seenRequestLine
	seenMinor0 // HTTP/1.0
	seenHost
	seenLength
	seenChunked // Transfer-Encoding: chunked
	seenCoding  // another transfer coding below chunked
	seenTE      // any Transfer-Encoding
	seenClose
	seenKeepAlive
	seenContinue // Expect: 100-continue
	seenExpect   // an expectation that nobody knows
)

// method is what the routes tell apart.
type method uint8

const (
	methodOther method = iota
	methodGET
	methodHEAD
	methodPOST
)

// route is a place of the server that a target leads to.
type route uint8

const (
	routeNone route = iota
	routePlain
	routeJSON
	routeEcho
	routeServer // no place but the server: the targets of CONNECT and OPTIONS *
)

// requestHead reads the head of a request, line by line, and keeps only what the server needs to know, in 24 bytes.
//
// Lines are consumed as they come and an unfinished one stays in the input, so a head in any number of pieces costs what
// it costs in one, and a waiting connection holds no buffer. The verdict never depends on the pieces: within a line a bad
// character is found before anything else, and lines are judged in their order.
type requestHead struct {
	length  int64  // Content-Length, 0 if there was none
	scanned uint16 // bytes of the unfinished line that hold no line end
	size    uint16 // bytes consumed
	seen    uint16
	fields  uint8
	method  method
	route   route
	phase   phase // the session's
}

func (h *requestHead) saw(what uint16) bool { return h.seen&what != 0 }

// parse consumes n bytes of in. When it is done the head is complete and right; a problem ends the connection; and with
// neither it needs more.
func (h *requestHead) parse(in []byte) (n int, done bool, p *problem) {
	for {
		line, state := cutLine(in[n:], int(h.scanned), h.room())
		if state != lineWhole {
			h.scanned = uint16(len(line))
			return n, false, h.unfinished(state)
		}
		n += len(line) + 2
		h.size += uint16(len(line) + 2)
		h.scanned = 0
		switch {
		case !h.saw(seenRequestLine):
			p = h.firstLine(line)
		case len(line) > 0:
			p = h.field(line)
		default:
			return n, true, h.judge()
		}
		if p != nil {
			return n, false, p
		}
	}
}

// room is how long the next line may be.
func (h *requestHead) room() int {
	if h.saw(seenRequestLine) {
		return maxHead - int(h.size)
	}
	return maxRequestLine
}

func (h *requestHead) unfinished(s lineState) *problem {
	switch {
	case s == linePartial:
		return nil
	case s == lineBad:
		return &badLineEnd
	case h.saw(seenRequestLine):
		return &headTooLarge
	}
	return &targetTooLong
}

// firstLine lets one empty line pass: old clients send an extra CRLF after a body, and RFC 9112 §2.2 asks servers to
// ignore at least one.
func (h *requestHead) firstLine(line []byte) *problem {
	if len(line) == 0 && !h.saw(seenEmptyLine) {
		h.seen |= seenEmptyLine
		return nil
	}
	h.seen |= seenRequestLine
	return h.requestLine(line)
}

// requestLine reads "method SP target SP version" (RFC 9112 §3).
func (h *requestHead) requestLine(line []byte) *problem {
	space := 0
	for space < len(line) && line[space] != ' ' { // methods are short: a call to find the blank would take longer
		space++
	}
	before := len(line) - len(" HTTP/1.1")
	if space == 0 || before <= space+1 || line[before] != ' ' {
		return &badRequestLine
	}
	if version := line[before+1:]; string(version) != "HTTP/1.1" {
		if p := h.otherVersion(version); p != nil {
			return p
		}
	}
	if !h.readMethod(line[:space]) || !h.target(line[space+1:before]) {
		return &badRequestLine
	}
	return nil
}

// otherVersion takes a higher minor version for the highest that it knows (RFC 9110 §2.5).
func (h *requestHead) otherVersion(v []byte) *problem {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	switch {
	case string(v[:5]) != "HTTP/" || !digit(v[5]) || v[6] != '.' || !digit(v[7]):
		return &badRequestLine
	case v[5] != '1':
		return &badVersion
	case v[7] == '0':
		h.seen |= seenMinor0
	}
	return nil
}

// readMethod knows methods by their exact letters: names of methods are case-sensitive (RFC 9110 §9.1).
func (h *requestHead) readMethod(name []byte) bool {
	switch string(name) {
	case "GET":
		h.method = methodGET
	case "HEAD":
		h.method = methodHEAD
	case "POST":
		h.method = methodPOST
	default:
		h.method = methodOther
		return all(name, tokenChar)
	}
	return true
}

// target reads the four forms of a target (RFC 9112 §3.2). An absolute target overrides Host; as the server has one
// name space, its authority is not looked at.
func (h *requestHead) target(t []byte) bool {
	if string(t) == "/" {
		h.route = routePlain
		return true
	}
	if !all(t, targetChar) {
		return false
	}
	const scheme = "http://"
	switch {
	case t[0] == '/':
		h.route = routeOf(t)
	case len(t) > len(scheme) && equalFold(t[:len(scheme)], scheme):
		h.route = routeOf(afterAuthority(t[len(scheme):]))
	default:
		// "*" is for OPTIONS and "host:port" for CONNECT; neither is a route here.
		h.route = routeServer
		return h.method == methodOther
	}
	return true
}

// equalFold compares b with a word in lower case that may hold any ASCII.
func equalFold(b []byte, word string) bool {
	for i := range len(word) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// afterAuthority drops "host:port". An absolute target without a path means "/" (RFC 9112 §3.2.1).
func afterAuthority(t []byte) []byte {
	if i := bytes.IndexAny(t, "/?"); i >= 0 && t[i] == '/' {
		return t[i:]
	}
	return []byte{'/'}
}

func routeOf(target []byte) route {
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		target = target[:i]
	}
	switch string(target) {
	case "/", "/plaintext":
		return routePlain
	case "/json":
		return routeJSON
	case "/echo":
		return routeEcho
	}
	return routeNone
}

// field reads the fields that matter to framing, and checks the form of all.
func (h *requestHead) field(line []byte) *problem {
	if h.fields == maxFields {
		return &headTooLarge
	}
	h.fields++
	name, value, ok := cutField(line)
	if !ok {
		return &badField
	}
	switch len(name) {
	case len("host"):
		if same(name, "host") {
			return h.host(value)
		}
	case len("expect"):
		if same(name, "expect") {
			h.expect(value)
		}
	case len("connection"):
		if same(name, "connection") {
			h.connection(value)
		}
	case len("content-length"):
		if same(name, "content-length") {
			return h.contentLength(value)
		}
	case len("transfer-encoding"):
		if same(name, "transfer-encoding") {
			return h.transferEncoding(value)
		}
	}
	return nil
}

// host may come once (RFC 9112 §3.2).
func (h *requestHead) host(value []byte) *problem {
	if h.saw(seenHost) || !all(value, hostChar) {
		return &badHost
	}
	h.seen |= seenHost
	return nil
}

// contentLength refuses repeats, even equal ones, which RFC 9110 §8.6 allows it to.
func (h *requestHead) contentLength(value []byte) *problem {
	n, ok := parseLength(value)
	if !ok || h.saw(seenLength) {
		return &badLength
	}
	h.seen |= seenLength
	h.length = n
	return nil
}

// transferEncoding notes the codings; judge says what becomes of them. Chunked must come last and once.
func (h *requestHead) transferEncoding(value []byte) *problem {
	if h.saw(seenTE) {
		return &badFraming
	}
	h.seen |= seenTE
	for len(value) > 0 {
		var coding []byte
		coding, value = nextItem(value)
		switch {
		case h.saw(seenChunked):
			return &badFraming
		case same(coding, "chunked"):
			h.seen |= seenChunked
		default:
			h.seen |= seenCoding
		}
	}
	return nil
}

// connection notes the options that matter (RFC 9110 §7.6.1); the field may come more than once.
func (h *requestHead) connection(list []byte) {
	for len(list) > 0 {
		var option []byte
		option, list = nextItem(list)
		if same(option, "close") {
			h.seen |= seenClose
		}
		if same(option, "keep-alive") {
			h.seen |= seenKeepAlive
		}
	}
}

func (h *requestHead) expect(value []byte) {
	if len(value) == len("100-continue") && equalFold(value, "100-continue") {
		h.seen |= seenContinue
	} else {
		h.seen |= seenExpect
	}
}

// judge says what is wrong with a head whose lines are all right.
func (h *requestHead) judge() *problem {
	switch {
	case h.saw(seenTE):
		return h.judgeTE()
	case !h.saw(seenHost) && !h.saw(seenMinor0):
		return &noHost
	case h.saw(seenExpect) && !h.saw(seenMinor0):
		return &unknownExpect
	}
	return nil
}

// judgeTE follows RFC 9112 §6.1 and §6.3. Both framings at once, or a coding in HTTP/1.0, are faulty; without chunked at
// the end nobody can tell the length; another coding is one this server does not know; and chunked alone asks for a length instead,
// because this server does not read chunked bodies.
func (h *requestHead) judgeTE() *problem {
	switch {
	case h.saw(seenLength | seenMinor0):
		return &badFraming
	case !h.saw(seenChunked):
		return &badFraming
	case h.saw(seenCoding):
		return &unknownCoding
	}
	return &lengthRequired
}

// keepAlive reports whether the connection stays open after the reply (RFC 9112 §9.3).
func (h *requestHead) keepAlive() bool {
	if h.saw(seenClose) {
		return false
	}
	return !h.saw(seenMinor0) || h.saw(seenKeepAlive)
}

package workloads

import (
	"fmt"
	"net/http"
	"strconv"
)

// A problem is a request that the server refuses; the connection ends with it.
type problem struct {
	status int
	why    string // told to the client
}

// Problems with a head.
var (
	badLineEnd     = problem{400, "a line must end in CRLF and hold no other control character"}
	badRequestLine = problem{400, "the request line must be: method, target, HTTP/1.1"}
	badField       = problem{400, "a field must be: name, colon, value, on one line and without a blank before the colon"}
	badHost        = problem{400, "Host must come once and be a host"}
	noHost         = problem{400, "HTTP/1.1 wants a Host field"}
	badLength      = problem{400, "Content-Length must come once and be a number"}
	badFraming     = problem{400, "the length of the body is ambiguous"}
	lengthRequired = problem{411, "this server reads bodies with Content-Length only"}
	bodyTooLarge   = problem{413, "the body is larger than this server's max-body"}
	targetTooLong  = problem{414, "the request line is longer than 8192 bytes"}
	unknownExpect  = problem{417, "the only expectation known here is 100-continue"}
	headTooLarge   = problem{431, "the head has more than 16384 bytes or 100 fields"}
	unknownCoding  = problem{501, "the only transfer coding known here is chunked"}
	badVersion     = problem{505, "this server speaks HTTP/1.1"}
)

// reply writes the whole answer. It is made when it is needed: refusals are rare and end the connection.
func (p *problem) reply(dst []byte, bodyless bool) []byte {
	text := fmt.Sprintf("%d %s: %s\n", p.status, http.StatusText(p.status), p.why)
	a := compose(p.status, "text/plain", "", text)[andClose]
	return a.appendTo(dst, bodyless)
}

// What a reply says about the connection.
type ending uint8

const (
	silent   ending = iota // HTTP/1.1 keeps the connection without a word
	andClose               // the server will close it (RFC 9112 §9.6)
	andKeep                // an HTTP/1.0 client asked to keep it and must be told (RFC 9112 §9.3, and what ab -k waits for)
	endings  = 3
)

// An answer is a reply ready to be sent.
type answer struct {
	bytes []byte
	head  int // how many of them are the head
}

// answers has one answer for each ending.
type answers [endings]answer

func (a answer) appendTo(dst []byte, bodyless bool) []byte {
	if bodyless {
		return append(dst, a.bytes[:a.head]...)
	}
	return append(dst, a.bytes...)
}

// compose makes the answers with the given body. There is no Date field: sessions are pure and have no clock, and
// RFC 9110 §6.6.1 wants no Date of a server without one. There is no Server field because nothing needs it.
func compose(status int, kind, extra, body string) answers {
	var out answers
	for e := range out {
		head := string(headStart(status, kind)) + strconv.Itoa(len(body)) + "\r\n" + extra + headEnd(ending(e))
		out[e] = answer{[]byte(head + body), len(head)}
	}
	return out
}

// headStart goes up to where the length of the body is written.
func headStart(status int, kind string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: ", status, http.StatusText(status), kind)
}

func headEnd(e ending) string {
	return [endings]string{"\r\n", "Connection: close\r\n\r\n", "Connection: keep-alive\r\n\r\n"}[e]
}

package workloads_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"turnlab/workloads"
)

// pieces are what requests are made of; glued at random they reach further into the parser than random bytes.
var pieces = []string{
	"GET ", "POST ", "HEAD ", "/", "/echo", "/json", "/nope", "http://h/json", "*", " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/2.0\r\n",
	"Host: a\r\n", "Host: b\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n",
	"Connection: close\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n", "X: y\r\n", " folded\r\n", "\r\n", "\n", "\r",
	"hello", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
}

func TestHTTPOutputDoesNotDependOnTheChunks(t *testing.T) {
	server, _ := resolve(t, workloads.HTTP, nil)
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 30).Draw(t, "pieces"), ""))
		end := rapid.Bool().Draw(t, "end")
		var chunks [][]byte
		for rest := in; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		whole, split := play(server, end, in), play(server, end, chunks...)
		if whole.out != split.out || whole.closed != split.closed {
			t.Fatalf("whole: %v\nsplit: %v", whole, split)
		}
	})
}

func FuzzHTTPSession(f *testing.F) {
	for _, c := range append(rightRequests, wrongRequests...) {
		if len(c.in) < 300 {
			f.Add([]byte(c.in), uint8(5), true)
		}
	}
	server, _ := resolve(f, workloads.HTTP, []string{"max-body", "100k"})
	f.Fuzz(func(t *testing.T, in []byte, n uint8, end bool) {
		// The player panics when the session loops or lets its output grow.
		whole, split := play(server, end, in), play(server, end, chop(in, int(n)+1)...)
		if whole.out != split.out || whole.closed != split.closed {
			t.Fatalf("whole: %v\nin pieces of %d: %v", whole, int(n)+1, split)
		}
	})
}

// FuzzHTTPAgainstNetHTTP holds the verdict on a request against that of Go's own server. It reads the first request of the
// input with both. What Go refuses must be refused here, and what is accepted by both must mean the same, except:
//
//	refused here, taken by net/http      why
//	bare LF for a line end               RFC 9112 §2.2 allows both; see cutLine
//	control characters in values         RFC 9110 §5.5 lets a recipient refuse them; net/http takes them in ReadRequest
//	folded fields                        RFC 9112 §5.2 has servers refuse them or unfold them; net/http unfolds
//	no Host, two Hosts, an odd Host      RFC 9112 §3.2: 400; net/http leaves it to its Server, after ReadRequest
//	repeated equal Content-Length        RFC 9110 §8.6 allows both
//	Content-Length with chunked          RFC 9112 §6.1 allows both; net/http drops the length
//	chunked bodies                       411, RFC 9112 §6.3
//	unknown versions                     505; net/http leaves it to its Server
//	bytes above ASCII, odd targets       RFC 9112 §3.2; net/url is more lenient
//	limits, unknown expectations         net/http leaves them to its Server
//
//	refused by net/http, taken here      why
//	percent signs without two digits     the path is compared as it is, never decoded
//	an authority that is not a URL's     targets are compared, not resolved; see requestHead.target
//	an empty line before the request     RFC 9112 §2.2 asks servers to ignore it; ReadRequest does not
//	Content-Length over 63 bits          413 here: it is a number, only too large
//	HTTP/1.x with x > 1                  RFC 9110 §2.5; net/http takes them too, with ProtoMinor x
func FuzzHTTPAgainstNetHTTP(f *testing.F) {
	for _, c := range append(rightRequests, wrongRequests...) {
		if len(c.in) < 300 {
			f.Add([]byte(c.in))
		}
	}
	server, _ := resolve(f, workloads.HTTP, nil)
	f.Fuzz(func(t *testing.T, in []byte) {
		ours := firstReply(play(server, true, in).out)
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(in, []byte("\r\n")))))
		switch {
		case ours == 0: // no whole request, or one whose body never came
		case ours >= 400 && ours != 404 && ours != 405:
			// Being stricter is always safe: the table above says where and why.
		case err != nil:
			if !lenientHere(err) {
				t.Fatalf("answered %d, but net/http says: %v", ours, err)
			}
		default:
			compareMeaning(t, ours, theirs)
		}
	})
}

// firstReply returns the status of the first final reply, or 0.
func firstReply(out string) int {
	out = strings.TrimPrefix(out, proceed)
	if len(out) < len("HTTP/1.1 200") {
		return 0
	}
	return int(out[9]-'0')*100 + int(out[10]-'0')*10 + int(out[11]-'0')
}

// lenientHere reports whether err is one of the documented reasons for which net/http refuses what is taken here.
func lenientHere(err error) bool {
	for _, text := range []string{"invalid URL escape", "invalid URI for request", "invalid port", "invalid userinfo", "missing ']'", "in host name", "first path segment"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

func compareMeaning(t *testing.T, ours int, r *http.Request) {
	t.Helper()
	if r.TransferEncoding != nil {
		t.Fatalf("answered %d, but net/http sees codings %v", ours, r.TransferEncoding)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("answered %d, but net/http cannot read the body: %v", ours, err)
	}
	if err == nil && int64(len(body)) != r.ContentLength {
		t.Fatalf("net/http read %d bytes of body, length %d", len(body), r.ContentLength)
	}
	reads := r.Method == "GET" || r.Method == "HEAD"
	path := r.URL.EscapedPath()
	want := 404
	switch {
	case r.Method == "CONNECT" || r.RequestURI == "*":
		want = 405
	case path == "" || path == "/" || path == "/plaintext" || path == "/json":
		if want = 200; !reads {
			want = 405
		}
	case path == "/echo":
		if want = 200; r.Method != "POST" {
			want = 405
		}
	}
	if ours != want {
		t.Fatalf("answered %d to %s %q, want %d", ours, r.Method, r.RequestURI, want)
	}
}

package workloads_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

const (
	hello      = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"
	helloClose = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: close\r\n\r\nHello, World!"
	helloKeep  = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, World!"
	helloHead  = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n"
	jsonReply  = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"message\":\"Hello, World!\"}"
	proceed    = "HTTP/1.1 100 Continue\r\n\r\n"
)

func echoReply(body, fields string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n%s\r\n%s", len(body), fields, body)
}

// httpCase is a request and its answer. want is the whole output, or, when it ends in "...", how it begins.
type httpCase struct {
	name   string
	in     string
	want   string
	closed bool
	linger bool
}

const get = "GET / HTTP/1.1\r\nHost: a\r\n"

var rightRequests = []httpCase{
	{"plaintext", get + "\r\n", hello, false, false},
	{"another name of plaintext", "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", hello, false, false},
	{"a query is not part of the path", "GET /plaintext?a=/json HTTP/1.1\r\nHost: a\r\n\r\n", hello, false, false},
	{"json", "GET /json HTTP/1.1\r\nHost: a\r\n\r\n", jsonReply, false, false},
	{"absolute target", "GET HTTP://a.example:80/json HTTP/1.1\r\nHost: a\r\n\r\n", jsonReply, false, false},
	{"absolute target without a path", "GET http://a?x/json HTTP/1.1\r\nHost: a\r\n\r\n", hello, false, false},
	{"HEAD has no body", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", helloHead, false, false},
	{"two in one packet", get + "\r\n" + get + "\r\n", hello + hello, false, false},
	{"an empty line before a request", "\r\n" + get + "\r\n\r\n" + get + "\r\n", hello + hello, false, false},
	{"close", get + "Connection: close\r\n\r\n", helloClose, true, false},
	{"close in a list and in capitals", get + "CONNECTION: foo ,\tClose, bar\r\n\r\n", helloClose, true, false},
	{"close in the second of two fields", get + "Connection: keep-alive\r\nConnection: close\r\n\r\n", helloClose, true, false},
	{"closed is not close", get + "Connection: closed\r\n\r\n", hello, false, false},
	{"what follows a close is not answered", get + "Connection: close\r\n\r\n" + get + "\r\n", helloClose + "...", true, true},
	{"HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\n", helloClose, true, false},
	{"HTTP/1.0 is kept on request", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", helloKeep, false, false},
	{"HTTP/1.0 with both closes", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", helloClose, true, false},
	{"HTTP/1.9 is taken for 1.1", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", hello, false, false},
	{"echo", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get + "\r\n", echoReply("abc", "") + hello, false, false},
	{"echo of a request line", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 27\r\n\r\n" + get + "\r\n" + get + "\r\n", echoReply(get+"\r\n", "") + hello, false, false},
	{"echo of nothing", "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", echoReply("", ""), false, false},
	{"echo and close", "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", echoReply("x", "Connection: close\r\n"), true, false},
	{"echo over HTTP/1.0", "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", echoReply("x", "Connection: keep-alive\r\n"), false, false},
	{"leading zeros of a length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc", echoReply("abc", ""), false, false},
	{"100-continue", "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", proceed + echoReply("x", ""), false, false},
	{"nothing to continue with", get + "Expect: 100-continue\r\n\r\n", hello, false, false},
	{"HTTP/1.0 knows no expectations", "GET / HTTP/1.0\r\nExpect: wonders\r\n\r\n", helloClose, true, false},
	{"an unwanted body is skipped", get + "Content-Length: 5\r\n\r\nGET /" + get + "\r\n", hello + hello, false, false},
	{"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", hello, false, false},
	{"an IPv6 Host", "GET / HTTP/1.1\r\nhost:\t [::1]:8080 \t\r\n\r\n", hello, false, false},
	{"any bytes above ASCII in a value", get + "X: \xff\xfe\t\x80 \xc3\xa4\r\n\r\n", hello, false, false},
	{"fields that look like known ones", get + "Hosts: b\r\nExpec: t\r\nConnectio: close\r\nContent-Lengthy: x\r\nX-ontent-Lengt: 7\r\n\r\n", hello, false, false},
	{"no such path", "GET /nope HTTP/1.1\r\nHost: a\r\n\r\n" + get + "\r\n", "HTTP/1.1 404 Not Found\r\n...", false, false},
	{"a method of small letters is another method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n...", false, false},
	{"POST where GET is meant", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\nContent-Length: 38\r\nAllow: GET, HEAD\r\n\r\n...", false, false},
	{"GET where POST is meant", "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\nContent-Length: 33\r\nAllow: POST\r\n\r\n...", false, false},
	{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n...", false, false},
	{"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n...", false, false},
}

// refused is a request that ends the connection with a lingering close.
func refused(name, in string, status int) httpCase {
	return httpCase{name, in, fmt.Sprintf("HTTP/1.1 %d ...", status), true, true}
}

var wrongRequests = []httpCase{
	refused("HTTP/0.9", "GET /\r\n", 400),
	refused("no version", "GET / \r\n", 400),
	refused("no target", "GET  HTTP/1.1\r\n", 400),
	refused("no method", " / HTTP/1.1\r\n", 400),
	refused("a method that is no token", "G@T / HTTP/1.1\r\n", 400),
	refused("two blanks", "GET /  HTTP/1.1\r\n", 400),
	refused("a tab for a blank", "GET\t/ HTTP/1.1\r\n", 400),
	refused("a blank at the end", "GET / HTTP/1.1 \r\n", 400),
	refused("a fragment", "GET /#a HTTP/1.1\r\n", 400),
	refused("a target above ASCII", "GET /\xc3\xa4 HTTP/1.1\r\n", 400),
	refused("a target without a slash", "GET json HTTP/1.1\r\n", 400),
	refused("a version in small letters", "GET / http/1.1\r\n", 400),
	refused("a version with a letter", "GET / HTTP/1.x\r\n", 400),
	refused("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
	refused("HTTP/0.1", "GET / HTTP/0.1\r\n", 505),
	refused("two empty lines first", "\r\n\r\n"+get+"\r\n", 400),
	refused("bare LF after the request line", "GET / HTTP/1.1\nHost: a\n\n", 400),
	refused("bare LF after a field", get+"A: b\nC: d\r\n\r\n", 400),
	refused("bare CR in a value", get+"A: b\rC: d\r\n\r\n", 400),
	refused("CR CR LF", get+"A: b\r\r\n\r\n", 400),
	refused("NUL in a value", get+"A: b\x00\r\n\r\n", 400),
	refused("DEL in a value", get+"A: b\x7f\r\n\r\n", 400),
	refused("DEL after a tab in a value", get+"A: \tb\x7f12345678\r\n\r\n", 400),
	refused("control character in the request line", "GET /\x01 HTTP/1.1\r\n", 400),
	refused("folded field", get+"A: b\r\n c\r\n\r\n", 400),
	refused("folded first field", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", 400),
	refused("blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
	refused("no colon", get+"Abc\r\n\r\n", 400),
	refused("no name", get+": b\r\n\r\n", 400),
	refused("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
	refused("two Hosts", get+"Host: a\r\n\r\n", 400),
	refused("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
	refused("a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b/c\r\n\r\n", 400),
	refused("two lengths", get+"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
	refused("two equal lengths", get+"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
	refused("a list of lengths", get+"Content-Length: 1, 1\r\n\r\n", 400),
	refused("a signed length", get+"Content-Length: +1\r\n\r\n", 400),
	refused("a negative length", get+"Content-Length: -1\r\n\r\n", 400),
	refused("a length in hex", get+"Content-Length: 0x1\r\n\r\n", 400),
	refused("an empty length", get+"Content-Length:\r\n\r\n", 400),
	refused("both framings", get+"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
	refused("both framings, the other way", get+"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
	refused("coding in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
	refused("chunked twice", get+"Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
	refused("chunked not last", get+"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
	refused("coding without chunked", get+"Transfer-Encoding: identity\r\n\r\n", 400),
	refused("two codings in two fields", get+"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
	refused("an empty coding", get+"Transfer-Encoding:\r\n\r\n", 400),
	refused("chunked", get+"Transfer-Encoding: Chunked\r\n\r\n", 411),
	refused("gzip, chunked", get+"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
	refused("a body over the limit", get+"Content-Length: 1048577\r\n\r\n", 413),
	refused("a length over 64 bits", get+"Content-Length: 99999999999999999999999999\r\n\r\n", 413),
	refused("an unknown expectation", get+"Expect: 200-ok\r\n\r\n", 417),
	refused("a long request line", "GET /"+strings.Repeat("a", 8<<10)+" HTTP/1.1\r\n\r\n", 414),
	refused("a line that never ends", strings.Repeat("a", 9<<10), 414),
	refused("a long field", get+"A: "+strings.Repeat("a", 17<<10)+"\r\n\r\n", 431),
	refused("many bytes of fields", get+strings.Repeat("A: "+strings.Repeat("a", 1000)+"\r\n", 17)+"\r\n", 431),
	refused("many fields", get+strings.Repeat("A:b\r\n", 100)+"\r\n", 431),
	refused("a control character beyond the limit", "GET /"+strings.Repeat("a", 8<<10)+"\x00", 414),
}

func (c httpCase) check(t *testing.T, how string, got transcript) {
	t.Helper()
	start, prefix := strings.CutSuffix(c.want, "...")
	right := got.out == c.want || prefix && strings.HasPrefix(got.out, start)
	if !right || got.closed != c.closed || got.linger != c.linger {
		t.Errorf("%s:\ngot  %v\nwant %v", how, got, transcript{c.want, c.closed, c.linger})
	}
}

// A server's answer must follow from the bytes alone, never from how the network cut them.
func TestHTTPAnswersAreTheSameForEverySplit(t *testing.T) {
	server, _ := resolve(t, workloads.HTTP, nil)
	for _, c := range append(rightRequests, wrongRequests...) {
		t.Run(c.name, func(t *testing.T) {
			in := []byte(c.in)
			whole := play(server, false, in)
			c.check(t, "whole", whole)
			for i := 1; i < len(in); i += 1 + len(in)/300 { // every byte of all but the longest
				if got := play(server, false, in[:i], in[i:]); got.out != whole.out || got.closed != whole.closed {
					t.Fatalf("split at %d:\ngot  %v\nwant %v", i, got, whole)
				}
			}
			for _, n := range []int{1, 2, 3, 7, 8, 9} {
				if got := play(server, false, chop(in, n)...); got.out != whole.out || got.closed != whole.closed {
					t.Fatalf("%d bytes at a time:\ngot  %v\nwant %v", n, got, whole)
				}
			}
		})
	}
}

func TestHTTPRefusalOfHEADHasNoBody(t *testing.T) {
	server, _ := resolve(t, workloads.HTTP, nil)
	got := play(server, false, []byte("HEAD / HTTP/1.1\r\n\r\n"))
	if !strings.HasPrefix(got.out, "HTTP/1.1 400 ") || !strings.HasSuffix(got.out, "\r\n\r\n") || !got.closed {
		t.Fatal(got)
	}
}

func TestHTTPAnswersAllPipelinedRequestsInOneStep(t *testing.T) {
	for depth := 1; depth <= 64; depth++ {
		s := newSession(t, workloads.HTTP)
		x := workloads.Exchange{In: []byte(strings.Repeat(get+"\r\n", depth))}
		if op := s.Step(&x); op.Kind != workloads.Read || len(x.In) > 0 {
			t.Fatalf("depth %d: op %v with %d bytes left", depth, op.Kind, len(x.In))
		}
		if want := strings.Repeat(hello, depth); string(x.Out) != want {
			t.Fatalf("depth %d: got %d bytes, want %d", depth, len(x.Out), len(want))
		}
	}
}

func TestHTTPFlushesWhenMuchIsWaitingToBeSent(t *testing.T) {
	const payload = 10000
	s := newSession(t, workloads.HTTP, "payload", fmt.Sprint(payload))
	x := workloads.Exchange{In: []byte(strings.Repeat(get+"\r\n", 64))}
	sent, flushes := 0, 0
	for {
		op := s.Step(&x)
		if len(x.Out) > workloads.FlushAt+payload+100 {
			t.Fatalf("%d bytes wait to be sent", len(x.Out))
		}
		sent += len(x.Out)
		x.Out = x.Out[:0]
		if op.Kind == workloads.Read {
			break
		}
		flushes++
	}
	if flushes < 9 || sent < 64*payload {
		t.Fatalf("%d flushes, %d bytes sent", flushes, sent)
	}
}

func TestHTTPEchoStreamsBodiesLargerThanAnyBuffer(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	head := fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(body))
	p := sessiontest.NewPlayer(newSession(t, workloads.HTTP))
	p.Send([]byte(head))
	for i, chunk := range chop(body, 1000) {
		p.Send(chunk)
		if p.Unread() != 0 || len(p.Out) < i*1000 {
			t.Fatalf("after chunk %d: %d bytes unread, %d sent", i, p.Unread(), len(p.Out))
		}
	}
	if string(p.Out) != echoReply(string(body), "") {
		t.Fatal("the body came back changed")
	}
}

func TestHTTPClosesQuietlyWhenThePeerEnds(t *testing.T) {
	server, _ := resolve(t, workloads.HTTP, nil)
	for in, out := range map[string]string{
		"":                  "",
		"GET / HTT":         "",
		get:                 "",
		get + "\r\n":        hello,
		get + "\r\n" + "GE": hello,
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc": strings.TrimSuffix(echoReply("abcdefghi", ""), "defghi"),
		get + "Content-Length: 9\r\n\r\nabc":                             "",
	} {
		if got := play(server, true, []byte(in)); got.out != out || !got.closed || got.linger {
			t.Errorf("%q: %v, want %q", in, got, out)
		}
	}
}

func TestHTTPPayloadIsTheBodysLength(t *testing.T) {
	for _, n := range []int{1, 12, 13, 14, 26, 65536} {
		got := string(playOne(t, "payload", fmt.Sprint(n)))
		head, body, _ := strings.Cut(got, "\r\n\r\n")
		if len(body) != n || !strings.HasSuffix(head, fmt.Sprintf("Content-Length: %d", n)) {
			t.Errorf("payload %d: head %q, body of %d bytes", n, head, len(body))
		}
	}
}

func playOne(t *testing.T, settings ...string) []byte {
	out, _, _ := sessiontest.Play(newSession(t, workloads.HTTP, settings...), []byte(get+"\r\n"))
	return out
}

// Whole lines are read once and let go, so that a head in many pieces costs no more than one in one piece.
func TestHTTPWaitingSessionsKeepNoInput(t *testing.T) {
	p := sessiontest.NewPlayer(newSession(t, workloads.HTTP))
	p.Send([]byte(get))
	p.Send([]byte("User-Agent: x\r\nAccep"))
	if p.Unread() != len("Accep") {
		t.Fatalf("%d bytes are kept, want the unfinished line only", p.Unread())
	}
}

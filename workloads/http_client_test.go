package workloads_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"turnlab/internal/misuse"
	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

var httpSettings = [][]string{
	{"path", "plaintext"},
	{"path", "plaintext", "payload", "1"},
	{"path", "plaintext", "payload", "100k"},
	{"path", "json"},
	{"path", "echo"},
	{"path", "echo", "payload", "100k"},
	{"path", "plaintext", "check", "body"},
	{"path", "plaintext", "payload", "100k", "check", "body"},
	{"path", "json", "check", "body"},
	{"path", "echo", "payload", "1", "check", "body"},
	{"path", "echo", "payload", "100k", "check", "body"},
}

func TestHTTPClientTakesTheServersReplies(t *testing.T) {
	for _, settings := range httpSettings {
		for _, n := range []int{1, 7, 4096, 1 << 20} {
			if n < 1000 && slices.Contains(settings, "100k") {
				n *= 100 // as many pieces as the small ones have
			}
			c := newClient(t, workloads.HTTP, settings...)
			out, closed, _ := sessiontest.Play(newSession(t, workloads.HTTP, settings...), chop(c.Request(c.Request(c.Request(nil))), n)...)
			if closed {
				t.Fatalf("%v: the server closed", settings)
			}
			if replies, err := deliver(t, c, out, n); replies != 3 || err != nil {
				t.Fatalf("%v, %d bytes at a time: %d replies, %v", settings, n, replies, err)
			}
		}
	}
}

func TestHTTPClientFindsEveryWrongByte(t *testing.T) {
	for _, settings := range [][]string{{"path", "plaintext"}, {"path", "json"}, {"path", "echo"}} {
		request := newClient(t, workloads.HTTP, settings...).Request(nil)
		reply, _, _ := sessiontest.Play(newSession(t, workloads.HTTP, settings...), request)
		for at := range reply {
			wrong := append([]byte(nil), reply...)
			wrong[at] ^= 1
			c := newClient(t, workloads.HTTP, settings...)
			c.Request(nil)
			_, err := deliver(t, c, wrong, 1000)
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("byte %d of the reply is wrong: got ", at)) ||
				!strings.Contains(err.Error(), "--set http.check=body") {
				t.Fatalf("%v, byte %d: %v", settings, at, err)
			}
		}
	}
}

func TestHTTPClientRefusesWhatItDidNotAskFor(t *testing.T) {
	for _, check := range []string{"exact", "body"} {
		c := newClient(t, workloads.HTTP, "check", check)
		c.Request(nil)
		if n, err := deliver(t, c, []byte(hello+hello), 1000); n != 1 || !errors.Is(err, workloads.ErrUnasked) {
			t.Fatalf("%s: %d replies, %v", check, n, err)
		}
	}
}

const nginxReply = "HTTP/1.1 200 OK\r\nServer: nginx/1.26.3\r\nDate: Sun, 22 Nov 2026 16:00:00 GMT\r\n" +
	"Content-Type: text/plain\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, World!"

func chunked(chunks string) string {
	return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
}

func TestHTTPBodyCheckTakesRepliesOfOtherServers(t *testing.T) {
	for name, reply := range map[string]string{
		"nginx":            nginxReply,
		"no reason":        "HTTP/1.1 200\r\ncontent-length:13\r\n\r\nHello, World!",
		"HTTP/1.0":         "HTTP/1.0 200 OK\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, World!",
		"interim reply":    proceed + "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + nginxReply,
		"one chunk":        chunked("d\r\nHello, World!\r\n0\r\n\r\n"),
		"chunks":           chunked("1\r\nH\r\n5;a=b\r\nello,\r\n007 \r\n World!\r\n0\r\n\r\n"),
		"chunks, trailer":  chunked("D\r\nHello, World!\r\n0\r\nX: y\r\n\r\n"),
		"fields of no use": "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nContent-Length: 13\r\nSet-Cookie: b\r\n\r\nHello, World!",
	} {
		for n := 1; n <= len(reply); n++ {
			c := newClient(t, workloads.HTTP, "check", "body")
			c.Request(c.Request(nil))
			if got, err := deliver(t, c, []byte(reply+reply), n); got != 2 || err != nil {
				t.Fatalf("%s, %d bytes at a time: %d replies, %v", name, n, got, err)
			}
		}
	}
}

func TestHTTPBodyCheckRefusesWrongReplies(t *testing.T) {
	for _, c := range []struct{ reply, want string }{
		{"SSH-2.0-OpenSSH_9.2\r\n", "does not begin with an HTTP/1.1 status line"},
		{"HTTP/2.0 200 OK\r\n", "does not begin with an HTTP/1.1 status line"},
		{"HTTP/1.1 2x0 OK\r\n", "no status of three digits"},
		{"HTTP/1.1 2000\r\n", "no status of three digits"},
		{"HTTP/1.1 099 Odd\r\n", "no status of three digits"},
		{"HTTP/1.1 404 Not Found\r\n", "status 404, want 200"},
		{"HTTP/1.1 101 Switching Protocols\r\n", "status 101, want 200"},
		{"HTTP/1.1 204 No Content\r\n\r\n", "status 204, want 200"},
		{"HTTP/1.1 200 OK\nContent-Length: 13\n", "does not end in CRLF"},
		{"HTTP/1.1 200 OK\r\nContent-Length\r\n", "not name and value"},
		{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n", "ambiguous"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Length: 13\r\n", "ambiguous"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nTransfer-Encoding: chunked\r\n", "ambiguous"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "ambiguous"},
		{"HTTP/1.1 200 OK\r\n\r\n", "neither Content-Length nor chunked"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", "12 bytes, want 13"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "0 bytes, want 13"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!", `byte 7 of the body is wrong: got "w`},
		{"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 16<<10), "more than 16384 bytes"},
		{chunked("e\r\nHello, World!!\r\n"), "longer than the 13 bytes"},
		{chunked("c\r\nHello, World\r\n0\r\n"), "12 bytes, want 13"},
		{chunked("c\r\nHello, World!\r\n"), "longer than it says"},
		{chunked("\r\n"), "no size"},
		{chunked("0x1\r\n"), "no size"},
		{chunked("-1\r\n"), "no size"},
		{chunked("1000000000000000000\r\n"), "no size"},
		{chunked("d\r\nHello, World!\r\n0\r\n" + strings.Repeat("a: b\r\n", 4000)), "more than 16384 bytes"},
	} {
		for _, n := range []int{1, 5, 1 << 20} {
			client := newClient(t, workloads.HTTP, "check", "body")
			client.Request(nil)
			_, err := deliver(t, client, []byte(c.reply), n)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.80q, %d bytes at a time: error %v, want %q", c.reply, n, err, c.want)
			}
		}
	}
}

func TestHTTPSettingsThatMakeNoSenseAreTheUsersMistake(t *testing.T) {
	for _, given := range []map[string]string{
		{"path": "json", "payload": "14"},
		{"path": "echo", "payload": "2k", "max-body": "1k"},
	} {
		v, err := workloads.HTTP.Options.Resolve(given)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := workloads.HTTP.NewClients(v, 1); !misuse.Is(err) {
			t.Errorf("%v: error %v", given, err)
		}
	}
}

func FuzzHTTPClient(f *testing.F) {
	f.Add([]byte(hello+hello), uint8(3), false)
	f.Add([]byte(nginxReply+proceed+nginxReply), uint8(50), true)
	f.Add([]byte(chunked("1\r\nH\r\n5;a=b\r\nello,\r\n007 \r\n World!\r\n0\r\nX: y\r\n\r\n")), uint8(1), true)
	f.Fuzz(func(t *testing.T, reply []byte, n uint8, foreign bool) {
		check := "exact"
		if foreign {
			check = "body"
		}
		pieces := newClient(t, workloads.HTTP, "check", check)
		pieces.Request(pieces.Request(nil))
		gotPieces, errPieces := deliver(t, pieces, reply, int(n)+1)
		whole := newClient(t, workloads.HTTP, "check", check)
		whole.Request(whole.Request(nil))
		gotWhole, errWhole := deliver(t, whole, reply, len(reply)+1)
		if gotPieces != gotWhole || (errPieces == nil) != (errWhole == nil) {
			t.Fatalf("in pieces of %d: %d, %v; whole: %d, %v", n+1, gotPieces, errPieces, gotWhole, errWhole)
		}
	})
}

func BenchmarkHTTPClient(b *testing.B) {
	b.Run("exact", func(b *testing.B) { benchmarkClient(b, workloads.HTTP, []byte(hello)) })
	b.Run("body", func(b *testing.B) { benchmarkClient(b, workloads.HTTP, []byte(nginxReply), "check", "body") })
}

package workloads

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// Heads of real clients.
const (
	wrkHead  = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"
	curlHead = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n"
	abHead   = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: 127.0.0.1:8080\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n"

	browserHead = "GET /json?a=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n" +
		"sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\n" +
		"Upgrade-Insecure-Requests: 1\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n" +
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all\r\n\r\n"
)

func TestHeadRemembersHowFarAnUnfinishedLineWasRead(t *testing.T) {
	var h requestHead
	in := []byte("GET / HTTP/1.1\r\nUser-Agent: some")
	n, done, p := h.parse(in)
	if rest := len(in) - n; done || p != nil || rest != len("User-Agent: some") || int(h.scanned) != rest {
		t.Fatalf("consumed %d, done %v, problem %v, scanned %d", n, done, p, h.scanned)
	}
	in[n] = '\n' // the bytes that were read are not read again
	if _, _, p = h.parse(in[n:]); p != nil {
		t.Fatal("the line was read from its start again")
	}
}

func TestSessionsAndClientsAreSmall(t *testing.T) {
	for name, c := range map[string]struct{ size, bound uintptr }{
		"http session": {unsafe.Sizeof(httpSession{}), 32},
		"echo session": {unsafe.Sizeof(echoSession{}), 0},
		"exact client": {unsafe.Sizeof(exactClient{}), 24},
		"body client":  {unsafe.Sizeof(bodyClient{}), 40},
		"echo client":  {unsafe.Sizeof(echoClient{}), 24},
	} {
		if c.size > c.bound {
			t.Errorf("%s has %d bytes, over %d", name, c.size, c.bound)
		}
	}
}

func TestControlIndexFindsTheFirstControlCharacter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.SampledFrom([]byte("\x00\x1f\x20\t\t\r\n\x7e\x7f\x80\x8d\xa0\xff\x21aaaaa")), 0, 40).Draw(t, "b")
		from := rapid.IntRange(0, len(b)).Draw(t, "from")
		want := from
		for want < len(b) && (b[want] >= 0x20 && b[want] != 0x7f || b[want] == '\t') {
			want++
		}
		if got := controlIndex(b, from); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

func benchmarkHead(b *testing.B, text string) {
	in := []byte(text)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		var h requestHead
		if n, done, p := h.parse(in); n != len(in) || !done || p != nil {
			b.Fatalf("read %d of %d bytes, problem %v", n, len(in), p)
		}
	}
}

// The last one is what a server costs that looks for the empty line and nothing else.
func BenchmarkHTTPHead(b *testing.B) {
	b.Run("wrk", func(b *testing.B) { benchmarkHead(b, wrkHead) })
	b.Run("curl", func(b *testing.B) { benchmarkHead(b, curlHead) })
	b.Run("ab", func(b *testing.B) { benchmarkHead(b, abHead) })
	b.Run("browser", func(b *testing.B) { benchmarkHead(b, browserHead) })
	b.Run("no-parser", func(b *testing.B) {
		in, end := []byte(wrkHead), []byte("\r\n\r\n")
		for b.Loop() {
			if !bytes.Contains(in, end) {
				b.Fatal("no end")
			}
		}
	})
}

func BenchmarkHTTPStep(b *testing.B) {
	v, err := HTTP.Options.Resolve(nil)
	if err != nil {
		b.Fatal(err)
	}
	server, err := HTTP.NewServer(v, Env{})
	if err != nil {
		b.Fatal(err)
	}
	for _, depth := range []int{1, 16} {
		b.Run(map[int]string{1: "depth=1", 16: "depth=16"}[depth], func(b *testing.B) {
			in := []byte(strings.Repeat(wrkHead, depth))
			s := server.NewSession()
			var x Exchange
			b.ReportAllocs()
			for b.Loop() {
				x.In, x.Out = in, x.Out[:0]
				if op := s.Step(&x); op.Kind != Read || len(x.In) > 0 {
					b.Fatalf("%v with %d bytes left", op.Kind, len(x.In))
				}
			}
		})
	}
}

package workloads_test

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

// startRedis starts a real redis-server that keeps nothing, and returns the path of its socket.
func startRedis(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed: kv is not held against the real one")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "redis")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", path, "--dir", dir, "--save", "", "--appendonly", "no",
		"--databases", "1", "--proto-max-bulk-len", "1mb", "--logfile", filepath.Join(dir, "log"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return path
		}
		if time.Now().After(end) {
			t.Fatal("redis-server does not listen")
		}
	}
}

// askRedis sends bytes to redis and returns its answer to them, and whether it closed the connection. An ECHO behind them
// marks the end.
func askRedis(t rapid.TB, path string, in []byte) (out string, closed bool) {
	t.Helper()
	const mark = "$13\r\nthe-very-end!\r\n"
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = c.Write(append(bytes.Clone(in), "*2\r\n$4\r\nECHO\r\n"+mark...))
	var got []byte
	for room := make([]byte, 1<<16); ; {
		if bytes.HasSuffix(got, []byte(mark)) {
			return string(got[:len(got)-len(mark)]), false
		}
		n, readErr := c.Read(room)
		got = append(got, room[:n]...)
		if ne, ok := readErr.(net.Error); ok && ne.Timeout() {
			t.Fatalf("redis does not answer %q; got %q (write: %v)", in, got, err)
		}
		if readErr != nil {
			return string(got), true
		}
	}
}

// command writes words as redis clients do.
func command(words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b.String()
}

func emptyKV(t testing.TB) workloads.Server {
	t.Helper()
	server, _ := resolve(t, workloads.KV, []string{"preload", "off"})
	return server
}

// compareWithRedis plays the same bytes to redis and to kv, both empty.
func compareWithRedis(t rapid.TB, path string, server workloads.Server, in string) {
	t.Helper()
	want, wantClosed := askRedis(t, path, []byte(command("FLUSHDB")+in))
	p := sessiontest.NewPlayer(server.NewSession())
	p.Send([]byte(command("FLUSHDB") + in))
	if string(p.Out) != want || p.Closed != wantClosed {
		t.Fatalf("%.400q\nredis: closed=%v %.900q\nkv:    closed=%v %.900q", in, wantClosed, want, p.Closed, p.Out)
	}
}

var (
	someKeys   = []string{"a", "b", "key:000000000001", "", "with blank", "\x00\r\n"}
	someValues = []string{"", "0", "1", "-1", "10", "007", "+1", "1.5", " 1", "text", "\xff\x00", "9223372036854775807", "-9223372036854775808",
		"9223372036854775808", strings.Repeat("long", 50)}
	someNumbers = []string{"0", "1", "-1", "100", "1000000", "9223372036854775807", "-9223372036854775808", "9223372036854775", "9223372036854776",
		"-9223372036854776", "x", "", "1e3", "01"}
	setWords = []string{"NX", "XX", "nx", "GET", "KEEPTTL", "EX", "PX", "EX 100", "PX 100000", "ex 1000", "EX 0", "PX -5", "EX x", "EX 9223372036854775807",
		"what"}
	expireWords = []string{"NX", "XX", "GT", "LT", "gt", "what"}
	otherLines  = []string{"PING", "ping x", "PING x y", "ECHO", "ECHO hi", "GET", "GET a b", "SET a", "MGET", "MSET a", "MSET a 1 b", "DEL", "EXISTS",
		"DBSIZE x", "FLUSHDB what", "FLUSHDB ASYNC", "FLUSHDB a b", "SELECT 0", "SELECT 1", "SELECT -1", "SELECT x", "SELECT 99999999999", "NOSUCH",
		"nosuch a b c", "CONFIG", "CONFIG WHAT", "CONFIG GET", "CONFIG GET save", "CONFIG GET appendonly", "COMMAND WHAT", "config get databases nosuch",
		"INCRBY a", "EXPIRE a", "TTL", "STRLEN", "APPEND a", "GETGETGETGETGET a", "COMMAND DOCS nosuch", "SELECT 2147483648"}
)

// drawCommand draws a command, most of them sensible.
func drawCommand(t *rapid.T) []string {
	pick := func(from []string, what string) string { return rapid.SampledFrom(from).Draw(t, what) }
	key := func() string { return pick(someKeys, "key") }
	keys := func() []string { return rapid.SliceOfN(rapid.SampledFrom(someKeys), 1, 5).Draw(t, "keys") }
	switch rapid.IntRange(0, 14).Draw(t, "command") {
	case 0:
		return []string{"GET", key()}
	case 1:
		return []string{"SET", key(), pick(someValues, "value")}
	case 2:
		words := []string{"set", key(), pick(someValues, "value")}
		for range rapid.IntRange(1, 3).Draw(t, "options") {
			words = append(words, strings.Fields(pick(setWords, "option"))...)
		}
		return words
	case 3:
		return append([]string{"MGET"}, keys()...)
	case 4:
		return []string{"MSET", key(), pick(someValues, "value"), key(), pick(someValues, "value")}
	case 5:
		return append([]string{"DEL"}, keys()...)
	case 6:
		return append([]string{"EXISTS"}, keys()...)
	case 7:
		return []string{"INCR", key()}
	case 8:
		return []string{"incrby", key(), pick(someNumbers, "number")}
	case 9:
		return []string{"APPEND", key(), pick(someValues, "value")}
	case 10:
		return []string{"STRLEN", key()}
	case 11:
		words := []string{"EXPIRE", key(), pick(someNumbers, "number")}
		return append(words, rapid.SliceOfN(rapid.SampledFrom(expireWords), 0, 2).Draw(t, "options")...)
	case 12:
		return []string{"TTL", key()}
	case 13:
		return []string{"DBSIZE"}
	}
	return strings.Split(pick(otherLines, "line"), " ")
}

func TestKVAnswersAsRedisDoes(t *testing.T) {
	path, server := startRedis(t), emptyKV(t)
	rapid.Check(t, func(t *rapid.T) {
		var in strings.Builder
		for range rapid.IntRange(1, 60).Draw(t, "commands") {
			in.WriteString(command(drawCommand(t)...))
		}
		compareWithRedis(t, path, server, in.String())
	})
}

// What is not a well-formed command must be refused, taken or left alone as redis does it.
var oddInput = []string{
	"PING\r\n", "PING\n", "  ping  \r\n", "\r\n", "\n", " \t \r\n", "SET a \"b c\"\r\nGET a\r\n", "SET a 'b \\' c'\r\nGET a\r\n",
	"SET a \"\\x41\\n\\r\\t\\b\\a\\\\\\q\\xzz\"\r\nGET a\r\n", "SET a b\"c d\"\r\nGET a\r\n", "SET a \"b\"c\r\n", "SET a \"b\r\n", "SET a 'b\r\n", "SET a ''\r\nGET a\r\n",
	"ping\vx\r\n", "\vping\r\n", "GET a\r\r\n", "SET a \"\"\r\nSTRLEN a\r\n", "ECHO \"a\\\r\n", "NOSUCH 'a b'\r\n", "GET / HTTP/1.1\r\n",
	"*0\r\nPING\r\n", "*-1\r\nPING\r\n", "*-7\r\nPING\r\n", "*\r\n", "*x\r\n", "*01\r\n", "*1 \r\n", "* 1\r\n", "*+1\r\n", "*2147483648\r\n", "*99999999999999999999999\r\n",
	"*1\r\n4PING\r\n", "*1\r\n\r\n", "*1\r\n:4\r\n", "*1\r\n$\r\n", "*1\r\n$x\r\n", "*1\r\n$-1\r\n", "*1\r\n$04\r\nPING\r\n", "*1\r\n$4x\r\nPING\r\n", "*1\r\n$99999999999\r\n",
	"*1\r\n$4\r\nPINGxx", "*1\rx$4\rxPINGyy*1\r\n$4\r\nPING\r\n", "*1\r\n$0\r\n\r\n", "*2\r\n$0\r\n\r\n$1\r\na\r\n", "*1\r\n$6\r\nNO\r\nSU\r\n", "*2\r\n$3\r\nN\x00O\r\n$3\r\na\x00b\r\n",
	command("NOSUCH", strings.Repeat("a", 100), strings.Repeat("b", 100), "c"), command(strings.Repeat("n", 200)), command("CONFIG", strings.Repeat("n", 200)),
	command("QUIT"), command("QUIT") + command("PING"), command("QUIT", "x"), "quit\r\nPING\r\n", "*1\r\n$4\r\nPING\r\n$4\r\nPING\r\n",
	command("NOSUCH", "line\r\nend"), command("EXPIRE", "a", "1", "x\r\ny"), command("EXPIRE", "a", "x", "NX", "XX"), command("SET", "a", "b", "EX"),
	command("APPEND", "a", strings.Repeat("x", 30000)) + strings.Repeat(command("APPEND", "a", strings.Repeat("x", 1000)), 40) + command("STRLEN", "a"),
}

func TestKVTreatsOddInputAsRedisDoes(t *testing.T) {
	path, server := startRedis(t), emptyKV(t)
	for _, in := range oddInput {
		t.Run("", func(t *testing.T) { compareWithRedis(t, path, server, in) })
	}
}

func TestKVSplitsLinesAsRedisDoes(t *testing.T) {
	path, server := startRedis(t), emptyKV(t)
	pieces := []string{" ", "\t", "\v", "\f", "\r", "a", "bc", "\"", "'", "\\", "\\x4", "\\n", "\\'", "\\\"", "x", "ECHO", "\x80"}
	rapid.Check(t, func(t *rapid.T) {
		words := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "words"), "")
		compareWithRedis(t, path, server, "MGET x "+words+"\r\n"+"NOSUCH "+words+"\r\n")
	})
}

func TestKVValuesGrowAsFarAsInRedis(t *testing.T) {
	path, server := startRedis(t), emptyKV(t)
	chunk := strings.Repeat("x", 1<<15)
	fill := strings.Repeat(command("APPEND", "a", chunk), 31) // 1 MiB less a chunk
	compareWithRedis(t, path, server, fill+command("APPEND", "a", chunk)+command("APPEND", "a", "y")+command("STRLEN", "a")+command("GET", "a"))
	compareWithRedis(t, path, server, fill+command("MGET", "a", "b", "a", "a")+command("PING"))
}

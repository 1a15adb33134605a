package main

import (
	"net"
	"regexp"
	"strings"
	"testing"

	"turnlab/engine/all"
	"turnlab/workloads"
)

// redisTests are the default tests of redis-benchmark that speak of what kv has: strings and counters.
const redisTests = "ping_inline,ping_mbulk,set,get,incr"

func TestRedisClientsGetRightAnswersFromEveryEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("real clients take their time")
	}
	for _, s := range all.Specs {
		if s.CanServe(workloads.KV) != nil {
			continue
		}
		t.Run(s.Label(), func(t *testing.T) {
			t.Parallel() // redis-benchmark waits for a moment after each test
			// 500 connections at once, one more that asks for the configuration, and those that are still closing.
			host, port, err := net.SplitHostPort(serve(t, s.Label(), "kv", "--conns", "1100"))
			if err != nil {
				t.Fatal(err)
			}
			at := []string{"-h", host, "-p", port}
			t.Run("redis-cli", func(t *testing.T) { redisCLI(t, at) })
			t.Run("redis-benchmark", func(t *testing.T) { redisBenchmark(t, at, redisTests, "-c", "50") })
			t.Run("redis-benchmark pipelined", func(t *testing.T) { redisBenchmark(t, at, redisTests, "-c", "50", "-P", "16") })
			t.Run("redis-benchmark with 500 connections", func(t *testing.T) { redisBenchmark(t, at, "set,get", "-c", "500") })
		})
	}
}

// redisCLI has a conversation, a command a line.
func redisCLI(t *testing.T, at []string) {
	var input, want strings.Builder
	for _, turn := range [][2]string{
		{"FLUSHDB", "OK"},
		{"PING", "PONG"},
		{`SET greeting "hello, world"`, "OK"},
		{"GET greeting", "hello, world"},
		{"STRLEN greeting", "12"},
		{"APPEND greeting !", "13"},
		{"SET greeting again NX", ""},
		{"MGET greeting nothing", "hello, world!\n"},
		{"INCR hits", "1"},
		{"INCRBY hits 41", "42"},
		{"EXISTS hits greeting nothing", "2"},
		{"EXPIRE hits 100", "1"},
		{"TTL nothing", "-2"},
		{"DEL greeting hits", "2"},
		{"DBSIZE", "0"},
		{"INCR", "ERR wrong number of arguments for 'incr' command\n"},
	} {
		input.WriteString(turn[0] + "\n")
		want.WriteString(turn[1] + "\n")
	}
	if got := client(t, input.String(), "redis-cli", at...); got != want.String() {
		t.Errorf("redis-cli prints\n%s\nwant\n%s", got, want.String())
	}
}

// redisBenchmark runs the tests and wants a rate for each, and no word of an error (-e).
func redisBenchmark(t *testing.T, at []string, tests string, args ...string) {
	args = append([]string{"-e", "--csv", "-t", tests, "-n", "4000", "-r", "1000"}, args...)
	out := client(t, "", "redis-benchmark", append(args, at...)...)
	rates := regexp.MustCompile(`(?m)^"[^"]+","[1-9][\d.]*"`).FindAllString(out, -1)
	if len(rates) != len(strings.Split(tests, ",")) || strings.Contains(strings.ToLower(out), "err") {
		t.Errorf("redis-benchmark %v reports:\n%s", args, out)
	}
}

package conformance

import (
	"strings"
	"time"

	"turnlab/workloads"
)

var calls = []workloads.Kind{workloads.Call}

// asks makes a script of a command and the reply that it demands, both without their line ends.
func asks(pairs ...string) func(*rig) {
	return func(r *rig) {
		c := r.dial()
		var want strings.Builder
		for i := 0; i < len(pairs); i += 2 {
			c.send([]byte(pairs[i] + "\n"))
			want.WriteString(pairs[i+1] + "\n")
			c.awaitBytes([]byte(want.String()))
		}
		c.closeWrite()
		r.same("transcript", c.awaitEnd(), []byte(want.String()))
	}
}

const long = "19000" // ms, less than patience; nobody waits for it

var callScripts = []script{
	{name: "call all", server: callsServer{}, ops: calls, play: asks(
		"3 "+long+" 20 0 10", "[0 1 2] []",
		"1 "+long+" 0", "[0] []",
		"2 "+long+" "+strings.Repeat("x", 30_000)+"1 0", "[0 1] []",
	)},
	{name: "call first", server: callsServer{}, ops: calls, play: asks(
		"1 "+long+" never 0 never", "[1] []",
		"1 "+long+" never never 1", "[2] []",
		"2 "+long+" never 1 never 5", "[1 3] []",
	)},
	{name: "call within a deadline", server: callsServer{}, ops: calls, play: asks(
		"3 1500 0 never 1", "[0 2] []",
		"1 20 never", "[] []",
		"1 "+long+" 1", "[0] []",
	)},
	{name: "call an upstream that fails", server: callsServer{}, ops: calls, play: asks(
		"3 "+long+" fail 5 odd", "[1] [-2 0]",
		"1 "+long+" fail fail", "[] [-1 0]",
		"1 "+long+" fail 30", "[1] [0]",
		"2 "+long+" 0 0", "[0 1] []",
	)},
	{name: "call with as many requests as there may be", server: callsServer{}, ops: calls, play: asks(
		"64 "+long+strings.Repeat(" 1", 64), "[0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 "+
			"32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63] []",
	)},
	{name: "call keeps connections", server: callsServer{}, ops: calls, play: keepsConnections},
	{name: "call cancels the losers", server: callsServer{}, ops: calls, play: cancelsLosers},
	{name: "call while the peer waits with more", server: callsServer{}, ops: calls, play: callsPipelined},
	{name: "call for a peer that is gone", server: callsServer{}, ops: calls, only: "tcp", play: callsForNobody},
	{name: "stop while calling", server: callsServer{}, ops: calls, play: stopsCalling},
}

func init() { scripts = append(scripts, callScripts...) }

func keepsConnections(r *rig) {
	for range 20 {
		asks("2 "+long+" 0 0", "[0 1] []")(r)
	}
	c := r.engine.Counters()
	if c["calls"] != 40 || c["calls_failed"] != 0 || c["calls_cancelled"] != 0 {
		r.Errorf("counters %v", c)
	}
	// An engine may keep the connections of its threads apart, but not make one for every call.
	if n := c["upstream_connects"]; n == 40 || n != r.upstream.accepted.Load() {
		r.Errorf("%d connections to the upstream for 40 calls, which has seen %d", n, r.upstream.accepted.Load())
	}
}

// cancelsLosers demands that the losers' connections are closed, at once, and are nobody's afterwards.
func cancelsLosers(r *rig) {
	asks("1 "+long+" never 0 never", "[1] []", "1 "+long+" 0", "[0] []")(r)
	// Two calls are answered. The others may be cancelled before their requests have gone out.
	r.await("the losers' connections to be closed", func() bool { return r.upstream.lost.Load() == r.upstream.asked.Load()-2 })
	if c := r.engine.Counters(); c["calls"] != 4 || c["calls_cancelled"] != 2 || c["calls_failed"] != 0 {
		r.Errorf("counters %v", c)
	}
}

func callsPipelined(r *rig) {
	c := r.dial()
	c.send([]byte(strings.Repeat("2 "+long+" 0 1\n", 20)))
	c.closeWrite()
	r.same("transcript", c.awaitEnd(), []byte(strings.Repeat("[0 1] []\n", 20)))
}

// callsForNobody demands that calls end with the connection for which they are made.
func callsForNobody(r *rig) {
	c := r.dial()
	c.paced([]byte("1 " + long + " never\n"))
	r.await("the call", func() bool { return r.upstream.asked.Load() == 1 })
	began, steps := time.Now(), c.session.steps()
	c.reset()
	r.awaitOpen(0)
	r.await("the call's connection to be closed", func() bool { return r.upstream.lost.Load() == 1 })
	if time.Since(began) > patience/2 || c.session.steps() != steps {
		r.Errorf("%v and %d steps after the reset", time.Since(began), c.session.steps()-steps)
	}
}

func stopsCalling(r *rig) {
	c := r.dial()
	c.paced([]byte("1 " + long + " never\n"))
	r.await("the call", func() bool { return r.upstream.asked.Load() == 1 })
	r.stop()
	r.same("transcript", c.awaitEnd(), nil)
}

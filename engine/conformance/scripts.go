package conformance

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

// script provokes one thing that engines get wrong.
type script struct {
	name   string
	server workloads.Server
	ops    []workloads.Kind // what its sessions need besides Read, Flush and Close
	only   string           // the one network on which it makes sense
	play   func(*rig)
}

// needs describes the script as a workload, for an engine that cannot serve all.
func (s *script) needs() *workloads.Workload {
	return &workloads.Workload{Name: "of script " + s.name, Ops: s.ops}
}

var (
	echo = serverOf(workloads.Echo)
	http = serverOf(workloads.HTTP)
	kv   = serverOf(workloads.KV)
)

// serverOf makes a workload's server half with its defaults.
func serverOf(w *workloads.Workload) workloads.Server {
	v, err := w.Options.Resolve(nil)
	if err != nil {
		panic(err)
	}
	srv, err := w.NewServer(v, workloads.Env{Shared: true})
	if err != nil {
		panic(err)
	}
	return srv
}

const (
	echoText = "a short text that comes back"
	lineText = "say one\nneed 5\n12345burn 20\nsay two\nbig 300\nstream 11000\nsay three\n"
	httpText = "GET /json HTTP/1.1\r\nHost: a\r\n\r\n" +
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
		"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" +
		"GET / HTTP/1.0\r\n\r\n"
	getText = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	kvText  = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n" + "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
	badText = "GET / HTTP/1.1\r\nHost: a\r\n\r\nWHAT is this?\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
)

var burns = []workloads.Kind{workloads.Burn}

var scripts = []script{
	{name: "echo split at every byte", server: echo, play: splits(echoText)},
	{name: "http split at every byte", server: http, play: splits(httpText)},
	{name: "bad http split at every byte", server: http, play: splits(badText)},
	{name: "lines split at every byte", server: linesServer{}, ops: burns, play: splits(lineText)},
	{name: "echo a byte at a time", server: echo, play: bytewise(echoText)},
	{name: "http a byte at a time", server: http, play: bytewise(httpText)},
	{name: "lines a byte at a time", server: linesServer{}, ops: burns, play: bytewise(lineText)},
	{name: "echo pipelined", server: echo, play: pipelined(strings.Repeat(echoText, 5000))},
	{name: "http pipelined", server: http, play: pipelined(strings.Repeat(getText, 3000))},
	{name: "lines pipelined", server: linesServer{}, ops: burns, play: pipelined(strings.Repeat(lineText, 40))},
	{name: "interleaved", server: linesServer{}, ops: burns, play: interleaved},
	{name: "sleep", server: linesServer{}, ops: []workloads.Kind{workloads.Sleep}, play: sleeps},
	{name: "a session that stays after the end is closed", server: linesServer{}, play: stays},
	{name: "the most unread input", server: linesServer{}, play: mostUnread},
	{name: "too much unread input", server: linesServer{}, play: tooMuchUnread},
	{name: "a reader that is slow", server: linesServer{}, play: slowReader},
	{name: "input while output is blocked", server: linesServer{}, play: inputWhileBlocked},
	{name: "a reset between requests", server: linesServer{}, only: "tcp", play: resetWhileReading},
	{name: "a reset while output is blocked", server: linesServer{}, play: resetWhileBlocked},
	{name: "close at once", server: linesServer{}, play: closesAtOnce},
	{name: "linger keeps the reply", server: linesServer{}, play: lingers},
	{name: "linger has bounds", server: linesServer{}, only: "tcp", play: lingerBounds},
	{name: "connections one after another", server: echo, play: churns},
	{name: "an echo allocates nothing", server: echo, play: allocatesNothing(echoText, echoText)},
	{name: "an http request allocates nothing", server: http, play: allocatesNothing(getText, "")},
	{name: "a kv SET and GET of a key that is there allocate nothing", server: kv, play: allocatesNothing(kvText, "")},
	{name: "stop", server: linesServer{}, play: stops},
	{name: "stop while sleeping", server: linesServer{}, ops: []workloads.Kind{workloads.Sleep}, play: stopsSleeping},
	{name: "stop before serve", server: echo, play: stopsFirst},
}

// converse plays chunks to the engine and to the reference and demands the same bytes and, as each chunk is small enough
// to be one read, the same ops.
func (r *rig) converse(chunks ...[]byte) {
	r.Helper()
	want := sessiontest.NewPlayer(r.seen.inner.NewSession())
	c := r.dial()
	defer c.Close()
	for _, chunk := range chunks {
		if want.Closed {
			break
		}
		want.Send(chunk)
		c.paced(chunk)
	}
	want.End()
	c.closeWrite()
	r.same("transcript", c.awaitEnd(), want.Out)
	if ops := c.session.asked(); !slices.Equal(ops, want.Ops) {
		r.Errorf("the ops were %v, want %v", ops, want.Ops)
	}
}

func splits(text string) func(*rig) {
	return func(r *rig) {
		step := 1
		if testing.Short() {
			step = 7 // a prime, so that over the texts every kind of place is cut
		}
		for at := 1; at < len(text) && !r.Failed(); at += step {
			r.converse([]byte(text[:at]), []byte(text[at:]))
		}
	}
}

func bytewise(text string) func(*rig) {
	return func(r *rig) { r.converse(bytes.SplitAfter([]byte(text), nil)...) }
}

// reference returns what a session answers to a text and its end.
func (r *rig) reference(text string) []byte {
	p := sessiontest.NewPlayer(r.seen.inner.NewSession())
	p.Send([]byte(text))
	p.End()
	return p.Out
}

// pipelined sends all requests before it reads the first reply.
func pipelined(text string) func(*rig) {
	return func(r *rig) {
		c := r.dialDeaf()
		go func() { // beside the reader, because the kernel need not hold all of it
			c.send([]byte(text))
			c.closeWrite()
		}()
		go c.gather()
		r.same("transcript", c.awaitEnd(), r.reference(text))
	}
}

// interleaved has many conversations at once, whose pieces come in a random order.
func interleaved(r *rig) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var clients []*client
	var texts, rests []string
	for i := range maxConns - 1 {
		clients = append(clients, r.dial())
		texts = append(texts, strings.Repeat("say "+strings.Repeat(string(rune('a'+i%26)), i)+"\n"+lineText, 1+i%3))
	}
	for rests = slices.Clone(texts); ; {
		var open []int
		for i, rest := range rests {
			if rest != "" {
				open = append(open, i)
			}
		}
		if len(open) == 0 {
			break
		}
		i := open[rnd.IntN(len(open))]
		n := 1 + rnd.IntN(min(50, len(rests[i])))
		clients[i].send([]byte(rests[i][:n]))
		rests[i] = rests[i][n:]
	}
	for i, c := range clients {
		c.closeWrite()
		r.same("transcript", c.awaitEnd(), r.reference(texts[i]))
	}
}

// sleeps checks that a sleep is a sleep, and that others are served meanwhile.
func sleeps(r *rig) {
	const nap = 60 * time.Millisecond
	c := r.dial()
	began := time.Now()
	c.paced([]byte("say before\nsleep 60\nsay after\n"))
	c.awaitBytes([]byte("hello\nbefore\n"))
	r.converse([]byte("say meanwhile\n"))
	c.awaitBytes([]byte("hello\nbefore\nslept\nafter\n"))
	if took := time.Since(began); took < nap {
		r.Errorf("a sleep of %v ended after %v", nap, took)
	}
}

func stays(r *rig) { r.converse([]byte("stay\nsay "), []byte("more\nsay and")) }

func mostUnread(r *rig) {
	c := r.dial()
	c.paced([]byte("need 65536\n"))
	for sent := 0; sent < workloads.MaxUnread; sent += 4096 {
		c.paced(make([]byte, 4096))
	}
	c.paced([]byte("say next\n"))
	c.awaitBytes([]byte("hello\nhad 65536\nnext\n"))
}

func tooMuchUnread(r *rig) {
	c := r.dial()
	c.paced([]byte("hold\n"))
	for range 64 {
		c.send(make([]byte, 64<<10)) // far more than the bound and all buffers of the kernel, unless the engine closes
		if c.end() != nil {
			break
		}
	}
	c.awaitEnd()
	if n, _ := c.session.received(); n < workloads.MaxUnread {
		r.Errorf("closed after %d bytes, the bound is %d", n, workloads.MaxUnread)
	}
	r.awaitOpen(0)
}

// awaitBlocked waits until a session makes no more output although it has more to say.
func (r *rig) awaitBlocked(s *session) {
	r.Helper()
	last, since := -1, time.Now()
	r.await("the output to be blocked", func() bool {
		if n := s.produced(); n != last {
			last, since = n, time.Now()
		}
		return last > 100 && time.Since(since) > 30*time.Millisecond
	})
}

// shrink makes the kernel hold less for a client that does not read. It stays above the loopback device's largest packet
// (64 KiB): a window smaller than that makes the sender wait for timers.
func (c *client) shrink() {
	_ = c.Conn.(interface{ SetReadBuffer(int) error }).SetReadBuffer(200_000)
}

func slowReader(r *rig) {
	const text = "stream 12000000\nsay done\n"
	c := r.dialDeaf()
	c.shrink()
	c.paced([]byte(text))
	r.awaitBlocked(c.session)
	if n := c.session.produced(); n >= 12_000_000 {
		r.Errorf("%d bytes were made although nobody reads", n)
	}
	r.converse([]byte("say others go on\n"))
	var got []byte
	for range 20 { // sips first, so that the engine finds room for a part again and again
		sip := make([]byte, 3000)
		n, err := io.ReadFull(c, sip)
		if err != nil {
			r.Fatal(err)
		}
		got = append(got, sip[:n]...)
		time.Sleep(time.Millisecond)
	}
	c.closeWrite()
	c.got = got
	go c.gather()
	r.same("transcript", c.awaitEnd(), r.reference(text))
}

// inputWhileBlocked sends a request, and the end, while the reply to another is stuck: nobody will tell the engine twice.
func inputWhileBlocked(r *rig) {
	const text = "big 2000000\nbig 2000000\nbig 2000000\n"
	c := r.dialDeaf()
	c.shrink()
	c.paced([]byte(text))
	r.awaitBlocked(c.session)
	c.send([]byte("say later\n"))
	c.closeWrite()
	time.Sleep(5 * time.Millisecond) // lets the engine be told of it while it cannot go on
	go c.gather()
	r.same("transcript", c.awaitEnd(), r.reference(text+"say later\n"))
}

// resetWhileReading demands that a session whose connection broke takes no further step.
func resetWhileReading(r *rig) {
	c := r.dial()
	c.paced([]byte("say "))
	steps := c.session.steps()
	c.reset()
	r.awaitOpen(0)
	if n := c.session.steps(); n != steps {
		r.Errorf("%d steps after the reset", n-steps)
	}
	r.converse([]byte("say others go on\n"))
}

func resetWhileBlocked(r *rig) {
	c := r.dialDeaf()
	c.shrink()
	c.paced([]byte("stream 12000000\n"))
	r.awaitBlocked(c.session)
	c.reset()
	r.awaitOpen(0)
	r.converse([]byte("say others go on\n"))
}

func closesAtOnce(r *rig) {
	c := r.dial()
	c.paced([]byte("say x\nquit\n"))
	r.same("transcript", c.awaitEnd(), []byte("hello\nx\nbye\n"))
	r.awaitOpen(0)
}

// lingers has input on its way when the session closes. To close at once would reset the connection.
func lingers(r *rig) {
	c := r.dial()
	c.send(append([]byte("linger\n"), make([]byte, 100<<10)...))
	c.closeWrite()
	got := c.awaitEnd()
	r.same("transcript", got, []byte("hello\nbye\n"))
	if err := c.end(); err != io.EOF {
		r.Errorf("the connection ended with %v", err)
	}
	r.awaitOpen(0)
}

// lingerBounds never closes its end: once it is silent, once it never stops sending.
func lingerBounds(r *rig) {
	silent, chatty := r.dial(), r.dial()
	silent.paced([]byte("linger\n"))
	chatty.paced([]byte("linger\n"))
	for range 64 {
		chatty.send(make([]byte, 64<<10))
	}
	r.same("transcript", silent.awaitEnd(), []byte("hello\nbye\n"))
	r.awaitOpen(0)
}

func churns(r *rig) {
	const conns = 100
	for range conns {
		r.converse([]byte(echoText))
	}
	r.awaitOpen(0)
	if n := r.engine.Counters()["accepted"]; n != conns {
		r.Errorf("%d connections accepted, want %d", n, conns)
	}
}

// allocatesNothing demands that requests, once the first ones have warmed everything up, leave no garbage: an engine's own
// would be collected at the cost of every other request.
func allocatesNothing(request, reply string) func(*rig) {
	return func(r *rig) {
		if testing.Short() {
			r.Skip("the race detector makes pools forget")
		}
		c := r.dialDeaf()
		if reply == "" {
			reply = string(r.reference(request))
		}
		const requests = 2000
		out, buf := []byte(request), make([]byte, len(reply))
		exchange := func() {
			if _, err := c.Write(out); err != nil {
				r.Fatal(err)
			}
			if _, err := io.ReadFull(c, buf); err != nil {
				r.Fatal(err)
			}
		}
		for range requests { // the observer's record grows here too, and seldom later
			exchange()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range requests {
			exchange()
		}
		runtime.ReadMemStats(&after)
		r.same("reply", buf, []byte(reply))
		if n := float64(after.Mallocs-before.Mallocs) / requests; n > 0.1 {
			r.Errorf("%.2f allocations per request", n)
		}
	}
}

// stops stops an engine with connections in every state.
func stops(r *rig) {
	idle, half, lingering, stuck := r.dial(), r.dial(), r.dial(), r.dialDeaf()
	stuck.shrink()
	half.paced([]byte("say ha"))
	lingering.paced([]byte("linger\n"))
	stuck.paced([]byte("stream 12000000\n"))
	r.awaitBlocked(stuck.session)
	r.stop()
	go stuck.gather()
	for _, c := range []*client{idle, half, lingering, stuck} {
		c.awaitEnd()
	}
	r.refuses()
}

func stopsSleeping(r *rig) {
	c := r.dial()
	c.paced([]byte("sleep 300\nsay never\n"))
	r.stop()
	r.same("transcript", c.awaitEnd(), []byte("hello\n"))
}

// stopsFirst uses an engine of its own, which nobody has told to serve yet.
func stopsFirst(r *rig) {
	r.stop()
	r.refuses()
}

// refuses demands that nobody listens any more.
func (r *rig) refuses() {
	r.Helper()
	if conn, err := net.Dial(r.listener.Network, r.listener.Address); err == nil {
		conn.Close()
		r.Error("somebody still listens")
	}
}

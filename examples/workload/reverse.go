// Package reverse is an example of a workload: a line comes in and goes back the other way round.
//
// It is all that a workload needs: options, a session for the server, and clients that check every byte. None of it reads a
// socket, a clock or a global, so the same code runs under every engine.
package reverse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"turnlab/internal/option"
	"turnlab/workloads"
)

// Workload describes it. A line in workloads.All adds it to the lab.
var Workload = &workloads.Workload{
	Name:    "reverse",
	Summary: "sends each line back the other way round",
	Shows:   "how to add a workload",
	Options: option.Set{
		{Name: "length", Kind: option.Int, Default: "16", Min: 1, Max: 10_000, Help: "letters of a line; 16 fit into a cache line"},
	},
	NewServer: func(option.Values, workloads.Env) (workloads.Server, error) { return server{}, nil },
	NewClients: func(v option.Values, seed uint64) (workloads.Clients, error) {
		return clients{v.Int("length"), seed}, nil
	},
}

// server has nothing to share, and its sessions have nothing to remember.
type server struct{}

// NewSession implements workloads.Server.
func (server) NewSession() workloads.Session { return session{} }

type session struct{}

// Step answers the lines that are there, and asks to be called again when there is room for more, or more input.
func (session) Step(x *workloads.Exchange) workloads.Op {
	for len(x.Out) < workloads.FlushAt {
		line, rest, whole := bytes.Cut(x.In, []byte("\n"))
		switch {
		case whole:
			x.Out, x.In = appendReversed(x.Out, line), rest
		case x.EOF:
			return workloads.Op{Kind: workloads.Close}
		default:
			return workloads.Op{Kind: workloads.Read}
		}
	}
	return workloads.Op{Kind: workloads.Flush}
}

func appendReversed(dst, line []byte) []byte {
	at := len(dst)
	dst = append(dst, line...)
	slices.Reverse(dst[at:])
	return append(dst, '\n')
}

type clients struct {
	length int
	seed   uint64
}

// NewClient implements workloads.Clients. The letters follow from the seed and the number of the connection, so that every
// engine is asked the same.
func (s clients) NewClient(conn int) workloads.Client {
	letters := func() *rand.Rand { return rand.New(rand.NewPCG(s.seed, uint64(conn))) }
	return &client{length: s.length, asks: letters(), checks: letters()}
}

// client draws the letters of each line twice: for the request, and again when its reply is there.
type client struct {
	length       int
	asks, checks *rand.Rand
	open         int // requests without a reply
	line, want   []byte
}

// Request appends the next line.
func (c *client) Request(dst []byte) []byte {
	c.open++
	return append(c.draw(dst, c.asks), '\n')
}

func (c *client) draw(dst []byte, from *rand.Rand) []byte {
	for range c.length {
		dst = append(dst, byte('a'+from.IntN(26)))
	}
	return dst
}

// Reply checks a line, once all of it is there.
func (c *client) Reply(in []byte) (n int, done bool, err error) {
	switch {
	case len(in) > 0 && c.open == 0:
		return 0, false, workloads.ErrUnasked
	case len(in) <= c.length:
		return 0, false, nil
	}
	c.line = c.draw(c.line[:0], c.checks)
	c.want = appendReversed(c.want[:0], c.line)
	if got := in[:len(c.want)]; !bytes.Equal(got, c.want) {
		return 0, false, fmt.Errorf("reply %q to %q", got, c.line)
	}
	c.open--
	return len(c.want), true, nil
}

package workloads

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// Stream moves many bytes per request: a file down, a file up, or both ways at the same time. It shows bulk throughput, and
// whether streams that share a server share it evenly.
//
// Protocol: a request is 16 bytes, a letter (D, U or B), the number of bytes N as 7 bytes, big-endian, and a tag of 8; up and
// both, N bytes follow it. The reply of down and both is N bytes, that of up the request's 16 bytes again, when all have
// come and were right. The bytes follow from the tag: they are the lab's pattern, begun at a place that the tag names. A
// server refuses, by closing, an N above its own `size`, and uploaded bytes that are wrong.
//
// Back-pressure: the server makes `chunk` bytes, and the next chunk when the kernel has taken them; going both ways it
// reads no more than it can send. No stream holds more than a chunk, however slow its reader.
//
// Limits: the requesting side makes a request at once, so an upload takes `size` bytes of its memory per connection.
var Stream = &Workload{
	Name:    "stream",
	Summary: "sends or takes many bytes for each request",
	Shows:   "bulk throughput, and fairness between streams",
	Options: option.Set{
		{Name: "size", Kind: option.Size, Default: "1M", Min: 1, Max: 1 << 28,
			Help: "bytes of a stream; 1M is far above what the kernel's buffers hold, so that the sender has to wait"},
		{Name: "chunk", Kind: option.Size, Default: "16k", Min: 1, Max: FlushAt,
			Help: "bytes that the server sends before it sees to others; 16k is a TLS record, and what many servers use"},
		{Name: "direction", Kind: option.Choice, Default: "down", Choices: []string{"down", "up", "both"},
			Help: "who sends: the server, the client, or both at the same time"},
	},
	NewServer: func(v option.Values, _ Env) (Server, error) {
		return &streamServer{size: int64(v.Int("size")), chunk: int64(v.Int("chunk")), pattern: labPattern()}, nil
	},
	NewClients: newStreamClients,
}

const (
	defaultChunk = 16 << 10

	streamHead = 16 // bytes
	goesDown   = 'D'
	goesUp     = 'U'
	goesBoth   = 'B'
	sizeMask   = 1<<56 - 1 // of a head's first number: what is not the letter
)

// patternLength is prime, so that a piece of any usual length (a page, a buffer, a segment) which is lost or comes twice
// moves what follows against the pattern.
const patternLength = 65521

// pattern is fixed random bytes, repeated so that any FlushAt of them that begin in the first patternLength lie in a row.
type pattern []byte

// labPattern returns the lab's pattern: both halves of the workload know it.
var labPattern = sync.OnceValue(func() pattern {
	p := make(pattern, patternLength, patternLength+FlushAt)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(source.Uint32())
	}
	for len(p) < cap(p) {
		p = append(p, p[:min(patternLength, cap(p)-len(p))]...)
	}
	return p
})

// at returns up to n bytes of the stream with a tag from position pos on, at most FlushAt.
func (p pattern) at(tag uint64, pos int64, n int64) []byte {
	from := int64((tag%patternLength + uint64(pos)) % patternLength)
	return p[from : from+min(n, FlushAt)]
}

type streamServer struct {
	size, chunk int64
	pattern     pattern
}

// NewSession returns the session of a connection.
func (s *streamServer) NewSession() Session { return &streamSession{server: s} }

type streamSession struct {
	server *streamServer
	head   uint64 // of the request under way
	tag    uint64
	left   int64 // bytes of it still to be sent, or to come
}

func (s *streamSession) letter() byte { return byte(s.head >> 56) }

// pos returns how many bytes of the stream are done.
func (s *streamSession) pos() int64 { return int64(s.head&sizeMask) - s.left }

// Step goes on with the request under way, or takes the next.
func (s *streamSession) Step(x *Exchange) Op {
	for len(x.Out) < FlushAt {
		switch {
		case s.left == 0:
			if len(x.In) < streamHead {
				return readOn(x)
			}
			if !s.begin(x) {
				return Op{Kind: Close, Linger: true}
			}
		case s.letter() == goesDown:
			s.send(x)
			return Op{Kind: Flush}
		case len(x.In) == 0:
			return readOn(x)
		case !s.take(x):
			return Op{Kind: Close, Linger: true}
		case s.letter() == goesBoth:
			return Op{Kind: Flush}
		}
	}
	return Op{Kind: Flush}
}

// readOn waits for more input, or ends with it.
func readOn(x *Exchange) Op {
	if x.EOF {
		return Op{Kind: Close}
	}
	return Op{Kind: Read}
}

// begin reads the head of a request.
func (s *streamSession) begin(x *Exchange) bool {
	s.head, s.tag = binary.BigEndian.Uint64(x.In), binary.BigEndian.Uint64(x.In[8:])
	s.left = int64(s.head & sizeMask)
	x.In = x.In[streamHead:]
	known := s.letter() == goesDown || s.letter() == goesUp || s.letter() == goesBoth
	return known && s.left > 0 && s.left <= s.server.size
}

// send makes the next chunk.
func (s *streamSession) send(x *Exchange) {
	piece := s.server.pattern.at(s.tag, s.pos(), min(s.left, s.server.chunk))
	x.Out = append(x.Out, piece...)
	s.left -= int64(len(piece))
}

// take takes the next piece of an upload, at most a chunk of it when it goes back as well, and reports whether it is right.
// Of one that is not it takes what is right: what goes back must not depend on how the bytes were split.
func (s *streamSession) take(x *Exchange) bool {
	n := min(s.left, int64(len(x.In)))
	if s.letter() == goesBoth {
		n = min(n, s.server.chunk)
	}
	piece := s.server.pattern.at(s.tag, s.pos(), n)
	right := string(x.In[:len(piece)]) == string(piece)
	if !right {
		piece = piece[:shared(x.In, piece)]
	}
	x.In = x.In[len(piece):]
	s.left -= int64(len(piece))
	switch {
	case s.letter() == goesBoth:
		x.Out = append(x.Out, piece...)
	case s.left == 0:
		x.Out = appendHead(x.Out, s.head, s.tag)
	}
	return right
}

func appendHead(dst []byte, head, tag uint64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, head)
	return binary.BigEndian.AppendUint64(dst, tag)
}

type streamClients struct {
	seed    uint64
	head    uint64 // of every request
	size    int64
	pattern pattern
}

func newStreamClients(v option.Values, seed uint64) (Clients, error) {
	letters := map[string]uint64{"down": goesDown, "up": goesUp, "both": goesBoth}
	direction, size := v.Text("direction"), v.Int("size")
	if direction == "up" && v.Int("chunk") != defaultChunk {
		return nil, misuse.Errorf("stream.chunk does nothing with stream.direction=up: the server sends no chunks")
	}
	return &streamClients{seed, letters[direction]<<56 | uint64(size), int64(size), labPattern()}, nil
}

// NewClient returns the client of a connection.
func (s *streamClients) NewClient(conn int) Client {
	return &streamClient{shared: s, tags: newTags(s.seed, conn)}
}

func (s *streamClients) uploads() bool   { return s.head>>56 != goesDown }
func (s *streamClients) downloads() bool { return s.head>>56 != goesUp }

type streamClient struct {
	shared  *streamClients
	tags    tags
	checked int64 // bytes of the oldest reply that were right
}

// Request appends the next request, with all that it uploads.
func (c *streamClient) Request(dst []byte) []byte {
	s, tag := c.shared, c.tags.send()
	dst = appendHead(dst, s.head, tag)
	for pos := int64(0); s.uploads() && pos < s.size; {
		piece := s.pattern.at(tag, pos, s.size-pos)
		dst = append(dst, piece...)
		pos += int64(len(piece))
	}
	return dst
}

// Reply compares what has come of the oldest reply, FlushAt bytes at most.
func (c *streamClient) Reply(in []byte) (n int, done bool, err error) {
	tag, err := c.tags.oldest(in)
	if err != nil || len(in) == 0 {
		return 0, false, err
	}
	if !c.shared.downloads() {
		return c.receipt(in, tag)
	}
	left := c.shared.size - c.checked
	want := c.shared.pattern.at(tag, c.checked, left)
	if n, err = match(in, want, "stream", int(c.checked)); err != nil {
		return n, false, err
	}
	c.checked += int64(n)
	return n, c.finish(c.shared.size), nil
}

// receipt compares the reply to an upload.
func (c *streamClient) receipt(in []byte, tag uint64) (n int, done bool, err error) {
	var room [streamHead]byte
	want := appendHead(room[:0], c.shared.head, tag)
	if n, err = matchFrame(in, want[c.checked:], int(c.checked)); err != nil {
		return n, false, err
	}
	c.checked += int64(n)
	return n, c.finish(streamHead), nil
}

// finish reports whether the oldest reply is complete with its first size bytes, and goes on to the next if so.
func (c *streamClient) finish(size int64) bool {
	if c.checked < size {
		return false
	}
	c.checked = 0
	c.tags.received++
	return true
}

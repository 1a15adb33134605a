package workloads

import "math/rand/v2"

// The geometry of a tape. The window keeps a small payload's whole tape in the first-level cache; the stride is odd, so
// that the offsets visit every place of the window once before any comes again.
const (
	tapeWindow = 4096
	tapeStride = 1663
)

// A tape makes request bodies that differ from request to request and cost a copy and a comparison, nothing more.
//
// It is one string of random bytes, made from the trial's seed and shared by all connections; a body is the piece of it at
// an offset that follows from a counter. No client has to remember what it sent. A server that answers with the previous
// request's bytes, or with another connection's, is found out: neighbours never share an offset, and two connections do
// with a chance of 1 in 4096. Limits: bodies shorter than two bytes can be equal by chance.
type tape struct {
	seed    uint64
	payload int
	bytes   []byte
}

func newTape(seed uint64, payload int) tape {
	t := tape{seed: seed, payload: payload, bytes: make([]byte, tapeWindow+payload)}
	source := rand.New(rand.NewPCG(seed, mix(seed)))
	for i := range t.bytes {
		t.bytes[i] = byte(source.Uint32())
	}
	return t
}

// first returns the counter with which connection conn begins.
func (t *tape) first(conn int) uint32 { return uint32(mix(t.seed ^ mix(uint64(conn)))) }

// body returns the body that belongs to counter i. It is shared: nobody may write to it.
func (t *tape) body(i uint32) []byte {
	offset := int(i * tapeStride % tapeWindow)
	return t.bytes[offset : offset+t.payload]
}

// mix turns a number into one that looks unrelated to it (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

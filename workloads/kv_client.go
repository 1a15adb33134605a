package workloads

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"turnlab/internal/option"
)

// A kvStamp stands at the head of a value: for which key it is, and which request of which connection wrote it.
type kvStamp struct{ key, conn, index uint32 }

const (
	kvValueHead = 16        // bytes: key, connection, index and their check, big-endian
	kvPreloaded = 1<<32 - 1 // the connection of values that the server starts with
	kvKeyStart  = "key:"    // a key is this and its number in kvKeyDigits digits, as redis-benchmark names them
	kvKeyDigits = 12
	kvKeyLength = len(kvKeyStart) + kvKeyDigits
)

func (s kvStamp) check() uint32 {
	return uint32(mix(mix(uint64(s.key)<<32|uint64(s.conn)) ^ uint64(s.index)))
}

func appendKVKey(dst []byte, key uint32) []byte {
	dst = append(dst, kvKeyStart...)
	var digits [kvKeyDigits]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = '0' + byte(key%10)
		key /= 10
	}
	return append(dst, digits[:]...)
}

// kvValues makes values of one size: a stamp and filling off the lab's pattern, at a place that follows from the stamp. Both
// halves know it, because the server is preloaded.
type kvValues struct {
	size    int
	pattern pattern
}

func newKVValues(size int) kvValues { return kvValues{size, labPattern()} }

func (v *kvValues) filling(s kvStamp) []byte {
	return v.pattern.at(uint64(s.check()), 0, int64(v.size-kvValueHead))
}

func (v *kvValues) append(dst []byte, s kvStamp) []byte {
	dst = binary.BigEndian.AppendUint32(dst, s.key)
	dst = binary.BigEndian.AppendUint32(dst, s.conn)
	dst = binary.BigEndian.AppendUint32(dst, s.index)
	dst = binary.BigEndian.AppendUint32(dst, s.check())
	return append(dst, v.filling(s)...)
}

// read takes a value apart and checks all of it but who wrote it when.
func (v *kvValues) read(value []byte) (kvStamp, error) {
	s := kvStamp{binary.BigEndian.Uint32(value), binary.BigEndian.Uint32(value[4:]), binary.BigEndian.Uint32(value[8:])}
	if s.check() != binary.BigEndian.Uint32(value[12:]) {
		return s, fmt.Errorf("nobody has written this value: its head %x does not fit its check", value[:kvValueHead])
	}
	_, err := match(value[kvValueHead:], v.filling(s), "value", kvValueHead)
	return s, err
}

type kvClients struct {
	seed    uint64
	reads   float64
	mayMiss bool
	values  kvValues
	keys    alias
	get     []byte // a GET up to its key's digits
	set     []byte
	between []byte // what stands between a SET's key and its value
	bulk    []byte // what stands before the value in a reply
	lives   lives
}

func newKVClients(v option.Values, seed uint64) (Clients, error) {
	size := v.Int("value")
	length := "$" + strconv.Itoa(size) + "\r\n"
	return &kvClients{
		seed: seed, reads: v.Float("reads"), mayMiss: v.Text("preload") == "off", values: newKVValues(size),
		keys: newZipf(v.Int("keys"), v.Float("skew")),
		get:  []byte("*2\r\n$3\r\nGET\r\n$16\r\n"), set: []byte("*3\r\n$3\r\nSET\r\n$16\r\n"),
		between: []byte("\r\n" + length), bulk: []byte(length),
	}, nil
}

// NewClient returns the client of a connection. In each life its requests begin at another number, so that what it wrote in
// an earlier one is told from what it writes now.
func (s *kvClients) NewClient(conn int) Client {
	first := s.lives.next(conn) << 26
	return &kvClient{shared: s, conn: uint32(conn), key: mix(s.seed ^ mix(uint64(conn))), first: first, sent: first, received: first}
}

type kvClient struct {
	shared   *kvClients
	key      uint64 // of the connection's draws
	conn     uint32
	first    uint32 // index of this life's first request
	sent     uint32 // index of the next request; wraps round
	received uint32 // index of the oldest request without a full reply
	wrote    uint32 // index of the last SET that was answered
	wroteKey uint32 // its key
	hasWrote bool
}

// request draws request number i: what it is and for which key.
func (c *kvClient) request(i uint32) (key uint32, reads bool) {
	draw := mix(c.key + uint64(i))
	reads = float64(mix(draw)>>11)/(1<<53) < c.shared.reads
	return c.shared.keys.pick(draw), reads
}

// Request appends the next request.
func (c *kvClient) Request(dst []byte) []byte {
	s := c.shared
	key, reads := c.request(c.sent)
	if reads {
		dst = appendKVKey(append(dst, s.get...), key)
	} else {
		dst = appendKVKey(append(dst, s.set...), key)
		dst = append(dst, s.between...)
		dst = s.values.append(dst, kvStamp{key, c.conn, c.sent})
	}
	c.sent++
	return append(dst, "\r\n"...)
}

// Reply checks the oldest reply, once it is whole.
func (c *kvClient) Reply(in []byte) (n int, done bool, err error) {
	if len(in) == 0 {
		return 0, false, nil
	}
	if c.sent == c.received {
		return 0, false, ErrUnasked
	}
	key, reads := c.request(c.received)
	switch {
	case !reads:
		n, err = whole(in, kvOK)
		if n > 0 {
			c.wrote, c.wroteKey, c.hasWrote = c.received, key, true
		}
	case c.mayMiss(key) && in[0] == kvNil[0] && (len(in) == 1 || in[1] == kvNil[1]):
		n, err = whole(in, kvNil)
	default:
		n, err = c.value(in, key)
	}
	if n == 0 || err != nil {
		return 0, false, err
	}
	c.received++
	return n, true, nil
}

// mayMiss reports whether a key may have no value yet.
func (c *kvClient) mayMiss(key uint32) bool {
	return c.shared.mayMiss && !(c.hasWrote && c.wroteKey == key)
}

// whole compares in with a short reply, and consumes it when all of it has come.
func whole(in []byte, want string) (int, error) {
	n := min(len(in), len(want))
	if string(in[:n]) == want[:n] {
		if n < len(want) {
			return 0, nil
		}
		return n, nil
	}
	return match(in, []byte(want), "reply", 0)
}

// value checks the reply to a GET of key.
func (c *kvClient) value(in []byte, key uint32) (int, error) {
	head := c.shared.bulk
	if n := min(len(in), len(head)); !bytes.Equal(in[:n], head[:n]) {
		return match(in, head, "reply", 0)
	}
	size := len(head) + c.shared.values.size + 2
	if len(in) < size {
		return 0, nil
	}
	value := in[len(head) : size-2]
	if string(in[size-2:size]) != "\r\n" {
		return 0, fmt.Errorf("the value does not end where its length says: %q follows it", in[size-2:size])
	}
	stamp, err := c.shared.values.read(value)
	if err == nil {
		err = c.judge(stamp, key)
	}
	return size, err
}

// judge says whether the writer of a value may have written it.
func (c *kvClient) judge(s kvStamp, key uint32) error {
	mine := s.conn == c.conn && s.index-c.first < 1<<26
	wroteIt := c.hasWrote && c.wroteKey == key
	switch {
	case s.key != key:
		return fmt.Errorf("the value of key %d came for key %d", s.key, key)
	case wroteIt && s.conn == kvPreloaded:
		return errors.New("the value is the one from the start, although this connection has written another since")
	case wroteIt && mine && s.index != c.wrote:
		return fmt.Errorf("the value is that of this connection's request %d, although its request %d has overwritten it", s.index, c.wrote)
	case mine && s.index-c.first >= c.received-c.first:
		return fmt.Errorf("the value is that of request %d, which comes after this one, %d", s.index, c.received)
	}
	return nil
}

// alias picks numbers at random with given weights, in constant time (Walker's alias method): a number is drawn evenly, and
// then kept or exchanged for its alias. A search through sums of the weights would cost a cache miss per step.
type alias []struct {
	keep  uint32 // of 1<<32: chance of the number itself
	other uint32
}

// newZipf returns a choice of n numbers, where number r (from 0) weighs 1/(r+1)^skew.
func newZipf(n int, skew float64) alias {
	weights := make([]float64, n)
	sum := 0.0
	for r := range weights {
		weights[r] = math.Pow(float64(r+1), -skew)
		sum += weights[r]
	}
	a := make(alias, n)
	var small, large []int
	for r := range weights {
		weights[r] *= float64(n) / sum
		a[r].keep, a[r].other = math.MaxUint32, uint32(r)
		if weights[r] < 1 {
			small = append(small, r)
		} else {
			large = append(large, r)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a[s].keep, a[s].other = uint32(weights[s]*(1<<32)), uint32(l)
		if weights[l] -= 1 - weights[s]; weights[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return a
}

// pick returns the number that belongs to a draw.
func (a alias) pick(draw uint64) uint32 {
	i := uint32(draw >> 32 * uint64(len(a)) >> 32)
	if uint32(draw) < a[i].keep {
		return i
	}
	return a[i].other
}

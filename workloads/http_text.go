package workloads

import (
	"encoding/binary"
	"math/bits"
)

// Classes of characters in a message head.
const (
	tokenChar  = 1 << iota // tchar, of methods and field names (RFC 9110 §5.6.2)
	targetChar             // what a request target may hold: visible ASCII without "#" (RFC 9112 §3.2)
	hostChar               // what a Host value may hold: uri-host and port (RFC 3986 §3.2.2)
)

// charClass gives the classes of each byte.
var charClass = classify()

func classify() (table [256]uint8) {
	mark := func(chars string, class uint8) {
		for i := range len(chars) {
			table[chars[i]] |= class
		}
	}
	const alnum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	mark(alnum+"!#$%&'*+-.^_`|~", tokenChar)
	mark(alnum+"-._~"+"!$&'()*+,;="+"%:[]", hostChar)
	for c := 0x21; c < 0x7f; c++ {
		if c != '#' {
			table[c] |= targetChar
		}
	}
	return table
}

// all reports whether every byte of b is of the class.
func all(b []byte, class uint8) bool {
	for _, c := range b {
		if charClass[c]&class == 0 {
			return false
		}
	}
	return true
}

// What cutLine found.
type lineState uint8

const (
	lineWhole   lineState = iota
	linePartial           // no end yet
	lineBad               // a control character, a bare CR or a bare LF
	lineLong              // no end within the limit
)

// cutLine returns the line with which b begins, without its CRLF. The first `from` bytes are known to hold no control
// character; limit bounds the line with its CRLF. For a line that is not whole the length of the result says how far the
// next call need not look again, so that a line that arrives byte by byte is read once and not once per byte.
//
// What it says never depends on how the bytes were split over calls.
//
// Note: RFC 9112 §2.2 lets a recipient take a bare LF for a line end. It is refused here: parties that disagree about where
// a line ends are how requests are smuggled.
func cutLine(b []byte, from, limit int) ([]byte, lineState) {
	if len(b) >= 2 && b[0] == '\r' && b[1] == '\n' && limit >= 2 { // every head has one empty line
		return b[:0], lineWhole
	}
	b = b[:min(len(b), limit)]
	at := controlIndex(b, from)
	if at+1 < len(b) {
		if b[at] == '\r' && b[at+1] == '\n' {
			return b[:at], lineWhole
		}
		return b[:at], lineBad
	}
	if at < len(b) && b[at] != '\r' {
		return b[:at], lineBad
	}
	if len(b) == limit {
		return b[:at], lineLong
	}
	return b[:at], linePartial
}

// ones has a 1 in each byte of a word.
const ones = 0x0101010101010101

// controlIndex returns the index of the first control character other than tab in b, at or after from, or len(b).
//
// It looks at eight bytes at a time: w-0x20 borrows into the top bit of a byte that is below 0x20, (w^0x7f)-1 of one that
// is DEL, and bytes that had the top bit before are masked out. The lowest bit that is set is exact; those above it may be
// the echo of a borrow, so after a tab the word is looked at byte by byte.
func controlIndex(b []byte, from int) int {
	i := from
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		hit := ((w - 0x20*ones) | (w ^ 0x7f*ones - ones)) &^ w & (0x80 * ones)
		if hit == 0 {
			continue
		}
		at := i + bits.TrailingZeros64(hit)>>3
		if b[at] != '\t' {
			return at
		}
		if at = controlSlow(b[:i+8], at); at < i+8 {
			return at
		}
	}
	return controlSlow(b, i)
}

func controlSlow(b []byte, from int) int {
	for i := from; i < len(b); i++ {
		if c := b[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return i
		}
	}
	return len(b)
}

// cutField splits a field line (RFC 9112 §5) into name and value without the white space around the value. It is not ok
// when the name is not a token: empty, folded (the line begins with white space), or with white space before the colon.
func cutField(line []byte) (name, value []byte, ok bool) {
	i := 0
	for i < len(line) && charClass[line[i]]&tokenChar != 0 {
		i++
	}
	if i == 0 || i == len(line) || line[i] != ':' {
		return nil, nil, false
	}
	return line[:i], trim(line[i+1:]), true
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// trim drops optional white space from both ends (OWS, RFC 9110 §5.6.3).
func trim(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// same reports whether b is the lower-case word, whatever the case of b. The word must be letters and "-".
func same(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i := range len(word) {
		if b[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

// nextItem cuts the first item off a comma-separated list (RFC 9110 §5.6.1).
func nextItem(list []byte) (item, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trim(list[:i]), list[i+1:]
		}
	}
	return trim(list), nil
}

// maxLength is where lengths saturate: far above every limit, far below overflow.
const maxLength = 1 << 53

// parseLength reads a Content-Length (1*DIGIT, RFC 9110 §8.6). Signs, lists and everything else are not ok.
func parseLength(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int64(c-'0'), maxLength)
	}
	return n, len(b) > 0
}

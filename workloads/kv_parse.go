package workloads

import (
	"bytes"
	"math"
)

// kvCommand is a command as it was read, or what came of the attempt.
type kvCommand struct {
	args   [][]byte // parts of the input, but for quoted inline ones; none is an empty command, which has no reply
	length int      // bytes of the command; 0: it is not complete
	need   int      // not complete: with fewer bytes it cannot be
	fault  string   // the protocol was broken: the text of the error
}

// leastArgument is the bytes of an empty argument: "$0\r\n\r\n".
const leastArgument = 6

// parseCommand reads the command that in begins with, and appends its arguments to args.
//
// It reads as Redis does, which is more lenient than its specification: a line ends with "\r" and any byte, and so does an
// argument. A command that comes in pieces is read from its start each time, but not before the argument under way can be
// complete: a long value costs two looks, and the worst that a peer can do is thousands of tiny arguments a byte at a time.
func parseCommand(in []byte, args [][]byte) kvCommand {
	if in[0] != '*' {
		return parseInline(in, args)
	}
	count, at, ok := parseCount(in, 0)
	switch {
	case at == 0:
		return kvCommand{}
	case !ok || count > MaxUnread/leastArgument:
		return kvCommand{fault: "invalid multibulk length"}
	}
	for ; count > 0; count-- {
		size, from, ok := parseCount(in, at)
		switch {
		case from == 0:
			return kvCommand{need: at + 1}
		case in[at] != '$':
			return kvCommand{fault: "expected '$', got '" + oneLine(in[at:at+1]) + "'"}
		case !ok || size < 0 || size > kvBulkMax:
			return kvCommand{fault: "invalid bulk length"}
		}
		at = from + int(size) + 2
		if at > len(in) {
			return kvCommand{need: at}
		}
		args = append(args, in[from:at-2:at-2])
	}
	return kvCommand{args: args, length: at}
}

// parseCount reads the number in the line that begins at `at` with one byte more, and returns where the next line begins,
// or 0 when the line is not complete.
func parseCount(in []byte, at int) (n int64, next int, ok bool) {
	i := at + 1
	for ; i < len(in) && in[i] >= '0' && in[i] <= '9' && i < at+10; i++ {
		n = n*10 + int64(in[i]-'0')
	}
	if i > at+1 && i+1 < len(in) && in[i] == '\r' && (in[at+1] != '0' || i == at+2) { // as nearly always
		return n, i + 2, true
	}
	if at >= len(in) {
		return 0, 0, false
	}
	end := bytes.IndexByte(in[at:], '\r')
	if end < 0 || at+end+1 >= len(in) {
		return 0, 0, false
	}
	n, ok = parseInteger(in[at+min(1, end) : at+end])
	return n, at + end + 2, ok
}

// parseInteger reads a number of 64 bits in its one canonical form: no plus, no leading zeros, no blanks. Redis takes no
// other, so that a number that is stored as text comes back the same.
func parseInteger(b []byte) (n int64, ok bool) {
	digits := b
	negative := len(b) > 1 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	var u uint64 // 19 digits fit
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	switch {
	case negative && u <= -math.MinInt64:
		return -int64(u), true
	case !negative && u <= math.MaxInt64:
		return int64(u), true
	}
	return 0, false
}

// parseInline reads a command as a person types it: words in a line.
func parseInline(in []byte, args [][]byte) kvCommand {
	end := bytes.IndexByte(in, '\n')
	if end < 0 {
		return kvCommand{need: len(in) + 1}
	}
	line := in[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	args, ok := splitWords(line, args)
	if !ok {
		return kvCommand{fault: "unbalanced quotes in request"}
	}
	return kvCommand{args: args, length: end + 1}
}

// splitWords splits a line at blanks. A part of a word in quotes may hold blanks; it ends the word.
func splitWords(line []byte, args [][]byte) ([][]byte, bool) {
	for {
		for len(line) > 0 && isBlank(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return args, true
		}
		n := 0
		for n < len(line) && !endsWord(line[n]) && line[n] != '"' && line[n] != '\'' {
			n++
		}
		word := line[:n:n]
		line = line[n:]
		if n = len(line); n > 0 && !endsWord(line[0]) {
			var ok bool
			if word, line, ok = unquote(bytes.Clone(word), line); !ok {
				return args, false
			}
		}
		args = append(args, word)
	}
}

// isBlank is C's isspace.
func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// endsWord: two of the blanks do not end a word, in Redis either.
func endsWord(c byte) bool { return isBlank(c) && c != '\v' && c != '\f' }

// unquote appends the quoted part that line begins with to word, and returns the rest of the line. A blank, or nothing, must
// follow the closing quote.
func unquote(word, line []byte) (_, rest []byte, ok bool) {
	quote := line[0]
	line = line[1:]
	for len(line) > 0 {
		c := line[0]
		if c == quote {
			return word, line[1:], len(line) == 1 || isBlank(line[1])
		}
		n := 1
		if c == '\\' && len(line) > 1 {
			c, n = unescape(line, quote)
		}
		word = append(word, c)
		line = line[n:]
	}
	return nil, nil, false
}

// unescape reads what follows a backslash: in single quotes only the quote itself is special.
func unescape(line []byte, quote byte) (c byte, n int) {
	if quote == '\'' {
		if line[1] == '\'' {
			return '\'', 2
		}
		return '\\', 1
	}
	if line[1] == 'x' && len(line) > 3 {
		if x, ok := parseHex(line[2:4]); ok {
			return byte(x), 4
		}
	}
	if at := bytes.IndexByte([]byte("nrtba"), line[1]); at >= 0 {
		return "\n\r\t\b\a"[at], 2
	}
	return line[1], 2
}

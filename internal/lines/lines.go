// Package lines breaks text into lines, for everything that is read on a terminal or in a log.
//
// Limits: a character is taken to be one column wide.
package lines

import "strings"

// Wrap breaks text between words into lines of at most rest characters, the first of them of at most first, which may be what
// is left beside a heading: it stays empty when the first word has no room there. A word that is longer than a line is broken
// where the line ends. There is always one line.
func Wrap(text string, first, rest int) []string {
	out, room := []string{""}, max(0, first)
	next := func() { out, room = append(out, ""), max(1, rest) }
	for _, field := range strings.Fields(text) {
		word := []rune(field)
		used := len([]rune(out[len(out)-1]))
		if used > 0 && used+1+len(word) <= room {
			out[len(out)-1] += " " + field
			continue
		}
		if used > 0 || len(word) > room && len(word) <= rest {
			next()
		}
		for ; len(word) > room; next() {
			out[len(out)-1] = string(word[:room])
			word = word[room:]
		}
		out[len(out)-1] = string(word)
	}
	return out
}

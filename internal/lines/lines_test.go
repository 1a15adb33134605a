package lines

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLinesBreakBetweenWordsAndKeepToTheirWidths(t *testing.T) {
	for _, c := range []struct {
		text        string
		first, rest int
		want        string
	}{
		{"", 5, 5, ""},
		{"  one  two ", 20, 20, "one two"},
		{"one two three", 7, 7, "one two|three"},
		{"one two three", 3, 9, "one|two three"},
		{"three two", 3, 9, "|three two"}, // beside the heading there is no room
		{"three two", 0, 9, "|three two"},
		{"µµµ µµ", 6, 6, "µµµ µµ"}, // characters and not bytes count
		{"unbreakable", 4, 4, "unbr|eaka|ble"},
		{"a unbreakable b", 4, 4, "a|unbr|eaka|ble|b"},
		{"12345678", 4, 4, "1234|5678"},
		{"ab", 0, 0, "|a|b"},
		{"ab", -3, -1, "|a|b"},
	} {
		if got := strings.Join(Wrap(c.text, c.first, c.rest), "|"); got != c.want {
			t.Errorf("%q in %d and %d: %q, want %q", c.text, c.first, c.rest, got, c.want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("one two three", 3, 5)
	f.Add("unbreakable µ", 0, 1)
	f.Fuzz(func(t *testing.T, text string, first, rest int) {
		if first < 0 || first > 200 || rest < 1 || rest > 200 || !utf8.ValidString(text) {
			t.Skip()
		}
		broken := Wrap(text, first, rest)
		for i, line := range broken {
			if n := utf8.RuneCountInString(line); i == 0 && n > first || i > 0 && n > rest {
				t.Errorf("line %d has %d characters", i, n)
			}
		}
		if strings.Join(strings.Fields(text), "") != strings.ReplaceAll(strings.Join(broken, ""), " ", "") {
			t.Errorf("%q became %q", text, broken)
		}
	})
}

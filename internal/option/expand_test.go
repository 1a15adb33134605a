package option

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"turnlab/internal/misuse"
)

func expand(o Option, text string) ([]string, error) {
	o.Name = "x"
	values, err := o.Expand(text)
	var texts []string
	for _, v := range values {
		texts = append(texts, v.String())
	}
	return texts, err
}

func TestExpandReadsListsAndRanges(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		text string
		want string
	}{
		{Int, "1", "1"},
		{Int, "1, 2,4", "1 2 4"},
		{Int, "1..4096*4", "1 4 16 64 256 1024 4096"},
		{Int, "1..1000*4", "1 4 16 64 256"},
		{Int, "0..100+20", "0 20 40 60 80 100"},
		{Int, "5..5+1", "5"},
		{Int, "8,1..3+1", "8 1 2 3"},
		{Int, "1..10*1.5", "1 2 3 5 8"},
		{Int, "1..10+2.0", "1 3 5 7 9"},
		{Size, "1k..4k*2", "1024 2048 4096"},
		{Size, "64,1k..3k+1k", "64 1024 2048 3072"},
		{Float, "0..1+0.1", "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"},
		{Float, "0..10%+2%", "0 0.02 0.04 0.06 0.08 0.1"},
		{Float, "0.1..10*10", "0.1 1 10"},
		{Duration, "100us..50ms*5", "100µs 500µs 2.5ms 12.5ms"},
		{Duration, "0..3s+1.5s", "0s 1.5s 3s"},
		{Text, "a..b*2,c", "a..b*2 c"},
	} {
		got, err := expand(Option{Kind: c.kind}, c.text)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v, %v; want %s", c.text, got, err, c.want)
		}
	}
}

func TestExpandReachesAnEndOfZero(t *testing.T) {
	got, err := expand(Option{Kind: Float, Min: -1}, "-0.3..0+0.1")
	if err != nil || len(got) != 4 {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestExpandRefusesSlipsAndSaysWhich(t *testing.T) {
	for text, want := range map[string]string{
		"1,1":                   "x: 1 is given twice",
		"1k,1000":               "x: 1000 is given twice",
		"1..4*2,2":              "x: 2 is given twice",
		"1,,2":                  "x: empty value",
		"1..8":                  `x: range "1..8" has no step: write 1..4096*4 (times) or 0..100+20 (steps)`,
		"..8*2":                 "x: empty value",
		"1..*2":                 "x: empty value",
		"1..8*":                 "x: step: empty value",
		"1..8*x":                `x: step: "x" is not a number`,
		"1..8+x":                `x: step: "x" is not a whole number`,
		"8..1*2":                `x: range "8..1*2" never reaches its end`,
		"0..8*2":                `x: range "0..8*2" never reaches its end`,
		"1..8*1":                `x: range "1..8*1" never reaches its end`,
		"1..8*0.5":              `x: range "1..8*0.5" never reaches its end`,
		"1..8+0":                `x: range "1..8+0" never reaches its end`,
		"1..8+-1":               `x: range "1..8+-1" never reaches its end`,
		"1..4..8*2":             `x: "4..8" is not a whole number`,
		"1..5000+1":             `range "1..5000+1": x: it has more than 1000 steps`,
		"1..9*1.000001":         `range "1..9*1.000001": x: it has more than 1000 steps`,
		"1..900+1,1000..1900+1": `x: "1..900+1,1000..1900+1" gives more than 1000 values`,
		"9990..20000+10":        `x: 20000 is out of bounds: it takes 0 to 10000`,
	} {
		_, err := expand(Option{Kind: Int, Max: 10000}, text)
		if err == nil || err.Error() != want {
			t.Errorf("%q: error %q, want %q", text, err, want)
		}
		if !misuse.Is(err) {
			t.Errorf("%q: the error is not marked as the user's", text)
		}
	}
}

func TestExpandTakesAsManyValuesAsAnAxisMayHave(t *testing.T) {
	got, err := expand(Option{Kind: Int}, fmt.Sprintf("1..%d+1", MaxAxis))
	if err != nil || len(got) != MaxAxis {
		t.Fatalf("%d values, %v", len(got), err)
	}
}

func FuzzExpand(f *testing.F) {
	for _, text := range []string{"1..4096*4", "0..100+20", "1k,2M", "5%..10%+1%", "1ms..1s*10", "1..2*1.0000001", "-1..1+1e-9", "1e308..1e308*2"} {
		for kind := Int; kind <= Text; kind++ {
			f.Add(uint8(kind), text)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, text string) {
		o := Option{Name: "x", Kind: Kind(kind % 6), Min: -10, Max: 1 << 40, Choices: []string{"on", "off"}}
		values, err := o.Expand(text)
		if err != nil {
			if values != nil || !misuse.Is(err) {
				t.Fatalf("%d values with error %v", len(values), err)
			}
			return
		}
		if len(values) == 0 || len(values) > MaxAxis {
			t.Fatalf("%d values", len(values))
		}
		var texts []string
		for _, v := range values {
			again, err := o.Parse(v.String())
			if err != nil || again != v {
				t.Fatalf("%q gives %q, which is read as %q, %v", text, v, again, err)
			}
			texts = append(texts, v.String())
		}
		slices.Sort(texts)
		if len(slices.Compact(texts)) != len(values) {
			t.Fatalf("%q gives a value twice: %v", text, values)
		}
	})
}

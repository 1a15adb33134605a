package option

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"turnlab/internal/misuse"
)

func TestParseReadsWhatUsersWrite(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		text string
		num  float64
		want string // canonical text
	}{
		{Int, "64", 64, "64"},
		{Int, "1k", 1000, "1000"},
		{Int, "1.5K", 1500, "1500"},
		{Int, "1.001k", 1001, "1001"},
		{Int, "1e3", 1000, "1000"},
		{Int, "-0", 0, "0"},
		{Size, "64", 64, "64"},
		{Size, "1k", 1024, "1024"},
		{Size, "2M", 2 << 20, "2097152"},
		{Size, "0.5g", 1 << 29, "536870912"},
		{Float, "0.5", 0.5, "0.5"},
		{Float, "5%", 0.05, "0.05"},
		{Float, "7%", 0.07, "0.07"},
		{Float, "-0", 0, "0"},
		{Duration, "100us", 1e-4, "100µs"},
		{Duration, "1500ms", 1.5, "1.5s"},
		{Duration, "0", 0, "0s"},
	} {
		v, err := Option{Name: "x", Kind: c.kind}.Parse(c.text)
		if err != nil || v.Float() != c.num || v.String() != c.want || !v.Numeric() {
			t.Errorf("%q: %v (%v), %v", c.text, v, v.Float(), err)
		}
	}
}

func TestParseRefusesSlipsAndSaysWhich(t *testing.T) {
	for _, c := range []struct {
		o    Option
		text string
		want string
	}{
		{Option{Kind: Int}, "", "x: empty value"},
		{Option{Kind: Int}, "k", `x: "k" is not a whole number`},
		{Option{Kind: Int}, "1kk", `x: "1kk" is not a whole number`},
		{Option{Kind: Int}, "1.5", `x: "1.5" is not a whole number`},
		{Option{Kind: Int}, "0x10", `x: "0x10" is not a whole number`},
		{Option{Kind: Int}, "1_000", `x: "1_000" is not a whole number`},
		{Option{Kind: Int}, "inf", `x: "inf" is not a whole number`},
		{Option{Kind: Int}, "nan", `x: "nan" is not a whole number`},
		{Option{Kind: Int}, "1e30", `x: "1e30" is not a whole number`},
		{Option{Kind: Int}, "1000000000.4", `x: "1000000000.4" is not a whole number`},
		{Option{Kind: Size}, "1.1k", `x: "1.1k" is not a whole number`},
		{Option{Kind: Float}, "half", `x: "half" is not a number`},
		{Option{Kind: Float}, "Inf", `x: "Inf" is not a number`},
		{Option{Kind: Float}, "1e999", `x: "1e999" is not a number`},
		{Option{Kind: Float}, "%", `x: "%" is not a number`},
		{Option{Kind: Duration}, "5", `x: "5" is not a duration such as 100us, 5ms or 2s`},
		{Option{Kind: Choice, Choices: []string{"a", "b"}}, "c", `x: "c" is not one of a, b`},
		{Option{Kind: Int}, "-1", "x: -1 is out of bounds: it takes 0 or more"},
		{Option{Kind: Int, Min: 1, Max: 9}, "10", "x: 10 is out of bounds: it takes 1 to 9"},
		{Option{Kind: Size, Min: 1, Max: 1 << 20}, "2M", "x: 2M is out of bounds: it takes 1 to 1M"},
		{Option{Kind: Duration, Min: 1e-3, Max: 60}, "2m", "x: 2m is out of bounds: it takes 1ms to 1m0s"},
		{Option{Kind: Float, Max: 1}, "101%", "x: 101% is out of bounds: it takes 0 to 1"},
	} {
		c.o.Name = "x"
		_, err := c.o.Parse(c.text)
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: error %q, want %q", c.text, err, c.want)
		}
		if !misuse.Is(err) {
			t.Errorf("%q: the error is not marked as the user's", c.text)
		}
	}
}

func TestCanonicalTextIsReadBackAsTheSameValue(t *testing.T) {
	for kind, texts := range map[Kind][]string{
		Int:      {"0", "1k", "4503599627370496"},
		Size:     {"1k", "3M", "1g"},
		Float:    {"0.1", "33%", "1e-9", "1e300"},
		Duration: {"1ns", "1.5s", "100us", "2540400h"},
		Choice:   {"on"},
		Text:     {"any text, at all"},
	} {
		o := Option{Name: "x", Kind: kind, Choices: []string{"on"}}
		for _, text := range texts {
			v, err := o.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := o.Parse(v.String()); err != nil || again != v {
				t.Errorf("%q: %q is read back as %q, %v", text, v, again, err)
			}
		}
	}
}

func TestJSONHasNumbersForNumbersAndTextForTheRest(t *testing.T) {
	values, err := set.Resolve(map[string]string{"size": "2k", "share": "5%"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(values)
	const want = `{"mode":"on","name":"x","size":2048,"share":0.05,"wait":"1ms","count":1}`
	if err != nil || !sameJSON(t, string(got), want) {
		t.Fatalf("%s, %v", got, err)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	norm := func(s string) string {
		var m map[string]any
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	return norm(a) == norm(b)
}

var set = Set{
	{Name: "count", Kind: Int, Default: "1"},
	{Name: "size", Kind: Size, Default: "1k"},
	{Name: "share", Kind: Float, Default: "1%"},
	{Name: "wait", Kind: Duration, Default: "1ms"},
	{Name: "mode", Kind: Choice, Default: "on", Choices: []string{"on", "off"}},
	{Name: "name", Kind: Text, Default: "x"},
}

func TestResolveFillsInDefaults(t *testing.T) {
	v, err := set.Resolve(map[string]string{"count": "7", "mode": "off"})
	if err != nil {
		t.Fatal(err)
	}
	if v.Int("count") != 7 || v.Int("size") != 1024 || v.Float("share") != 0.01 || v.Duration("wait") != time.Millisecond ||
		v.Text("mode") != "off" || v.Text("name") != "x" {
		t.Fatalf("got %v", v.Texts())
	}
}

func TestResolvedTextsResolveToTheSameValues(t *testing.T) {
	v, err := set.Resolve(map[string]string{"size": "2k", "share": "7%", "wait": "90s"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := set.Resolve(v.Texts())
	if err != nil {
		t.Fatal(err)
	}
	for name := range v {
		if v[name] != again[name] {
			t.Errorf("%s: %v became %v", name, v[name], again[name])
		}
	}
}

func TestResolveNamesTheOptionsThereAre(t *testing.T) {
	_, err := set.Resolve(map[string]string{"cuont": "1"})
	if want := `no option "cuont"; there are: count, size, share, wait, mode, name`; err == nil || err.Error() != want || !misuse.Is(err) {
		t.Fatalf("error %v, want %q", err, want)
	}
	_, err = Set{}.Resolve(map[string]string{"a": "1"})
	if err == nil || !strings.HasSuffix(err.Error(), "there are: none") {
		t.Fatalf("error %v", err)
	}
}

func TestAskingForAnUndeclaredOptionPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("no panic")
		}
	}()
	Values{}.Int("nothing")
}

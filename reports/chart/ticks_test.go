package chart

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"turnlab/reports/unit"
)

func labels(ticks []plot.Tick) string {
	var texts []string
	for _, t := range ticks {
		texts = append(texts, strings.ReplaceAll(t.Label, "\u00a0", " "))
	}
	return strings.Join(texts, "|")
}

func TestUprightAxesEndAtRoundValues(t *testing.T) {
	for _, c := range []struct {
		axis     Axis
		min, max float64
		want     string
	}{
		{Axis{}, 0, 97, "0|25|50|75|100"},
		{Axis{}, 30, 97, "0|25|50|75|100"},
		{Axis{Unit: unit.Nanos}, 0, 8300, "0|2 µs|4 µs|6 µs|8 µs|10 µs"},
		{Axis{Unit: unit.PerSecond}, 0, 151000, "0/s|50k/s|100k/s|150k/s|200k/s"},
		{Axis{Unit: unit.Bytes}, 0, 50 << 20, "0|20 MiB|40 MiB|60 MiB"},
		{Axis{Scale: Log, Unit: unit.Nanos}, 12e3, 33e6, "10 µs|100 µs|1 ms|10 ms|100 ms"},
		{Axis{Scale: Log}, 1, 1000, "1|10|100|1k"},
		{Axis{Scale: Log}, 2, 9, "2|5|10"},
		{Axis{Scale: Log}, 20, 2000, "10|30|100|300|1k|3k"},
		{Axis{Scale: Log, Unit: unit.Bytes}, 3 << 20, 200 << 20, "2 MiB|4 MiB|8 MiB|16 MiB|32 MiB|64 MiB|128 MiB|256 MiB"},
		{Axis{}, 0, 0, "0|0.25|0.5|0.75|1"},
	} {
		if got := labels(newScale(c.axis, c.min, c.max, 200, true).ticks); got != c.want {
			t.Errorf("%v to %v on %+v: %s, want %s", c.min, c.max, c.axis, got, c.want)
		}
	}
}

func TestUprightAxesEncloseWhatTheyShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(1e-3, 1e12).Draw(t, "a")
		b := rapid.Float64Range(1e-3, 1e12).Draw(t, "b")
		axis := Axis{
			Scale: rapid.SampledFrom([]Scale{Linear, Log}).Draw(t, "scale"),
			Unit:  rapid.SampledFrom([]unit.Unit{unit.Plain, unit.Nanos, unit.Bytes}).Draw(t, "unit"),
		}
		s := newScale(axis, min(a, b), max(a, b), 200, true)
		for _, v := range []float64{a, b} {
			if at := s.Normalize(0, 0, v); at < -1e-6 || at > 1+1e-6 {
				t.Fatalf("%v of %v to %v is at %v of the axis", v, min(a, b), max(a, b), at)
			}
		}
		if n := len(s.ticks); n < 2 || n > maxTicks+2 {
			t.Fatalf("%d ticks: %s", n, labels(s.ticks))
		}
		seen := map[string]bool{}
		for _, tick := range s.ticks {
			if seen[tick.Label] {
				t.Fatalf("two ticks say %s: %s", tick.Label, labels(s.ticks))
			}
			seen[tick.Label] = true
		}
	})
}

func TestLevelAxesTickWhatWasMeasuredAndDropLabelsThatTouch(t *testing.T) {
	a := Axis{Scale: Log, Marks: []float64{1, 4, 16, 64, 256, 1024}, Names: []string{"1", "4", "16", "64", "256", "1024"}}
	if got := labels(newScale(a, 1, 1024, 300, false).ticks); got != "1|4|16|64|256|1024" {
		t.Errorf("with room: %s", got)
	}
	if got := labels(newScale(a, 1, 1024, 90, false).ticks); got != "1||16||256|1024" && got != "1||16|64||1024" && !strings.HasSuffix(got, "|1024") {
		t.Errorf("without room: %s; the last must stay", got)
	}
	narrow := newScale(a, 1, 1024, 40, false)
	if !slices.ContainsFunc(narrow.ticks, func(t plot.Tick) bool { return t.Label == "" }) {
		t.Errorf("six labels cannot stand in 40 points: %s", labels(narrow.ticks))
	}
}

func TestEveryNineTakesTheSameSpace(t *testing.T) {
	s := newScale(Axis{Scale: Nines}, 0, 0.9999, 300, false)
	if got := labels(s.ticks); got != "0|50|90|99|99.9|99.99" {
		t.Errorf("ticks %s", got)
	}
	at := func(q float64) float64 { return s.Normalize(0, 0, q) }
	if first, last := at(0.99)-at(0.9), at(0.9999)-at(0.999); math.Abs(first-last) > 1e-9 {
		t.Errorf("the second nine takes %v, the fourth %v", first, last)
	}
}

func TestQuantilesAreWrittenWithTheDigitsTheyNeed(t *testing.T) {
	for q, want := range map[float64]string{0: "0", 0.5: "50", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.99999: "99.999"} {
		if got := Percent(q); got != want {
			t.Errorf("%v: %s, want %s", q, got, want)
		}
	}
}

func TestALevelAxisOfOneValueHasAWidth(t *testing.T) {
	s := newScale(Axis{}, 5, 5, 300, false)
	if at := s.Normalize(0, 0, 5); at != 0.5 {
		t.Errorf("the only value is at %v of its axis", at)
	}
}

func TestLabelsAreSpreadWithoutTouchingAndStayWhereTheyCan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var wanted []vg.Length
		for _, y := range rapid.SliceOfN(rapid.Float64Range(0, 200), 1, MaxSeries).Draw(t, "ends") {
			wanted = append(wanted, vg.Length(y))
		}
		slices.Sort(wanted)
		got := spread(wanted, each(14, len(wanted)), 0, 200)
		if len(got) != len(wanted) {
			t.Fatalf("%d labels became %d", len(wanted), len(got))
		}
		for i, y := range got {
			if y < -1e-6 || y > 200+1e-6 {
				t.Fatalf("label %d is at %v, outside", i, y)
			}
			if i > 0 && y-got[i-1] < 14-1e-6 {
				t.Fatalf("labels %d and %d are %v apart", i-1, i, y-got[i-1])
			}
			alone := (i == 0 || wanted[i]-wanted[i-1] >= 14*MaxSeries) && (i == len(wanted)-1 || wanted[i+1]-wanted[i] >= 14*MaxSeries)
			if alone && math.Abs(float64(y-wanted[i])) > 1e-6 {
				t.Fatalf("label %d had room at %v and was moved to %v", i, wanted[i], y)
			}
		}
	})
}

// each returns n labels' heights.
func each(height vg.Length, n int) []vg.Length { return slices.Repeat([]vg.Length{height}, n) }

func TestLabelsOfSeveralLinesTakeMoreRoom(t *testing.T) {
	got := spread([]vg.Length{50, 50, 50}, []vg.Length{14, 42, 14}, 0, 200)
	if got[1]-got[0] != 28 || got[2]-got[1] != 28 || got[1] != 50 {
		t.Errorf("labels at %v, want 28 apart around 50", got)
	}
}

func TestTextIsBrokenAtSpacesAndSlashesAndShortenedAtLast(t *testing.T) {
	sty := style(Text, 12, 0, 0)
	for txt, want := range map[string][]string{
		"": nil, "short": {"short"}, "preempt/nopreempt procs=2": {"preempt/", "nopreempt", "procs=2"}, "first part · second part": {"first part", "second part"},
		"unbreakable": {"unbreakabl", "e"}, "\xff\xfe a": {"\xff\xfe a"},
	} {
		if got := wrap(sty, txt, 66, 3); !slices.Equal(got, want) {
			t.Errorf("%q became %q, want %q", txt, got, want)
		}
	}
	if got := wrap(sty, strings.Repeat("word ", 30), 62, 2); len(got) != 2 || !strings.HasSuffix(got[1], "…") {
		t.Errorf("got %q, want two lines, the second shortened", got)
	}
}

func TestTooManyLabelsShareTheRoom(t *testing.T) {
	got := spread(make([]vg.Length, 30), each(14, 30), 0, 200)
	if got[0] != 0 || math.Abs(float64(got[29]-200)) > 1e-6 {
		t.Errorf("from %v to %v, want 0 to 200", got[0], got[29])
	}
}

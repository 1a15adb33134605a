package unit

import (
	"math"
	"strings"
	"testing"
)

func TestNumbersKeepThreeDigitsAndTakeTheirPrefix(t *testing.T) {
	for _, c := range []struct {
		unit Unit
		x    float64
		want string
	}{
		{Nanos, 0, "0"}, {Nanos, 12, "12.0 ns"}, {Nanos, 999.7, "1.00 µs"}, {Nanos, 12345, "12.3 µs"}, {Nanos, 5e9, "5.00 s"},
		{Nanos, 5e12, "5000 s"},
		{Bytes, 1536, "1.50 KiB"}, {Bytes, 3 << 20, "3.00 MiB"},
		{PerSecond, 123456, "123k/s"}, {PerSecond, 7, "7.00/s"}, {PerSecond, 0, "0/s"},
		{Plain, 1024, "1.02k"}, {Plain, 0.123, "0.12"}, {Plain, 0.00123, "0.0012"}, {Plain, -1500, "-1.50k"},
		{Times, 1.234, "1.23×"}, {Percent, 0.5, "50.0 %"},
		{Plain, math.NaN(), "–"}, {Plain, math.Inf(1), "+∞"}, {Nanos, math.Inf(-1), "-∞"},
	} {
		if got := plainSpaces(c.unit.Format(c.x)); got != c.want {
			t.Errorf("Format(%v) in unit %d is %q, want %q", c.x, c.unit, got, c.want)
		}
	}
}

func TestTicksDropDigitsThatSayNothing(t *testing.T) {
	for _, c := range []struct {
		unit Unit
		x    float64
		want string
	}{
		{Plain, 1000, "1k"}, {Plain, 2500, "2.5k"}, {Plain, 0.1, "0.1"}, {Nanos, 1e6, "1 ms"}, {Bytes, 16 << 10, "16 KiB"},
		{PerSecond, 20000, "20k/s"}, {Percent, 0.25, "25 %"}, {Nanos, 5e12, "5000 s"},
	} {
		if got := plainSpaces(c.unit.Tick(c.x)); got != c.want {
			t.Errorf("Tick(%v) in unit %d is %q, want %q", c.x, c.unit, got, c.want)
		}
	}
}

func plainSpaces(text string) string { return strings.ReplaceAll(text, space, " ") }

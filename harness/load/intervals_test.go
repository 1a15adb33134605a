package load

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The server is slow in one of three seconds. That shows in the interval of that second, and in no other.
func TestIntervalsTellWhenItHappened(t *testing.T) {
	t.Parallel()
	const slow, rate = 40 * time.Millisecond, 15
	var first atomic.Int64 // when the first request came, half a gap after the window began
	s := serve(t, "tcp", func(s *server, c net.Conn) {
		p := make([]byte, payload)
		for s.request(c, p) {
			first.CompareAndSwap(0, time.Now().UnixNano())
			if at := time.Since(time.Unix(0, first.Load())); at > time.Second && at < 1800*time.Millisecond {
				time.Sleep(slow)
			}
			c.Write(p)
		}
	})
	l := s.load()
	l.Conns, l.RateRPS, l.Arrivals, l.WindowNS = 1, rate, Fixed, int64(2500*time.Millisecond)
	l.TimeoutNS = int64(5 * time.Second)
	r := apart(t, l)
	if len(r.Intervals) != 3 {
		t.Fatalf("a window of 2.5 s has %d intervals", len(r.Intervals))
	}
	sum := map[string]int64{}
	for i, part := range r.Intervals {
		if part.AtMS != int64(i)*1000 || part.LengthMS != 1000 {
			t.Errorf("interval %d is at %d ms, %d ms long", i, part.AtMS, part.LengthMS)
		}
		for kind, text := range part.Histograms {
			h, err := hdrhistogram.Decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			sum[kind] += h.TotalCount()
			if late := time.Duration(h.Max()) >= slow*99/100; kind == "service" && i == 1 && !late {
				t.Errorf("the slow second has no service time of %v", slow)
			}
		}
	}
	for kind, l := range r.Latency {
		if sum[kind] != l.Count {
			t.Errorf("the intervals have %d %s times, the window %d", sum[kind], kind, l.Count)
		}
	}
}

func TestIntervalsAreBoundedHoweverLongTheWindow(t *testing.T) {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, 1000, 1) }
	for _, c := range []struct {
		window  time.Duration
		threads int
		parts   int
		length  time.Duration
	}{
		{time.Second, 1, 1, time.Second}, {100 * time.Millisecond, 1, 1, time.Second}, {1001 * time.Millisecond, 1, 2, time.Second},
		{time.Minute, 1, 60, time.Second}, {61 * time.Second, 1, 31, 2 * time.Second}, {time.Hour, 1, 60, time.Minute},
		{time.Minute, 64, 4, 15 * time.Second}, {time.Minute, 256, 1, time.Minute},
	} {
		i := newIntervals(c.window.Nanoseconds(), c.threads, h)
		if len(i.parts) != c.parts || i.length != c.length.Nanoseconds() {
			t.Errorf("%v, %d threads: %d intervals of %v", c.window, c.threads, len(i.parts), time.Duration(i.length))
		}
		last := i.at(int64(c.window)-1+500, 500)
		if last != &i.parts[c.parts-1] || i.at(400, 500) != &i.parts[0] || i.at(500, 500) != &i.parts[0] {
			t.Errorf("%v, %d threads: the edges of the window are in the wrong intervals", c.window, c.threads)
		}
	}
}

func TestTimeSpentAwakeForTheNextRequestIsCountedApart(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", echo)
	for _, c := range []struct {
		spin time.Duration
		rate float64
		some bool
	}{{0, 500, false}, {time.Millisecond, 0, false}, {200 * time.Microsecond, 500, true}} {
		l := s.load()
		l.SpinNS, l.RateRPS, l.WindowNS = int64(c.spin), c.rate, int64(300*time.Millisecond)
		r := apart(t, l)
		most := int64(c.spin) * int64(c.rate) // once before each request, in a window of a third of a second
		if got := r.Usage.SpinNS; got > 0 != c.some || got > most {
			t.Errorf("spin %v at rate %v: awake for %v", c.spin, c.rate, time.Duration(got))
		}
		if r.Usage.SpinNS > r.Usage.MonotonicNS {
			t.Errorf("awake for %v of %v", time.Duration(r.Usage.SpinNS), time.Duration(r.Usage.MonotonicNS))
		}
	}
}

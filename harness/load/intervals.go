package load

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"turnlab/harness/control"
	"turnlab/harness/record"
)

// The window is cut into intervals of a second, each with histograms of its own; those of the window are their sums. So a
// request is recorded once, and a pause of the server in the third second can be told from a server that is always slow.
//
// A request belongs to the interval in which it was due (closed loop: sent), like it belongs to the window.
//
// intervalsMost bounds the intervals and intervalsAll those of all threads together, at 0.7 MB of address space each, of which
// little is ever touched. A longer window has longer intervals, of whole seconds.
const (
	intervalNS     = int64(time.Second)
	intervalsMost  = 60
	intervalsAll   = 256
	intervalDigits = 2 // as written down: a tenth of the text, which is most of a record
)

// interval is what one thread has recorded of an interval.
type interval struct {
	response, service, slip *hdrhistogram.Histogram
}

// intervals are the parts of the window.
type intervals struct {
	length   int64
	parts    []interval
	now      *interval // the one that was used last
	from, to int64     // its edges; none at first
	origin   int64     // the window's beginning, for which from and to hold
}

// newIntervals makes room for a window of at most longest ns.
func newIntervals(longest int64, threads int, histogram func() *hdrhistogram.Histogram) intervals {
	most := int64(min(intervalsMost, max(1, intervalsAll/threads)))
	length := intervalNS * ceil(ceil(longest, intervalNS), most)
	i := intervals{length: length, parts: make([]interval, max(1, ceil(longest, length)))}
	for n := range i.parts {
		i.parts[n] = interval{histogram(), histogram(), histogram()}
	}
	return i
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// at returns the interval of a request that was due at intended, in a window that began at t0. What counts for the window and
// was sent before it (see worker.owed) is in the first.
func (i *intervals) at(intended, t0 int64) *interval {
	if intended >= i.from && intended < i.to && i.origin == t0 {
		return i.now
	}
	n := min(max(0, (intended-t0)/i.length), int64(len(i.parts)-1))
	i.now, i.origin = &i.parts[n], t0
	i.from, i.to = t0+n*i.length, t0+(n+1)*i.length
	return i.now
}

// add merges another thread's intervals, which have the same length, and returns how many values did not fit.
func (i *intervals) add(o *intervals) (lost int64) {
	for n := range i.parts {
		a, b := &i.parts[n], &o.parts[n]
		lost += a.response.Merge(b.response) + a.service.Merge(b.service) + a.slip.Merge(b.slip)
	}
	return lost
}

// sum returns the histograms of the whole window.
func (i *intervals) sum() (all interval, lost int64) {
	all = i.parts[0]
	for _, p := range i.parts[1:] {
		lost += all.response.Merge(p.response) + all.service.Merge(p.service) + all.slip.Merge(p.slip)
	}
	return all, lost
}

// describe writes the intervals down, unless there is but one, which is the window.
func (i *intervals) describe() (out []record.Interval, err error) {
	for n := 0; n < len(i.parts) && len(i.parts) > 1 && err == nil; n++ {
		p, at := &i.parts[n], record.Interval{AtMS: int64(n) * i.length / 1e6, LengthMS: i.length / 1e6}
		at.Histograms, err = coarse(map[string]*hdrhistogram.Histogram{"response": p.response, "service": p.service, "slip": p.slip})
		if len(at.Histograms) > 0 {
			out = append(out, at)
		}
	}
	return out, err
}

// coarse encodes histograms that hold something, with fewer digits.
func coarse(from map[string]*hdrhistogram.Histogram) (map[string]string, error) {
	out := map[string]string{}
	for kind, h := range from {
		if h.TotalCount() == 0 {
			continue
		}
		c := hdrhistogram.New(h.LowestTrackableValue(), h.HighestTrackableValue(), intervalDigits)
		for _, bar := range h.Distribution() {
			if bar.Count == 0 {
				continue
			}
			if err := c.RecordValues(bar.From, bar.Count); err != nil {
				return nil, fmt.Errorf("the %s histogram of an interval: %w", kind, err)
			}
		}
		text, err := c.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("encode the %s histogram of an interval: %w", kind, err)
		}
		out[kind] = string(text)
	}
	return out, nil
}

// newThreadTally makes the counts of one of a generator's threads.
func newThreadTally(l control.Load, classes []string) *tally {
	_, longest := Longest(l)
	return newTally(time.Duration(l.TimeoutNS), classes, int64(longest), l.Threads)
}

package coop

import (
	"iter"
	"math/bits"
	"time"
)

const (
	histogramBits = 3 // 8 buckets for each power of two: a value is known within 1/16 of itself
	histogramSub  = 1 << histogramBits
	histogramOf   = 40 // longest time that is told apart: 2^40 ns, 18 minutes
	histogramLen  = (histogramOf - histogramBits + 1) * histogramSub
)

// Histogram counts times by their length. The zero Histogram is empty. It belongs to one goroutine at a time, and can be
// copied with =, which is how it is handed to another.
type Histogram struct {
	counts [histogramLen]uint32
	total  int64
}

// Add counts one time; a negative one counts as 0.
func (h *Histogram) Add(d time.Duration) {
	h.counts[histogramPlace(uint64(max(0, d)))]++
	h.total++
}

// histogramPlace returns the bucket of ns. Up to 8 each number has its own; from there on a bucket is named by the highest
// bit and the three bits after it.
func histogramPlace(ns uint64) int {
	if ns < histogramSub {
		return int(ns)
	}
	shift := bits.Len64(ns) - 1 - histogramBits
	place := (shift+1)*histogramSub + int(ns>>shift)&(histogramSub-1)
	return min(place, histogramLen-1)
}

// histogramMiddle returns the time in the middle of a bucket.
func histogramMiddle(place int) time.Duration {
	if place < histogramSub {
		return time.Duration(place)
	}
	shift := place/histogramSub - 1
	low := uint64(histogramSub+place%histogramSub) << shift
	return time.Duration(low + 1<<shift/2)
}

// Count returns how many times were counted.
func (h *Histogram) Count() int64 { return h.total }

// Merge adds the counts of other.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range &other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// All yields the middle of each bucket that is not empty, and its count, from short to long.
func (h *Histogram) All() iter.Seq2[time.Duration, int64] {
	return func(yield func(time.Duration, int64) bool) {
		for i, n := range &h.counts {
			if n > 0 && !yield(histogramMiddle(i), int64(n)) {
				return
			}
		}
	}
}

// Quantile returns a time that a share q of the counted times does not exceed, give or take a bucket; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	var last time.Duration
	left := q * float64(h.total)
	for d, n := range h.All() {
		last = d
		if left -= float64(n); left <= 0 {
			break
		}
	}
	return last
}

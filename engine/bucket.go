package engine

import (
	"strconv"
	"strings"
)

// bucketMark separates the name of a histogram from the time that a bucket stands for. No counter's name contains it.
const bucketMark = "~"

// Bucket returns the name of a counter that counts times of about ns: an engine's histogram is several counters. Percentiles
// could not be counters, because there is no way to take what was counted before a window off them. The harness takes the
// counts before the window off those after it, and records NAME_p50_ns and NAME_p99_ns.
func Bucket(name string, ns int64) string { return name + bucketMark + strconv.FormatInt(ns, 10) }

// SplitBucket takes the name of a bucket apart. It reports false for every other counter.
func SplitBucket(counter string) (name string, ns int64, ok bool) {
	name, text, found := strings.Cut(counter, bucketMark)
	if !found {
		return "", 0, false
	}
	ns, err := strconv.ParseInt(text, 10, 64)
	return name, ns, err == nil
}

package flags

import "turnlab/harness/record"

// The number of samples from which a percentile has an upper bound: with n samples of which each lies below the percentile
// with chance p, all of them do with chance p^n. From n = ln 0.025 / ln p on that is less than 2.5 %, and the percentile has
// a finite 95 % interval. With fewer, a "p99.9" is the maximum under another name.
const (
	EnoughP50   = 6
	EnoughP90   = 36
	EnoughP99   = 368
	EnoughP999  = 3688
	EnoughP9999 = 36887
)

// Thin returns l without the percentiles that its samples cannot support.
func Thin(l record.Latency) record.Latency {
	for _, p := range []struct {
		value  *int64
		enough int64
	}{{&l.P50, EnoughP50}, {&l.P90, EnoughP90}, {&l.P99, EnoughP99}, {&l.P999, EnoughP999}, {&l.P9999, EnoughP9999}} {
		if l.Count < p.enough {
			*p.value = 0
		}
	}
	return l
}

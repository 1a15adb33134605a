package capacity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

// An SLO is a service level: a share of all requests that must be answered within a time.
type SLO struct {
	Text  string
	Share float64 // 0.99
	Limit time.Duration
}

// ParseSLO reads a service level as users write it: p99<5ms, p99.9<20ms, p999<20ms.
func ParseSLO(text string) (SLO, error) {
	name, limit, ok := strings.Cut(text, "<")
	digits, isPercentile := strings.CutPrefix(strings.TrimSpace(name), "p")
	if !ok || !isPercentile {
		return SLO{}, misuse.Errorf("--slo %s: write PERCENTILE<TIME, as in --slo 'p99<5ms'", text)
	}
	if len(digits) > 2 && strings.HasPrefix(digits, "9") && !strings.Contains(digits, ".") {
		digits = digits[:2] + "." + digits[2:]
	}
	percent, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(percent > 0 && percent < 100) {
		return SLO{}, misuse.Errorf("--slo %s: %q is not a percentile; write p50, p99 or p99.9", text, name)
	}
	d, err := time.ParseDuration(strings.TrimSpace(limit))
	if err != nil || d <= 0 {
		return SLO{}, misuse.Errorf("--slo %s: %q is not a time above 0, such as 5ms", text, limit)
	}
	return SLO{Text: text, Share: percent / 100, Limit: d}, nil
}

// Loss returns the share of the requests due in a trial that did not get a right reply in time: late, failed, unanswered or
// never sent. What counts is what was on time, so that no kind of loss can be forgotten. Requests without a reply are in
// the histogram with the age they had reached, which is a timeout: it must be longer than the limit.
func (s SLO) Loss(t *record.Trial) (float64, error) {
	if t.Failed != "" || t.Due == 0 {
		return 1, nil
	}
	text, ok := t.Histograms["response"]
	if !ok {
		return 1, nil // nothing was answered
	}
	h, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return 0, fmt.Errorf("the response histogram of trial %d is damaged: %w", t.Trial, err)
	}
	var onTime int64
	for _, bar := range h.Distribution() {
		if bar.To <= s.Limit.Nanoseconds() {
			onTime += bar.Count
		}
	}
	return math.Max(0, 1-float64(onTime)/float64(t.Due)), nil
}

// GeneratorLimited reports whether a trial's loss may be the generator's.
func GeneratorLimited(t *record.Trial) bool {
	for _, f := range t.Flags {
		if f.Code == "client_limited" && f.Level == record.Invalid {
			return true
		}
	}
	return false
}

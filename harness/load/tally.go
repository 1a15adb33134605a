package load

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/harness/record"
	"turnlab/workloads"
)

// kind is how a request can fail.
type kind uint8

// The kinds of errors.
const (
	wrong   kind = iota // the reply is not the right one
	refused             // nobody listens
	reset               // the connection was reset
	closed              // the server closed the connection before it had replied
	timeout             // no reply, or no connection, in time
	backlog             // due, but no connection became free in time
	other               // any other error of a system call
	kinds
)

// String returns the name that the records use.
func (k kind) String() string {
	return [...]string{"wrong", "refused", "reset", "closed", "timeout", "backlog", "other"}[k]
}

// kindOf tells the kind of a system call's error.
func kindOf(errno unix.Errno) kind {
	switch errno {
	case unix.ECONNREFUSED, unix.ENOENT: // ENOENT: a unix socket that is not there
		return refused
	case unix.ECONNRESET, unix.EPIPE:
		return reset
	case unix.ETIMEDOUT:
		return timeout
	}
	return other
}

// The least that a histogram must be able to tell apart and hold. Three digits keep each percentile within 0.1 %.
const (
	minRange = time.Minute
	digits   = 3
)

// tally is what one thread has counted of the requests that belong to the window.
type tally struct {
	due, sent, right, unanswered uint64
	waited                       uint64 // sent late because no connection was free
	errors                       [kinds]uint64
	intervals                    intervals // of response, service and slip
	delivery                     *hdrhistogram.Histogram
	classes                      []class
	silentRight, silentLost      uint64  // silent connections with a right reply, and those that were lost
	connects                     uint64  // connections opened by a request of the window
	delivered, gaps, cutOff      uint64  // messages heard, messages known to be missing, listeners that lost their connection
	answers, squares             float64 // sums of the right replies of each connection that asks, and of their squares
	unrecorded                   uint64  // values outside a histogram's range; not one is expected
	firstError                   string  // of the whole load, warm-up included
	firstErrorAt                 int64
}

// class is what is counted of one class of requests, right replies only.
type class struct {
	name              string
	right             uint64
	response, service *hdrhistogram.Histogram
}

// newTally makes histograms for ages that a request can reach: it may wait for a connection for a timeout and for its
// reply for another, and a look at the clock may be a little late.
func newTally(limit time.Duration, classes []string, longest int64, threads int) *tally {
	top := max(2*limit+time.Second, minRange).Nanoseconds()
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, top, digits) }
	t := &tally{intervals: newIntervals(longest, threads, h), delivery: h()}
	for _, name := range classes {
		t.classes = append(t.classes, class{name: name, response: h(), service: h()})
	}
	return t
}

func (t *tally) record(h *hdrhistogram.Histogram, ns int64) {
	if h.RecordValue(ns) != nil {
		t.unrecorded++
	}
}

func (t *tally) note(at int64, text string) {
	if t.firstError == "" {
		t.firstError, t.firstErrorAt = text, at
	}
}

// fault counts an error of a connection that no request of the load can be blamed for, as a request that was due and failed.
func (t *tally) fault(k kind) {
	t.due++
	t.errors[k]++
}

// countAnswers sums up what each connection that asks got, for the index of fairness.
func (t *tally) countAnswers(conns []conn) {
	for i := range conns {
		if c := &conns[i]; c.role == workloads.Asks {
			t.answers += float64(c.right)
			t.squares += float64(c.right) * float64(c.right)
		}
	}
}

// addConns is the part of add that concerns connections.
func (t *tally) addConns(o *tally) {
	t.silentRight += o.silentRight
	t.silentLost += o.silentLost
	t.connects += o.connects
	t.delivered += o.delivered
	t.gaps += o.gaps
	t.cutOff += o.cutOff
	t.answers += o.answers
	t.squares += o.squares
}

// add merges another thread's counts. Histograms are merged as such: percentiles of parts cannot be averaged.
func (t *tally) add(o *tally) {
	t.due += o.due
	t.sent += o.sent
	t.waited += o.waited
	t.right += o.right
	t.unanswered += o.unanswered
	t.unrecorded += o.unrecorded
	for k := range t.errors {
		t.errors[k] += o.errors[k]
	}
	t.unrecorded += uint64(t.intervals.add(&o.intervals) + t.delivery.Merge(o.delivery))
	t.addConns(o)
	for i := range t.classes {
		c, from := &t.classes[i], &o.classes[i]
		c.right += from.right
		t.unrecorded += uint64(c.response.Merge(from.response) + c.service.Merge(from.service))
	}
	if o.firstError != "" && (t.firstError == "" || o.firstErrorAt < t.firstErrorAt) {
		t.firstError, t.firstErrorAt = o.firstError, o.firstErrorAt
	}
}

// result writes the counts down.
func (t *tally) result() (control.LoadResult, error) {
	intervals, err := t.intervals.describe()
	whole, lost := t.intervals.sum()
	t.unrecorded += uint64(lost)
	r := control.LoadResult{
		Due: t.due, Sent: t.sent, Requests: t.right, Waited: t.waited,
		Unanswered: t.unanswered, Unrecorded: t.unrecorded, FirstError: t.firstError, Intervals: intervals,
		Latency: map[string]record.Latency{}, Histograms: map[string]string{},
	}
	for k, n := range t.errors {
		if n > 0 {
			if r.Errors == nil {
				r.Errors = map[string]uint64{}
			}
			r.Errors[kind(k).String()] = n
		}
	}
	if err == nil {
		err = describe(map[string]*hdrhistogram.Histogram{
			"response": whole.response, "service": whole.service, "slip": whole.slip, "delivery": t.delivery,
		}, r.Latency, r.Histograms)
	}
	for i := 0; i < len(t.classes) && err == nil; i++ {
		if r.Classes == nil {
			r.Classes = map[string]record.Class{}
		}
		r.Classes[t.classes[i].name], err = t.classes[i].result()
	}
	return r, err
}

func (c *class) result() (record.Class, error) {
	r := record.Class{Requests: c.right, LatencyNS: map[string]record.Latency{}, Histograms: map[string]string{}}
	return r, describe(map[string]*hdrhistogram.Histogram{"response": c.response, "service": c.service}, r.LatencyNS, r.Histograms)
}

// describe writes down the histograms that hold something, as summaries and whole.
func describe(from map[string]*hdrhistogram.Histogram, latencies map[string]record.Latency, whole map[string]string) error {
	for name, h := range from {
		if h.TotalCount() == 0 {
			continue
		}
		text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return fmt.Errorf("encode the %s histogram: %w", name, err)
		}
		latencies[name], whole[name] = summary(h), string(text)
	}
	return nil
}

// Samples from which a percentile has a finite 95 % interval: ln 0.025 / ln p. With fewer, the largest sample may lie below
// the percentile, and the figure would be the maximum under another name.
const (
	enoughP999  = 3688
	enoughP9999 = 36887
)

func summary(h *hdrhistogram.Histogram) record.Latency {
	l := record.Latency{
		P50: h.ValueAtPercentile(50), P90: h.ValueAtPercentile(90), P99: h.ValueAtPercentile(99),
		Max: h.Max(), Mean: h.Mean(), Count: h.TotalCount(),
	}
	if l.Count >= enoughP999 {
		l.P999 = h.ValueAtPercentile(99.9)
	}
	if l.Count >= enoughP9999 {
		l.P9999 = h.ValueAtPercentile(99.99)
	}
	return l
}

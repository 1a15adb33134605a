package load

import (
	"math"
	"sync/atomic"
	"time"

	"turnlab/harness/control"
)

// The window of a load may begin when the load is steady, and end when there are enough requests, instead of at fixed times.
//
// Steady is decided by MSER-5: the mean service times of batches of five slices (half a second) are a series, and of all its
// beginnings the one is dropped without which the mean of the rest is known best. When that is more than half of the
// series, it has not settled. The rule has no threshold to tune. It is asked again after each slice, so that one unlucky
// answer only costs time. Service time and not throughput is looked at, because in an open loop the throughput is what was
// asked for from the first moment on.
//
// Thread 0 decides, two slices ahead, and the others take it over at their next slice: so all know an edge of the window
// before it is there. A thread that was held up for longer than that begins its window when it finds out.
const (
	batch       = 5                // slices
	settleLeast = 8                // batches, four seconds: fewer cannot tell
	settleCap   = 10 * time.Second // the warm-up is not longer than this for want of steadiness
	extendCap   = 30 * time.Second // nor the window for want of requests
	ahead       = 2 * slice
	mserRest    = 3
)

// enough are the requests from which a percentile has a finite 95 % interval, see summary.
var enough = map[string]uint64{"p90": 36, "p99": 368, "p999": enoughP999, "p9999": enoughP9999}

// Longest returns how long warm-up and window may become.
func Longest(l control.Load) (warmup, window time.Duration) {
	warmup, window = time.Duration(l.WarmupNS), time.Duration(l.WindowNS)
	if l.Settle {
		warmup = max(warmup, settleCap)
	}
	if l.Extend != "" {
		window = max(window, extendCap)
	}
	return warmup, window
}

// phases are the times of the window. Thread 0 alone changes what is not atomic once the threads run.
type phases struct {
	t0, t1   atomic.Int64
	final    atomic.Bool // t1 will not change any more
	longest  int64       // of warm-up and window, at most
	limit    int64       // length of the window, at most
	least    int64       // the window does not begin before
	settling bool
	steady   bool
	extended int
	need     uint64
	right    atomic.Uint64 // requests of the window that have been answered
	slices   []total
	threads  int32
}

// total is a slice of all threads.
type total struct {
	received, serviceNS atomic.Uint64
	complete            atomic.Int32 // threads that have left it
}

// plan sets the times as they are if nothing is decided otherwise.
func (p *phases) plan(l control.Load, start int64, threads int) {
	warmup, window := Longest(l)
	p.longest, p.limit = int64(warmup+window), int64(window)
	p.least, p.settling, p.need, p.threads = start+l.WarmupNS, l.Settle, enough[l.Extend], int32(threads)
	p.t0.Store(start + int64(warmup))
	p.t1.Store(start + int64(warmup) + l.WindowNS)
	p.final.Store(!l.Settle && l.Extend == "")
	if !p.final.Load() {
		p.slices = make([]total, p.longest/slice+2)
	}
}

// verdict says whether the load was steady when the window began, if that was asked.
func (p *phases) verdict(l control.Load) *bool {
	if !l.Settle {
		return nil
	}
	return &p.steady
}

// report adds what this thread has counted in the slices that it has left, the first of them from.
func (w *worker) report(from int) {
	p := &w.phases
	if p.slices == nil {
		return
	}
	p.right.Add(w.tally.right - w.reported)
	w.reported = w.tally.right
	for i := from; i < min(w.progress.index, len(p.slices)); i++ {
		p.slices[i].received.Add(w.progress.slices[i].received)
		p.slices[i].serviceNS.Add(w.progress.slices[i].serviceNS)
		p.slices[i].complete.Add(1)
	}
}

// adopt takes the decisions over, after thread 0 has made those that are due.
func (w *worker) adopt() {
	p := &w.phases
	if p.slices == nil {
		return
	}
	if w.number == 0 && !p.final.Load() {
		p.decide(w.now, w.start)
	}
	if t0 := p.t0.Load(); t0 < w.t0 && w.now < w.t0 {
		w.t0 = max(t0, w.now+1) // what was made until now belongs to the warm-up
	}
	t1 := p.t1.Load()
	if t1 == w.t1 {
		return
	}
	stopped := w.now >= w.t1
	w.t1, w.deadline = t1, t1+w.timeout
	w.schedule.extend(t1)
	for i := range w.conns {
		if c := &w.conns[i]; stopped && c.state == open {
			w.refill(int32(i), c)
		}
	}
}

// decide is thread 0's part.
func (p *phases) decide(now, start int64) {
	t0, t1 := p.t0.Load(), p.t1.Load()
	if p.settling {
		edge := start + ((now-start)/slice+1)*slice + ahead
		p.steady = now >= p.least && p.settled()
		switch {
		case p.steady && edge < t0:
			p.t1.Store(edge + t1 - t0)
			p.t0.Store(edge)
			p.settling = false
		case now >= t0-ahead: // the cap
			p.settling = false
		}
		return
	}
	if now < t1-ahead {
		return
	}
	// The last slices are not in yet, so what they will bring is reckoned from those before.
	expected := float64(p.right.Load()) * float64(t1-t0) / float64(max(now-t0, 1))
	length := min(2*(t1-t0), p.limit)
	if expected >= float64(p.need) || length <= t1-t0 {
		p.final.Store(true)
		return
	}
	p.extended++
	p.t1.Store(t0 + length)
}

// settled reports whether the load is steady.
func (p *phases) settled() bool {
	means := p.batches()
	return len(means) >= settleLeast && mser(means) <= len(means)/2
}

// batches returns the mean service times of the batches that all threads have left. One in which nothing was answered has
// none, and is not in the series.
func (p *phases) batches() (means []float64) {
	for i := 0; i+batch <= len(p.slices); i += batch {
		var received, serviceNS uint64
		for j := i; j < i+batch; j++ {
			if p.slices[j].complete.Load() < p.threads {
				return means
			}
			received += p.slices[j].received.Load()
			serviceNS += p.slices[j].serviceNS.Load()
		}
		if received > 0 {
			means = append(means, float64(serviceNS)/float64(received))
		}
	}
	return means
}

// mser returns how many values at the beginning of a series are best dropped: those without which the rest has the smallest
// marginal standard error, its sum of squared deviations over the square of its length. The last few values alone may agree
// by chance, so at least mserRest remain.
func mser(series []float64) (drop int) {
	best := math.Inf(1)
	for d := 0; d+mserRest <= len(series); d++ {
		rest := series[d:]
		var sum, squares float64
		for _, x := range rest {
			sum += x
		}
		mean := sum / float64(len(rest))
		for _, x := range rest {
			squares += (x - mean) * (x - mean)
		}
		if e := squares / float64(len(rest)*len(rest)); e < best {
			best, drop = e, d
		}
	}
	return drop
}

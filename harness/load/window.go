package load

import (
	"time"

	"turnlab/harness/record"
)

// slice is the length of one record.Window.
const slice = int64(100 * time.Millisecond)

// counts is one thread's progress in a slice.
type counts struct {
	sent, received uint64
	serviceNS      uint64 // sum over received
}

// progress counts in slices of the trial. All slices exist from the start, so that counting allocates nothing.
type progress struct {
	slices []counts
	origin int64
	now    *counts // the current slice
	index  int     // its number
	until  int64   // its end
}

// begin makes the slices for a load of length ns from origin.
func (p *progress) begin(origin, length int64) {
	p.slices = make([]counts, length/slice+2)
	p.origin = origin
	p.roll(origin)
}

// roll goes to the slice that now is in; the last one takes what comes after the end.
func (p *progress) roll(now int64) {
	i := min((now-p.origin)/slice, int64(len(p.slices)-1))
	p.now, p.index = &p.slices[i], int(i)
	p.until = p.origin + (i+1)*slice
	if i == int64(len(p.slices)-1) {
		p.until = never
	}
}

// windows adds up the threads' slices and leaves out those at the end in which nothing happened any more. from and to are
// the measured window, counted from the load's beginning.
func windows(threads []*worker, from, to int64) []record.Window {
	var out []record.Window
	used := int((to + slice - 1) / slice)
	for _, w := range threads {
		for i, c := range w.progress.slices {
			if i >= len(out) {
				at := int64(i) * slice
				out = append(out, record.Window{AtMS: at / 1e6, Measured: at >= from && at+slice <= to})
			}
			out[i].Sent += c.sent
			out[i].Received += c.received
			if c != (counts{}) && i >= used {
				used = i + 1
			}
		}
	}
	return out[:min(used, len(out))]
}

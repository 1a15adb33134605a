package engine

import (
	"time"

	"turnlab/coop"
	"turnlab/workloads"
)

// burn computes: here and to the end, here and in pieces, or elsewhere.
func (c *conn) burn(cx *coop.Context) progress {
	switch w := c.w; {
	case w.engine.pool != nil:
		if !c.offload(cx) {
			return waits
		}
	case w.engine.quantum > 0:
		if !w.slice(cx, &c.op.Units) {
			w.counts.yields++
			cx.Defer()
			return waits
		}
	default:
		workloads.Work(c.op.Units)
		c.op.Units = 0
	}
	return c.spend(cx)
}

// piecesPerQuantum is how often a session that computes looks at the clock. A look costs some 40 ns, and the last piece of
// a quantum makes it longer by at most its own length.
const piecesPerQuantum = 8

// slice computes until the work is done, which it reports, or the quantum is over. The quantum counts from where the poll
// began to compute, so that many short computations in one poll are cut off like one long.
func (w *worker) slice(cx *coop.Context, units *int64) bool {
	quantum := w.engine.quantum
	piece := max(1, int64(quantum/time.Microsecond)/piecesPerQuantum)
	if w.began == 0 {
		w.began = int64(cx.Now())
	}
	for *units > 0 {
		if int64(cx.Now())-w.began >= int64(quantum) {
			return false
		}
		n := min(piece, *units)
		workloads.Work(n)
		*units -= n
	}
	return true
}

// offload has the pool compute and reports whether that is done. The executor serves other connections meanwhile.
func (c *conn) offload(cx *coop.Context) bool {
	units := c.op.Units
	if units == 0 {
		return true
	}
	x := c.more()
	if x.burning == nil {
		x.burning = coop.Offload(c.w.engine.pool, func() coop.Unit {
			workloads.Work(units)
			return coop.Unit{}
		})
	}
	if !x.burning.Poll(cx).IsReady() { // its only error is a closed pool, and that closes after the executors
		return false
	}
	x.burning, c.op.Units = nil, 0
	return true
}

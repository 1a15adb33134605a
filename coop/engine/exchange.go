package engine

import (
	"turnlab/coop"
	"turnlab/workloads"
)

// resume lends the worker's exchange to the connection, with what the connection has left in it.
func (c *conn) resume() {
	w, x := c.w, c.extra
	w.x.In, w.x.EOF, w.began = nil, c.eof, 0
	if cap(w.x.Out) > outKept {
		w.x.Out = nil
	}
	w.x.Out, w.sent = w.x.Out[:0], 0
	if x == nil {
		return
	}
	w.x.In = w.input[:copy(w.input[:], x.unread)]
	x.unread = x.unread[:0]
	if x.unsent != nil {
		w.keep(w.x.Out)
		w.x.Out, w.sent = x.unsent, x.sent
		x.unsent, x.sent = nil, 0
	}
}

// pause takes from the exchange what the connection has left in it, most often nothing.
func (c *conn) pause(cx *coop.Context) {
	w := c.w
	if c.inbox != nil {
		c.inbox.waker.Register(cx)
	}
	if len(w.x.In) == 0 && len(w.x.Out) == 0 && (c.extra == nil || !c.extra.busy()) {
		c.discard()
		return
	}
	x := c.more()
	x.unread = append(x.unread[:0], w.x.In...)
	if len(w.x.Out) > 0 {
		x.unsent, x.sent = w.split()
	}
}

// split takes the unsent output out of the exchange: a copy if that is small, else the buffer itself, for which the worker
// takes another. Copying much would cost as much as sending it, and handing over a large buffer for a few bytes would let
// slow peers hold a lot of memory.
func (w *worker) split() (unsent []byte, sent int) {
	rest := w.x.Out[w.sent:]
	if len(rest) <= cap(w.x.Out)/4 {
		return append([]byte(nil), rest...), 0
	}
	unsent, sent = w.x.Out, w.sent
	w.x.Out = nil
	if n := len(w.outs); n > 0 {
		w.x.Out, w.outs = w.outs[n-1], w.outs[:n-1]
	}
	return unsent, sent
}

// keep puts an output buffer aside for split.
func (w *worker) keep(out []byte) {
	if c := cap(out); c > 0 && c <= outKept && len(w.outs) < sparesKept {
		w.outs = append(w.outs, out[:0])
	}
}

// busy reports whether the op in progress needs x.
func (x *extra) busy() bool {
	return x.waiting || x.burning != nil || x.told > 0 || x.telling != nil || x.calling != nil && x.calling.active
}

// more returns the connection's extra, and gives it one if it has none.
func (c *conn) more() *extra {
	if c.extra != nil {
		return c.extra
	}
	w := c.w
	if n := len(w.extras); n > 0 {
		c.extra, w.extras = w.extras[n-1], w.extras[:n-1]
	} else {
		c.extra = &extra{}
	}
	return c.extra
}

// discard gives the extra back, unless its buffer has grown large.
func (c *conn) discard() {
	x, w := c.extra, c.w
	if x == nil {
		return
	}
	c.extra = nil
	if len(w.extras) < sparesKept && cap(x.unread) <= workloads.MaxUnread/16 {
		w.extras = append(w.extras, x)
	}
}

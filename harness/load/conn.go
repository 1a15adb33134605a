package load

import "turnlab/workloads"

// state of a connection.
type state uint8

const (
	down       state = iota // no socket; to be opened at conn.since, or never when the budget is used up
	connecting              // waiting for the handshake since conn.since
	open                    // ready for requests; when its Ending client takes no more, waiting for its end since conn.since
	ended                   // no socket, as agreed; the next request that is due opens it again
)

// conn is one connection. There are thousands, and each event touches one, so it fits in a cache line; what few of them need
// is in spill.
type conn struct {
	client     workloads.Client
	spill      *spill // unread input and unsent output; nil unless there are any
	since      int64  // see state
	fd         int32
	generation int32 // of the socket; events of an older one are stale
	first      int32 // which of the connection's flights is the oldest
	flying     int32 // requests without a complete reply
	parked     int32 // places for requests that are not in the idle queue because the connection cannot take any
	right      uint32
	state      state
	role       workloads.Role
}

// up reports whether the connection has a socket.
func (c *conn) up() bool { return c.state == connecting || c.state == open }

// flight is a request that has been sent and not answered.
type flight struct {
	intended int64 // closed loop: the same as sent
	sent     int64
}

// spill holds the bytes of a connection that do not fit through at once. A generator keeps a few and lends them out.
type spill struct {
	in   []byte // received, but not enough of it for the client; at most workloads.MaxUnread
	out  []byte // made, but not all of it taken by the kernel; at most 2 × depth requests
	gone int    // bytes of out that the kernel has taken
}

// queue puts p behind the output that waits. It makes room when the half has gone, which keeps the bound of out.
func (s *spill) queue(p []byte) {
	if s.gone >= len(s.out)/2 {
		s.out, s.gone = s.out[:copy(s.out, s.out[s.gone:])], 0
	}
	s.out = append(s.out, p...)
}

// spillFor returns the connection's spill, borrowing one when it has none.
func (w *worker) spillFor(c *conn) *spill {
	if c.spill != nil {
		return c.spill
	}
	if n := len(w.spills); n > 0 {
		c.spill, w.spills = w.spills[n-1], w.spills[:n-1]
	} else {
		c.spill = new(spill)
	}
	return c.spill
}

// returnSpill takes the connection's spill back when nothing is left in it.
func (w *worker) returnSpill(c *conn) {
	if s := c.spill; s != nil && len(s.in) == 0 && len(s.out) == 0 {
		c.spill, w.spills = nil, append(w.spills, s)
	}
}

// oldest returns the connection's oldest flight.
func (w *worker) oldest(c *conn) *flight {
	return &w.flights[int(c.first)]
}

// fly notes that a request is on its way.
func (w *worker) fly(index int32, c *conn, f flight) {
	base := index * w.depth
	at := c.first + c.flying
	if at >= base+w.depth {
		at -= w.depth
	}
	w.flights[at] = f
	c.flying++
	w.flying++
	w.progress.now.sent++
	if !w.measured(f.intended) {
		return
	}
	if w.listening {
		w.published.Add(1)
	}
	w.tally.due++
	if f.sent < w.t1 {
		w.tally.sent++
	}
	if w.openLoop {
		w.tally.record(w.interval(f.intended).slip, f.sent-f.intended)
		w.spacing.note(f.sent)
	}
}

// land takes the oldest flight off the connection, which then has a place for another.
func (w *worker) land(index int32, c *conn) {
	if c.first++; c.first == (index+1)*w.depth {
		c.first -= w.depth
	}
	c.flying--
	w.flying--
	if w.openLoop && c.role == workloads.Asks {
		w.idle.push(index)
	}
}

// measured reports whether a request belongs to the window.
func (w *worker) measured(intended int64) bool { return intended >= w.t0 && intended < w.t1 }

// answered counts the oldest flight's reply, which is right and complete.
func (w *worker) answered(index int32, c *conn) {
	f := w.oldest(c)
	w.progress.now.received++
	w.progress.now.serviceNS += uint64(w.now - f.sent)
	if w.measured(f.intended) {
		w.tally.right++
		c.right++
		w.latencies(f)
		if w.classed {
			w.classLatencies(c, f)
		}
	}
	w.land(index, c)
	if w.lingers(c) {
		c.since = w.now
	}
	if c.role == workloads.Silent {
		w.tally.silentRight++
	}
}

// owed reports whether a request that has no right reply counts against the window although it may have been sent before.
//
// In a closed loop a connection whose request is stuck sends no other. A server that hangs from the warm-up on would get no
// request of the window at all, and no error either: the window would be empty and look clean. So a request that was sent
// before the window and fails inside or after it is one that the window lost. The open loop needs no such rule: what is due
// in its window is due whether it can be sent or not.
func (w *worker) owed(f *flight) bool {
	if w.measured(f.intended) {
		return true
	}
	if w.openLoop || f.intended >= w.t0 || w.now < w.t0 {
		return false
	}
	w.tally.due++
	w.tally.sent++
	return true
}

// failed counts a request that ended without a right reply.
func (w *worker) failed(f *flight, k kind) {
	if !w.owed(f) {
		return
	}
	w.tally.errors[k]++
	if k == timeout {
		w.latencies(f) // it took at least that long
	}
}

// latencies records a flight that ends now.
func (w *worker) latencies(f *flight) {
	i := w.interval(f.intended)
	w.tally.record(i.service, w.now-f.sent)
	if w.openLoop {
		w.tally.record(i.response, w.now-f.intended)
	}
}

// interval returns where the latencies of a request that was due at intended are recorded.
func (w *worker) interval(intended int64) *interval { return w.tally.intervals.at(intended, w.t0) }

// classLatencies records a right reply with its class, which only its client knows, and only now.
func (w *worker) classLatencies(c *conn, f *flight) {
	class := &w.tally.classes[c.client.(workloads.Classed).Class()]
	class.right++
	w.tally.record(class.service, w.now-f.sent)
	if w.openLoop {
		w.tally.record(class.response, w.now-f.intended)
	}
}

// gaveUp counts a request of the schedule that was never sent.
func (w *worker) gaveUp(intended int64, why kind) {
	if !w.measured(intended) {
		return
	}
	w.tally.due++
	w.tally.errors[why]++
	if why == timeout || why == backlog {
		w.tally.record(w.interval(intended).response, w.now-intended)
	}
}

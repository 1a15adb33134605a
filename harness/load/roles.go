package load

import (
	"fmt"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/record"
	"turnlab/workloads"
)

// rolesOf asks what each connection is for.
func rolesOf(clients workloads.Clients, conns int) []workloads.Role {
	roles := make([]workloads.Role, conns) // they ask, unless something else is said
	if r, ok := clients.(workloads.Roles); ok {
		for i := range roles {
			roles[i] = r.Role(i, conns)
		}
	}
	return roles
}

// asks counts the connections that make requests.
func asks(roles []workloads.Role) int { return count(roles, workloads.Asks) }

func count(roles []workloads.Role, role workloads.Role) (n int) {
	for _, r := range roles {
		if r == role {
			n++
		}
	}
	return n
}

// loseRole counts what it means that a connection was lost besides its requests. A silent one was there to be held by the
// server, whether it has been asked or not; a listener misses what is said until it is back.
func (w *worker) loseRole(c *conn, k kind) {
	switch {
	case !w.running:
	case c.role == workloads.Silent:
		w.tally.silentLost++
		w.tally.fault(k)
	case c.role == workloads.Listens && w.measured(w.now):
		w.tally.cutOff++
	}
}

// silentBatch bounds the silent connections that are asked at the same time.
const silentBatch = 256

// askSilent asks each silent connection for one reply, the proof that the server has held and served it all the time. The
// threads begin when the last has ended its load, so that nobody's latencies suffer. All of it takes at most the timeout; a
// connection without a right reply by then is an error. A load that was stopped asks nobody, and nobody has failed.
func (w *worker) askSilent() error {
	silent := uint64(count(w.roles[w.firstConn:w.firstConn+len(w.conns)], workloads.Silent))
	if silent == 0 || w.cut.Load() {
		return nil
	}
	var spare counts // these requests belong to no slice
	w.progress.now, w.progress.until = &spare, never
	w.deadline = w.tick() + w.timeout
	for next := 0; w.now < w.deadline; {
		for ; next < len(w.conns) && w.flying < silentBatch; next++ {
			if c := &w.conns[next]; c.role == workloads.Silent && c.state == open {
				w.askOnce(int32(next), c)
			}
		}
		if w.cut.Load() || next == len(w.conns) && w.flying == 0 {
			return nil
		}
		if err := w.turn(min(w.alarm, w.deadline) - w.tick()); err != nil {
			return err
		}
	}
	left := silent - w.tally.silentRight - w.tally.silentLost
	w.tally.note(w.now, fmt.Sprintf("%d silent connections had no reply in %v", left, time.Duration(w.timeout)))
	for ; left > 0; left-- {
		w.tally.fault(timeout)
	}
	return nil
}

func (w *worker) askOnce(index int32, c *conn) {
	w.out = c.client.Request(w.out[:0])
	now := w.tick()
	w.fly(index, c, flight{intended: now, sent: now})
	w.write(index, c, w.out)
}

// hear gives what has arrived to a listener, and reports whether the connection is still there.
func (w *worker) hear(index int32, c *conn, in []byte) bool {
	for len(in) > 0 {
		n, h, err := c.client.(workloads.Listener).Hear(in)
		if err != nil {
			w.lose(index, c, wrong, err)
			return false
		}
		in = in[n:]
		if h.Done {
			w.heard(h)
		} else if n == 0 {
			break
		}
		if h.Answer && c.flying > 0 {
			w.answered(index, c)
		}
	}
	return w.keep(index, c, in)
}

// heard counts a delivery. Its latency is what the listener feels: from the time at which the message was due at its
// publisher. A gap counts with the message that shows it.
func (w *worker) heard(h workloads.Heard) {
	if w.measured(h.IntendedNS) {
		w.tally.delivered++
		w.tally.gaps += uint64(h.Lost)
		w.tally.record(w.tally.delivery, w.now-h.IntendedNS)
	}
}

// heardAll reports whether every message of the window is here or known to be lost. One that was lost without another after
// it, which would show the gap, keeps the drain waiting until its end: it may still be on its way.
func (w *worker) heardAll() bool {
	if !w.listening {
		return true
	}
	due := uint64(w.published.Load()) * uint64(len(w.conns))
	return w.asking.Load() == 0 && w.tally.delivered+w.tally.gaps >= due
}

// addRoles writes down what only some loads have.
func (g *generator) addRoles(r *control.LoadResult, total *tally) {
	if silent := count(g.own(), workloads.Silent); silent > 0 {
		r.Silent = &record.Silent{Connections: silent, Right: total.silentRight}
	}
	if g.workers[0].listening {
		due := uint64(g.published.Load()) * uint64(len(g.roles))
		r.Deliveries = &record.Deliveries{
			Due: due, Received: total.delivered, Missing: due - min(due, total.delivered), Gaps: total.gaps, CutOff: total.cutOff,
		}
	}
	r.Connects, r.Asking = total.connects, asks(g.own())
	if g.load.RateRPS == 0 && total.squares > 0 {
		// Jain's index: the square of the sum over n times the sum of squares; 1 when all got the same, 1/n when one got all.
		r.Fairness = total.answers * total.answers / (float64(r.Asking) * total.squares)
	}
}

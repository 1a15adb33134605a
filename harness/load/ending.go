package load

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/workloads"
)

// Connections that end and are replaced.
//
// After its last reply the server closes, and the generator waits for that end before it opens the connection again. Who
// closes first keeps the pair of addresses in TIME_WAIT for a minute. A generator has some 28,000 ports for one target, which
// at 10,000 connects a second would last for three seconds; a server that closes first keeps the state, and needs no port
// for it. So the ports in use are at most as many as connections. Where the generator must close first, because a
// connection broke or does not end, it resets it (SO_LINGER 0), which leaves no TIME_WAIT either.
//
// Note: the generator does not choose source ports itself (bind before connect). With as many ports in use as connections
// the kernel's choice is quick, and its own would have to be right about every other process of the machine.

// spent reports whether a connection of an Ending client takes no more requests.
func spent(c *conn) bool { return c.client.(workloads.Ending).Left() == 0 }

// lingers reports whether nothing is left for a connection but its end.
func (w *worker) lingers(c *conn) bool {
	return w.ending && c.state == open && c.flying == 0 && spent(c)
}

// end is the end of a connection as it was agreed. In the closed loop the next request is due at once.
func (w *worker) end(index int32, c *conn) {
	if c.spill != nil { // bytes after the last reply, which nobody asked for
		w.tally.note(w.now, fmt.Sprintf("connection %d to %s: bytes after its last reply", w.firstConn+int(index), w.address.text))
		w.tally.fault(wrong)
		w.failAll(index, c, wrong)
	}
	w.hangUp(c)
	c.state = ended
	w.unpark(index, c, w.depth)
	if !w.openLoop && w.now < w.t1 {
		w.revive(index, c, w.now)
	}
}

// notEnded gives up to wait for the end of a connection.
func (w *worker) notEnded(index int32, c *conn) {
	w.tally.note(w.now, fmt.Sprintf("connection %d to %s: the server did not close it in %v after its last reply",
		w.firstConn+int(index), w.address.text, time.Duration(w.timeout)))
	w.tally.fault(other)
	w.abandon(c)
	c.state = ended
	w.unpark(index, c, w.depth)
	if !w.openLoop && w.now < w.t1 {
		w.revive(index, c, w.now)
	}
}

// revive opens an ended connection again with a request. It counts as sent now, when the connect begins: to be accepted is
// part of what this request asks of the server.
func (w *worker) revive(index int32, c *conn, intended int64) {
	c.state = down
	w.introduce(index, c)
	w.out = w.request(c, w.out[:0], intended)
	w.fly(index, c, flight{intended: intended, sent: w.tick()})
	s := w.spillFor(c)
	s.out = append(s.out, w.out...)
	if w.measured(intended) {
		w.tally.connects++
	}
	w.dial(index, c)
}

// sendHeld sends the request that waited for the handshake.
func (w *worker) sendHeld(index int32, c *conn) {
	w.out = append(w.out[:0], c.spill.out...)
	c.spill.out = c.spill.out[:0]
	w.returnSpill(c)
	w.write(index, c, w.out)
}

// abandon closes a connection before its peer does. See above for the ports.
func (w *worker) abandon(c *conn) {
	if w.ending {
		_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // a minute's port, if not
	}
	w.hangUp(c)
}

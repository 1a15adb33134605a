package netio

import "turnlab/coop"

// PollBroken reports whether the connection has broken, so that nobody could get a reply any more. It is for a task that
// waits for something else: it reads nothing, and has the task woken when the connection may have broken.
func (c *Conn) PollBroken(cx *coop.Context) bool {
	return c.src == nil || c.src.PollBroken(cx)
}

package reactor

import "turnlab/coop"

// PollBroken reports whether the connection has broken: no reply could reach the peer. If not, the task that polls is woken
// by the next event, which may also be input, of which nothing is read. It takes the place of a task that waits to read.
//
// An edge that says "the peer has ended" can mean both: it may have ended only its sending, and wait for a reply. Sending
// nothing tells them apart.
func (s *Source) PollBroken(cx *coop.Context) bool {
	if s.ready&ended != 0 {
		if _, errno := s.reactor.sys.Write(s.fd, nil); errno != 0 {
			return true
		}
	}
	s.awaited |= readable
	s.reader.Register(cx)
	return false
}

// Package copied copies what must not be copied, in each way that `go vet` has to see.
package copied

import "turnlab/coop"

func futures(s *coop.Sleep, u *coop.FuturesUnordered[int], o *coop.OffloadFuture[int], h *coop.JoinHandle[int]) {
	sleep := *s
	sleep.Poll(nil)
	set := *u
	set.Len()
	offload := *o
	offload.Poll(nil)
	handle := *h
	handle.Poll(nil)
}

func around(t *coop.TimeoutFuture[int], a *coop.AbortHandle, cx *coop.Context) {
	timeout := *t
	timeout.Poll(nil)
	abort := *a
	abort.Abort()
	context := *cx
	context.Now()
}

func pinned(s *coop.Sleep) {
	coop.Pin(*s)
}

func allowed(s *coop.Sleep) {
	p := coop.PinLocal(s)
	q := p
	q.Get().Poll(nil)
	coop.Pin(coop.Sleep{}).Get().Poll(nil)
}

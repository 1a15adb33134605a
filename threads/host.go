package threads

import (
	"golang.org/x/sys/unix"

	"turnlab/engine"
)

// host is what the connections of an engine share.
type host struct {
	room      engine.Room
	upstreams []*engine.Upstream[int]
	calls     engine.CallCounts
}

// newHost makes what the connections of an engine made from c share.
func newHost(c engine.Config) (*host, error) {
	upstreams, err := engine.NewUpstreams[int](c.Upstreams)
	return &host{upstreams: upstreams}, err
}

// close closes the connections to upstreams that are kept.
func (h *host) close() {
	for _, u := range h.upstreams {
		u.Drain(func(fd int) { _ = unix.Close(fd) })
	}
}

func (h *host) addTo(counters map[string]int64) {
	h.room.AddTo(counters)
	h.calls.AddTo(counters)
}

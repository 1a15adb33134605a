package workloads

import "turnlab/internal/option"

// Idle is many connections that say nothing and a few that work. Most servers live like that: what does a connection cost
// that only waits, in memory, and what do the waiting cost the others, in searching and waking?
//
// The protocol is that of [Echo]. Silent connections are held open and asked once at the very end, so that a server that
// has lost some of them, or forgotten to serve them, is found out.
var Idle = &Workload{
	Name:    "idle",
	Summary: "holds silent connections, and sends back the bytes of a few active ones",
	Shows:   "what a waiting connection costs",
	Options: option.Set{
		{Name: "active", Kind: option.Int, Default: "10", Min: 1, Max: 1 << 20,
			Help: "connections that make requests; the others are silent. 10 keep the server awake without filling a CPU in the open loop"},
		{Name: "payload", Kind: option.Size, Default: "64", Min: 1, Max: 1 << 20,
			Help: "bytes of a request and of its reply; 64 is small enough that copying does not count"},
	},
	NewServer: func(option.Values, Env) (Server, error) { return echoServer{}, nil },
	NewClients: func(v option.Values, seed uint64) (Clients, error) {
		return &idleClients{echoClients{newTape(seed, v.Int("payload"))}, v.Int("active")}, nil
	},
}

// idleClients are echo clients of which most are never asked.
type idleClients struct {
	echoClients
	active int
}

// Role implements Roles.
func (s *idleClients) Role(conn, conns int) Role {
	if spread(conn, s.active, conns) {
		return Asks
	}
	return Silent
}

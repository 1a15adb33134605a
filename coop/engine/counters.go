package engine

// counters is what a worker counts. They are plain numbers, because one thread counts, and are published as a whole before
// each look for events.
type counters struct {
	accepted int64 // connections given to the worker
	open     int64
	reads    int64 // reads that returned something
	writes   int64
	yields   int64 // times that a session that computes let others run

	calls            int64 // requests to upstreams
	callsFailed      int64
	callsCancelled   int64
	upstreamConnects int64
	published        int64 // messages
	delivered        int64 // messages given to a session
	dropped          int64 // messages that a full queue had no room for
	closedSlow       int64 // connections closed because their queue was full

	polls    int64 // of tasks
	wakes    int64
	turns    int64 // of the executor's loop
	sleeps   int64 // turns that ended with nothing to do but wait
	deferred int64 // polls cut short, by a yield or because the budget was used up
	timers   int64 // that fired
	stalls   int64 // polls that took too long; counted with option watchdog only
	waits    int64 // system calls that look for events
	events   int64
	stale    int64 // events for sockets that were gone
}

func (c *counters) add(d counters) {
	from := d.all()
	for i, n := range c.all() {
		*n.value += *from[i].value
	}
	c.stalls += d.stalls
}

func (c *counters) byName() map[string]int64 {
	m := make(map[string]int64)
	for _, n := range c.all() {
		m[n.name] = *n.value
	}
	return m
}

type counter struct {
	name  string
	value *int64
}

func (c *counters) all() []counter {
	return []counter{
		{"accepted", &c.accepted}, {"open", &c.open}, {"reads", &c.reads}, {"writes", &c.writes}, {"yields", &c.yields},
		{"calls", &c.calls}, {"calls_failed", &c.callsFailed}, {"calls_cancelled", &c.callsCancelled},
		{"upstream_connects", &c.upstreamConnects},
		{"published", &c.published}, {"delivered", &c.delivered}, {"dropped", &c.dropped}, {"closed_slow", &c.closedSlow},
		{"polls", &c.polls}, {"wakes", &c.wakes}, {"turns", &c.turns}, {"sleeps", &c.sleeps}, {"deferred", &c.deferred},
		{"timers", &c.timers}, {"waits", &c.waits}, {"events", &c.events}, {"stale", &c.stale},
	}
}

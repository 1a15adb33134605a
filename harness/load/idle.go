package load

// idle is the queue of free places for requests. A connection stands in it once for each request that it could still take,
// and the one that has waited longest goes first: connections take turns, none is worn in while others rest.
//
// The number of places is fixed, conns × depth, and each is here, taken by a request, or set aside because its connection
// is down. So the ring cannot overflow.
type idle struct {
	ring []int32 // indices of connections
	head int     // the oldest
	n    int
}

func newIdle(places int) idle { return idle{ring: make([]int32, places)} }

func (q *idle) push(conn int32) {
	tail := q.head + q.n
	if tail >= len(q.ring) {
		tail -= len(q.ring)
	}
	q.ring[tail] = conn
	q.n++
}

func (q *idle) pop() int32 {
	conn := q.ring[q.head]
	if q.head++; q.head == len(q.ring) {
		q.head = 0
	}
	q.n--
	return conn
}

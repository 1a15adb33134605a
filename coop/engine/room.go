package engine

import (
	"turnlab/coop"
	"turnlab/workloads"
)

// room is the subscribers of one worker. Its tasks take turns, so it needs no lock: to publish is one loop over queues and
// wakers. What another worker publishes comes by mail, a bounded channel, and is published here by a task of this worker.
type room struct {
	inboxes []*inbox
	counts  *counters
}

// mailMax is how many messages of other workers may wait for a worker. A publisher waits for room in it: that is between
// executors, which deliver as fast as they get to it, and not between a publisher and slow readers.
const mailMax = 1024

// inbox is a subscriber's queue.
type inbox struct {
	place     int // in the room
	max       int
	policy    workloads.Overflow
	expelled  bool // it was too slow, and is to be closed
	listening bool // the connection waits for a message
	waker     coop.LocalWaker
	messages  []string // from next on
	next      int
}

// join adds a subscriber whose first Receive is op.
func (r *room) join(op workloads.Op) *inbox {
	b := &inbox{place: len(r.inboxes), max: int(op.Queue), policy: op.Overflow}
	r.inboxes = append(r.inboxes, b)
	return b
}

// leave ends a subscription.
func (r *room) leave(b *inbox) {
	last := len(r.inboxes) - 1
	r.inboxes[b.place] = r.inboxes[last]
	r.inboxes[b.place].place = b.place
	r.inboxes[last] = nil
	r.inboxes = r.inboxes[:last]
	b.waker.Clear()
}

// publish puts a message into every queue.
func (r *room) publish(message string) {
	for _, b := range r.inboxes {
		switch {
		case b.expelled:
		case len(b.messages)-b.next < b.max:
			b.put(message)
		case b.policy == workloads.CloseSlow:
			r.counts.closedSlow++
			b.expelled = true
			b.waker.Wake()
		default:
			r.counts.dropped++
		}
	}
}

// put queues a message. When the slice is full and half of it has been taken, the rest moves to its front.
func (b *inbox) put(message string) {
	if len(b.messages) == cap(b.messages) && b.next > len(b.messages)/2 {
		n := copy(b.messages, b.messages[b.next:])
		clear(b.messages[n:])
		b.messages, b.next = b.messages[:n], 0
	}
	b.messages = append(b.messages, message)
	if b.listening {
		b.listening = false
		b.waker.Wake()
	}
}

// queueKept is the size of a queue, in messages, up to which it is kept when it is empty.
const queueKept = 16

// take returns the oldest message, "" if there is none.
func (b *inbox) take() string {
	if b.next == len(b.messages) {
		return ""
	}
	m := b.messages[b.next]
	b.messages[b.next] = ""
	b.next++
	if b.next == len(b.messages) {
		b.messages, b.next = b.messages[:0], 0
		if cap(b.messages) > queueKept {
			b.messages = nil
		}
	}
	return m
}

// expelled reports whether the connection has to end because it reads too slowly.
func (c *conn) expelled() bool { return c.inbox != nil && c.inbox.expelled }

// receive waits for a message or for input. A message that is there comes first: input keeps in the kernel.
func (c *conn) receive(cx *coop.Context) progress {
	w := c.w
	if c.inbox == nil {
		c.inbox = w.room.join(c.op)
	}
	if c.eof || len(w.x.In) >= workloads.MaxUnread {
		return closes
	}
	c.inbox.listening = false
	if c.inbox.next < len(c.inbox.messages) {
		p := c.spend(cx)
		if p == done {
			w.x.Message = c.inbox.take()
			w.counts.delivered++
		}
		return p
	}
	p := c.read(cx)
	c.inbox.listening = p == waits
	return p
}

// publish tells the other workers and then the subscribers of this one.
func (c *conn) publish(cx *coop.Context) progress {
	w := c.w
	if len(w.peers) > 0 {
		if p := c.tell(cx); p != done {
			return p
		}
	}
	if p := c.spend(cx); p != done {
		return p
	}
	if c.extra != nil {
		c.extra.told = 0
	}
	w.counts.published++
	w.room.publish(c.op.Message)
	if c.expelled() { // by its own message
		return closes
	}
	return done
}

// tell sends the message to the other workers.
func (c *conn) tell(cx *coop.Context) progress {
	x := c.more()
	for ; x.told < len(c.w.peers); x.told++ {
		mail := c.w.peers[x.told].mail
		if x.telling == nil && mail.TrySend(c.op.Message) {
			continue
		}
		if x.telling == nil {
			x.telling = mail.Send(c.op.Message)
		}
		if !x.telling.Poll(cx).IsReady() {
			return waits
		}
		x.telling.Drop(cx)
		x.telling = nil
	}
	return done
}

// introduce tells the workers of each other, and gives each a task that delivers the mail.
func introduce(workers []*worker) error {
	if len(workers) == 1 {
		return nil
	}
	for _, w := range workers {
		for _, peer := range workers {
			if peer != w {
				w.peers = append(w.peers, peer)
			}
		}
		w.mail = coop.NewChannel[string](mailMax)
		if err := w.ex.Go(coop.Async(w.deliver)); err != nil {
			return err
		}
	}
	return nil
}

// deliver publishes what others send, until the executor stops.
func (w *worker) deliver(co *coop.Co) coop.Unit {
	for {
		item := coop.Await(co, w.mail.Recv())
		if !item.OK {
			return coop.Unit{}
		}
		w.room.publish(item.Value)
	}
}

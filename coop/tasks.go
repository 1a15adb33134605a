package coop

import "sync/atomic"

// tasks is a set of tasks with a queue of those to poll. It is the half that an executor and a sub-executor share: what
// differs is the futures, of type F, and who is told that there is work (see parent).
//
// All of it belongs to one thread, the owner, except inbox and the word of each task: through these two any thread wakes
// any task with two compare-and-swaps and no lock.
type tasks[F any] struct {
	parent parent
	head   *task[F] // the run queue, linked through next; oldest first
	tail   *task[F]
	queued int
	free   *task[F] // slots without a task, linked through next
	chunks []*[tasksPerChunk]task[F]
	used   int // slots that have ever had a task
	live   int
	wakes  int64 // how many tasks were queued, ever

	// Some tasks are timed while they are in the queue; see delays. Numbers count from 1, so 0 means none.
	delays  *delays
	stampAt int64 // the number of the next task to be timed, as it goes in
	dueAt   int64 // the number of the first task that is being timed and will come out

	// inbox is a stack of tasks that other threads have woken, linked through link. Pushes compare and swap, and the owner
	// takes everything at once, so there is no ABA problem and no moment in which the stack is inconsistent.
	inbox atomic.Pointer[task[F]]
}

// parent is told when a set of tasks has something to poll.
type parent interface {
	wokenLocal()  // on the owner's thread
	wokenRemote() // on any thread
}

// tasksPerChunk is how many slots share one piece of memory. Slots never move, because wakers point at them.
const tasksPerChunk = 256

// Flags of task.word. The upper half of the word is the generation, so that one compare-and-swap checks who is meant and
// leaves the message: a stale wake cannot touch the slot's next task.
const (
	flagNotified = 1 << iota // the task is in the inbox, or about to be
	flagAborted              // the owner is to drop the task
	flags        = flagNotified | flagAborted
)

// task is a slot for one task. It is also the vtable of the task's wakers.
type task[F any] struct {
	word atomic.Uint64
	link *task[F] // next in the inbox; belongs to whoever set flagNotified, until the owner clears it

	// The rest belongs to the owner.
	next   *task[F]
	set    *tasks[F]
	fut    F
	live   bool // false in a slot without a task
	place  uint32
	gen    uint32
	queued bool
	abort  bool
}

// id returns the name of the slot's present task.
func (t *task[F]) id() TaskID { return TaskID(t.gen)<<32 | TaskID(t.place) }

func (t *task[F]) waker() LocalWaker { return LocalWaker{t, t.id()} }

// insert gives f a slot. The task is not queued yet.
func (s *tasks[F]) insert(f F) *task[F] {
	t := s.free
	if t != nil {
		s.free, t.next = t.next, nil
	} else {
		t = s.grow()
	}
	t.fut, t.live = f, true
	s.live++
	return t
}

// grow returns a slot that never had a task. Generations begin with 1, so that the zero TaskID names nothing.
func (s *tasks[F]) grow() *task[F] {
	if s.used == len(s.chunks)*tasksPerChunk {
		s.chunks = append(s.chunks, new([tasksPerChunk]task[F]))
	}
	t := &s.chunks[s.used/tasksPerChunk][s.used%tasksPerChunk]
	t.set, t.place, t.gen = s, uint32(s.used), 1
	t.word.Store(uint64(t.gen) << 32)
	s.used++
	return t
}

// retire ends the slot's task and returns its future. From here on its wakers reach nobody.
func (s *tasks[F]) retire(t *task[F]) F {
	f := t.fut
	var none F
	t.fut, t.live, t.abort = none, false, false
	t.gen = max(1, t.gen+1)
	for {
		old := t.word.Load()
		if t.word.CompareAndSwap(old, uint64(t.gen)<<32|old&flagNotified) {
			break
		}
	}
	s.live--
	s.release(t)
	return f
}

// release puts an empty slot on the free list, unless one of the two queues still links to it; then whoever takes it off
// that queue calls release again.
func (s *tasks[F]) release(t *task[F]) {
	if t.live || t.queued || t.word.Load()&flagNotified != 0 {
		return
	}
	t.next, s.free = s.free, t
}

// each calls f for every task. It may end the task.
func (s *tasks[F]) each(f func(*task[F])) {
	for place := 0; place < s.used; place++ {
		if t := &s.chunks[place/tasksPerChunk][place%tasksPerChunk]; t.live {
			f(t)
		}
	}
}

// enqueue puts t at the end of the run queue, once.
func (s *tasks[F]) enqueue(t *task[F]) {
	if t.queued {
		return
	}
	t.queued = true
	if s.tail == nil {
		s.head = t
	} else {
		s.tail.next = t
	}
	s.tail = t
	s.queued++
	s.wakes++
	if s.wakes == s.stampAt {
		s.stampAt, s.dueAt = s.delays.entered(s.wakes, t.id())
	}
}

// dequeue takes the oldest task off the run queue; nil when there is none. It clears queued before the poll: a wake during
// the poll must queue the task again, since the poll may already have looked where something has just changed.
func (s *tasks[F]) dequeue() *task[F] {
	for s.head != nil {
		t := s.head
		s.head, t.next = t.next, nil
		if s.head == nil {
			s.tail = nil
		}
		s.queued--
		t.queued = false
		if s.wakes-int64(s.queued) == s.dueAt {
			s.dueAt = s.delays.left()
		}
		if t.live {
			return t
		}
		s.release(t)
	}
	return nil
}

// collect moves what other threads have woken to the run queue, in the order in which it was woken.
func (s *tasks[F]) collect() {
	if s.inbox.Load() == nil {
		return
	}
	var oldest *task[F]
	for t := s.inbox.Swap(nil); t != nil; {
		t.link, oldest, t = oldest, t, t.link
	}
	for t := oldest; t != nil; {
		next := t.link // before the flag is cleared: after that the link belongs to the next to wake t
		t.link = nil
		told := t.word.And(^uint64(flags)) // before the poll: clearing it afterwards would lose a wake during the poll
		s.deliver(t, told)
		t = next
	}
}

func (s *tasks[F]) deliver(t *task[F], told uint64) {
	if !t.live {
		s.release(t)
		return
	}
	t.abort = t.abort || told&flagAborted != 0
	s.enqueue(t)
}

// WakeLocal queues the task, without atomics.
func (t *task[F]) WakeLocal(id TaskID) {
	if t.gen != id.gen() || t.queued {
		return
	}
	t.set.enqueue(t)
	t.set.parent.wokenLocal()
}

// Wake tells the owner that the task can run.
func (t *task[F]) Wake(id TaskID) { t.tell(id, flagNotified) }

// tell leaves flags for the owner and puts the task in the inbox, unless it is there already or gone.
func (t *task[F]) tell(id TaskID, message uint64) {
	for {
		old := t.word.Load()
		if uint32(old>>32) != id.gen() || old&message == message {
			return
		}
		if !t.word.CompareAndSwap(old, old|message|flagNotified) {
			continue
		}
		if old&flagNotified == 0 {
			t.set.post(t)
		}
		return
	}
}

// post pushes t, whose flagNotified the caller has set, and tells the parent.
func (s *tasks[F]) post(t *task[F]) {
	for {
		t.link = s.inbox.Load()
		if s.inbox.CompareAndSwap(t.link, t) {
			break
		}
	}
	s.parent.wokenRemote()
}

// Clone returns the waker itself: the slot is kept alive by the garbage collector and made safe by its generation.
func (t *task[F]) Clone(id TaskID) Waker { return Waker{t, id} }

// Drop does nothing, for the same reason.
func (t *task[F]) Drop(TaskID) {}

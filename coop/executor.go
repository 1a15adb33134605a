package coop

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"turnlab/coop/internal/wheel"
)

// PollsPerTurn is how many tasks an executor polls before it looks for events, so that tasks which keep each other busy
// cannot keep the sockets waiting. The number is tokio's.
const PollsPerTurn = 61

// Errors of executors.
var (
	// ErrStopped answers a spawn on an executor that has been stopped, and a join of a task that went down with it.
	ErrStopped = errors.New("coop: the executor has been stopped")
	// ErrFull answers a spawn beyond Config.TasksMax.
	ErrFull = errors.New("coop: the executor holds as many tasks as it may (Config.TasksMax)")
)

// Config says how an executor works. The zero Config is one for tasks without sockets.
type Config struct {
	// Driver is where the executor waits; nil parks the goroutine. The executor closes it.
	Driver Driver
	// Locked binds the executor to an operating system thread while it runs.
	Locked bool
	// TasksMax bounds the tasks that are alive at once; 0 means DefaultTasksMax.
	TasksMax int
	// Seed is where chance begins: the order in which a select polls. 0 takes any.
	Seed uint64
	// AfterTurn, if not nil, is called on the executor's goroutine before it waits for events and at least once per
	// PollsPerTurn polls: the place to publish counters.
	AfterTurn func()
	// OnPanic, if not nil, is told of panics of tasks that have no JoinHandle. Without it such a panic ends the program, as
	// it does in a goroutine: nobody else could see it.
	OnPanic func(*JoinError)
	// Watch, if not nil, has the executor look at every poll and report tasks that do not cooperate.
	Watch *Watch
	// Trace, if not nil, is told of every wake and of every poll.
	Trace Trace
}

// DefaultTasksMax is the bound on tasks when Config does not say.
const DefaultTasksMax = 1 << 20

// Executor polls tasks on one goroutine: those that have been woken, in the order in which they were.
//
// It runs in turns. A turn takes in what other threads have woken and spawned, fires timers, polls up to PollsPerTurn
// tasks, and looks for events; if there is nothing left to poll it goes to sleep in its driver until it is woken.
type Executor struct {
	config     Config
	driver     Driver
	tasks      tasks[Future[Unit]]
	timers     *wheel.Wheel[LocalWaker]
	deferred   []LocalWaker // tasks that yielded; woken after the events. At most one entry per poll of a turn
	cx         Context
	coroutines coroutines  // for async functions
	current    *slot       // the task that is polled now
	done       func() bool // asks whether to leave the loop
	stats      Stats
	lookAt     int64 // the number of the next poll to be timed
	random     *rand.Rand

	// Eyes; see eyes.go.
	sampler   sampler
	pollTimes Histogram
	delays    delays
	watcher   *watcher // nil without Config.Watch

	// sleeping is how producers know that a wake-up must go through the driver; see sleep.
	sleeping atomic.Bool
	stopping atomic.Bool
	arrivals atomic.Bool   // arrived is not empty
	owner    atomic.Uint64 // the goroutine that runs; 0 when none does
	count    atomic.Int64  // tasks, with those that have not been given a slot yet

	mu      sync.Mutex
	arrived []Future[Unit] // spawned from other threads; bounded by TasksMax together with the tasks
	sites   []string       // where, under Watch
	state   state
}

// slot is a place for one of an executor's tasks.
type slot = task[Future[Unit]]

type state uint8

const (
	idle state = iota
	running
	stopped
)

// Stats counts what an executor has done since it began. Only its own goroutine may read it: copy it in AfterTurn.
type Stats struct {
	Polls    int64 // polls of tasks
	Wakes    int64 // tasks that became runnable; wakes of a task that was already are not counted
	Turns    int64
	Sleeps   int64 // waits for events without a task to poll
	Spawned  int64
	Finished int64 // tasks that ended, in whatever way
	Deferred int64 // polls that ended with a yield, or because the budget was used up
	Fired    int64 // timers
	Panics   int64
	Stalls   int64 // polls that took longer than Watch.PollMax
}

// New returns an executor. It runs on the goroutine that calls Run or BlockOn.
func New(c Config) *Executor {
	if c.Driver == nil {
		c.Driver = newParker()
	}
	if c.TasksMax == 0 {
		c.TasksMax = DefaultTasksMax
	}
	ex := &Executor{config: c, driver: c.Driver, timers: wheel.New[LocalWaker](c.Driver.Now())}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	ex.random = rand.New(rand.NewPCG(c.Seed, 0))
	ex.tasks.parent, ex.done = ex, ex.stopping.Load
	ex.cx.ex = ex
	ex.open(c.Seed)
	return ex
}

// Run polls tasks until Stop. Then, or when the driver fails, it drops every task, closes the driver and returns the
// driver's error. It panics when the executor runs already, and returns ErrStopped when it has been stopped before.
func (ex *Executor) Run() error {
	return ex.runUntil(func() bool { return ex.stopping.Load() }, true)
}

// Stop makes Run return. It may be called from any goroutine, at any time and more than once. If Run has not been called
// yet it will drop what has been spawned and return at once.
func (ex *Executor) Stop() {
	ex.stopping.Store(true)
	ex.unpark()
}

// Close stops an executor that does not run: after BlockOn, or one that was never run. It drops every task.
func (ex *Executor) Close() error {
	ex.stopping.Store(true)
	if !ex.enter() {
		return nil
	}
	return ex.shutdown()
}

// Driver returns the executor's driver.
func (ex *Executor) Driver() Driver { return ex.driver }

// Stats returns the counts so far. It is for the executor's own goroutine.
func (ex *Executor) Stats() Stats {
	s := ex.stats
	s.Wakes = ex.tasks.wakes
	return s
}

// Live returns how many tasks there are. It is for the executor's own goroutine.
func (ex *Executor) Live() int { return ex.tasks.live }

// runUntil takes turns until done says so. A Goexit or a panic on the way still drops every task.
func (ex *Executor) runUntil(done func() bool, last bool) (err error) {
	if !ex.enter() {
		return ErrStopped
	}
	if ex.config.Locked {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	defer ex.guard()()
	finished := false
	defer func() {
		if last || !finished || err != nil {
			err = errors.Join(err, ex.shutdown())
		} else {
			ex.leave()
		}
	}()
	ex.done = done
	for !done() && err == nil {
		err = ex.turn()
	}
	finished = true
	return err
}

// enter makes the caller's goroutine the owner. It reports false when the executor has been shut down.
func (ex *Executor) enter() bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.state == running {
		panic("coop: the executor is running already; a task must not call Run, BlockOn or Close, and only one goroutine may")
	}
	if ex.state == stopped {
		return false
	}
	ex.state = running
	ex.owner.Store(goroutineID())
	return true
}

func (ex *Executor) leave() {
	ex.mu.Lock()
	ex.state = idle
	ex.owner.Store(0)
	ex.mu.Unlock()
}

// goroutineID returns the number that Go prints for the calling goroutine in stacks, for which there is no other source. It
// takes a microsecond, and is only there to answer a mistake that would otherwise be a hang.
func goroutineID() uint64 {
	var text [64]byte
	words := bytes.Fields(text[:runtime.Stack(text[:], false)]) // "goroutine 18 [running]:"
	id, _ := strconv.ParseUint(string(words[1]), 10, 64)
	return id
}

func (ex *Executor) turn() error {
	ex.stats.Turns++
	ex.tasks.collect()
	ex.admit()
	ex.fire()
	ex.pollSome()
	if ex.config.AfterTurn != nil {
		ex.config.AfterTurn()
	}
	err := ex.look()
	for i, w := range ex.deferred {
		w.Wake()
		w.Drop()
		ex.deferred[i] = LocalWaker{}
	}
	ex.deferred = ex.deferred[:0]
	return err
}

// look waits for events, if there is nothing else to do.
func (ex *Executor) look() error {
	if ex.tasks.queued > 0 || len(ex.deferred) > 0 {
		return ex.driver.Wait(0)
	}
	return ex.sleep()
}

// sleep waits until an event, a timer or another thread has something to do.
//
// The danger is the lost wake-up: another thread puts a task into the inbox just after the executor has found it empty,
// sees no reason to ring, and the executor sleeps for ever. So both sides write first and look second. The executor says
// "I sleep" and then looks into the inbox once more; the other thread puts the task in and then looks whether the executor
// sleeps. Go's atomics are sequentially consistent, so at least one of the two sees the other.
func (ex *Executor) sleep() error {
	timeout := ex.timeout()
	ex.sleeping.Store(true)
	if ex.tasks.inbox.Load() != nil || ex.arrivals.Load() || ex.done() {
		ex.sleeping.Store(false)
		return nil
	}
	ex.stats.Sleeps++
	err := ex.driver.Wait(timeout)
	ex.sleeping.Store(false)
	return err
}

// timeout returns how long the executor may sleep before a timer is due; negative means for ever.
func (ex *Executor) timeout() time.Duration {
	next, ok := ex.timers.Next()
	if !ok {
		return -1
	}
	return time.Duration(max(0, next-ex.driver.Now()))
}

// unpark ends the sleep of the executor, if it sleeps. What it is to find must have been stored before. The swap lets one
// of several threads ring.
func (ex *Executor) unpark() {
	if ex.sleeping.Load() && ex.sleeping.CompareAndSwap(true, false) {
		ex.driver.Wake()
	}
}

func (ex *Executor) wokenLocal()  {}
func (ex *Executor) wokenRemote() { ex.unpark() }

// fire wakes the tasks whose timers are due.
func (ex *Executor) fire() {
	if ex.timers.Len() == 0 {
		return
	}
	now := ex.driver.Now()
	for w, ok := ex.timers.Pop(now); ok; w, ok = ex.timers.Pop(now) {
		ex.stats.Fired++
		w.Wake()
		w.Drop()
	}
}

// pollSome polls the oldest runnable tasks. One recover serves all of them: after a panic the turn goes on with the events
// and the next turn with the other tasks, and a poll that does not panic pays nothing.
func (ex *Executor) pollSome() {
	defer ex.contain()
	for range PollsPerTurn {
		t := ex.tasks.dequeue()
		if t == nil {
			return
		}
		ex.current = t
		ex.poll(t)
		ex.current = nil
	}
}

func (ex *Executor) poll(t *slot) {
	if t.abort {
		ex.end(t)
		return
	}
	ex.stats.Polls++
	ex.cx.waker, ex.cx.budget = t.waker(), OpsPerPoll
	if ex.stats.Polls >= ex.lookAt {
		ex.pollSeen(t)
		return
	}
	if t.fut.Poll(&ex.cx).ready {
		ex.end(t)
	}
}

// end retires a task and drops its future.
func (ex *Executor) end(t *slot) {
	f := ex.tasks.retire(t)
	ex.stats.Finished++
	ex.count.Add(-1)
	Drop(&ex.cx, f)
}

// contain turns a panic of a task into the end of that task.
func (ex *Executor) contain() {
	value := recover()
	if value == nil {
		return
	}
	t := ex.current
	if t == nil {
		panic(value) // not a task's panic
	}
	ex.current = nil
	ex.watcher.failed()
	ex.stats.Panics++
	failure := &JoinError{Panic: value, Stack: debug.Stack()}
	f := t.fut
	if !t.live { // the panic came from Drop, at the end of the task
		ex.report(failure)
		return
	}
	ex.fail(f, failure)
	ex.endQuietly(t)
}

// fail hands a panic to whoever joins the task, or else to the program.
func (ex *Executor) fail(f Future[Unit], failure *JoinError) {
	if j, ok := f.(interface{ fail(*JoinError) }); ok {
		j.fail(failure)
		return
	}
	ex.report(failure)
}

func (ex *Executor) report(failure *JoinError) {
	if ex.config.OnPanic == nil {
		panic(failure)
	}
	ex.config.OnPanic(failure)
}

// endQuietly ends a task whose future may panic again when it is dropped, because a panic has left it half done.
func (ex *Executor) endQuietly(t *slot) {
	defer func() {
		if value := recover(); value != nil {
			ex.report(&JoinError{Panic: fmt.Sprintf("%v (in Drop, after a panic)", value), Stack: debug.Stack()})
		}
	}()
	ex.end(t)
}

// Go runs f as a task that nobody waits for, as the statement go does. It may be called from any goroutine. When it returns
// an error, ErrStopped or ErrFull, f is still the caller's. A panic of such a task goes to Config.OnPanic.
func (ex *Executor) Go(f Future[Unit]) error {
	site := ex.site()
	ex.mu.Lock()
	err := ex.reserve()
	if err == nil {
		ex.arrived = append(ex.arrived, f)
		if ex.watcher != nil {
			ex.sites = append(ex.sites, site)
		}
		ex.arrivals.Store(true)
	}
	ex.mu.Unlock()
	ex.unpark()
	return err
}

// Go runs f as a task, beside the one that is polled, that nobody waits for. Otherwise it is like Executor.Go.
func (cx *Context) Go(f Future[Unit]) error {
	ex := cx.Executor()
	err := ex.reserve()
	if err == nil {
		ex.start(f, ex.site())
	}
	return err
}

// reserve counts one more task, if there may be one.
func (ex *Executor) reserve() error {
	if ex.stopping.Load() {
		return ErrStopped
	}
	if ex.count.Add(1) > int64(ex.config.TasksMax) {
		ex.count.Add(-1)
		return ErrFull
	}
	return nil
}

// admit gives slots to what other threads have spawned.
func (ex *Executor) admit() {
	if !ex.arrivals.Load() {
		return
	}
	ex.mu.Lock()
	arrived, sites := ex.arrived, ex.sites
	ex.arrived, ex.sites = nil, nil
	ex.arrivals.Store(false)
	ex.mu.Unlock()
	for i, f := range arrived {
		site := ""
		if ex.watcher != nil {
			site = sites[i]
		}
		ex.start(f, site)
	}
}

// start makes f, spawned at site, a task and queues it.
func (ex *Executor) start(f Future[Unit], site string) {
	ex.stats.Spawned++
	t := ex.tasks.insert(f)
	if p, ok := f.(interface{ placed(*slot) }); ok {
		p.placed(t)
	}
	if ex.watcher != nil {
		ex.watcher.started(t, site)
	}
	ex.tasks.enqueue(t)
}

// shutdown drops every task, on the owner's goroutine, and closes the driver. Tasks that are dropped may spawn others or
// wake each other; spawns are refused from here on and wakes are ignored.
func (ex *Executor) shutdown() error {
	ex.mu.Lock()
	ex.stopping.Store(true) // under the lock, so that nothing arrives after this
	ex.state = stopped
	arrived := ex.arrived
	ex.arrived = nil
	ex.mu.Unlock()
	for _, f := range arrived {
		ex.tasks.insert(f)
	}
	ex.coroutines.end()
	ex.tasks.each(func(t *slot) {
		ex.cx.waker = t.waker()
		ex.endQuietly(t)
	})
	if ex.config.AfterTurn != nil {
		ex.config.AfterTurn()
	}
	ex.owner.Store(0)
	return ex.driver.Close()
}

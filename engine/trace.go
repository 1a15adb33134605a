package engine

// A PollTrace is told what an engine's executors do with their tasks, when somebody wants to see who ran when. It is
// called on the executors' threads, each with its own number, and reads its own clock.
type PollTrace interface {
	Woken(executor int, task uint64)      // the task can run
	PollBegins(executor int, task uint64) // it runs
	PollEnds(executor int, task uint64)
}

// Polled is implemented by an engine that polls tasks: nobody outside the process can see them. Trace is called at most
// once, before Serve. Engines on goroutines and threads need no such thing, because the runtime and the kernel
// tell.
type Polled interface {
	Trace(PollTrace)
}

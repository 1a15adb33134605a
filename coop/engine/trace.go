package engine

import (
	"turnlab/coop"
	"turnlab/engine"
)

// Trace has the executors tell t of every poll and every wake.
//
// Note: computing that is offloaded is not in it: the pool's goroutines are not the executors', and who runs there is decided
// by Go's runtime.
func (e *Engine) Trace(t engine.PollTrace) { e.tracing = t }

// trace returns the trace of one executor: nil when nobody wants any, which costs nothing.
func (e *Engine) trace(executor int) coop.Trace {
	if e.tracing == nil {
		return nil
	}
	return &numbered{e.tracing, executor}
}

// numbered tells an engine's trace which executor speaks.
type numbered struct {
	to       engine.PollTrace
	executor int
}

func (n *numbered) Woken(id coop.TaskID)      { n.to.Woken(n.executor, uint64(id)) }
func (n *numbered) PollBegins(id coop.TaskID) { n.to.PollBegins(n.executor, uint64(id)) }
func (n *numbered) PollEnds(id coop.TaskID)   { n.to.PollEnds(n.executor, uint64(id)) }

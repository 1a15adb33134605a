package coop

// JoinSet is a number of tasks whose results come as the tasks end, and which are aborted together. It belongs to the task
// that polls it; the tasks in it are independent and may be on any executor.
type JoinSet[T any] struct {
	handles *FuturesUnordered[Result[T]]
}

// NewJoinSet returns an empty set.
func NewJoinSet[T any]() *JoinSet[T] {
	return &JoinSet[T]{NewFuturesUnordered[Result[T]]()}
}

// Spawn runs f as a task of the executor that polls the caller.
func (s *JoinSet[T]) Spawn(cx *Context, f Future[T]) { s.handles.Push(SpawnLocal(cx, f)) }

// SpawnOn runs f as a task of ex.
func (s *JoinSet[T]) SpawnOn(ex *Executor, f Future[T]) { s.handles.Push(Spawn(ex, f)) }

// Len returns how many results have not been handed out.
func (s *JoinSet[T]) Len() int { return s.handles.Len() }

// PollNext answers with the result of a task that has ended; OK is false when the set is empty.
func (s *JoinSet[T]) PollNext(cx *Context) Poll[Item[Result[T]]] { return s.handles.PollNext(cx) }

// Next returns a future of one PollNext. It is cancel-safe.
func (s *JoinSet[T]) Next() Future[Item[Result[T]]] { return s.handles.Next() }

// AbortAll aborts every task that has not ended. Their results still come: ErrAborted.
func (s *JoinSet[T]) AbortAll() {
	s.handles.each(func(f Future[Result[T]]) { f.(*JoinHandle[T]).Abort() })
}

// Drop aborts every task and forgets the results.
func (s *JoinSet[T]) Drop(cx *Context) {
	s.AbortAll()
	s.handles.Drop(cx)
}

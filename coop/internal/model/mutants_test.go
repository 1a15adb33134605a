package model

import "turnlab/coop/internal/mutant"

// mutants are mistakes that somebody might make in the library's protocols. Each must be found in the protocol that it concerns; that is
// what makes it believable that the library, in which nothing is found, has none of them. MUTATED stands for the switch.
var mutants = []mutant.Mutant{
	{Name: "notified is cleared after the poll", In: "wakes", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "told := t.word.And(^uint64(flags))", New: "told := t.word.Load()\n\t\tif !MUTATED || !t.live {\n\t\t\ttold = t.word.And(^uint64(flags))\n\t\t}"},
		{File: "executor.go", Old: "\tif t.fut.Poll(&ex.cx).ready {\n\t\tex.end(t)\n\t}", New: "\tready := t.fut.Poll(&ex.cx).ready\n\tif MUTATED {\n\t\tt.word.And(^uint64(flags))\n\t}\n\tif ready {\n\t\tex.end(t)\n\t}"},
	}},
	{Name: "the inbox is not looked into before sleeping", In: "wakes", Edits: []mutant.Edit{
		{File: "executor.go", Old: "if ex.tasks.inbox.Load() != nil ||", New: "if !MUTATED && ex.tasks.inbox.Load() != nil ||"},
	}},
	{Name: "arrivals are not looked at before sleeping", In: "spawns", Edits: []mutant.Edit{
		{File: "executor.go", Old: "|| ex.arrivals.Load() ||", New: "|| !MUTATED && ex.arrivals.Load() ||"},
	}},
	{Name: "a stop is not looked for before sleeping", In: "stops", Edits: []mutant.Edit{
		{File: "executor.go", Old: "|| ex.done() {\n\t\tex.sleeping", New: "|| !MUTATED && ex.done() {\n\t\tex.sleeping"},
	}},
	{Name: "the executor says too late that it sleeps", In: "wakes", Edits: []mutant.Edit{
		{File: "executor.go", Old: "\tex.sleeping.Store(true)\n", New: "\tex.sleeping.Store(!MUTATED)\n"},
		{File: "executor.go", Old: "\tex.stats.Sleeps++\n", New: "\tex.sleeping.Store(true)\n\tex.stats.Sleeps++\n"},
	}},
	{Name: "a remote wake does not compare generations", In: "slots", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "if uint32(old>>32) != id.gen() ||", New: "if !MUTATED && uint32(old>>32) != id.gen() ||"},
	}},
	{Name: "the link is read after the flag is cleared", In: "inbox", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "\t\tt.link = nil\n", New: "\t\tif !MUTATED {\n\t\t\tt.link = nil\n\t\t}\n"},
		{File: "tasks.go", Old: "\t\ts.deliver(t, told)\n", New: "\t\ts.deliver(t, told)\n\t\tif MUTATED {\n\t\t\tnext = t.link\n\t\t}\n"},
	}},
	{Name: "a push rings nobody", In: "wakes", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "\ts.parent.wokenRemote()\n", New: "\tif !MUTATED {\n\t\ts.parent.wokenRemote()\n\t}\n"},
	}},
	{Name: "an abort is dropped", In: "aborted", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "t.abort = t.abort || told&flagAborted != 0", New: "t.abort = t.abort || !MUTATED && told&flagAborted != 0"},
	}},
	{Name: "an abort beside a wake is dropped", In: "aborted", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "|| old&message == message {", New: "|| old&message == message || MUTATED && old&flagNotified != 0 {"},
	}},
	{Name: "an abort before the slot is forgotten", In: "aborted early", Edits: []mutant.Edit{
		{File: "join_handle.go", Old: "\tt.abort = j.abort\n", New: "\tt.abort = j.abort && !MUTATED\n"},
	}},
	{Name: "a slot is free although the inbox has it", In: "slots", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "|| t.word.Load()&flagNotified != 0 {", New: "|| !MUTATED && t.word.Load()&flagNotified != 0 {"},
	}},
	{Name: "the end of a task clears notified", In: "slots", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "uint64(t.gen)<<32|old&flagNotified)", New: "uint64(t.gen)<<32|old&keep(MUTATED))"},
		{File: "tasks.go", Old: "// enqueue puts", New: "func keep(mutated bool) uint64 {\n\tif mutated {\n\t\treturn 0\n\t}\n\treturn flagNotified\n}\n\n// enqueue puts"},
	}},
	{Name: "a spawn checks for the stop before it takes the lock", In: "stops", Edits: []mutant.Edit{
		{File: "executor.go", Old: "\tex.mu.Lock()\n\terr := ex.reserve()\n", New: "\tvar err error\n\tif MUTATED {\n\t\terr = ex.reserve()\n\t}\n\tex.mu.Lock()\n\tif !MUTATED {\n\t\terr = ex.reserve()\n\t}\n"},
	}},
	{Name: "arrivals are forgotten after the lock", In: "spawns", Edits: []mutant.Edit{
		{File: "executor.go", Old: "\tex.arrivals.Store(false)\n\tex.mu.Unlock()\n", New: "\tif !MUTATED {\n\t\tex.arrivals.Store(false)\n\t}\n\tex.mu.Unlock()\n\tif MUTATED {\n\t\tex.arrivals.Store(false)\n\t}\n"},
	}},
	{Name: "a shutdown forgets what has just arrived", In: "stops", Edits: []mutant.Edit{
		{File: "executor.go", Old: "\tfor _, f := range arrived {\n\t\tex.tasks.insert(f)", New: "\tfor _, f := range arrived {\n\t\tif MUTATED {\n\t\t\tbreak\n\t\t}\n\t\tex.tasks.insert(f)"},
	}},
	{Name: "a result wakes nobody of another executor", In: "joined", Edits: []mutant.Edit{
		{File: "join_handle.go", Old: "} else if !waiter.IsZero() {", New: "} else if !waiter.IsZero() && !MUTATED {"},
	}},
	{Name: "a result is seen before the future is dropped", In: "aborted or done", Edits: []mutant.Edit{
		{File: "join_handle.go", Old: "\tf := j.fut\n\tj.fut = nil\n\tDrop(cx, f)\n\tj.settle(cx.ex, Result[T]{Value: p.value})\n", New: "\tf := j.fut\n\tj.fut = nil\n\tif MUTATED {\n\t\tj.settle(cx.ex, Result[T]{Value: p.value})\n\t}\n\tDrop(cx, f)\n\tj.settle(cx.ex, Result[T]{Value: p.value})\n"},
	}},
	{Name: "a signal looks outside of its lock", In: "register", Edits: []mutant.Edit{
		{File: "signal.go", Old: "\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\tif !s.fired &&", New: "\tfired := s.fired\n\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\tif !MUTATED {\n\t\tfired = s.fired\n\t}\n\tif !fired &&"},
		{File: "signal.go", Old: "\treturn s.fired\n", New: "\treturn fired\n"},
	}},
	{Name: "a sub-executor looks before it has the waker", In: "unordered", Edits: []mutant.Edit{
		{File: "unordered.go", Old: "\tu.adopt(cx) // before", New: "\tif !MUTATED {\n\t\tu.adopt(cx)\n\t} else {\n\t\tdefer u.adopt(cx)\n\t} // before"},
	}},
	{Name: "a value is announced before it is there", In: "channel", Edits: []mutant.Edit{
		{File: "channel.go", Old: "\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n\tif c.closed {\n\t\treturn false", New: "\tif MUTATED {\n\t\tc.values.release(1)\n\t}\n\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n\tif c.closed {\n\t\treturn false"},
		{File: "channel.go", Old: "\tc.length++\n\tc.values.release(1)\n", New: "\tc.length++\n\tif !MUTATED {\n\t\tc.values.release(1)\n\t}\n"},
	}},
	{Name: "what was handed to one who gives up is lost", In: "mutex", Edits: []mutant.Edit{
		{File: "permits.go", Old: "\tif c.stage == claimGranted {\n\t\tp.free", New: "\tif c.stage == claimGranted && !MUTATED {\n\t\tp.free"},
	}},
	{Name: "a notification that finds nobody is forgotten", In: "notify", Edits: []mutant.Edit{
		{File: "notify.go", Old: "\t\tn.stored = true\n", New: "\t\tn.stored = !MUTATED\n"},
	}},
}

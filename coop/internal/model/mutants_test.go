package model

// mutants are mistakes that somebody might make in the library's protocols. Each must be found in the protocol that it concerns; that is
// what makes it believable that the library, in which nothing is found, has none of them. MUTATED stands for the switch.
var mutants = []mutant{
	{"notified is cleared after the poll", "wakes", []edit{
		{"tasks.go", "told := t.word.And(^uint64(flags))", "told := t.word.Load()\n\t\tif !MUTATED || !t.live {\n\t\t\ttold = t.word.And(^uint64(flags))\n\t\t}"},
		{"executor.go", "\tif t.fut.Poll(&ex.cx).ready {\n\t\tex.end(t)\n\t}", "\tready := t.fut.Poll(&ex.cx).ready\n\tif MUTATED {\n\t\tt.word.And(^uint64(flags))\n\t}\n\tif ready {\n\t\tex.end(t)\n\t}"},
	}},
	{"the inbox is not looked into before sleeping", "wakes", []edit{
		{"executor.go", "if ex.tasks.inbox.Load() != nil ||", "if !MUTATED && ex.tasks.inbox.Load() != nil ||"},
	}},
	{"arrivals are not looked at before sleeping", "spawns", []edit{
		{"executor.go", "|| ex.arrivals.Load() ||", "|| !MUTATED && ex.arrivals.Load() ||"},
	}},
	{"a stop is not looked for before sleeping", "stops", []edit{
		{"executor.go", "|| ex.done() {\n\t\tex.sleeping", "|| !MUTATED && ex.done() {\n\t\tex.sleeping"},
	}},
	{"the executor says too late that it sleeps", "wakes", []edit{
		{"executor.go", "\tex.sleeping.Store(true)\n", "\tex.sleeping.Store(!MUTATED)\n"},
		{"executor.go", "\tex.stats.Sleeps++\n", "\tex.sleeping.Store(true)\n\tex.stats.Sleeps++\n"},
	}},
	{"a remote wake does not compare generations", "slots", []edit{
		{"tasks.go", "if uint32(old>>32) != id.gen() ||", "if !MUTATED && uint32(old>>32) != id.gen() ||"},
	}},
	{"the link is read after the flag is cleared", "inbox", []edit{
		{"tasks.go", "\t\tt.link = nil\n", "\t\tif !MUTATED {\n\t\t\tt.link = nil\n\t\t}\n"},
		{"tasks.go", "\t\ts.deliver(t, told)\n", "\t\ts.deliver(t, told)\n\t\tif MUTATED {\n\t\t\tnext = t.link\n\t\t}\n"},
	}},
	{"a push rings nobody", "wakes", []edit{
		{"tasks.go", "\ts.parent.wokenRemote()\n", "\tif !MUTATED {\n\t\ts.parent.wokenRemote()\n\t}\n"},
	}},
	{"an abort is dropped", "aborted", []edit{
		{"tasks.go", "t.abort = t.abort || told&flagAborted != 0", "t.abort = t.abort || !MUTATED && told&flagAborted != 0"},
	}},
	{"an abort beside a wake is dropped", "aborted", []edit{
		{"tasks.go", "|| old&message == message {", "|| old&message == message || MUTATED && old&flagNotified != 0 {"},
	}},
	{"an abort before the slot is forgotten", "aborted early", []edit{
		{"join_handle.go", "\tt.abort = j.abort\n", "\tt.abort = j.abort && !MUTATED\n"},
	}},
	{"a slot is free although the inbox has it", "slots", []edit{
		{"tasks.go", "|| t.word.Load()&flagNotified != 0 {", "|| !MUTATED && t.word.Load()&flagNotified != 0 {"},
	}},
	{"the end of a task clears notified", "slots", []edit{
		{"tasks.go", "uint64(t.gen)<<32|old&flagNotified)", "uint64(t.gen)<<32|old&keep(MUTATED))"},
		{"tasks.go", "// enqueue puts", "func keep(mutated bool) uint64 {\n\tif mutated {\n\t\treturn 0\n\t}\n\treturn flagNotified\n}\n\n// enqueue puts"},
	}},
	{"a spawn checks for the stop before it takes the lock", "stops", []edit{
		{"executor.go", "\tex.mu.Lock()\n\terr := ex.reserve()\n", "\tvar err error\n\tif MUTATED {\n\t\terr = ex.reserve()\n\t}\n\tex.mu.Lock()\n\tif !MUTATED {\n\t\terr = ex.reserve()\n\t}\n"},
	}},
	{"arrivals are forgotten after the lock", "spawns", []edit{
		{"executor.go", "\tex.arrivals.Store(false)\n\tex.mu.Unlock()\n", "\tif !MUTATED {\n\t\tex.arrivals.Store(false)\n\t}\n\tex.mu.Unlock()\n\tif MUTATED {\n\t\tex.arrivals.Store(false)\n\t}\n"},
	}},
	{"a shutdown forgets what has just arrived", "stops", []edit{
		{"executor.go", "\tfor _, f := range arrived {\n\t\tex.tasks.insert(f)", "\tfor _, f := range arrived {\n\t\tif MUTATED {\n\t\t\tbreak\n\t\t}\n\t\tex.tasks.insert(f)"},
	}},
	{"a result wakes nobody of another executor", "joined", []edit{
		{"join_handle.go", "} else if !waiter.IsZero() {", "} else if !waiter.IsZero() && !MUTATED {"},
	}},
	{"a result is seen before the future is dropped", "aborted or done", []edit{
		{"join_handle.go", "\tf := j.fut\n\tj.fut = nil\n\tDrop(cx, f)\n\tj.settle(cx.ex, Result[T]{Value: p.value})\n", "\tf := j.fut\n\tj.fut = nil\n\tif MUTATED {\n\t\tj.settle(cx.ex, Result[T]{Value: p.value})\n\t}\n\tDrop(cx, f)\n\tj.settle(cx.ex, Result[T]{Value: p.value})\n"},
	}},
	{"a signal looks outside of its lock", "register", []edit{
		{"signal.go", "\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\tif !s.fired &&", "\tfired := s.fired\n\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\tif !MUTATED {\n\t\tfired = s.fired\n\t}\n\tif !fired &&"},
		{"signal.go", "\treturn s.fired\n", "\treturn fired\n"},
	}},
	{"a sub-executor looks before it has the waker", "unordered", []edit{
		{"unordered.go", "\tu.adopt(cx) // before", "\tif !MUTATED {\n\t\tu.adopt(cx)\n\t} else {\n\t\tdefer u.adopt(cx)\n\t} // before"},
	}},
}

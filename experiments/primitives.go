package experiments

import (
	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
)

// operation makes a sweep of an operation, which is measured without a client.
func operation(engines []string, name string, pairs ...string) plan.Sweep {
	return plan.Sweep{Engines: engines, Operations: []string{name}, Axes: axes(pairs...)}
}

// doing picks the points of an operation, with the given parameters.
func doing(operation string, params map[string]any) where {
	return where(func(p record.Point) bool { return p.Workload == operation }).and(is("", params))
}

// pinned and roaming are an operation on one CPU, and on all.
func pinned(operation string) where {
	return doing(operation, map[string]any{operation + ".pinned": "yes"})
}
func roaming(operation string) where {
	return doing(operation, map[string]any{operation + ".pinned": "no"})
}

// via is an engine whose tasks wake each other in a certain way.
func via(label, option, way, name string) series { return tuned(label, option, way, name) }

// The series of the operations; the first is what the others are held against.
var (
	switchSeries = []series{
		via("preempt", "preempt.via", "channel", "preempt over a channel"), via("preempt", "preempt.via", "gosched", "preempt by Gosched"),
		plainly("coop"), plainly("coop/await"),
		via("threads", "threads.via", "futex", "threads by a futex"), via("threads", "threads.via", "pipe", "threads over a pipe"),
	}
	readySeries = []series{plainly("preempt"), plainly("coop"), plainly("coop/await"), plainly("threads"), plainly("loop")}
	taskSeries  = []series{plainly("preempt"), plainly("coop"), plainly("coop/await"), plainly("threads")}
)

// primitiveSweeps measures operations at a length; pinning, levels and sizes are lists; with aa the noise is known where findings are.
func primitiveSweeps(length []string, pinning, levels, sizes string, aa bool) []plan.Sweep {
	futures, tasks := []string{"coop", "coop/await"}, []string{"coop", "coop/await", "preempt", "threads"}
	noisy := func(s plan.Sweep) plan.Sweep { s.AA = aa; return s }
	sweeps := many(
		noisy(operation(futures, "switch", "switch.pinned", pinning)),
		operation([]string{"preempt"}, "switch", "switch.pinned", pinning),
		operation([]string{"preempt"}, "switch", "preempt.via", "gosched"),
		operation([]string{"threads"}, "switch", "switch.pinned", pinning, "threads.via", "futex,pipe"),
		operation([]string{"loop"}, "switch", "loop.via", "futex,pipe"),
		noisy(operation(tasks, "ready", "ready.pinned", pinning)), operation([]string{"loop"}, "ready"),
		operation([]string{"coop", "preempt", "threads"}, "wake", "wake.pinned", "yes,no"),
		noisy(operation(tasks, "spawn")),
		operation([]string{"coop"}, "poll"),
		operation(futures, "chain", "chain.levels", levels),
		operation([]string{"coop"}, "future", "future.bytes", sizes, "coop.box", "inline,boxed"),
	)
	for i := range sweeps {
		sweeps[i].Axes = append(sweeps[i].Axes, axes(length...)...)
	}
	return sweeps
}

var primitives = &Experiment{
	Experiment: reports.Experiment{
		Name:     "primitives",
		Question: "What do a switch, a wake-up, a spawn and a poll cost by themselves?",
		Held: "No client and no protocol: one operation again and again in a fresh process. A switch is half of a round in which " +
			"two tasks wake each other in turn. On one CPU unless the drawing says otherwise, so that to wake somebody is to switch to him.",
		Limits: "Caches are warm and branches predicted, which they are not in a server: these are lower bounds. A ratio of two of " +
			"them is not one of two servers. Threads are Go's: a blocking call announces itself to Go's scheduler, and a new thread brings " +
			"the runtime's part with it.",
		Next: []string{
			"lab sweep --operation switch --engine coop,coop/await,preempt,threads --set switch.pinned=yes,no --blocks 10",
			"lab sweep --operation ready --engine loop,coop,preempt,threads --blocks 10",
			"make -C examples/yardsticks && examples/yardsticks/pingpong.sh",
		},
		Plots: []reports.Plot{
			{ID: "switch", Title: "From one task to the next", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: pinned("switch"),
				Note: "Loop is the baseline: the system calls that threads need for it, made by one thread that has nobody to switch to. What is left " +
					"after subtracting it is about the kernel's switch."},
			{ID: "ready", Title: "From one task to the next, woken by input", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: pinned("ready"),
				Note: "A byte through a pair of sockets. Loop writes and reads it alone: most of each bar is this input and output, so engines differ " +
					"less here than in a switch alone."},
			{ID: "switch-cpus", Title: "From one task to the next, on all CPUs", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: roaming("switch"),
				Note: "Tasks of one thread stay on its CPU; threads that wake each other may move, and then a CPU has to wake up for every switch."},
			{ID: "ready-cpus", Title: "From one task to the next, woken by input, on all CPUs", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: roaming("ready"),
				Note: "With a second CPU the one that writes goes on while the other wakes."},
			{ID: "wake", Title: "Waking a task of another thread, on one CPU", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: pinned("wake"),
				Note: "Each wake-up crosses threads, so each is a switch of the kernel's too: what user-space scheduling saves is saved within a thread."},
			{ID: "wake-cpus", Title: "Waking a task of another thread, on all CPUs", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: roaming("wake"),
				Note: "The time until a sleeping CPU runs the other task is in it, and with it the hypervisor's share."},
			{ID: "spawn", Title: "Starting a task and waiting for its end", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: doing("spawn", nil),
				Note: "A task that does nothing. A server pays this for each connection, and never for a request."},
			{ID: "chain", Title: "Asking a future inside a future", Kind: reports.Lines, Metrics: []string{"ns-per-op"}, X: "chain.levels", Where: doing("chain", nil),
				Note: "Every poll walks the whole chain: a call for each level of hand-written futures, a coroutine's switch there and back for each async function."},
			{ID: "future", Title: "Making and polling a large future", Kind: reports.Lines, Metrics: []string{"ns-per-op"}, X: "future.bytes", Where: doing("future", nil),
				Note: "Inline futures are copied into the one that polls them, boxed ones allocated: where the lines cross, boxing begins to pay, if they cross."},
			{ID: "poll", Title: "Asking a future that is ready", Kind: reports.Bars, Metrics: []string{"ns-per-op"}, Where: doing("poll", nil),
				Note: "A call through an interface: what a future costs when there is nothing to wait for."},
		},
		Findings: primitiveFindings,
	},
	Quick: &Measure{Blocks: quickBlocks, Sweeps: primitiveSweeps(measured("20ms", "150ms"), "yes", "1,8,64", "64,1k,64k", false)},
	Full:  &Measure{Blocks: fullBlocks, Sweeps: primitiveSweeps(measured("50ms", "500ms"), "yes,no", "1,2,4,8,16,32,64", "64,256,1k,4k,16k,64k", true)},
}

func primitiveFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "primitives")
	var f findings
	f.add(v.against(contest{
		metric: "ns-per-op", series: switchSeries, at: pinned("switch"), charts: []string{"switch"},
		title: "A switch to the next task took", condition: "two tasks that wake each other in turn on one CPU; threads' system calls are in it",
	}))
	f.add(v.against(contest{
		metric: "ns-per-op", series: readySeries, at: pinned("ready"), charts: []string{"ready"},
		title: "A switch to a task with input took", baseline: "loop", condition: "a byte through a pair of sockets, two tasks in turn on one CPU; loop has nobody to switch to",
	}))
	f.add(v.against(contest{
		metric: "ns-per-op", series: taskSeries, at: doing("spawn", nil), charts: []string{"spawn"},
		title: "Starting a task and seeing it end took", condition: "a task that does nothing, one at a time",
	}))
	return f
}

// sleepOn makes a sweep of sleeping tasks.
func sleepOn(engines []string, tasks string, pairs ...string) plan.Sweep {
	return operation(engines, "sleepers", append([]string{"sleepers.tasks", tasks}, pairs...)...)
}

// light are the tasks of which there can be a million.
var light = []string{"coop", "coop/await", "preempt"}

// sleeperSeries tell what belongs to a thread from what belongs to Go's way of having many that run.
var sleeperSeries = []series{
	plainly("preempt"), plainly("coop"), plainly("coop/await"),
	tuned("threads", "threads.procs", 0.0, "threads with a P each"), tuned("threads", "threads.procs", 4.0, "threads without"),
}

var sleepers = &Experiment{
	Experiment: reports.Experiment{
		Name:     "sleepers",
		Question: "What does a task cost that only sleeps?",
		Held: "No sockets and no client. Every task sleeps for an hour by the timer that its engine has; when all of them sleep, memory is read, " +
			"as it was before the first one was made. Garbage is collected before, but under threads, where the collector is off.",
		Limits: "What a task of a program keeps besides comes on top, and a goroutine's stack grows with what it calls. Kernel stacks are " +
			"inferred (16 KiB for each thread). The engine threads has a P for each thread, because its threads all have to run; those that only sleep need none.",
		Next: []string{
			"lab sweep --operation sleepers --engine coop,coop/await,preempt --set sleepers.tasks=1M",
			"lab sweep --operation sleepers --engine threads --set sleepers.tasks=1k..8k*2 --set threads.procs=0,4",
		},
		Plots: []reports.Plot{
			{ID: "slope", Title: "Memory for each sleeping task (PSS)", Kind: reports.Bars, Metrics: []string{"pss"}, X: "sleepers.tasks", Slope: true,
				Note: "The slope of a line through all sizes."},
			{ID: "kinds", Title: "What it is made of", Kind: reports.Stacked, Slope: true, X: "sleepers.tasks",
				Metrics: []string{"go-heap", "go-stacks", "go-metadata", "page-tables", "kernel-stacks"},
				Note: "Go's three kinds are what it has taken, touched or not: a thread's stack for signals lies idle, so that threads take more here than " +
					"their PSS. Page tables and kernel stacks are the kernel's."},
			{ID: "pss", Title: "Memory of the process (PSS)", Kind: reports.Lines, Metrics: []string{"pss"}, X: "sleepers.tasks",
				Note: "Both axes are wide: a task that costs ten times as much lies one step higher."},
			{ID: "time", Title: "Time until a task sleeps", Kind: reports.Lines, Metrics: []string{"ns-per-op"}, X: "sleepers.tasks",
				Note: "Making it and putting it to sleep, the collector's work for all that are there already with it."},
		},
		Findings: sleeperFindings,
	},
	Full: &Measure{Blocks: fullBlocks, Sweeps: many(
		sleepOn(light, "1k,10k,100k,1M"), sleepOn([]string{"threads"}, "1k,2k,4k,8k", "threads.procs", "0,4"),
	)},
}

func sleeperFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "sleepers")
	var f findings
	f.add(v.slopes(slopeRule{
		metric: "pss", x: "sleepers.tasks", series: sleeperSeries, at: everything, charts: []string{"slope", "kinds"}, title: "A sleeping task took",
		condition: "private and shared memory of the process (PSS) by task, from the slope over all sizes; the kernel's own memory is not in it",
	}))
	return f
}

package trial

import (
	"context"
	"errors"
	"math"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/flags"
	"turnlab/harness/record"
)

// measureMicro carries out a trial of an operation: one fresh process, and nobody beside it.
func (l *Lab) measureMicro(ctx context.Context, t *record.Trial) error {
	spec, err := l.Catalog.Engine(t.Label())
	if err != nil {
		return err
	}
	child, err := control.Spawn(ctx, control.Command{
		Name: "operation's process", Args: []string{"child", "micro"}, Program: l.Program,
		Environ: append([]string{padding(t.Seed, t.Trial)}, spec.Environ...), Start: pinned(t.Text("server-cpus")),
	})
	if err != nil {
		return err
	}
	defer child.Kill()
	_, err = child.Ask(ctx, control.Request{Do: control.Start, Micro: &control.Micro{
		Engine: t.Label(), Operation: t.Workload, Options: t.Options(t.Engine), Settings: t.Options(t.Workload),
		WarmupNS: int64(t.Duration("warmup")), WindowNS: int64(t.Duration("duration")),
	}}, control.Ready, l.grace())
	if err != nil {
		return err
	}
	if err := l.repeat(ctx, t, child); err != nil {
		return err
	}
	return child.Stop(ctx, l.grace())
}

// perHeld is how much longer a step may take for each task that an operation holds: it is made once, and collected around.
const perHeld = 50 * time.Microsecond

// repeat sees the process through its phases and writes down what it measured, and what others did on its CPUs meanwhile.
func (l *Lab) repeat(ctx context.Context, t *record.Trial, child *control.Child) error {
	if _, err := child.Ask(ctx, control.Request{Do: control.Go}, control.Measuring, t.Duration("warmup")+l.grace()); err != nil {
		return err
	}
	cpus, held := flags.CPUs(t), time.Duration(t.Number(t.Workload+".tasks"))*perHeld
	was, seen := readCPUs(cpus)
	if _, err := child.Await(ctx, control.Measured, t.Duration("duration")+held+l.grace()); err != nil {
		return err
	}
	is, seenAgain := readCPUs(cpus)
	event, err := child.Await(ctx, control.Result, held+l.grace())
	if err != nil {
		return err
	}
	if event.Micro == nil || event.Micro.Operations == 0 || event.Micro.Used.MonotonicNS <= 0 {
		return errors.New("the operation's result is empty")
	}
	recordMicro(t, event.Micro)
	if seen && seenAgain {
		t.Machine = strangers(len(cpus), was, is, float64(event.Micro.Used.CPUNS)/float64(event.Micro.Used.MonotonicNS))
	}
	return nil
}

// recordMicro writes down what was measured.
func recordMicro(t *record.Trial, r *control.MicroResult) {
	n := float64(r.Operations)
	t.WindowSeconds = float64(r.Used.MonotonicNS) / 1e9
	t.Micro = &record.Micro{
		Operations: r.Operations, NSPerOp: float64(r.Used.MonotonicNS) / n, CPUNSPerOp: float64(r.Used.CPUNS) / n,
		AllocsPerOp: float64(r.Allocs) / n, BytesPerOp: float64(r.AllocBytes) / n,
		Voluntary: float64(r.Used.Voluntary) / n, Involuntary: float64(r.Used.Involuntary) / n,
	}
	t.Sched = map[string]float64{}
	for _, name := range []string{"gomaxprocs", "threads", "goroutines"} {
		if x, ok := r.Used.Runtime[name]; ok {
			t.Sched["go_"+name] = x
		}
	}
	if t.Memory = r.Used.Memory; t.Memory == nil {
		return
	}
	grown := func(kind string) float64 { return math.Max(0, float64(t.Memory[kind])-float64(r.Before[kind])) / n }
	t.Sched["task_user_bytes"] = grown("pss")
	t.Sched["task_kernel_bytes"] = grown("kernel_stacks") + grown("page_tables")
}

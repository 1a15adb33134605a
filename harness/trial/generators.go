package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/harness/load"
	"turnlab/harness/proc"
	"turnlab/harness/record"
)

// generators is the processes that make a load together. One process with more threads does the same with less ado; several
// are for what processes limit, such as file descriptors.
//
// They are spoken to like one. Each is told its part before it connects, one after the other, so that there is no storm of
// connects, and all are told one time at which to begin, so that their windows are the same to a fraction of a millisecond.
// What is left between them is measured at both edges (apartNS) and stands in the record. The window of the whole begins and
// ends with the last of them.
type generators struct {
	children []*control.Child
	apartNS  int64 // between the first and the last at an edge of the window, at worst
}

// startAhead is how long before the load begins the generators are told when: time for all to have read it.
const startAhead = 20 * time.Millisecond

// startGenerators starts the generators of t and waits until all have connected to the server at address.
func (l *Lab) startGenerators(ctx context.Context, t *record.Trial, address string) (*generators, error) {
	spec := LoadOf(t, address)
	g := &generators{}
	within := time.Duration(spec.TimeoutNS) + l.grace()
	for part := range max(1, spec.Parts) {
		child, err := control.Spawn(ctx, control.Command{
			Name: "generator", Args: []string{"child", "load"}, Program: l.Program,
			Start: pinned(partOf(t.Text("client-cpus"), part, spec.Parts)),
		})
		if err != nil {
			g.Kill()
			return nil, err
		}
		g.children = append(g.children, child)
		spec.Part = part
		if _, err := child.Ask(ctx, control.Request{Do: control.Start, Load: &spec}, control.Ready, within); err != nil {
			g.Kill()
			return nil, err
		}
	}
	return g, nil
}

// partOf returns the CPUs of a part: its share, or all of them when there are fewer than parts.
func partOf(cpus string, part, parts int) string {
	set, err := proc.ParseCPUs(cpus)
	list := set.List()
	if err != nil || parts < 2 || len(list) < parts {
		return cpus
	}
	own := list[len(list)*part/parts : len(list)*(part+1)/parts]
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(own)), ","), "[]")
}

// begin lets the load begin and waits for the window.
func (g *generators) begin(ctx context.Context, within time.Duration) (*control.Event, error) {
	request := control.Request{Do: control.Go}
	if len(g.children) > 1 {
		var now unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail with these arguments
		request.StartNS = now.Nano() + startAhead.Nanoseconds()
	}
	for _, child := range g.children {
		if err := child.Send(ctx, request); err != nil {
			return nil, err
		}
	}
	return g.edge(ctx, control.Measuring, within)
}

// edge waits until the last generator has come to an edge of the window, and returns its event.
func (g *generators) edge(ctx context.Context, want string, within time.Duration) (last *control.Event, err error) {
	var first int64
	for _, child := range g.children {
		event, err := child.Await(ctx, want, within)
		if err != nil {
			return nil, err
		}
		if event.Usage == nil { // a generator that tells no time: there is nothing to compare
			last = event
			continue
		}
		at := event.Usage.MonotonicNS
		if last == nil || last.Usage == nil || at > last.Usage.MonotonicNS {
			last = event
		}
		if first == 0 || at < first {
			first = at
		}
		g.apartNS = max(g.apartNS, last.Usage.MonotonicNS-first)
	}
	return last, nil
}

// result waits for the results of all and makes one of them.
func (g *generators) result(ctx context.Context, within time.Duration) (*control.LoadResult, error) {
	var parts []control.LoadResult
	for _, child := range g.children {
		event, err := child.Await(ctx, control.Result, within)
		if err != nil {
			return nil, err
		}
		if event.Result == nil {
			return nil, errors.New("the generator's result is empty")
		}
		parts = append(parts, *event.Result)
	}
	all, err := load.Merge(parts)
	return &all, err
}

// Stop ends all generators in order.
func (g *generators) Stop(ctx context.Context, within time.Duration) error {
	for _, child := range g.children {
		if err := child.Stop(ctx, within); err != nil {
			return err
		}
	}
	return nil
}

// Kill ends all generators at once.
func (g *generators) Kill() {
	for _, child := range g.children {
		child.Kill()
	}
}
